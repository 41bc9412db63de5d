"""Asks for the Specimens and Medications that what was gathered refers to and does not hold.

A search for results need not bring their Specimens, nor one for drugs the Medications that name
them. They are asked for within the deadline of the call, and only if there is something to read
with them: a result, or a draft of its order. Specimens are few and each may decide whose limits
apply, so each is read by its id, which every server can do. Medications may be many: one search by
`_id` finds them (https://hl7.org/fhir/R4/search.html). What cannot be had is left out. A result is
then read by its own code, and its card says that medications are not all there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.fhir.bundle import Document, Entry, Unresolved, index_of_all, open_document
from cds_service.fhir.calls.authorization import Coverage
from cds_service.fhir.calls.fetched import Fetched, NotFound, Partial, Refused, Resource
from cds_service.fhir.calls.query import Read, Search
from cds_service.fhir.ours import ours
from cds_service.fhir.ranked import as_dated
from cds_service.fhir.read import REFERRED
from cds_service.fhir.record_entries import MEDICATION_TYPES, status_counts
from cds_service.fhir.reference import Literal, may_be_on, target_of
from cds_service.fhir.report import Reports, reports_in
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import an_id, an_object, objects, resources_of, type_of
from cds_service.fhir.specimen import specimens_named
from cds_service.fhir.supplied import Supplied, shortfalls
from cds_service.fhir.wanted import Wanted
from cds_service.hooks.gather import Gathered, GatherFault

MOST_ASKED_FOR: Final = {"Specimen": 10, "Medication": 50}
"""Resources of one type that one call asks for: each Specimen is a request, and more ids would make
the address of a search too long for some servers.
"""

Named = Iterator[tuple[JsonObject, Entry]]
"""References, each with the entry that it stands in."""


def with_referred(
    gathered: Gathered, results: JsonObject, wanted: Wanted, access: ServerAccess | NoAccess
) -> Gathered:
    """What was gathered to read results with, and the Specimens and Medications that it refers to
    and lacks. Where there is no result, nothing is asked for.

    They stand under the key REFERRED. `faults` says by type of resource why some are not there.
    `results` is a Bundle beside the gathered parts, `{}` for none.
    """
    match access:
        case NoAccess():
            return gathered
        case ServerAccess():
            found = _find(gathered, results, wanted, access)
            return _followed(gathered, found, access) if found.has_results else gathered


def with_referred_for_drafts(
    gathered: Gathered, wanted: Wanted, access: ServerAccess | NoAccess
) -> Gathered:
    """The same for draft orders of the analyte, where there need be no result yet: the drugs that
    change it are told before its first test too.
    """
    match access:
        case NoAccess():
            return gathered
        case ServerAccess():
            return _followed(gathered, _find(gathered, {}, wanted, access), access)


@dataclass(frozen=True, slots=True)
class _Found:
    """What refers to Specimens and Medications, and where these may be at hand."""

    ours: tuple[tuple[Sequence[Entry], Reports], ...]
    """Results and reports, each with what reports and panels say of them."""
    prescribed: Document
    scope: Scope

    @property
    def has_results(self) -> bool:
        return any(entries for entries, _ in self.ours)

    def lacking(self) -> Mapping[str, frozenset[str]]:
        """Type -> ids on this server."""
        sampled = (_samples(*each) for each in self.ours)
        lacking = {
            "Specimen": _not_at_hand(chain.from_iterable(sampled), "Specimen", self.scope),
            "Medication": _not_at_hand(_drugs(self.prescribed), "Medication", self.scope),
        }
        return {kind: ids for kind, ids in lacking.items() if ids}


def _find(gathered: Gathered, results: JsonObject, wanted: Wanted, access: ServerAccess) -> _Found:
    parts = (gathered.parts[key].resource for key in (wanted.part, "labs", "medications"))
    arrived, *known, prescribed = documents = [open_document(each) for each in (results, *parts)]
    server = str(access.session.base)
    # as in `read`: what reports among the arrived results say holds for the known ones too
    sampled = (
        (_newest_first(arrived, wanted), reports_in(arrived.entries, server)),
        *(
            (_newest_first(each, wanted), reports_in((*arrived.entries, *each.entries), server))
            for each in known
        ),
    )
    scope = Scope(arrived.index, index_of_all(documents), server)
    return _Found(sampled, prescribed, scope)


def _followed(gathered: Gathered, found: _Found, access: ServerAccess) -> Gathered:
    lacking = found.lacking()
    return _completed(gathered, _fetch(lacking, access)) if lacking else gathered


def _newest_first(document: Document, wanted: Wanted) -> Sequence[Entry]:
    """Results and reports in the order in which their Specimens are asked for: not all may be."""
    found = ours(document, wanted)
    return sorted(found, key=lambda entry: as_dated(entry.resource), reverse=True)


def _samples(ours: Sequence[Entry], reports: Reports) -> Named:
    for entry in ours:
        if entry.kind == "Observation":
            yield from specimens_named(entry, reports)
        else:
            yield from ((each, entry) for each in objects(entry.resource.get("specimen")))


def _drugs(document: Document) -> Named:
    for entry in document.entries:
        if entry.kind in MEDICATION_TYPES and status_counts(entry):
            yield an_object(entry.resource.get("medicationReference")), entry


def _not_at_hand(named: Named, kind: str, scope: Scope) -> frozenset[str]:
    """The first ids that references to this server name and that lead to nothing at hand."""
    ids = dict.fromkeys(
        id_
        for reference, entry in named
        if isinstance(scope.resolve(reference, kind, entry), Unresolved)
        for id_ in _id_on_server(reference, kind, entry, scope.fhir_base)
    )
    return frozenset(islice(ids, MOST_ASKED_FOR[kind]))


def _id_on_server(reference: JsonObject, kind: str, entry: Entry, server: str) -> Iterator[str]:
    match target_of(reference):
        case Literal(base, type_, id_, _) if type_ == kind:
            if may_be_on(server, base or entry.server):
                yield id_
        case _:
            return


@dataclass(slots=True)
class _Had:
    """What the searches brought."""

    resources: list[JsonObject] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


def _fetch(lacking: Mapping[str, frozenset[str]], access: ServerAccess) -> _Had:
    queries = {query.relative: query for kind in lacking for query in _queries(kind, lacking[kind])}
    had, allowed = _Had(), {}
    for key, query in queries.items():
        if access.covers(query) is Coverage.NO:
            had.faults[query.resource_type] = GatherFault.SCOPE_TOO_SMALL
        else:
            allowed[key] = query
    for key, fetched in access.session.fetch_all(allowed).items():
        kind = queries[key].resource_type
        _take(had, kind, lacking[kind], fetched)
    return had


def _queries(kind: str, ids: frozenset[str]) -> Iterator[Read | Search]:
    if kind == "Specimen":
        yield from (Read(kind, id_) for id_ in sorted(ids))
    else:
        yield Search(kind, f"_id={','.join(sorted(ids))}&_count={len(ids)}")


def _take(had: _Had, kind: str, ids: frozenset[str], fetched: Fetched) -> None:
    """Nothing that was not asked for is taken."""
    match fetched:
        case Resource(json, extent):
            found = resources_of(json) if type_of(json) == "Bundle" else [json]
            named = (each for each in found if type_of(each) == kind)
            had.resources += [each for each in named if an_id(each.get("id")) in ids]
            for fault in [extent.fault] if isinstance(extent, Partial) else shortfalls(json):
                had.faults[kind] = fault
        case NotFound():
            pass
        case Refused(fault):
            had.faults[kind] = fault


def _completed(gathered: Gathered, had: _Had) -> Gathered:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in had.resources],
    }
    return Gathered(
        {**gathered.parts, REFERRED: Supplied(Availability.GIVEN, bundle)},
        {**gathered.faults, **had.faults},
    )
