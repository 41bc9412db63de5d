"""`GET /openapi.json`: OpenAPI 3.1 of this installation, generated from its services."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response

from cds_service import __version__
from cds_service.config import DiscoveryToken, Mode, Settings
from cds_service.hooks.services import Service
from cds_service.metrics import CONTENT_TYPE
from cds_service.web.body import MEDIA_TYPES
from cds_service.web.ports import NoInbox, OpenGate
from cds_service.web.responses import FHIR_JSON, JSON, raw_response
from cds_service.web.room import Room
from cds_service.web.schemas import NAMED, Schema, ref, request_schema

_WORDS = {
    400: "The request is malformed; the issue says where.",
    401: "No valid token. The body is always the same.",
    403: "The client was not granted this service.",
    404: "There is no such source or subscription here.",
    412: "Required data could not be had; or only in part, and that part calls for no card.",
    413: "The body is too large.",
    415: "Not JSON by its content type, or compressed.",
    429: "Too many calls, or too many at once; Retry-After says for how many seconds to wait.",
    500: "The service failed; the body holds the request id.",
    503: "The database cannot be used.",
}
_OF_KNOWLEDGE = "The source attributes and the state of review of the knowledge."
_HEADERS = {
    "Knowledge-Version": {"required": True, "schema": {"type": "string", "pattern": "@"}},
    "X-Request-Id": {"required": True, "schema": {"type": "string", "minLength": 1}},
}
_EMPTY: Schema = {"type": "object", "maxProperties": 0}
_THIS: Schema = {"type": "object", "required": ["openapi"]}


def openapi(room: Room) -> Blueprint:
    """The document, written once."""
    blueprint = Blueprint("openapi", __name__)
    written = orjson.dumps(document(room))

    @blueprint.get("/openapi.json")
    def describe() -> Response:
        return raw_response(written)

    return blueprint


def document(room: Room) -> dict[str, Any]:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CDS Hooks service for soluble IL-2 receptor results",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": _server(room.settings)}],
        "paths": _paths(room),
        "components": {
            "schemas": dict(NAMED),
            "securitySchemes": {
                "clientToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "sourceSecret": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _server(settings: Settings) -> str:
    """The address of the service; in sandbox mode a path only, since `--port` may be any."""
    match settings.mode:
        case Mode.SANDBOX:
            return urlsplit(settings.public_url).path or "/"
        case Mode.PRODUCTION:
            return settings.public_url


def _paths(room: Room) -> dict[str, Any]:
    settings = room.settings
    is_open = isinstance(room.ports.gate, OpenGate)
    token: dict[str, Any] = {} if is_open else {"security": [{"clientToken": []}]}
    match settings.discovery_token:
        case DiscoveryToken.OPEN:
            statuses, reader_token = [400, 500], {}
        case DiscoveryToken.REQUIRED:
            statuses, reader_token = [400, 401, 403, 429, 500], token
    discovery = _plain("discover", "The services there are.", ref("Services"), *statuses)
    paths: dict[str, Any] = {
        "/cds-services": {"get": discovery | reader_token},
        "/health/live": {
            "get": _plain("isLive", "Whether the process lives.", ref("Live"), 400, 500)
        },
        "/health/ready": {
            "get": _plain("isReady", "Whether it can do its work.", ref("Ready"), 400, 500, 503)
        },
        "/openapi.json": {"get": _plain("describe", "This document.", _THIS, 400, 500)},
    }
    for service in room.registry.services.values():
        analyte = service.knowledge.identity.id
        knowledge = _plain(f"knowledge-{analyte}", _OF_KNOWLEDGE, ref("Knowledge"), *statuses)
        paths[f"/knowledge/{analyte}"] = {"get": knowledge | reader_token}
        address = f"/cds-services/{service.id}"
        paths[address] = {"post": _invocation(service) | token}
        paths[f"{address}/feedback"] = {"post": _feedback(service) | token}
    if not isinstance(room.ports.inbox, NoInbox):
        paths |= _events()
    if settings.mode is Mode.SANDBOX:
        paths["/metrics"] = {"get": _metrics()}
    return paths


def _invocation(service: Service) -> dict[str, Any]:
    return {
        "operationId": f"invoke-{service.id}",
        "summary": service.as_json()["title"],
        "requestBody": _body(request_schema(service)),
        "responses": _responses(
            _ok("The cards; none when there is nothing to say.", ref("Cards")),
            *(400, 401, 403, 412, 413, 415, 429, 500, 503),
        ),
    }


def _feedback(service: Service) -> dict[str, Any]:
    return {
        "operationId": f"feedback-{service.id}",
        "summary": "What clinicians did with the cards.",
        "requestBody": _body(ref("Feedback")),
        "responses": _responses(
            _ok("The items are stored.", _EMPTY),
            *(400, 401, 403, 413, 415, 429, 500, 503),
        ),
    }


def _events() -> dict[str, Any]:
    """The inbox, where a source is registered. A source may prove itself by an HMAC instead."""
    common = {
        "requestBody": _body({"type": "object"}) | {"required": False},
        "responses": _responses(
            _ok("The notification is kept.", _EMPTY),
            *(400, 401, 404, 413, 415, 429, 500, 503),
        ),
        "security": [{"sourceSecret": []}],
    }
    words = "A FHIR Subscription notification of a registered source."
    resource = "The same, from servers that send the resource itself."
    return {
        "/events/{source}": {
            "post": {"operationId": "notify", "summary": words, **common},
            "parameters": [_in_path("source")],
        },
        "/events/{source}/{type}/{id}": {
            "put": {"operationId": "notify-resource", "summary": resource, **common},
            "parameters": [_in_path(name) for name in ("source", "type", "id")],
        },
    }


def _metrics() -> dict[str, Any]:
    text = _ok("Prometheus text.", {"type": "string"}, CONTENT_TYPE.partition(";")[0])
    return {
        "operationId": "metrics",
        "summary": "What was counted, for Prometheus.",
        "responses": _responses(text, 400, 500),
    }


def _plain(operation: str, summary: str, schema: Schema, *statuses: int) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": _responses(_ok(summary, schema), *statuses),
    }


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "required": True,
        "content": {media_type: {"schema": schema} for media_type in sorted(MEDIA_TYPES)},
    }


def _ok(words: str, schema: Schema, media_type: str = JSON) -> dict[str, Any]:
    return {
        "description": words,
        "headers": _HEADERS,
        "content": {media_type: {"schema": schema}},
    }


def _responses(ok: dict[str, Any], *statuses: int) -> dict[str, Any]:
    return {"200": ok} | {str(status): _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = dict(_HEADERS)
    if status == 429:
        headers["Retry-After"] = {"required": True, "schema": {"type": "integer", "minimum": 1}}
    return {
        "description": _WORDS[status],
        "headers": headers,
        "content": {FHIR_JSON: {"schema": ref("OperationOutcome")}},
    }
