"""What was prefetched, completed by what can be fetched (CDS Hooks 2.0.1, "Prefetch Template").

The five cases of a prefetch key: *sent* is used; *null* means that the client looked and has
nothing; *OperationOutcome* means that it failed; of a *paged* Bundle the further pages are read
where access allows, and a Bundle that says it is not all but names no further page is asked for
again; *absent* is fetched where access was given.

A required key that is still not there is a 412 that names it; an optional one goes on as missing or
failed, so that the card can say so. A resource of another type altogether under a required key is
no answer to its query: the key failed. A required key of which only a part could be read is enough
for a card, which says so, but not for an answer without cards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability
from cds_service.errors import DataUnavailable
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.fhir.calls.authorization import Coverage
from cds_service.fhir.calls.fetched import (
    Complete,
    Fetched,
    NotFound,
    Partial,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.calls.pages import Next, leads_to
from cds_service.fhir.calls.query import FurtherPages, Query, Read, Search, Unreadable, query_of
from cds_service.fhir.read import types_read
from cds_service.fhir.shape import an_id
from cds_service.fhir.supplied import NOT_SUPPLIED, Supplied, is_altogether_other, supplied
from cds_service.hooks.asked_again import sent_entries, with_sent

THIS_PATIENT: Final = "{{context.patientId}}"
"""Stands in a template for the id of the patient. Our templates hold no other token."""
_END_OF_TYPE = re.compile(r"[/?]")


class Need(StrEnum):
    """What the absence of a prefetch key means."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class PrefetchTemplate:
    """A key of discovery's `prefetch`: a FHIR query with THIS_PATIENT in it."""

    key: str
    query: str
    need: Need = Need.OPTIONAL

    @property
    def is_read(self) -> bool:
        """Whether the query reads one resource by its id."""
        return "?" not in self.query

    def is_answered_by(self, resource: JsonObject) -> bool:
        """Whether a resource may answer the query. Under an optional key any may: the card tells
        what became of it, and other resources may refer to what it holds.
        """
        return self.need is Need.OPTIONAL or not is_altogether_other(resource, _asked(self.query))


@lru_cache(maxsize=64)
def _asked(query: str) -> frozenset[str]:
    """The types of resource that may answer the query of a template."""
    return types_read(_END_OF_TYPE.split(query)[0])


class GatherFault(StrEnum):
    """Why a key was not fetched, beside the faults of the server and of the access."""

    SCOPE_TOO_SMALL = "scope-too-small"
    SCOPE_RESTRICTED = "scope-restricted"
    """The scope lets only a part be read, so what was read may not be all."""
    QUERY_NOT_READABLE = "query-not-readable"
    """The patient has no id, or one that is no FHIR id."""
    PREFETCH_FAILED = "prefetch-failed"
    """The client sent an OperationOutcome, or something that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of every prefetch key of the templates.

    `faults` says by key, in a short code free of patient data, why its data are not complete.
    """

    parts: Mapping[str, Supplied]
    faults: Mapping[str, str]


