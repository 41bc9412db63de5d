"""What of a document is of the analyte, told by the codes alone, before anything is read."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Document, Entry, open_document
from cds_service.fhir.lone_report import is_report, lone_reports
from cds_service.fhir.reference import Literal, target_of
from cds_service.fhir.report import is_withdrawn, observations
from cds_service.fhir.shape import objects
from cds_service.fhir.wanted import MAY_BE_OURS, Wanted, sort_of


def ours(document: Document, wanted: Wanted) -> Sequence[Entry]:
    """The results of the analyte, and its reports, whose results may not have come along."""
    reports = [entry for entry in document.entries if is_report(entry, wanted.accepted)]
    return [*_results(document, wanted), *reports]


def _results(document: Document, wanted: Wanted) -> Sequence[Entry]:
    return [
        entry
        for entry in observations(document.entries)
        if sort_of(entry.resource, wanted) in MAY_BE_OURS
    ]


def taken_back_unseen(results: JsonObject, wanted: Wanted) -> frozenset[str]:
    """`Observation/1`: what reports of the analyte name that were withdrawn and came without their
    results.
    """
    document = open_document(results)
    reports = lone_reports(document.entries, _results(document, wanted), wanted.accepted)
    named = (
        target_of(reference)
        for report in reports
        if is_withdrawn(report.resource)
        for reference in objects(report.resource.get("result"))
    )
    return frozenset(f"{each.type}/{each.id}" for each in named if isinstance(each, Literal))


def may_call_for_a_card(results: JsonObject, wanted: Wanted) -> bool:
    """Whether a Bundle of results holds one of the analyte, or something that cannot be ruled out
    to be one.
    """
    document = open_document(results)
    return bool(document.misfits or ours(document, wanted))
