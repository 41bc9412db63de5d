"""The inbox: what was received is kept durably, then acknowledged, and nothing else is done.

Only what is needed to ask again is kept: source, type and (encrypted) id of what has changed, and
how far the numbers of the subscription have come. A resource that was sent along is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cds_service.errors import BadRequest, NotFound
from cds_service.events.notification import (
    UNNUMBERED,
    About,
    Content,
    Focus,
    Happened,
    Notification,
    NotSaid,
    ResourceSent,
    Sign,
    SignKind,
    SomethingChanged,
)
from cds_service.events.source import EventSource, Numbering
from cds_service.store.database import Database
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.events import EventStore
from cds_service.store.lots import in_lots
from cds_service.store.subscription import ACTIVE, REACH_OF_GAP, REQUESTED, Heard, SubscriptionState
from cds_service.store.work_item import SWEEP, Kind, Target, Way

SWEEP_DELAY: Final = timedelta(seconds=1)
"""A search waits this long, so that a flood of empty notifications becomes one search."""
MOST_AT_ONCE: Final = 1_000
"""Results kept in one transaction: some twenty milliseconds, in which nobody else can write."""
_KINDS = {kind.value: kind for kind in (Kind.OBSERVATION, Kind.DIAGNOSTIC_REPORT)}


class Taken(StrEnum):
    """What a notification was: a label for log and metrics."""

    HANDSHAKE = "handshake"
    HEARTBEAT = "heartbeat"
    EVENTS = "events"
    STATUS = "status"
    TROUBLE = "trouble"
    NOTHING_OF_OURS = "nothing-of-ours"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was taken in, and how many event numbers were found missing."""

    taken: Taken
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Inbox:
    """Takes in the notifications of all sources."""

    sources: Mapping[str, EventSource]
    database: Database
    store: EventStore
    subscriptions: Subscriptions
    wake: Callable[[], None]

    def source(self, name: str) -> EventSource:
        """The source of this name. Raises NotFound."""
        try:
            return self.sources[name]
        except KeyError:
            raise NotFound("There is no such source.", remedy="Register it.") from None

    def take(
        self,
        source: EventSource,
        notification: Notification,
        at: datetime,
        asked_of: Sequence[SubscriptionState] = (),
    ) -> Receipt:
        """Keep what was received; when this returns, it may be acknowledged.

        `asked_of` is the subscription as it stood when its server was asked, if this is the answer.

        Raises BadRequest for content the source may not send, NotFound for a handshake of a
        subscription that nobody here asked for, StoreUnavailable.
        """
        match notification:
            case SomethingChanged():
                _require_agreed(source, Content.EMPTY)
                return self._work(source, [SWEEP], at)
            case ResourceSent(focus, content):
                _require_agreed(source, content)
                return self._work(source, _targets([focus]), at)
            case Sign(kind, about):
                _require_subscription(about)
                if self._knows(source, about):
                    return self._hear(source, kind, about, at, asked_of)
                if kind is SignKind.HANDSHAKE:
                    raise NotFound(
                        "There is no such subscription here.",
                        remedy="Make it with `cds-service subscribe`, or register its topic.",
                    )
                return Receipt(Taken.NOTHING_OF_OURS)
            case Happened() as happened:
                _require_agreed(source, happened.content)
                return self._happened(source, happened, at)

    def _happened(self, source: EventSource, happened: Happened, at: datetime) -> Receipt:
        targets = targets_of(happened)
        way = Way.RECOVERED if happened.was_asked_for else Way.NOTIFIED
        numbers = [event.number for event in happened.events if event.number != UNNUMBERED]
        *lots, last = [*in_lots(dict.fromkeys(targets), MOST_AT_ONCE)] or [[]]
        for lot in lots:  # others may write in between; a result that comes again is the same row
            self.store.add(source.name, lot, way, at)
        heard = _heard(source, happened.about, numbers, is_numbered=bool(numbers))
        self._look_for_missed(source, heard, at)
        with self.database.writing() as connection:
            self.store.add_in(connection, source.name, last, way, at)
            missing = 0
            if heard.subscription:
                missing = self.subscriptions.heard_in(connection, source.name, heard, at)
        if not targets:
            return Receipt(Taken.NOTHING_OF_OURS, missing)
        self.wake()
        return Receipt(Taken.EVENTS, missing)

    def _work(self, source: EventSource, targets: list[Target], at: datetime) -> Receipt:
        if not targets:
            return Receipt(Taken.NOTHING_OF_OURS)
        due = at + SWEEP_DELAY if SWEEP in targets else at
        self.store.add(source.name, targets, Way.NOTIFIED, due)
        self.wake()
        return Receipt(Taken.EVENTS)

    def _hear(
        self,
        source: EventSource,
        kind: SignKind,
        about: About,
        at: datetime,
        asked_of: Sequence[SubscriptionState],
    ) -> Receipt:
        heard = _heard(
            source,
            about,
            is_numbered=not isinstance(about.so_far, NotSaid),
            begins=kind is SignKind.HANDSHAKE,
            was_asked_for=kind is SignKind.STATUS,
        )
        self._look_for_missed(source, heard, at)
        with self.database.writing() as connection:
            missing = self.subscriptions.heard_in(connection, source.name, heard, at, asked_of)
        return Receipt(Taken(kind.value), missing)

    def _look_for_missed(self, source: EventSource, heard: Heard, at: datetime) -> None:
        """A subscription that is at work again, after a silence or a failure, may have missed some;
        and what is missing when its numbers begin anew can no longer be asked for by number.

        The search for them is stored before the subscription counts as at work: if the process dies
        in between, the next sign of life adds the search. For a subscription that stops being at
        work only the time to search from is stored, since later signs of life would move it on.
        """
        for before in self.subscriptions.named(source.name, heard.subscription):
            since = before.missed_since(at)
            begins_anew = heard.begins_anew_after(before.next_number)
            if begins_anew and self.subscriptions.missing(source.name):
                since = min(since, before.last_heard - REACH_OF_GAP)
            if not heard.is_at_work:
                self.store.search_further_back(source.name, since)
            elif begins_anew or not before.is_at_work_at(at):
                due = at + SWEEP_DELAY
                self.store.sweep_since(source.name, since, Way.RECOVERED, due)

    def _knows(self, source: EventSource, about: About) -> bool:
        """Ours by its topic, which the registry names, or by its id, which `subscribe` kept."""
        if _topic(source, about):
            return True
        return bool(self.subscriptions.named(source.name, about.subscription))


