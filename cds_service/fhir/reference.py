"""A FHIR Reference, taken apart by its grammar. Nothing is ever fetched.

https://hl7.org/fhir/R4/references.html#literal
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cds_service.core.json_object import JsonObject
from cds_service.fhir.shape import FHIR_ID, a_text

_RESTFUL = re.compile(
    r"(?:(?P<base>[A-Za-z][A-Za-z0-9+.\-]*://[^?#\s]+?)/)?"
    rf"(?P<type>[A-Z][A-Za-z]{{1,63}})/(?P<id>{FHIR_ID})"
    rf"(?:/_history/(?P<version>{FHIR_ID}))?"
)
_TYPE_URL = "http://hl7.org/fhir/StructureDefinition/"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Literal:
    """`Type/id`, with the server's base address and the version where they were given."""

    base: str
    type: str
    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Urn:
    """`urn:uuid:…` or `urn:oid:…`: means the Bundle entry with that fullUrl."""

    text: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """`#id`: a resource contained in the same container."""

    id: str


@dataclass(frozen=True, slots=True)
class NoLiteral:
    """No address: an identifier, a display, or nothing at all. `type` where one was given."""

    type: str


@dataclass(frozen=True, slots=True)
class NotAnAddress:
    """A reference that names no single resource, or contradicts its own type."""


Target = Literal | Urn | Fragment | NoLiteral | NotAnAddress


def target_of(reference: JsonObject) -> Target:
    """What a Reference points at, as far as its own words say."""
    text = a_text(reference.get("reference"))
    said_type = a_text(reference.get("type")).removeprefix(_TYPE_URL)
    if not text:
        return NoLiteral(said_type)
    if text.startswith("#"):
        return Fragment(text[1:])
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return Urn(text)
    restful = _RESTFUL.fullmatch(text)
    if not restful or said_type not in ("", restful["type"]):
        return NotAnAddress()
    return Literal(restful["base"] or "", restful["type"], restful["id"], restful["version"] or "")


def base_of(full_url: str) -> str:
    """The server's base address of a RESTful fullUrl, empty for any other."""
    restful = _RESTFUL.fullmatch(full_url)
    return (restful["base"] or "") if restful else ""


def id_of(full_url: str) -> str:
    """The id at the end of a RESTful fullUrl, empty for any other."""
    restful = _RESTFUL.fullmatch(full_url)
    return restful["id"] if restful else ""


def address_on(server: str, kind: str, id_: str) -> str:
    """The address of a resource, the same for every spelling of its server's base address."""
    scheme, host, path = comparable_base(server)
    return f"{scheme}://{host}{path}/{kind}/{id_}"


def comparable_url(full_url: str) -> str:
    """A fullUrl as `address_on` writes it, if it is RESTful; any other as it is."""
    restful = _RESTFUL.fullmatch(full_url)
    if restful and restful["base"]:
        return address_on(restful["base"], restful["type"], restful["id"])
    return full_url


def may_be_on(server: str, base: str) -> bool:
    """Whether an address with this base may be on the server. If either is empty, it may be."""
    return not (base and server) or comparable_base(base) == comparable_base(server)


def comparable_base(base: str) -> tuple[str, str, str]:
    """A base address, comparable: case of the host, default port and a final slash are dropped."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return "", "", base
    host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, " "))
    return parts.scheme, host, parts.path.rstrip("/")
