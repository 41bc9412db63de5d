"""The events room from its settings: what the inbox, the worker and the commands work with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cds_service.access.registry import Source
from cds_service.config import Settings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import ConfigurationError
from cds_service.events.inbox import Inbox
from cds_service.events.source import EventSource, Relay, event_sources
from cds_service.fhir.calls.breaker import Breakers
from cds_service.fhir.calls.network import Network
from cds_service.fhir.client import FhirClient
from cds_service.knowledge.files import Library
from cds_service.metrics import Reading
from cds_service.origins import AllowList
from cds_service.store.database import Database
from cds_service.store.event_outcomes import EventOutcomes, outcomes_of_late
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.events import EventStore
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.subscription import SubscriptionHealth
from cds_service.store.work_item import client_name
from cds_service.web.ports import Degraded, utc_now

if TYPE_CHECKING:
    from cds_service.events.care import Caretaker
    from cds_service.events.queue import Queue
    from cds_service.events.worker import Worker

BACKLOG_AGE: Final = timedelta(minutes=15)
"""Work that has been due for longer shows that no worker runs, or none keeps up."""


@dataclass(frozen=True, slots=True)
class EventRoom:
    """What everything that has to do with events shares in one process."""

    settings: Settings
    sources: Mapping[str, EventSource]
    database: Database
    key: DataKey
    store: EventStore
    subscriptions: Subscriptions
    pseudonyms: Pseudonymiser
    now: Callable[[], datetime]

    def source(self, name: str) -> EventSource:
        """The source of this name. Raises ConfigurationError."""
        try:
            return self.sources[name]
        except KeyError:
            known = ", ".join(self.sources) or "none"
            raise ConfigurationError(
                f"There is no source '{name}'.", where="CDS_CLIENTS", remedy=f"Known: {known}."
            ) from None

    def endpoint(self, source: EventSource) -> str:
        """Where a source sends its notifications."""
        return f"{self.settings.public_url}/events/{source.name}"

    def queue(self, work: Callable[[], object] = lambda: None) -> Queue:
        """A queue to wake workers with; `work` is what a woken worker does."""
        # imported only where a source is registered: huey loads the clients of Redis and PostgreSQL
        from cds_service.events.queue import Queue  # noqa: PLC0415

        return Queue(self.settings.queue_url, self.settings.folder, self.key, work)

    def inbox(self, queue: Queue) -> Inbox:
        """The inbox."""
        return Inbox(self.sources, self.database, self.store, self.subscriptions, queue.wake)

    def readings(self) -> Iterator[Reading]:
        """The numbers of all sources, for the metrics. Raises StoreUnavailable."""
        now = self.now()
        of_late = outcomes_of_late(self.database, now)
        for name in self.sources:
            outcomes = of_late.get(client_name(name), EventOutcomes())
            yield Reading("events_day", name, "interpreted", outcomes.interpreted)
            yield Reading("events_day", name, "not-interpreted", outcomes.not_interpreted)
            backlog = self.store.backlog(name)
            yield Reading("events", name, "waiting", backlog.waiting)
            yield Reading("events", name, "set-aside", backlog.dead)
            yield Reading("events", name, "evaluated", backlog.evaluated)
            yield Reading("events", name, "missing", self.subscriptions.missing(name))
            states = Counter(state.health_at(now) for state in self.subscriptions.of(name))
            for state in SubscriptionHealth:
                yield Reading("event_subscriptions", name, state.value, states[state])

    def check(self) -> None:
        """Readiness: raises Degraded when an operator should look, StoreUnavailable."""
        if causes := set(self._causes()):
            raise Degraded(*sorted(causes))

    def _causes(self) -> Iterator[str]:
        now = self.now()
        for name in self.sources:
            states = {state.health_at(now) for state in self.subscriptions.of(name)}
            if not states <= {SubscriptionHealth.SOUND}:
                yield "subscription"
            if self.store.backlog(name).dead:
                yield "set-aside"
        if now - self.store.next_due(now) > BACKLOG_AGE:
            yield "backlog"


def open_event_room(
    settings: Settings,
    sources: Iterable[Source],
    database: Database,
    key: DataKey,
    now: Callable[[], datetime] = utc_now,
) -> EventRoom:
    """The events room over a database that is up to date. Raises ConfigurationError."""
    pseudonyms = Pseudonymiser(key)
    return EventRoom(
        settings=settings,
        sources=event_sources(sources, settings.mode),
        database=database,
        key=key,
        store=EventStore(database, key, pseudonyms),
        subscriptions=Subscriptions(database),
        pseudonyms=pseudonyms,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Workshop:
    """A worker process: the room, and those who work in it."""

    room: EventRoom
    knowledge: tuple[KnowledgeBase, ...]
    worker: Worker
    caretaker: Caretaker
    queue: Queue

    def run(self, threads: int) -> None:
        """Work until a stop signal."""

        def pulse() -> None:
            self.worker.give_back()
            at = self.room.now()
            if self.room.store.next_due(at) <= at:
                self.queue.work()

        self.queue.run(threads, pulse, self.caretaker.look_after_all)


def open_workshop(room: EventRoom, library: Library, breakers: Breakers | None = None) -> Workshop:
    """Everything a worker needs; calls nobody yet."""
    # imported here, since a server opens no workshop and starts sooner without these
    from cds_service.events.care import Caretaker  # noqa: PLC0415
    from cds_service.events.evaluation import Evaluator  # noqa: PLC0415
    from cds_service.events.tokens import Tokens  # noqa: PLC0415
    from cds_service.events.worker import Worker  # noqa: PLC0415

    knowledge = tuple(library.bases.values())
    client = _client(room, breakers)
    tokens = Tokens(client)
    waker = room.queue()
    queue = room.queue(work=lambda: worker.drain(waker.wake))
    worker = Worker(
        sources=room.sources,
        knowledge=knowledge,
        store=room.store,
        evaluator=Evaluator(knowledge, room.store, room.pseudonyms),
        client=client,
        tokens=tokens,
        hook=room.settings.lab_result_hook,
        now=room.now,
        stopping=queue.stopping,
    )
    caretaker = Caretaker(
        sources=room.sources,
        knowledge=knowledge,
        store=room.store,
        subscriptions=room.subscriptions,
        inbox=room.inbox(waker),
        client=client,
        tokens=tokens,
        wake=waker.wake,
        now=room.now,
        stopping=queue.stopping,
    )
    return Workshop(room, knowledge, worker, caretaker, queue)


def _client(room: EventRoom, breakers: Breakers | None) -> FhirClient:
    """Calls the registered sources and relays, and nobody else."""
    sources = room.sources.values()
    relays = (each.delivery.address for each in sources if isinstance(each.delivery, Relay))
    bases = (*(each.base for each in sources), *relays)
    network = Network.of(room.settings.mode)
    return FhirClient(AllowList.of(bases), network=network, breakers=breakers)
