"""Looking after subscriptions: events that did not come, servers that fell silent or gave up.

The subscriber decides whether a subscription is switched on again (Backport, "Error Handling");
here it is done only where the registry says so, and only after catching up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import BadRequest
from cds_service.events.faults import UpstreamFailed
from cds_service.events.inbox import Inbox, targets_of
from cds_service.events.notification import (
    STATES,
    Happened,
    Sign,
    SignKind,
    read_notification,
)
from cds_service.events.search import Found, changed_since
from cds_service.events.source import EventSource
from cds_service.events.subscribing import is_subscription
from cds_service.events.tokens import Tokens
from cds_service.events.troubles import READ_AGAIN, NextSteps, Troubles
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Exchange, Sending
from cds_service.fhir.calls.fetched import HttpAnswer, Partial, Refused, UpstreamFault
from cds_service.fhir.client import FhirClient
from cds_service.fhir.shape import a_text, resources_of, type_of
from cds_service.logs import Event, log
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.events import EventStore
from cds_service.store.subscription import (
    ACTIVE,
    REACH_OF_GAP,
    REQUESTED,
    Gap,
    SubscriptionHealth,
    SubscriptionState,
)
from cds_service.store.work_item import Target, Way

DEADLINE_MS: Final = 30_000
GAP_AGAIN: Final = timedelta(minutes=1)
"""When a gap that could not be looked for is looked for again."""
_UNANSWERED: Final = frozenset({"", REQUESTED})
"""What `_read_status` gives where a server has not yet acted on our request, or cannot be asked."""

_HOW_IT_STANDS: Final = frozenset({SignKind.STATUS, SignKind.TROUBLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caretaker:
    """Looks after the subscriptions of all sources."""

    sources: Mapping[str, EventSource]
    knowledge: Sequence[KnowledgeBase]
    store: EventStore
    subscriptions: Subscriptions
    inbox: Inbox
    client: FhirClient
    tokens: Tokens
    wake: Callable[[], None]
    now: Callable[[], datetime]
    stopping: threading.Event
    """Set when the process is to end: no further server is waited for."""
    troubles: Troubles = field(default_factory=Troubles)

    def look_after_all(self) -> None:
        """One round. Raises StoreUnavailable; a server that cannot be asked is asked next time."""
        for gap in self.subscriptions.gaps(self.now()):
            if gap.source in self.sources and not self.stopping.is_set():
                self._close(gap)
        for source in self.sources.values():
            for state in self.subscriptions.of(source.name):
                if self.stopping.is_set():
                    return
                with suppress(UpstreamFailed):
                    self._look_after(source, state)

    def _look_after(self, source: EventSource, state: SubscriptionState) -> None:
        at = self.now()
        if self.troubles.is_to_be_read(state, at):
            self._read_status(source, state)
            return  # what it said is judged at the next look
        steps = self.troubles.next_steps(state, at)
        match state.health_at(at):
            case SubscriptionHealth.BROKEN:
                if steps.is_to_be_told:
                    log(Event.SUBSCRIPTION_BROKEN, source=source.name, status=state.status)
                if steps.is_to_be_tried and source.reactivate:
                    self._mend(source, state)
            case SubscriptionHealth.SILENT:
                self._break_silence(source, state, steps)
            case SubscriptionHealth.SOUND:
                pass

    def _break_silence(
        self, source: EventSource, state: SubscriptionState, steps: NextSteps
    ) -> None:
        is_requested = state.status == REQUESTED
        if is_requested and steps.is_to_be_tried:
            status = self._read_status(source, state)
            if status not in _UNANSWERED:
                return  # most are switched on by now, and the server only did not say so
        if steps.is_to_be_told:
            log(Event.SUBSCRIPTION_SILENT, source=source.name, status=state.status)
        if steps.is_to_be_tried and not is_requested:
            self._ask_after(source, state)

    def catch_up(self, source: EventSource, since: datetime) -> Found:
        """Make work of all that has changed since then. Raises UpstreamFailed.

        What was evaluated already is not evaluated again. If the answer may not be all, a search
        from `since` on is left to the workers, who repeat it and log a failure if it stays so.
        """
        deadline = Deadline.after(DEADLINE_MS)
        with (
            self.tokens.using(source, deadline) as token,
            self.client.session(source.base, token, deadline) as session,
        ):
            found = changed_since(session, self.knowledge, since)
        self._add(source.name, found.targets)
        if isinstance(found.extent, Partial):
            self.store.sweep_since(source.name, since, Way.RECOVERED, self.now())
            self.wake()
        return found

    def exchange(self, source: EventSource) -> Exchange:
        """Calls to the source, with our own access. Raises UpstreamFailed."""
        deadline = Deadline.after(DEADLINE_MS)
        token = self.tokens.needed(source, deadline)

        def send(sending: Sending) -> HttpAnswer | Refused:
            answer = self.client.send(source.base, sending, token, deadline)
            if isinstance(answer, Refused):
                self.tokens.forget_if_refused(source, answer.fault)
            return answer

        return Exchange(send)

    def _close(self, gap: Gap) -> None:
        """Ask for the events by number, else search for what has changed in that time."""
        source = self.sources[gap.source]
        try:
            asked = self._events(source, gap)
            if isinstance(asked, Refused):
                states = self.subscriptions.named(gap.source, gap.subscription)
                heard = (state.last_heard for state in states)
                since = min(heard, default=self.now()) - REACH_OF_GAP
                found = self.catch_up(source, since).targets
            else:
                self._add(source.name, asked)
                found = tuple(asked)
        except UpstreamFailed as failed:
            self.subscriptions.put_off(gap, self.now() + GAP_AGAIN)
            log(Event.EVENT_GAP, source=source.name, cause=failed.cause)
            return
        self.subscriptions.settle(gap)
        log(Event.EVENT_GAP, source=source.name, missing=gap.missing, ending=len(found))

    def _events(self, source: EventSource, gap: Gap) -> list[Target] | Refused:
        """The answer of `$events`; both ends are included. Raises UpstreamFailed for a fault that
        may pass.
        """
        query = f"eventsSinceNumber={gap.first}&eventsUntilNumber={gap.last}"
        answer = self.exchange(source).ask(f"Subscription/{gap.subscription}/$events?{query}")
        if isinstance(answer, Refused):
            failed = UpstreamFailed(answer.fault, during="events")
            if failed.passes:
                raise failed
            return answer
        with suppress(BadRequest):
            told = read_notification(answer)
            if isinstance(told, Happened) and _is_whole(told, gap):
                return targets_of(told)
        return Refused(UpstreamFault.NOT_FHIR)

    def _read_status(self, source: EventSource, state: SubscriptionState) -> str:
        """Reads the status of a subscription on its server, and keeps it; empty where it cannot be
        read.

        A subscription without a topic is switched on and off without any notice to us.
        """
        try:
            answer = self.exchange(source).ask(f"Subscription/{state.subscription}")
            match answer:
                case Refused(UpstreamFault.STATUS_404):
                    status = "off"  # it was ended there
                case Refused():
                    return ""
                case resource:
                    status = a_text(resource.get("status"))
            if status == ACTIVE and self._may_have_missed(state):
                self.catch_up(source, state.missed_since(self.now()))
        except UpstreamFailed:
            return ""
        if status not in STATES:
            return ""
        if status == ACTIVE:
            self.subscriptions.found_active(state, self.now())
        else:
            self.subscriptions.set_status(state, status)
        return status

    def _may_have_missed(self, state: SubscriptionState) -> bool:
        """Whether there may be events that nobody will send: the subscription was not at work, or
        was not read for so long that its server, the network or all workers must have been away.
        """
        at = self.now()
        return not state.is_at_work_at(at) or state.heard_apart(at) > 2 * READ_AGAIN

    def _ask_after(self, source: EventSource, state: SubscriptionState) -> None:
        """Nothing was heard for two heartbeats: `$status` says how things stand.

        Raises UpstreamFailed.
        """
        answer = self.exchange(source).ask(f"Subscription/{state.subscription}/$status")
        for report in _statuses(answer):
            try:
                told = read_notification(report)
            except BadRequest:
                continue
            if not isinstance(told, Sign) or told.kind not in _HOW_IT_STANDS:
                continue
            if told.about.subscription == state.subscription:
                self.inbox.take(source, told, self.now(), asked_of=(state,))

    def _mend(self, source: EventSource, state: SubscriptionState) -> None:
        """Catch up, then ask a server that has given up to switch the subscription on again.

        Raises UpstreamFailed.
        """
        self.catch_up(source, state.missed_since(self.now()))
        exchange = self.exchange(source)
        subscription = exchange.ask(f"Subscription/{state.subscription}")
        if isinstance(subscription, Refused) or not is_subscription(subscription):
            return
        subscription.pop("error", None)
        revived = exchange.update({**subscription, "status": REQUESTED})
        if not isinstance(revived, Refused):
            self.subscriptions.request_anew(state, self.now())

    def _add(self, source: str, targets: Sequence[Target]) -> None:
        self.store.add(source, targets, Way.RECOVERED, self.now())
        if targets:
            self.wake()


def _is_whole(told: Happened, gap: Gap) -> bool:
    """Whether all events of the gap are there: a server may not have kept them."""
    numbers = {event.number for event in told.events}
    return all(number in numbers for number in range(gap.first, gap.last + 1))


def _statuses(answer: JsonObject | Refused) -> list[JsonObject]:
    """The statuses in an answer of `$status`, each as the notification that it would begin."""
    if isinstance(answer, Refused):
        return []
    statuses = resources_of(answer) if type_of(answer) == "Bundle" else [answer]
    return [
        {"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]}
        for status in statuses
    ]
