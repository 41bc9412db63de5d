"""Of several versions of one resource the newest counts, and stands in for the others everywhere.

A search that is read page by page can hold a result as it was and as it is; a late message can
bring a version that the record has since replaced or withdrawn. What was replaced is no result of
its own, neither older nor newer: https://hl7.org/fhir/R4/resource.html#versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Document, Entry, index_of
from cds_service.fhir.moment import instant
from cds_service.fhir.reference import Literal, comparable_base, target_of
from cds_service.fhir.shape import (
    Refusal,
    a_text,
    an_object,
    codings,
    objects,
    type_of,
    version_of,
)

_Name = tuple[str, str]
"""Type and id of a resource."""
_Documents = Mapping[int, Document]

_STANDS = 2
_LATENESS = {
    "registered": 0,
    "preliminary": 1,
    "partial": 1,
    "amended": 3,
    "corrected": 3,
    "appended": 3,
    "completed": 3,
    "stopped": 3,
    "cancelled": 4,
    "entered-in-error": 4,
}
"""How late in the life of a resource its status comes, by the definitions of R4's value sets:
`corrected` is "subsequent to being final", `completed` means that all actions have occurred,
`entered-in-error` follows a release. Of any other status all that is known is that the resource
stands."""


def only_newest(documents: _Documents) -> _Documents:
    """The documents, each with the newest version of what it holds, wherever that one came from.

    Versions that nothing puts in order all stay.
    """
    versions = _sharing_a_name(documents.values())
    if not versions:
        return documents
    replaced: dict[int, Sequence[Entry]] = {}
    for same in chain.from_iterable(map(_by_server, versions)):
        newest = _newest(same)
        stay = {id(entry.resource) for entry in newest}
        replaced |= {id(entry.resource): newest for entry in same if id(entry.resource) not in stay}
    return {key: _current(document, replaced) for key, document in documents.items()}


def without(documents: _Documents, names: frozenset[str]) -> _Documents:
    """The documents without the resources of these names (`Observation/1`), in any version."""
    if not names:
        return documents
    gone = {
        id(entry.resource): ()
        for document in documents.values()
        for entry in document.entries
        if entry.ref.resource in names
    }
    return {key: _current(document, gone) for key, document in documents.items()}


def deleted_in(bundle: JsonObject) -> Iterator[str]:
    """Names of the resources that a history says are deleted: its newest entry comes first.

    https://hl7.org/fhir/R4/http.html#history
    """
    if bundle.get("type") != "history":
        return
    told: set[str] = set()
    for entry in objects(bundle.get("entry")):
        request = an_object(entry.get("request"))
        resource = an_object(entry.get("resource"))
        match target_of({"reference": request.get("url")}):
            case Literal(type=kind, id=id_):
                name = f"{kind}/{id_}"
            case _:
                name = f"{type_of(resource)}/{a_text(resource.get('id'))}"
        if name not in told and request.get("method") == "DELETE":
            yield name
        told.add(name)


# ------------------------------------------------------------------ which ones are versions


def _sharing_a_name(documents: Iterable[Document]) -> Sequence[Sequence[Entry]]:
    """The entries of each name that more than one resource has; mostly there is no such name."""
    first: dict[_Name, JsonObject] = {}
    repeated: set[_Name] = set()
    entries = [entry for document in documents for entry in document.entries]
    for entry in entries:
        resource = entry.resource
        id_ = resource.get("id")
        if isinstance(id_, str):
            name = entry.kind, id_
            if first.setdefault(name, resource) is not resource:
                repeated.add(name)
    if not repeated:
        return ()
    found: dict[_Name, list[Entry]] = defaultdict(list)
    for entry in entries:
        name = entry.kind, a_text(entry.resource.get("id"))
        if name in repeated:
            found[name].append(entry)
    return tuple(found.values())


def _by_server(same: Sequence[Entry]) -> Sequence[Sequence[Entry]]:
    """The same entries, server by server, since two servers may give one id to two resources. An
    entry without a server belongs to the only one, if only one is named.
    """
    by_server: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in same:
        server = entry.server
        by_server[comparable_base(server) if server else ()].append(entry)
    return (same,) if len(by_server.keys() - {()}) < 2 else tuple(by_server.values())


# ------------------------------------------------------------------ which one is the newest


def _newest(same: Sequence[Entry]) -> Sequence[Entry]:
    """The entries that none is provably newer than; of these the complete ones, if there are any. A
    sign of age counts only if every version has it.
    """
    for sign in _SIGNS:
        borne = [found for entry in same for found in sign(entry.resource)]
        if len(borne) == len(same):
            latest = max(borne)
            same = [entry for entry, found in zip(same, borne, strict=True) if found == latest]
    return [entry for entry in same if not _is_a_part(entry.resource)] or same


def _is_a_part(resource: JsonObject) -> bool:
    """Whether only some of its elements were sent: https://hl7.org/fhir/R4/search.html#summary."""
    tags = objects(an_object(resource.get("meta")).get("tag"))
    return any(tag.get("code") == "SUBSETTED" for tag in tags)


def updated(resource: JsonObject) -> Iterator[datetime]:
    """`meta.lastUpdated`, where it is a moment."""
    when = an_object(resource.get("meta")).get("lastUpdated")
    try:
        yield instant(when, "meta.lastUpdated").order
    except Refusal:
        return


def _numbered(resource: JsonObject) -> Iterator[int]:
    """The version, if it is a number; of any other, nothing tells which of two is the newer."""
    version = version_of(resource)
    if version.isdecimal():
        yield int(version)


def _lateness(resource: JsonObject) -> Iterator[int]:
    """By its status; a Condition has none, and says by its verification that it was in error."""
    verified = [coding.code for coding in codings(resource.get("verificationStatus"))]
    states = verified if "verificationStatus" in resource else [a_text(resource.get("status"))]
    yield max((_LATENESS.get(state, _STANDS) for state in states), default=_STANDS)


_SIGNS: Sequence[Callable[[JsonObject], Iterator[datetime] | Iterator[int]]] = (
    updated,
    _numbered,
    _lateness,
)


def _current(document: Document, replaced: Mapping[int, Sequence[Entry]]) -> Document:
    """The document with each replaced entry exchanged for what stands for it, each once. Where it
    holds one of several that nothing puts in order, the others stay where they are: they may be
    copies of it.
    """
    if replaced.keys().isdisjoint(id(entry.resource) for entry in document.entries):
        return document
    held = {id(entry.resource) for entry in document.entries}
    placed: set[int] = set()
    entries: list[Entry] = []
    for entry in document.entries:
        newest = replaced.get(id(entry.resource))
        if newest is None:
            entries.append(entry)
        elif id(newest) not in placed:
            placed.add(id(newest))
            entries += newest if held.isdisjoint(id(now.resource) for now in newest) else ()
    return replace(document, entries=tuple(entries), index=index_of(entries))
