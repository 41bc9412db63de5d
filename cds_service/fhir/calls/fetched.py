"""What a fetch came to: a resource, nothing there, or a refusal with its reason. Never `None`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cds_service.core.json_object import JsonObject


class UpstreamFault(StrEnum):
    """Why a fetch gave nothing usable. A label for logs and metrics: no address, id or value."""

    CONNECT = "connect"
    """No connection: refused, or no address for the name."""
    TLS = "tls"
    """The certificate or the handshake was not accepted."""
    TIMEOUT = "timeout"
    """The deadline came while the server was being waited for, or the server says so (408)."""
    BROKEN = "broken"
    """The connection ended before the answer was complete."""
    STATUS_401 = "status-401"
    STATUS_403 = "status-403"
    STATUS_404 = "status-404"
    STATUS_429 = "status-429"
    STATUS_4XX = "status-4xx"
    STATUS_501 = "status-501"
    """The server does not know what it was asked to do (RFC 9110, section 15.6.2)."""
    STATUS_5XX = "status-5xx"
    STATUS_OTHER = "status-other"
    REDIRECT = "redirect"
    TOO_LARGE = "too-large"
    NOT_JSON = "not-json"
    NOT_FHIR = "not-fhir"
    WRONG_TYPE = "wrong-type"
    WRONG_VERSION = "wrong-version"
    """The content type names a FHIR version other than R4 or R4B."""
    OPERATION_OUTCOME = "operation-outcome"
    INCOMPLETE = "incomplete"
    """The server says itself that its answer may not be all, and names no further page."""
    PAGE_LIMIT = "page-limit"
    PAGE_LOOP = "page-loop"
    BREAKER_OPEN = "breaker-open"
    DEADLINE = "deadline"
    """No time was left to ask at all."""
    NOT_ALLOWED = "not-allowed"
    """The address is not one that may be called: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Complete:
    """All of the answer was read."""


@dataclass(frozen=True, slots=True)
class Partial:
    """More exists or may exist; `fault` says why reading stopped."""

    fault: UpstreamFault


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource, or the pages of a search merged into one Bundle.

    The Bundle keeps the `next` link it could not follow when `extent` is Partial, and has none
    when it is Complete, so a reader of the JSON alone sees the same.
    """

    json: JsonObject
    extent: Complete | Partial = field(default_factory=Complete)


@dataclass(frozen=True, slots=True)
class NotFound:
    """The server was asked for one resource and has none (404, 410)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing usable was had, and why."""

    fault: UpstreamFault


Fetched = Resource | NotFound | Refused


JWKS_LIMIT: Final = 256 * 1024
"""Bytes of a JSON Web Key Set, fetched or in a file."""


class JwksFaultError(Exception):
    """A key set could not be had; `fault` says why. The text holds no address."""

    def __init__(self, fault: UpstreamFault) -> None:
        super().__init__(f"The key set could not be read ({fault}).")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP answer that is what was asked for: its media type, as sent, and its decoded body."""

    media_type: str
    body: bytes


_OF_STATUS: Final = {
    401: UpstreamFault.STATUS_401,
    403: UpstreamFault.STATUS_403,
    404: UpstreamFault.STATUS_404,
    408: UpstreamFault.TIMEOUT,
    410: UpstreamFault.STATUS_404,
    429: UpstreamFault.STATUS_429,
    501: UpstreamFault.STATUS_501,
}
_OF_CLASS: Final = {
    3: UpstreamFault.REDIRECT,
    4: UpstreamFault.STATUS_4XX,
    5: UpstreamFault.STATUS_5XX,
}


def status_fault(status: int) -> UpstreamFault:
    """The fault of an HTTP status that is not what was asked for."""
    of_class = _OF_CLASS.get(status // 100, UpstreamFault.STATUS_OTHER)
    return _OF_STATUS.get(status, of_class)
