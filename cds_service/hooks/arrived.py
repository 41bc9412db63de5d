"""Whether the results that arrived are all of them: nobody can be asked for the rest."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.core.card import JsonObject
from cds_service.errors import DataUnavailable
from cds_service.fhir.fetched import UpstreamFault
from cds_service.fhir.pages import Next, leads_to
from cds_service.fhir.shape import a_text, an_object, objects, type_of
from cds_service.fhir.supplied import holds_an_error, says_it_is_not_all


def insist_on_all_that_arrived(results: JsonObject) -> None:
    """An answer without cards may be given only where all of the results were sent.

    Raises DataUnavailable where they say themselves that they are a part or that something failed,
    or hold a Bundle, which is not opened.
    """
    for fault in _faults(results):
        raise DataUnavailable(
            f"The results are only a part, which calls for no card ({fault}).",
            where="context.results",
            remedy="Send all of them as the entries of one Bundle of type collection.",
            cause=fault,
        )


def _faults(results: JsonObject) -> Iterator[UpstreamFault]:
    if holds_an_error(results):
        yield UpstreamFault.OPERATION_OUTCOME
    entries = objects(results.get("entry"))
    is_a_part = isinstance(leads_to(results), Next) or says_it_is_not_all(results)
    if is_a_part or any(map(_was_refused, entries)):
        yield UpstreamFault.INCOMPLETE
    if any(type_of(an_object(entry.get("resource"))) == "Bundle" for entry in entries):
        yield UpstreamFault.WRONG_TYPE


def _was_refused(entry: JsonObject) -> bool:
    """Of a batch, by the HTTP status (https://hl7.org/fhir/R4/http.html#transaction-response)."""
    return a_text(an_object(entry.get("response")).get("status")).startswith(("4", "5"))
