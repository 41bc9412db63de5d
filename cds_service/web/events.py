"""`POST /events/{source}` and `PUT /events/{source}/{type}/{id}`: notifications of new results.

Who sends is proved first; then what was said is kept and acknowledged with an empty 200. It is
never worked on here: the sender waits two seconds at most, and a result may take longer.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from cds_service.core.json_object import JsonObject
from cds_service.errors import BadRequest, Unauthorised
from cds_service.events.inbox import Inbox
from cds_service.events.notification import (
    Content,
    Focus,
    Notification,
    ResourceSent,
    read_notification,
)
from cds_service.events.proof import (
    SIGNATURE_HEADERS,
    TOKEN_HEADER,
    FirstLook,
    Proof,
    first_look,
    is_signed,
)
from cds_service.events.source import EventSource
from cds_service.fhir.shape import an_id
from cds_service.store.work_item import client_name
from cds_service.strict_json import parse_object
from cds_service.web.body import read_bytes, read_unproved, require_plain_json
from cds_service.web.passage import here
from cds_service.web.responses import json_response
from cds_service.web.room import Room

NOT_PROVED = "event-secret"
"""The cause of the refusal, for our log only."""
_PROOF_HEADERS = ("Authorization", TOKEN_HEADER, *SIGNATURE_HEADERS)


def events(room: Room, inbox: Inbox) -> Blueprint:
    """The inbox over HTTP."""
    max_body = room.settings.max_body
    room.metrics.expect_gaps(inbox.sources)
    blueprint = Blueprint("events", __name__)

    @blueprint.post("/events/<source>")
    def post(source: str) -> Response:
        sender, body = _proved(inbox, source, max_body)
        return _taken(sender, read_notification(_resource(body)))

    @blueprint.put("/events/<source>/<type>/<id>")
    def put(source: str, **named: str) -> Response:
        sender, body = _proved(inbox, source, max_body)
        resource = _resource(body)
        if not resource and sender.proof is Proof.HMAC:
            raise Unauthorised(NOT_PROVED)  # a signature is over the body, not over the address
        return _taken(sender, _sent(named["type"], named["id"], resource))

    def _taken(source: EventSource, notification: Notification) -> Response:
        receipt = inbox.take(source, notification, room.ports.now())
        room.metrics.notified(source=source.name, taken=receipt.taken, missing=receipt.missing)
        return json_response({})

    return blueprint


def _proved(inbox: Inbox, source_name: str, max_body: int) -> tuple[EventSource, bytes]:
    """The source and the body it sent.

    Raises NotFound, Unauthorised, PayloadTooLarge, TooManyRequests.
    """
    source = inbox.source(source_name)
    here().client = client_name(source.name)
    headers = {name: request.headers.getlist(name) for name in _PROOF_HEADERS}
    match first_look(source.secret, source.proof, headers):
        case FirstLook.PROVED:
            return source, read_bytes(request, max_body)
        case FirstLook.BY_THE_BODY:
            body = read_unproved(request, max_body)
            if is_signed(source.secret, headers, body):
                return source, body
        case FirstLook.REFUSED:
            pass
    raise Unauthorised(NOT_PROVED)


def _resource(body: bytes) -> JsonObject:
    """The JSON object sent, `{}` for no body. Raises UnsupportedMediaType, BadRequest."""
    if not body.strip():
        return {}
    require_plain_json(request)
    resource = parse_object(body)
    if not resource:
        raise BadRequest(
            "This is no FHIR resource.", where="resourceType", remedy="Send a resource, or no body."
        )
    return resource


def _sent(resource_type: str, resource_id: str, body: JsonObject) -> Notification:
    """The address says what is meant; a body that says otherwise is refused."""
    if not an_id(resource_id) or not resource_type.isalpha():
        raise BadRequest(
            "The address names no resource.", remedy="Send to /events/{source}/{type}/{id}."
        )
    focus = Focus(resource_type, resource_id)
    if not body:
        return ResourceSent(focus, Content.ID_ONLY)
    if (body.get("resourceType"), body.get("id")) != (resource_type, resource_id):
        raise BadRequest(
            "The body is not the resource that the address names.",
            where="id",
            remedy="Send the resource of that type and id, or no body.",
        )
    return ResourceSent(focus, Content.FULL_RESOURCE)
