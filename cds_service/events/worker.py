"""The worker: takes what is due, fetches, evaluates, delivers, and ends it in one transaction.

It may die at any moment. What it had taken is free again when its lease runs out; what it had
delivered is found on the other side and left as it is; what it had not ended is not recorded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final
from uuid import uuid4

from cds_service import __version__
from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import CdsError, DataUnavailable, ServiceFault, StoreUnavailable
from cds_service.events.current import Current, Gone, read_current
from cds_service.events.delivery import Courier
from cds_service.events.evaluation import Evaluator
from cds_service.events.faults import (
    ASKED_FOR,
    FAULT_OF_OURS,
    SetAside,
    TryAgain,
    UpstreamFailed,
    after_failure,
)
from cds_service.events.matter import Stopwatch
from cds_service.events.search import Found, changed_since
from cds_service.events.source import EventSource
from cds_service.events.tokens import Tokens
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import Complete, Partial, UpstreamFault
from cds_service.fhir.client import FhirClient
from cds_service.logs import Event, log, log_fault
from cds_service.store.events import EventStore
from cds_service.store.records import Door, EvaluationRecord
from cds_service.store.subscription import REACH_OF_GAP
from cds_service.store.work_item import Claimed, Ending, Kind, Searched, Target, client_name

DEADLINE_MS: Final = 30_000
"""For all that is fetched and delivered for one result. A whole batch is shorter than a lease."""
BATCH: Final = 8
OVERLAP: Final = timedelta(minutes=5)
"""A search reaches back this much further: clocks differ, and what is found twice is done once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Works off what is due. Safe to run in many threads, processes and machines."""

    sources: Mapping[str, EventSource]
    knowledge: Sequence[KnowledgeBase]
    store: EventStore
    evaluator: Evaluator
    client: FhirClient
    tokens: Tokens
    hook: str
    now: Callable[[], datetime]
    stopping: threading.Event
    """Set when the process is to end: what is under way is finished, nothing more is begun."""
    _in_hand: deque[Claimed] = field(default_factory=deque, init=False)
    """What was leased and not begun when the database was lost."""

    def drain(self, more: Callable[[], None] = lambda: None) -> int:
        """Work until nothing is due or the process is to end. Returns how many results were ended.

        `more` is called when there is more than one worker can take at once. Raises
        StoreUnavailable.
        """
        ended = 0
        while not self.stopping.is_set() and (claimed := self.store.claim(self.now(), BATCH)):
            if len(claimed) == BATCH:
                more()
            ended += sum(self._work_off(claimed))
        return ended

    def work_off_some(self) -> int:
        """Work on one batch. Returns how many results were tried. Raises StoreUnavailable."""
        claimed = self.store.claim(self.now(), BATCH)
        return len(list(self._work_off(claimed)))

    def give_back(self) -> None:
        """Free what was not begun when the database was lost: nobody has to wait for its lease to
        run out. What was under way keeps its lease until then, which counts as a lease lost: it may
        be what the database cannot take. Raises StoreUnavailable while that still is lost.
        """
        while self._in_hand:
            self.store.give_back(self._in_hand[0], self.now())
            self._in_hand.popleft()

    def _work_off(self, claimed: Sequence[Claimed]) -> Iterator[bool]:
        """Works on each in turn, and gives whether it was ended. Once the process is to end, what
        is left is given back.
        """
        for number, each in enumerate(claimed):
            if self.stopping.is_set():
                self.store.give_back(each, self.now())
                continue
            try:
                yield self._process(each)
            except StoreUnavailable:
                self._in_hand.extend(claimed[number + 1 :])
                raise

    def _process(self, claimed: Claimed) -> bool:
        """Works on one, and says whether the result was ended; if not, it is tried again later or
        was set aside.
        """
        watch = Stopwatch(self.now(), perf_counter())
        try:
            ending = self._carry_out(claimed, watch)
        except UpstreamFailed as failed:
            self._failed(claimed, failed.cause, passes=failed.passes, error=DataUnavailable)
            return False
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            log_fault(Event.FAILED, error, **_about(claimed))
            self._failed(claimed, FAULT_OF_OURS, passes=False, error=ServiceFault)
            return False
        if ending is Ending.LEASE_LOST:
            log(
                Event.EVENT_LATER,
                **_about(claimed),
                cause=ending.value,
                attempts=claimed.attempts,
            )
            return False
        log(
            Event.EVENT_DONE,
            **_about(claimed),
            way=claimed.way.value,
            ending=ending.value,
            attempts=claimed.attempts,
            duration_ms=watch.elapsed_ms,
        )
        return True

    def _carry_out(self, claimed: Claimed, watch: Stopwatch) -> Ending:
        source = self.sources.get(claimed.source)
        if source is None:  # no longer registered: nothing may be fetched from it
            raise UpstreamFailed(UpstreamFault.NOT_ALLOWED, during="source")
        deadline = Deadline.after(DEADLINE_MS)
        with (
            self.tokens.using(source, deadline) as token,
            self.client.session(source.base, token, deadline) as session,
        ):
            courier = Courier(source.delivery, self.client, session, self.hook)
            if claimed.target.kind is Kind.SWEEP:
                return self._search(claimed, courier, watch)
            return self._bring_into_line(claimed, courier, watch)

    def _bring_into_line(self, claimed: Claimed, courier: Courier, watch: Stopwatch) -> Ending:
        target = claimed.target
        found: Sequence[Target] = ()
        match read_current(courier.session, target, attempts=claimed.attempts):
            case Gone():
                evaluated = self.evaluator.take_back_deleted(claimed, courier, watch)
                if not evaluated and claimed.attempts < ASKED_FOR:
                    raise UpstreamFailed(UpstreamFault.STATUS_404, during="read")
            case Current() as current:
                if target.kind is Kind.DIAGNOSTIC_REPORT:
                    found = current.reported
                evaluated = self.evaluator.bring_into_line(claimed, current, courier, watch)
        return self.store.finish(claimed, self.now(), evaluated=evaluated, found=found)

    def _search(self, claimed: Claimed, courier: Courier, watch: Stopwatch) -> Ending:
        """Look for results that have changed since the last search, and add them as work.

        If the answer may not be all, what it shows is added at once, and the search has failed.
        """
        since = self._search_from(claimed, watch.at)
        found = changed_since(courier.session, self.knowledge, since - OVERLAP)
        at = self.now()
        match found.extent:
            case Complete():
                searched = Searched(since, until=watch.at)
                return self.store.finish(claimed, at, found=found.targets, searched=searched)
            case Partial(fault):
                new = self._not_evaluated(claimed.source, found)
                self.store.add(claimed.source, new, claimed.way, at)
                raise UpstreamFailed(fault, during="search")

    def _search_from(self, claimed: Claimed, at: datetime) -> datetime:
        """Where the last search ended, else when this one was first asked for. What lies further
        ahead than clocks differ was noted before the clock was set back. How long ago is not known,
        and what was searched meanwhile began too late.
        """
        until = self.store.swept_until(claimed.source, otherwise=claimed.first_received)
        return at - REACH_OF_GAP if until - at > OVERLAP else min(until, at)

    def _not_evaluated(self, source: str, found: Found) -> list[Target]:
        """What was found and is new: a search that is tried again and again must not have the same
        results read each time.
        """
        return [
            target
            for target, version in found.versions.items()
            if not self.evaluator.is_evaluated(source, target, version)
        ]

    def _failed(self, claimed: Claimed, cause: str, *, passes: bool, error: type[CdsError]) -> None:
        at, attempts = self.now(), claimed.attempts
        match after_failure(
            passes=passes, attempts=attempts, first_received=claimed.first_received, at=at
        ):
            case TryAgain(due):
                self.store.retry_later(claimed, due, cause)
                log(Event.EVENT_LATER, **_about(claimed), cause=cause, attempts=attempts)
            case SetAside():
                self.store.set_aside(claimed, cause, _failure(claimed, at, error))
                log(Event.EVENT_SET_ASIDE, **_about(claimed), cause=cause, attempts=attempts)


def _about(claimed: Claimed) -> dict[str, str]:
    """How a line of the log names what was worked on."""
    return {"source": claimed.source, "kind": claimed.target.kind.value}


def _failure(claimed: Claimed, at: datetime, error: type[CdsError]) -> EvaluationRecord:
    """A result that could not be evaluated is on record too."""
    return EvaluationRecord(
        id=str(uuid4()),
        at=at,
        door=Door.EVENT,
        service="",
        client=client_name(claimed.source),
        software=__version__,
        status=error.status,
        error=error.code,
        inputs=(f"{claimed.target.kind}/{claimed.item}",),
    )