def targets_of(happened: Happened) -> list[Target]:
    """The results to look at: those named, and a search where an event names none. A notification
    of events stands for one event at least, even if it lists none.
    """
    named = _targets([focus for event in happened.events for focus in event.focuses])
    unlisted = not happened.events and not happened.was_asked_for
    unnamed = unlisted or any(not event.focuses for event in happened.events)
    return [*named, *([SWEEP] if unnamed else [])]


def _targets(focuses: list[Focus]) -> list[Target]:
    """Other types than results are acknowledged and left alone."""
    return [Target(_KINDS[focus.type], focus.id) for focus in focuses if focus.type in _KINDS]


def _require_agreed(source: EventSource, content: Content) -> None:
    if content not in source.contents:
        raise BadRequest(
            f"Content of kind {content} was not agreed with this source.",
            remedy="Change payload of the Subscription, or payloads of the source.",
        )


def _require_subscription(about: About) -> None:
    if not about.subscription:
        raise BadRequest(
            "The notification names no subscription.",
            where="Bundle.entry[0]",
            remedy="Send it with its subscription, as Subscription/id.",
        )


def _topic(source: EventSource, about: About) -> str:
    """The notification's topic, if it is the one that the registry names; else empty."""
    return about.topic if about.topic == source.topic.partition("|")[0] else ""


def _heard(
    source: EventSource,
    about: About,
    numbers: Sequence[int] = (),
    *,
    is_numbered: bool,
    begins: bool = False,
    was_asked_for: bool = False,
) -> Heard:
    status = about.state or ACTIVE
    if status == REQUESTED and not was_asked_for:
        status = ACTIVE  # it sends notifications, though a handshake says `requested`
    return Heard(
        subscription=about.subscription,
        criteria=_topic(source, about),
        status=status,
        heartbeat=source.heartbeat,
        is_numbered=is_numbered and source.numbering is Numbering.SUBSCRIPTION,
        numbers=numbers,
        so_far=0 if isinstance(about.so_far, NotSaid) else about.so_far,
        begins=begins,
    )
