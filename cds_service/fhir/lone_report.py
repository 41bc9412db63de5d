"""A DiagnosticReport of the analyte whose result did not come along.

The result may be known from elsewhere. If it is not, a card says that it exists. But only an issued
report must have one: a report that is still in the making may have none yet, and one that was
withdrawn may have none any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cds_service.core.elements import NoMoment, NoValue, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, Subject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.moment import instant_in, moment_or_period
from cds_service.fhir.reference import (
    Fragment,
    Literal,
    NoLiteral,
    NotAnAddress,
    Target,
    Urn,
    target_of,
)
from cds_service.fhir.report import observations
from cds_service.fhir.results_named import Name, names_borne, names_given, own_id
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, codings, objects
from cds_service.fhir.specimen import follow_specimens
from cds_service.fhir.subject import Whose
from cds_service.fhir.wanted import Codes, carries, codes_of, components

NOT_SENT = NoValue("result-not-sent")

_ISSUED = {
    "final": Status.FINAL,
    "amended": Status.AMENDED,
    "corrected": Status.CORRECTED,
    "appended": Status.AMENDED,
}
"""Status of an issued report (R4 value set diagnostic-report-status) -> that of its results."""


def lone_reports(entries: Iterable[Entry], found: Sequence[Entry], codes: Codes) -> Iterator[Entry]:
    """Reports with one of these codes to which none of the Observations found can belong."""
    reports = [entry for entry in entries if is_report(entry, codes)]
    if not found or not reports:
        return iter(reports)
    there = _There(
        frozenset(id(one.container) for one in found),
        frozenset(name for one in found for name in names_borne(one, "")),
        any(not (one.is_contained or own_id(one)) for one in found),
        any(not (one.is_contained or one.full_url) for one in found),
        any(_may_be_of(one.resource, codes) for one in found),
    )
    return (report for report in reports if not there.may_hold_one(report))


def results_elsewhere(
    reports: Iterable[Entry], others: Iterable[Entry], fhir_base: str
) -> Sequence[Entry]:
    """The Observations of another document that these reports name as their results."""
    named = frozenset(
        name
        for report in reports
        for name in names_given(objects(report.resource.get("result")), report)
    )
    return [
        each for each in observations(others) if not named.isdisjoint(names_borne(each, fhir_base))
    ]


def is_report(entry: Entry, codes: Codes) -> bool:
    """Whether an entry is a DiagnosticReport with one of these codes."""
    return entry.kind == "DiagnosticReport" and carries(entry.resource, codes)


def is_issued(report: JsonObject) -> bool:
    """Whether a DiagnosticReport was issued, so that it has a result."""
    return a_text(report.get("status")) in _ISSUED


def _may_be_of(observation: JsonObject, codes: Codes) -> bool:
    """Whether an Observation carries one of the codes, itself or in a component, or has no readable
    code. A look-alike carries none, so it is a report's result only if the report names it.
    """
    own = codes_of(observation)
    return not own or not own.isdisjoint(codes) or bool(components(observation, codes))


@dataclass(frozen=True, slots=True)
class _There:
    """How a report may refer to the Observations that were found; there is at least one of them."""

    containers: frozenset[int]
    names: frozenset[Name]
    lack_an_id: bool
    """Whether one has no id, so that it may be any that is named by its id."""
    lack_a_url: bool
    """Whether one has no fullUrl, so that it may be any that is named by a URN."""
    may_be_any: bool
    """Whether one may be the result of a report that names no result, or names it by no address."""

    def may_hold_one(self, report: Entry) -> bool:
        """Whether one of them may be a result of this report. If in doubt, yes: when the report
        names no result, or an Observation has no name to compare.
        """
        if id(report.resource) in self.containers:
            return True
        named = objects(report.resource.get("result"))
        if not named:
            return self.may_be_any
        is_there = not self.names.isdisjoint(names_given(named, report))
        return is_there or any(self._may_be(target_of(reference)) for reference in named)

    def _may_be(self, target: Target) -> bool:
        """Whether one of them may be meant though its name does not tell."""
        match target:
            case Literal():
                return self.lack_an_id
            case Urn():
                return self.lack_a_url
            case Fragment():
                return False
            case NoLiteral() | NotAnAddress():
                return self.may_be_any


def read_report(report: Entry, scope: Scope, whose: Whose) -> LabResult | InvalidResource:
    """The report as a result without a value, or where its dates are not valid FHIR R4: of another
    patient's nothing is told, so that it comes back as that patient's result.
    """
    resource = report.resource
    codes = codings(resource.get("code"))
    status, subject = _ISSUED[resource["status"]], whose.owner(report, scope)
    try:
        specimen, taken = follow_specimens(report, scope, whose)
        effective = moment_or_period(resource, "effective", "DiagnosticReport")
        issued = instant_in(resource, "issued", "DiagnosticReport")
    except Refusal as refusal:
        if subject is Subject.ANOTHER_PATIENT:
            return LabResult(report.ref, codes, status, NOT_SENT, subject)
        return InvalidResource(report.ref, refusal.where, codes)
    return LabResult(
        ref=report.ref,
        codings=codes,
        status=status,
        value=NOT_SENT,
        subject=subject,
        specimen=specimen,
        collected=taken if isinstance(effective, NoMoment) else effective,
        issued=issued,
    )
