"""A circuit breaker per origin: a server that keeps failing is left alone for a while.

What counts is a call: all that one hook call asks of one origin, side by side or one after another.
So one chart whose five reads time out is one failure, and the call that tries a server out again
gets all of its data. State is per process. pybreaker keeps the states; it would also hold its lock
during a call and so make calls to one server queue behind each other, therefore calls are admitted
first and how they ended is reported afterwards. It goes by the time of day, too: a clock set back
by an hour would leave a server alone for an hour, so the rest is measured here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from time import monotonic
from types import ModuleType
from typing import Final, Self

from cds_service.errors import let_go
from cds_service.fhir.calls.by_origin import ByOrigin
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0

_CLOSED: Final = "closed"
_OPEN: Final = "open"
"""States, as pybreaker names them."""

_FAILURES = frozenset(
    {
        UpstreamFault.CONNECT,
        UpstreamFault.TLS,
        UpstreamFault.TIMEOUT,
        UpstreamFault.BROKEN,
        UpstreamFault.STATUS_5XX,
    }
)
_SAYS_NOTHING = frozenset({UpstreamFault.DEADLINE, UpstreamFault.NOT_ALLOWED})
"""The server was not asked, so nothing is known of it."""


class Admission(StrEnum):
    """Whether a call may be made now."""

    GRANTED = "granted"
    DENIED = "denied"


class CallEnding(StrEnum):
    """What a call says of the server."""

    ANSWERED = "answered"
    """All that was asked was answered, with data or with a refusal."""
    FAILED = "failed"
    NOT_ASKED = "not-asked"
    """Nothing was sent, or too late to be answered, so nothing is known."""


def ending_of(outcome: HttpAnswer | Refused) -> CallEnding:
    """What one exchange says. Only faults of the server count, never a 4xx."""
    match outcome:
        case Refused(fault) if fault in _FAILURES:
            return CallEnding.FAILED
        case Refused(fault) if fault in _SAYS_NOTHING:
            return CallEnding.NOT_ASKED
        case _:
            return CallEnding.ANSWERED


class _ServerFailedError(Exception):
    """Tells pybreaker of a failure."""


def load() -> ModuleType:
    """Import pybreaker. It takes long, so never within the deadline of a call; and it loads a
    client for Redis as well, so a service that never calls out does without it.
    """
    import pybreaker  # noqa: PLC0415

    return pybreaker


class OriginBreaker:
    """Closed; open after five failures in a row; half-open, for one trial call, after 30 s.

    Every call that was granted must be reported: a trial call that is not keeps the rest waiting.
    """

    def __init__(self, failures: int = FAILURES_TO_OPEN) -> None:
        pybreaker = load()
        self._storage = pybreaker.CircuitMemoryStorage(_CLOSED)
        self._breaker = pybreaker.CircuitBreaker(fail_max=failures, state_storage=self._storage)
        self._expected = (_ServerFailedError, pybreaker.CircuitBreakerError)
        self._lock = threading.Lock()
        self._trial_under_way = False
        self._rests_until = 0.0

    def admit(self) -> Admission:
        """Ask for one call."""
        with self._lock:
            state = self._storage.state
            if state == _CLOSED:
                return Admission.GRANTED
            if self._trial_under_way or (state == _OPEN and self._rests()):
                return Admission.DENIED
            self._trial_under_way = True
            return Admission.GRANTED

    def report(self, ending: CallEnding) -> None:
        """Say how a granted call ended."""

        def replay() -> None:
            if ending is CallEnding.FAILED:
                raise _ServerFailedError

        with self._lock:
            self._trial_under_way = False
            was_open = self._storage.state == _OPEN
            if ending is CallEnding.NOT_ASKED or (was_open and self._rests()):
                return
            if was_open:  # else pybreaker would look at the time of day
                self._breaker.half_open()
            try:
                self._breaker.call(replay)
            except self._expected as told:  # it is recorded by now
                let_go(told)
            if self._storage.state == _OPEN:
                self._rests_until = monotonic() + OPEN_SECONDS

    def _rests(self) -> bool:
        return monotonic() < self._rests_until


class OriginCall:
    """All exchanges of one call with one origin, from several threads at once.

    Admission is asked for with the first of them and holds for all; how they went is reported when
    the call ends: a failure if any of them failed.
    """

    def __init__(self, breaker: OriginBreaker) -> None:
        self._breaker = breaker
        self._lock = threading.Lock()
        self._stage = _Stage.NEW
        self._under_way = 0
        """Exchanges that did not begin late."""
        self._endings: set[CallEnding] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.end()

    def exchange(
        self, ask: Callable[[], HttpAnswer | Refused], *, late: bool = False
    ) -> HttpAnswer | Refused:
        """Ask, if the call is admitted.

        `late` says that little of the time is left: if it runs out, that says nothing of the server
        (decision 106).
        """
        match self._begin(late):
            case _Stage.DENIED:
                return Refused(UpstreamFault.BREAKER_OPEN)
            case _Stage.ENDED:
                return Refused(UpstreamFault.DEADLINE)
            case _:
                pass
        outcome: HttpAnswer | Refused = Refused(UpstreamFault.BROKEN)
        try:
            outcome = ask()
        finally:
            self._note(outcome, late)
        return outcome

    def end(self) -> None:
        """Report the call. An exchange still under way that did not begin late was not answered in
        time: a failure.
        """
        with self._lock:
            if self._stage is _Stage.ADMITTED:
                self._breaker.report(self._ending())
            self._stage = _Stage.ENDED

    def _begin(self, late: bool) -> _Stage:
        with self._lock:
            if self._stage is _Stage.NEW:
                granted = self._breaker.admit() is Admission.GRANTED
                self._stage = _Stage.ADMITTED if granted else _Stage.DENIED
            if self._stage is _Stage.ADMITTED and not late:
                self._under_way += 1
            return self._stage

    def _note(self, outcome: HttpAnswer | Refused, late: bool) -> None:
        ran_out_of_time = late and outcome == Refused(UpstreamFault.TIMEOUT)
        with self._lock:
            if not late:
                self._under_way -= 1
            self._endings.add(CallEnding.NOT_ASKED if ran_out_of_time else ending_of(outcome))

    def _ending(self) -> CallEnding:
        if self._under_way or CallEnding.FAILED in self._endings:
            return CallEnding.FAILED
        return CallEnding.ANSWERED if CallEnding.ANSWERED in self._endings else CallEnding.NOT_ASKED


class _Stage(StrEnum):
    NEW = "new"
    ADMITTED = "admitted"
    DENIED = "denied"
    ENDED = "ended"


class Breakers:
    """The breaker of each origin."""

    def __init__(self, failures: int = FAILURES_TO_OPEN) -> None:
        self._breakers = ByOrigin(partial(OriginBreaker, failures))

    def of(self, origin: str) -> OriginBreaker:
        """The breaker of this origin."""
        return self._breakers.of(origin)

    def call(self, origin: str) -> OriginCall:
        """A call to this origin, which asks for admission once it has something to send."""
        return OriginCall(self.of(origin))