@dataclass(slots=True)
class _Part:
    """One prefetch key while it is being completed."""

    template: PrefetchTemplate
    supplied: Supplied
    fault: str = ""

    @property
    def wants_fetching(self) -> bool:
        """Whether the key is absent, or there only in part. One that the client itself failed to
        get is asked for again only if it is required.
        """
        match self.supplied.availability:
            case Availability.MISSING | Availability.PARTIAL:
                return True
            case Availability.FAILED:
                return self.template.need is Need.REQUIRED
            case Availability.GIVEN | Availability.EMPTY | Availability.OF_ANOTHER_PATIENT:
                return False

    @property
    def has_next_page(self) -> bool:
        """Whether the Bundle at hand names a page that follows it."""
        return isinstance(leads_to(self.supplied.resource), Next)

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer to the query, even if it is that there is nothing."""
        return self.supplied.availability not in {Availability.MISSING, Availability.FAILED}


def gather(
    *,
    prefetch: Mapping[str, JsonObject | None],
    templates: Mapping[str, PrefetchTemplate],
    patient_id: str,
    access: ServerAccess | NoAccess,
) -> Gathered:
    """Complete the prefetch, as far as access and its deadline reach.

    Keys of the prefetch that no template names are ignored. Raises DataUnavailable for a required
    key that is neither there nor reachable.
    """
    parts = {key: _as_sent(template, prefetch) for key, template in templates.items()}
    wanted = {key: part for key, part in parts.items() if part.wants_fetching}
    match access:
        case NoAccess(reason):
            for part in wanted.values():
                part.fault = part.fault or reason
        case ServerAccess():
            _fetch(wanted, patient_id, access)
    for key, part in parts.items():
        if part.template.need is Need.REQUIRED and not part.is_answered:
            raise _unavailable(key, "was neither sent as asked for nor could be read", part.fault)
    return _gathered(parts)


def as_sent(
    prefetch: Mapping[str, JsonObject | None], templates: Mapping[str, PrefetchTemplate]
) -> Gathered:
    """What was sent alone, where there is nothing to read more for."""
    return _gathered({key: _as_sent(template, prefetch) for key, template in templates.items()})


def _gathered(parts: Mapping[str, _Part]) -> Gathered:
    return Gathered(
        {key: part.supplied for key, part in parts.items()},
        {key: part.fault for key, part in parts.items() if part.fault},
    )


def _as_sent(template: PrefetchTemplate, prefetch: Mapping[str, JsonObject | None]) -> _Part:
    if template.key not in prefetch:
        return _Part(template, NOT_SUPPLIED)
    given = supplied(prefetch[template.key])
    failed = given.availability is Availability.FAILED
    if failed or (given.resource and not template.is_answered_by(given.resource)):
        return _Part(template, Supplied(Availability.FAILED), GatherFault.PREFETCH_FAILED)
    return _Part(template, given)


def _fetch(wanted: Mapping[str, _Part], patient_id: str, access: ServerAccess) -> None:
    queries: dict[str, Query] = {}
    for key, part in wanted.items():
        match _filled(part.template.query, patient_id):
            case Unreadable():
                part.fault = GatherFault.QUERY_NOT_READABLE
            case query:
                coverage = access.covers(query)
                if coverage is Coverage.NO:
                    part.fault = GatherFault.SCOPE_TOO_SMALL
                    continue
                if coverage is Coverage.RESTRICTED:
                    part.fault = GatherFault.SCOPE_RESTRICTED
                # the whole query, or only the pages that follow the one that was sent
                has_more = part.has_next_page
                queries[key] = FurtherPages(part.supplied.resource) if has_more else query
    for key, fetched in access.session.fetch_all(queries).items():
        _take(wanted[key], fetched)


def _take(part: _Part, fetched: Fetched) -> None:
    match fetched:
        case Resource(json, extent):
            _take_resource(part, json, extent)
        case NotFound():
            part.supplied, part.fault = supplied(None), ""
        case Refused(fault):
            _note_failure(part, fault)


def _take_resource(part: _Part, json: JsonObject, extent: Complete | Partial) -> None:
    got = supplied(json)
    if got.availability is Availability.FAILED:  # an OperationOutcome among the entries
        _note_failure(part, UpstreamFault.OPERATION_OUTCOME)
    elif got.resource and not part.template.is_answered_by(got.resource):
        _note_failure(part, UpstreamFault.WRONG_TYPE)
    else:
        kept = _kept(part)
        part.fault = _shortfall(part, got, extent)
        if part.fault:
            part.supplied = Supplied(Availability.PARTIAL, with_sent(json, kept))
        elif kept:
            part.supplied = Supplied(Availability.GIVEN, with_sent(json, kept))
        else:
            part.supplied = got


def _shortfall(part: _Part, got: Supplied, extent: Complete | Partial) -> str:
    """Why what was fetched may not be all; empty where it is."""
    if isinstance(extent, Partial):
        return extent.fault
    if part.fault == GatherFault.SCOPE_RESTRICTED:
        return part.fault
    return UpstreamFault.INCOMPLETE if got.availability is Availability.PARTIAL else ""


def _kept(part: _Part) -> Sequence[JsonObject]:
    """The entries sent, to be kept beside an answer to the whole query, which need not hold them
    all. None where only further pages were fetched: the page that was sent comes back with them.
    """
    if part.has_next_page or part.template.is_read:
        return ()
    return sent_entries(part.supplied.resource)


def _note_failure(part: _Part, fault: UpstreamFault) -> None:
    """The key has failed; but a part that was sent is kept, there is nothing else to go by."""
    part.fault = fault
    if part.supplied.availability is not Availability.PARTIAL:
        part.supplied = Supplied(Availability.FAILED)


def require_whole(gathered: Gathered, templates: Mapping[str, PrefetchTemplate]) -> None:
    """An answer without cards may be given only where all that is required was read.

    Raises DataUnavailable for a required key of which more exists, or may exist, than was read.
    """
    for key, template in templates.items():
        is_partial = gathered.parts[key].availability is Availability.PARTIAL
        if template.need is Need.REQUIRED and is_partial:
            said = "only a part of it could be read, which calls for no card"
            raise _unavailable(key, said, gathered.faults[key])


def _unavailable(key: str, said: str, fault: str) -> DataUnavailable:
    return DataUnavailable(
        f"The prefetch key '{key}' is required, and {said} ({fault}).",
        where=f"prefetch.{key}",
        remedy="Send the key, or a registered fhirServer with a token that may read it.",
        cause=fault,
    )


def _filled(template: str, patient_id: str) -> Read | Search | Unreadable:
    """The query for this patient; Unreadable without a FHIR id: other text could change it."""
    if not an_id(patient_id):
        return Unreadable()
    return query_of(template.replace(THIS_PATIENT, patient_id))
