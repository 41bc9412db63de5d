"""A circuit breaker per origin: a server that keeps failing is left alone for a while.

State is per process. pybreaker keeps the states; it would also hold its lock during a call and so
make calls to one server queue behind each other, therefore calls are admitted first and their
outcome is reported afterwards.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pybreaker import (
    STATE_CLOSED,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitMemoryStorage,
)

from cds_service.fhir.fetched import Refused, UpstreamFault

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0

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


class _ServerFailedError(Exception):
    """Tells pybreaker of a failure."""


class OriginBreaker:
    """Closed; open after five failures in a row; half-open, for one trial call, after 30 s.

    Every call that was granted must be reported: a trial call that is not keeps the rest waiting.
    """

    def __init__(
        self, failures: int = FAILURES_TO_OPEN, open_seconds: float = OPEN_SECONDS
    ) -> None:
        self._storage = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(
            fail_max=failures, reset_timeout=open_seconds, state_storage=self._storage
        )
        self._lock = threading.Lock()
        self._trial_under_way = False

    def admit(self) -> Admission:
        """Ask for one call."""
        with self._lock:
            state = self._storage.state
            if state == STATE_CLOSED:
                return Admission.GRANTED
            if self._trial_under_way or (state == STATE_OPEN and not self._rested()):
                return Admission.DENIED
            self._trial_under_way = True
            return Admission.GRANTED

    def report(self, result: object) -> None:
        """Say what a granted call came to. Only faults of the server count, never a 4xx."""
        fault = result.fault if isinstance(result, Refused) else ""

        def replay() -> None:
            if fault in _FAILURES:
                raise _ServerFailedError

        with self._lock:
            self._trial_under_way = False
            if fault in _SAYS_NOTHING:
                return
            # suppressed: it is recorded, or came late to a breaker that is open already
            with suppress(_ServerFailedError, CircuitBreakerError):
                self._breaker.call(replay)

    def _rested(self) -> bool:
        opened = self._storage.opened_at
        rest = timedelta(seconds=self._breaker.reset_timeout)
        return opened is None or datetime.now(UTC) >= opened + rest


class Breakers:
    """The breaker of each origin. Origins come from the allow list, so their number is bounded."""

    def __init__(
        self, failures: int = FAILURES_TO_OPEN, open_seconds: float = OPEN_SECONDS
    ) -> None:
        self._failures = failures
        self._open_seconds = open_seconds
        self._lock = threading.Lock()
        self._by_origin: dict[str, OriginBreaker] = {}

    def of(self, origin: str) -> OriginBreaker:
        """The breaker of this origin."""
        with self._lock:
            if origin not in self._by_origin:
                self._by_origin[origin] = OriginBreaker(self._failures, self._open_seconds)
            return self._by_origin[origin]
