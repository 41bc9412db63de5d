"""What was prefetched, completed by what can be fetched (CDS Hooks 2.0.1, "Prefetch Template").

The five cases of a prefetch key: *sent* is used; *null* means that the client looked and has
nothing; *OperationOutcome* means that it failed; a *paged* Bundle is read on where access allows,
and one that says without a further page that it is not all is asked for again; *absent* is fetched
where access was given.

A required key that is still not there is a 412 that names it; an optional one goes on as missing or
failed, so that the card can say so. A resource of another type altogether under a required key is
no answer to its query: the key failed. A required key of which only a part could be read is enough
for a card, which says so, and not for silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, assert_never

from cds_service.core.card import JsonObject
from cds_service.core.model import Availability
from cds_service.errors import DataUnavailable
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.fhir.authorization import Coverage
from cds_service.fhir.fetched import (
    Complete,
    Fetched,
    NotFound,
    Partial,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.pages import Next, leads_to
from cds_service.fhir.query import FurtherPages, Query, Read, Search, Unreadable, query_of
from cds_service.fhir.read import types_read
from cds_service.fhir.shape import an_id
from cds_service.fhir.supplied import NOT_SUPPLIED, Supplied, is_altogether_other, supplied
from cds_service.hooks.asked_again import beside, entries_of

THIS_PATIENT: Final = "{{context.patientId}}"
"""What stands in a template for the id of the patient: the one token that ours hold."""
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
        """Whether the query is of one resource by its id."""
        return "?" not in self.query

    def is_answered_by(self, resource: JsonObject) -> bool:
        """Whether a resource may answer the query. Under an optional key any may: what it came to
        is told on the card, and what it holds may be referred to.
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
    """Every key of the templates and what became of it.

    `faults` says by a short code, free of patient data, why a key is not complete.
    """

    parts: Mapping[str, Supplied]
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    """One key on its way."""

    template: PrefetchTemplate
    supplied: Supplied
    fault: str = ""

    @property
    def wants_fetching(self) -> bool:
        """Whether it is not there, or only in part. What the client failed to get itself is asked
        for again only where it is required.
        """
        match self.supplied.availability:
            case Availability.MISSING | Availability.PARTIAL:
                return True
            case Availability.FAILED:
                return self.template.need is Need.REQUIRED
            case Availability.GIVEN | Availability.EMPTY | Availability.OF_ANOTHER_PATIENT:
                return False
            case _:
                assert_never(self.supplied.availability)

    @property
    def is_page(self) -> bool:
        """Whether what is at hand names the page that follows it."""
        return isinstance(leads_to(self.supplied.resource), Next)

    @property
    def had(self) -> bool:
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
        case _:
            assert_never(access)
    for key, part in parts.items():
        if part.template.need is Need.REQUIRED and not part.had:
            raise _unavailable(key, "was neither sent nor could be read", part.fault)
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
            case query if access.covers(query) is Coverage.NO:
                part.fault = GatherFault.SCOPE_TOO_SMALL
            case query:
                # the whole query, or only the pages that follow the one that was sent
                queries[key] = FurtherPages(part.supplied.resource) if part.is_page else query
                if access.covers(query) is Coverage.RESTRICTED:
                    part.fault = GatherFault.SCOPE_RESTRICTED
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
        case _:
            assert_never(fetched)


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
            part.supplied = Supplied(Availability.PARTIAL, beside(json, kept))
        elif kept:
            part.supplied = Supplied(Availability.GIVEN, beside(json, kept))
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
    """What was sent of an answer that was asked for again: the second one need not hold it all.
    The page that was read on from comes back with those that follow it.
    """
    if part.is_page or part.template.is_read:
        return ()
    return entries_of(part.supplied.resource)


def _note_failure(part: _Part, fault: UpstreamFault) -> None:
    """A part that was sent is kept; nothing else is left to go by."""
    part.fault = fault
    if part.supplied.availability is not Availability.PARTIAL:
        part.supplied = Supplied(Availability.FAILED)


def insist_on_the_whole(gathered: Gathered, templates: Mapping[str, PrefetchTemplate]) -> None:
    """An answer without cards may be given only where all of what is required was read.

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
    """The query for this patient; what is no FHIR id could change it."""
    if not an_id(patient_id):
        return Unreadable()
    return query_of(template.replace(THIS_PATIENT, patient_id))
