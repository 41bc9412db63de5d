"""By which names reports and panels point at results, and which results bear them.

A name counts on one server only (https://hl7.org/fhir/R4/bundle.html#references): a reference with
an address means that server, any other the server of the resource that it stands in. Where nothing
tells a server, it may be any. A name holds its server, so that names are compared as they are,
however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.reference import Literal, Urn, address_on, comparable_url, id_of, target_of
from cds_service.fhir.shape import an_id


class _Kind(Enum):
    """What a name goes by."""

    ADDRESS = auto()
    """The address of the result itself, or its URN."""
    ON_ANY_SERVER = auto()
    """`Type/id`, given by a resource of which nothing says on which server it is."""
    WITHOUT_ADDRESS = auto()
    """`Type/id`, given without an address: may mean a result that does not say where it is."""
    WITH_ADDRESS = auto()
    """`Type/id`, given with an address: may mean one that nothing at all says of where it is."""


Name = tuple[_Kind, str]


def names_given(references: Iterable[JsonObject], holder: Entry) -> Iterator[Name]:
    """The names that the references of a report or panel give to its results."""
    for reference in references:
        match target_of(reference):
            case Literal(base, kind, id_, _):
                name, server = f"{kind}/{id_}", base or holder.server
                if server:
                    yield _Kind.ADDRESS, address_on(server, kind, id_)
                else:
                    yield _Kind.ON_ANY_SERVER, name
                yield _Kind.WITH_ADDRESS if base else _Kind.WITHOUT_ADDRESS, name
            case Urn(text):
                yield _Kind.ADDRESS, text
            case _:  # `#…` lies in the report itself
                continue


def own_id(result: Entry) -> str:
    """The id of a result: its own, else the one that its fullUrl ends in; empty without either."""
    return an_id(result.resource.get("id")) or id_of(result.full_url)


def names_borne(result: Entry, fhir_base: str) -> Iterator[Name]:
    """The names by which reports and panels may mean this result. `fhir_base` is the server of a
    result that does not say where it is; empty where that may be any.
    """
    if result.full_url:
        yield _Kind.ADDRESS, comparable_url(result.full_url)
    if result.is_contained or not (id_ := own_id(result)):
        return
    name = f"{result.kind}/{id_}"
    if server := result.server or fhir_base:
        yield _Kind.ADDRESS, address_on(server, result.kind, id_)
    else:
        yield _Kind.WITH_ADDRESS, name
    yield _Kind.ON_ANY_SERVER if result.server else _Kind.WITHOUT_ADDRESS, name
