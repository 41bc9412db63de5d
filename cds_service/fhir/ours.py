"""What of a document is of the analyte, told by the codes alone, before anything is read."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Document, Entry, open_document
from cds_service.fhir.lone_report import is_report
from cds_service.fhir.report import observations
from cds_service.fhir.wanted import MAY_BE_OURS, Wanted, sort_of


def ours(document: Document, wanted: Wanted) -> Sequence[Entry]:
    """The results of the analyte, and its reports, whose results may not have come along."""
    results = [
        entry
        for entry in observations(document.entries)
        if sort_of(entry.resource, wanted) in MAY_BE_OURS
    ]
    reports = [entry for entry in document.entries if is_report(entry, wanted.accepted)]
    return [*results, *reports]


def may_call_for_a_card(results: JsonObject, wanted: Wanted) -> bool:
    """Whether a Bundle of results holds one of the analyte, or something that cannot be ruled out
    to be one.
    """
    document = open_document(results)
    return bool(document.misfits or ours(document, wanted))
