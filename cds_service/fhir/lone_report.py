"""A DiagnosticReport of the analyte whose result did not come along: that it is there is told.

Only a report that was issued is waited for: of one still in the making, or taken back, there may be
no result yet, or no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cds_service.core.card import JsonObject
from cds_service.core.model import (
    InvalidResource,
    LabResult,
    Moment,
    NoMoment,
    NoValue,
    Status,
)
from cds_service.fhir.bundle import Entry, Scope
from cds_service.fhir.moment import instant, moment, period
from cds_service.fhir.reference import (
    Fragment,
    Literal,
    NoLiteral,
    NotAnAddress,
    Target,
    Urn,
    target_of,
)
from cds_service.fhir.shape import Refusal, a_text, an_id, codings, objects
from cds_service.fhir.specimen import follow_specimens
from cds_service.fhir.subject import Whose
from cds_service.fhir.wanted import Codes, carries

NOT_SENT = NoValue("result-not-sent")

_ISSUED = {
    "final": Status.FINAL,
    "amended": Status.AMENDED,
    "corrected": Status.CORRECTED,
    "appended": Status.AMENDED,
}
"""Status of an issued report (R4 value set diagnostic-report-status) -> that of its results."""


def lone_reports(entries: Iterable[Entry], found: Sequence[Entry], codes: Codes) -> Iterator[Entry]:
    """Issued reports with one of these codes to which none of the Observations found can belong."""
    for entry in entries:
        if (
            entry.kind == "DiagnosticReport"
            and a_text(entry.resource.get("status")) in _ISSUED
            and carries(entry.resource, codes)
            and not _may_hold_one_of(found, entry)
        ):
            yield entry


def _may_hold_one_of(found: Sequence[Entry], report: Entry) -> bool:
    """In doubt it does: a report that names no result, or a result without a name to compare."""
    named = [target_of(reference) for reference in objects(report.resource.get("result"))]
    return any(
        one.container is report.resource
        or not named
        or any(_may_be(target, one) for target in named)
        for one in found
    )


def _may_be(target: Target, observation: Entry) -> bool:
    match target:
        case Literal(id=id_):
            return an_id(observation.resource.get("id")) in ("", id_)
        case Urn(text):
            return observation.full_url in ("", text)
        case Fragment():
            return False
        case NoLiteral() | NotAnAddress():
            return True


@dataclass(frozen=True, slots=True)
class ReportReader:
    """Reads the lone reports of one document for one patient."""

    scope: Scope
    whose: Whose

    def read(self, report: Entry) -> LabResult | InvalidResource:
        """The report as a result without a value, or where its dates are not valid FHIR R4."""
        resource = report.resource
        codes = codings(resource.get("code"))
        try:
            specimen, taken = follow_specimens(report, self.scope, self.whose)
            effective = _effective(resource)
            return LabResult(
                ref=report.ref,
                codings=codes,
                status=_ISSUED[resource["status"]],
                value=NOT_SENT,
                subject=self.whose.owner(report, self.scope),
                specimen=specimen,
                collected=taken if isinstance(effective, NoMoment) else effective,
                issued=_issued(resource),
            )
        except Refusal as refusal:
            return InvalidResource(report.ref, refusal.where, codes)


def _effective(report: JsonObject) -> Moment | NoMoment:
    match report:
        case {"effectiveDateTime": when}:
            return moment(when, "DiagnosticReport.effectiveDateTime")
        case {"effectivePeriod": dict() as span}:
            return period(span, "DiagnosticReport.effectivePeriod")
        case _:
            return NoMoment()


def _issued(report: JsonObject) -> Moment | NoMoment:
    if "issued" not in report:
        return NoMoment()
    return instant(report["issued"], "DiagnosticReport.issued")
