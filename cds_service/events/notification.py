"""What a FHIR server tells us has happened, as closed types.

Three ways of saying it are read: the rest-hook of R4 (an empty body, or the resource itself), the
notification Bundle of the R4 Backport (`Parameters` first) and that of R4B and R5
(`SubscriptionStatus` first). Of a resource that was sent along only type and id are taken: it may
be old by the time it is read, and the current version is fetched anyway.

http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cds_service.core.json_object import JsonObject
from cds_service.errors import BadRequest
from cds_service.fhir.reference import Literal, target_of
from cds_service.fhir.shape import a_text, an_id, an_object, objects, resources_of, type_of

UNNUMBERED = 0
"""Events are numbered from 1 (Backport, "Event Numbers")."""

_WHOLE = re.compile(r"[0-9]{1,18}")
_BUNDLE_TYPES = frozenset({"history", "subscription-notification"})
_KEBAB = re.compile(r"-([a-z])")


class Content(StrEnum):
    """How much a notification says (Backport, "Payload Types")."""

    EMPTY = "empty"
    ID_ONLY = "id-only"
    FULL_RESOURCE = "full-resource"


@dataclass(frozen=True, slots=True)
class Focus:
    """The resource that an event is about."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class SomethingChanged:
    """R4 rest-hook without a body: what has changed is not said."""


@dataclass(frozen=True, slots=True)
class ResourceSent:
    """R4 rest-hook with a body, or a PUT that names the resource in its address."""

    focus: Focus
    content: Content = Content.FULL_RESOURCE


STATES: Final = frozenset({"requested", "active", "error", "off", "entered-in-error"})
"""https://hl7.org/fhir/R5/valueset-subscription-status.html, which holds the codes of R4 too."""


@dataclass(frozen=True, slots=True)
class NotSaid:
    """A number that the server did not give."""


@dataclass(frozen=True, slots=True)
class About:
    """Which subscription a topic-based notification belongs to, and how it stands."""

    subscription: str
    """The id of the Subscription on its server."""
    topic: str
    state: str
    """One of `STATES`, as the server says; empty where it says none of them."""
    so_far: int | NotSaid
    """How many events there have been since the subscription began."""


