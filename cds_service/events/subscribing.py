"""Making, showing and ending our Subscriptions on a source's FHIR server.

With a topic in the registry it is one topic-based Subscription (R4 Backport); without, a classic R4
one for the codes of each knowledge. None is made for reports, since results are read with their
reports anyway; but notifications of one that was made by hand are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.events.faults import UpstreamFailed, unless_refused
from cds_service.events.notification import Content
from cds_service.events.proof import Proof
from cds_service.events.search import criteria
from cds_service.events.source import EventSource
from cds_service.fhir.calls.exchange import Exchange
from cds_service.fhir.calls.fetched import Refused, UpstreamFault
from cds_service.fhir.shape import a_text, an_id, type_of
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.subscription import REQUESTED, SubscriptionState

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_REASON = "Decision support for laboratory results"
_LEAST_FIRST = (Content.ID_ONLY, Content.FULL_RESOURCE, Content.EMPTY)
"""Id only is what the Backport recommends; a classic one can be full or empty."""


@dataclass(frozen=True, slots=True)
class SubscriptionStanding:
    """How one of our Subscriptions stands."""

    subscription: str
    criteria: str
    here: str
    """As it was last heard of."""
    there: str
    """As its server says now; the fault when that cannot be told."""
    last_heard: str


def subscribe(
    source: EventSource,
    exchange: Exchange,
    subscriptions: Subscriptions,
    *,
    knowledge: Sequence[KnowledgeBase],
    endpoint: str,
    at: datetime,
) -> list[SubscriptionStanding]:
    """Make the Subscriptions that are missing, and tell how all stand. Raises UpstreamFailed."""
    have = {state.criteria for state in subscriptions.of(source.name)}
    for wanted in _subscriptions(source, knowledge, endpoint):
        if wanted["criteria"] in have:
            continue
        made = unless_refused(exchange.create(wanted), during="subscribe")
        if not is_subscription(made):
            raise UpstreamFailed(UpstreamFault.NOT_FHIR, during="subscribe")
        subscriptions.expect(
            SubscriptionState(
                source=source.name,
                subscription=an_id(made.get("id")),
                criteria=wanted["criteria"],
                status=a_text(made.get("status")) or REQUESTED,
                # only one with a topic asks for heartbeats: a classic one knows none
                heartbeat_seconds=int(source.heartbeat.total_seconds()) if source.topic else 0,
                next_number=1,
                last_heard=at,
            )
        )
    return standing(source, exchange, subscriptions)


def is_subscription(answer: JsonObject) -> bool:
    """Whether a server that was asked for a Subscription answered with one that it knows by id."""
    return type_of(answer) == "Subscription" and bool(an_id(answer.get("id")))


def unsubscribe(
    source: EventSource, exchange: Exchange, subscriptions: Subscriptions
) -> list[SubscriptionStanding]:
    """End all of them, and tell how they stood. Raises UpstreamFailed."""
    ended = standing(source, exchange, subscriptions)
    for each in ended:
        answer = exchange.delete(f"Subscription/{each.subscription}")
        if isinstance(answer, Refused) and each.there != "status-404":
            raise UpstreamFailed(answer.fault, during="unsubscribe")
        subscriptions.forget(source.name, each.subscription)
    return ended


def standing(
    source: EventSource, exchange: Exchange, subscriptions: Subscriptions
) -> list[SubscriptionStanding]:
    """How our Subscriptions stand, here and there."""
    return [
        SubscriptionStanding(
            state.subscription,
            state.criteria,
            state.status,
            _there(exchange.ask(f"Subscription/{state.subscription}")),
            state.last_heard.isoformat(timespec="seconds"),
        )
        for state in subscriptions.of(source.name)
    ]


def _there(answer: JsonObject | Refused) -> str:
    match answer:
        case Refused(fault):
            return fault.value
        case resource:
            return a_text(resource.get("status"))


def _subscriptions(
    source: EventSource, knowledge: Sequence[KnowledgeBase], endpoint: str
) -> Iterator[JsonObject]:
    if source.topic:
        yield _topic_based(source, endpoint)
        return
    for base in knowledge:
        yield _subscription(criteria(base).replace("%7C", "|"), _channel(source, endpoint))


def _subscription(text: str, channel: JsonObject) -> JsonObject:
    return {
        "resourceType": "Subscription",
        "status": REQUESTED,
        "reason": _REASON,
        "criteria": text,
        "channel": channel,
    }


def _channel(source: EventSource, endpoint: str) -> JsonObject:
    """A rest-hook channel (R4). Without a payload its notifications are empty."""
    channel: JsonObject = {"type": "rest-hook", "endpoint": endpoint}
    if Content.FULL_RESOURCE in source.contents or source.topic:
        channel["payload"] = "application/fhir+json"
    match source.proof:
        case Proof.TOKEN:
            channel["header"] = [f"Authorization: Bearer {source.secret.reveal()}"]
        case Proof.HMAC:
            channel["header"] = [f"X-Hub-Secret: {source.secret.reveal()}"]
    return channel


def _topic_based(source: EventSource, endpoint: str) -> JsonObject:
    """http://hl7.org/fhir/uv/subscriptions-backport/ R4: the topic stands in `criteria`."""
    channel = _channel(source, endpoint)
    content = next(each for each in _LEAST_FIRST if each in source.contents)
    channel["_payload"] = {
        "extension": [{"url": f"{_BACKPORT}/backport-payload-content", "valueCode": content.value}]
    }
    if seconds := int(source.heartbeat.total_seconds()):
        channel["extension"] = [
            {"url": f"{_BACKPORT}/backport-heartbeat-period", "valueUnsignedInt": seconds}
        ]
    made = _subscription(source.topic.partition("|")[0], channel)
    return {**made, "meta": {"profile": [f"{_BACKPORT}/backport-subscription"]}}
