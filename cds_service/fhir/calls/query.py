"""What can be asked of a FHIR server: read one resource, search one type, read further pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from cds_service.core.json_object import JsonObject
from cds_service.fhir.calls.authorization import Action
from cds_service.fhir.shape import FHIR_ID

_READ = re.compile(rf"([A-Z][A-Za-z]{{1,63}})/((?=.*[A-Za-z0-9]){FHIR_ID})")
_SEARCH = re.compile(r"([A-Z][A-Za-z]{1,63})\?([!-\"$-\[\]-~]+)")


def in_query(text: str) -> str:
    """A system or a code as it stands in a query: a site's own may hold characters that would end
    or split the value.
    """
    return quote(text, safe=":/.-")


@dataclass(frozen=True, slots=True)
class Read:
    """https://hl7.org/fhir/R4/http.html#read of one resource by its id."""

    resource_type: str
    id: str
    action: ClassVar = Action.READ
    """What a scope must grant."""

    @property
    def relative(self) -> str:
        """What follows the base: `Patient/123`."""
        return f"{self.resource_type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Search:
    """https://hl7.org/fhir/R4/http.html#search on one type; `parameters` as in the address."""

    resource_type: str
    parameters: str
    action: ClassVar = Action.SEARCH
    """What a scope must grant."""

    @property
    def relative(self) -> str:
        """What follows the base: `Observation?patient=123`."""
        return f"{self.resource_type}?{self.parameters}"


@dataclass(frozen=True, slots=True)
class FirstPage:
    """A search of which no further page is read: what it should find fits on one, and a server that
    does not know its parameters may find thousands.
    """

    search: Search


@dataclass(frozen=True, slots=True)
class FurtherPages:
    """The rest of a search whose first page is at hand, for instance a prefetched one."""

    bundle: JsonObject


Query = Read | Search | FirstPage | FurtherPages


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Neither a read nor a search as this service makes them."""


def query_of(text: str) -> Read | Search | Unreadable:
    """The query that a text such as `Patient/123` or `Observation?patient=123` stands for."""
    if read := _READ.fullmatch(text):
        return Read(read[1], read[2])
    if search := _SEARCH.fullmatch(text):
        return Search(search[1], search[2])
    return Unreadable()