class SignKind(StrEnum):
    """What a notification without events is for."""

    HANDSHAKE = "handshake"
    """The server asks whether this is the right address."""
    HEARTBEAT = "heartbeat"
    """Nothing has happened, and the subscription works."""
    STATUS = "status"
    """The answer to `$status`."""
    TROUBLE = "trouble"
    """The server says that the subscription has failed or is off."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A notification without events: it tells of the subscription alone."""

    kind: SignKind
    about: About


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One event; `focuses` is empty where the server did not say what it is about."""

    number: int
    focuses: tuple[Focus, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """Events, as they happened or (`query-event`) asked for again."""

    about: About
    events: tuple[NumberedEvent, ...]
    content: Content
    was_asked_for: bool


Notification = SomethingChanged | ResourceSent | Sign | Happened


def read_notification(body: JsonObject) -> Notification:
    """What a body says. `{}` stands for no body. Raises BadRequest."""
    match type_of(body):
        case "" if not body:
            return SomethingChanged()
        case "":
            raise BadRequest(
                "This is no FHIR resource.",
                where="resourceType",
                remedy="Send a resource, or no body.",
            )
        case "Bundle":
            return _read_bundle(body)
        case type_:
            id_ = an_id(body.get("id"))
            if not id_:
                raise BadRequest(
                    "The resource cannot be fetched without an id.",
                    where="id",
                    remedy="Send it as it is stored, with its id.",
                )
            return ResourceSent(Focus(type_, id_))


def _read_bundle(bundle: JsonObject) -> Notification:
    if a_text(bundle.get("type")) not in _BUNDLE_TYPES:
        raise BadRequest(
            "This Bundle is no notification.",
            where="Bundle.type",
            remedy="Send type history or subscription-notification.",
        )
    resources = resources_of(bundle)
    status = _flat(resources[0] if resources else {})
    about = _about(status)
    kind = a_text(status.get("type"))
    happened = _happened(about, status, resources[1:], kind)
    is_in_trouble = about.state in ("error", "off") or bool(objects(status.get("error")))
    match kind:
        case "event-notification" | "query-event" if happened.events or not is_in_trouble:
            return happened  # events count even where the subscription is in trouble too
        case _ if is_in_trouble or kind == "error":  # FHIR has no type `error`, but it is clear
            return Sign(SignKind.TROUBLE, about)
        case "handshake":
            return Sign(SignKind.HANDSHAKE, about)
        case "heartbeat":
            return Sign(SignKind.HEARTBEAT, about)
        case "query-status":
            return Sign(SignKind.STATUS, about)
        case _:
            raise BadRequest(
                "This type of notification is not known.",
                where="Bundle.entry[0]",
                remedy="Send one of SubscriptionStatus.type, such as event-notification.",
            )


def _happened(
    about: About, status: JsonObject, others: Sequence[JsonObject], kind: str
) -> Happened:
    events = tuple(_event(event) for event in objects(status.get("notificationEvent")))
    sent = [resource for resource in others if resource]
    are_named = any(event.focuses for event in events)
    if not are_named and (found := tuple(_named(sent))):
        # some servers name the resources by sending them and in no other way
        number = events[0].number if events else UNNUMBERED
        events = (NumberedEvent(number, found), *events[1:])
    content = Content.ID_ONLY if are_named else Content.EMPTY
    if sent:
        content = Content.FULL_RESOURCE
    return Happened(about, events, content, kind == "query-event")


def _named(resources: Sequence[JsonObject]) -> Iterator[Focus]:
    for resource in resources:
        if id_ := an_id(resource.get("id")):
            yield Focus(type_of(resource), id_)


def _event(event: JsonObject) -> NumberedEvent:
    focus = event.get("focus")
    references = objects(focus) if isinstance(focus, list) else [an_object(focus)]
    number = _number(event.get("eventNumber"))
    return NumberedEvent(
        UNNUMBERED if isinstance(number, NotSaid) else number, tuple(_focuses(references))
    )


def _focuses(references: Sequence[JsonObject]) -> Iterator[Focus]:
    """The base of an absolute reference is not looked at: only the registered base is ever asked,
    and a server behind a gateway knows itself by another name.
    """
    for reference in references:
        match target_of(reference):
            case Literal(_, type_, id_, _):
                yield Focus(type_, id_)
            case _:
                continue


def _about(status: JsonObject) -> About:
    match target_of(an_object(status.get("subscription"))):
        case Literal(_, "Subscription", id_, _):
            subscription = id_
        case _:
            subscription = an_id(a_text(an_object(status.get("subscription")).get("reference")))
    return About(
        subscription=subscription,
        topic=a_text(status.get("topic")).partition("|")[0],
        state=state if (state := a_text(status.get("status"))) in STATES else "",
        so_far=_number(status.get("eventsSinceSubscriptionStart")),
    )


def _number(value: object) -> int | NotSaid:
    """A count: integer64 travels as a text in R4B and as either in the wild."""
    match value:
        case int() if not isinstance(value, bool) and 0 <= value < 10**18:
            return value
        case str() if _WHOLE.fullmatch(value):
            return int(value)
        case _:
            return NotSaid()


def _flat(resource: JsonObject) -> JsonObject:
    """`Parameters` read as the `SubscriptionStatus` they stand for. Raises BadRequest."""
    match type_of(resource):
        case "SubscriptionStatus":
            return resource
        case "Parameters":
            return _members(objects(resource.get("parameter")))
        case _:
            raise BadRequest(
                "The first entry is neither Parameters nor SubscriptionStatus.",
                where="Bundle.entry[0]",
                remedy="Begin the Bundle with the status of the subscription.",
            )


def _members(parameters: Sequence[JsonObject]) -> JsonObject:
    """Names are written in kebab case (STU 1.0) or camel case."""
    members: JsonObject = {}
    for parameter in parameters:
        written = a_text(parameter.get("name"))
        name = _KEBAB.sub(lambda found: found[1].upper(), written)
        value: object = next(
            (given for key, given in parameter.items() if key.startswith("value")), None
        )
        if "part" in parameter:
            value = _members(objects(parameter["part"]))
        if name in ("notificationEvent", "error", "focus"):
            members.setdefault(name, []).append(value)
        else:
            members[name] = value
    return members
