"""Everything that is asked of a FHIR server beside reads and searches: writes and operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import orjson

from cds_service import strict_json
from cds_service.core.json_object import JsonObject
from cds_service.errors import MalformedJson
from cds_service.exact import number_of
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault

_FHIR_JSON = "application/fhir+json"
_SHOW_WHAT_IS_KEPT = {"Prefer": "return=representation"}


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent in one call; `relative` follows the base, empty for the base itself.

    `basic` is a client id and its secret, each form-encoded (RFC 6749, section 2.3.1), sent in
    place of a token.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    relative: str = ""
    body: bytes = field(default=b"", repr=False)
    media_type: str = _FHIR_JSON
    accept: str = _FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    basic: tuple[str, str] | None = field(default=None, repr=False)


Send = Callable[[Sending], HttpAnswer | Refused]
"""Makes one call."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Calls to one server within one deadline.

    `send` is that of a session, so that reads and writes are one call, or of the client.
    """

    send: Send

    def ask(self, relative: str) -> JsonObject | Refused:
        """GET of an operation such as `Subscription/1/$status`."""
        return self._resource(Sending("GET", relative))

    def transaction(self, bundle: JsonObject) -> HttpAnswer | Refused:
        """https://hl7.org/fhir/R4/http.html#transaction: all of it happens, or nothing."""
        return self.send(Sending("POST", body=written(bundle)))

    def create(self, resource: JsonObject) -> JsonObject | Refused:
        """Create a resource; the server answers with it as it is now kept."""
        kind = str(resource["resourceType"])
        return self._resource(Sending("POST", kind, written(resource), headers=_SHOW_WHAT_IS_KEPT))

    def update(self, resource: JsonObject) -> JsonObject | Refused:
        """Replace a resource that the server has."""
        path = f"{resource['resourceType']}/{resource['id']}"
        return self._resource(Sending("PUT", path, written(resource), headers=_SHOW_WHAT_IS_KEPT))

    def delete(self, path: str) -> HttpAnswer | Refused:
        """Delete `Subscription/1`."""
        return self.send(Sending("DELETE", path))

    def _resource(self, sending: Sending) -> JsonObject | Refused:
        answer = self.send(sending)
        if isinstance(answer, Refused):
            return answer
        try:
            return strict_json.parse_object(answer.body)
        except MalformedJson:
            return Refused(UpstreamFault.NOT_JSON)


def written(document: JsonObject) -> bytes:
    """A document as JSON in UTF-8."""
    return orjson.dumps(_with_texts(document))


def _with_texts(value: object) -> object:
    """The value with each number as the text it came with: what a server keeps in extensions of its
    own goes back to it to the last digit.
    """
    match value:
        case dict():
            return {name: _with_texts(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_with_texts(inner) for inner in value]
        case int() | Decimal() if not isinstance(value, bool):
            return orjson.Fragment(number_of(value).text)
        case _:
            return value
