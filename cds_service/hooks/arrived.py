"""Whether the results that arrived are all of them: nobody can be asked for the rest."""

from __future__ import annotations

from cds_service.core.card import JsonObject
from cds_service.errors import DataUnavailable
from cds_service.fhir.supplied import shortfalls


def insist_on_all_that_arrived(results: JsonObject) -> None:
    """An answer without cards may be given only where all of the results were sent.

    Raises DataUnavailable where they say themselves that they are a part or that something failed,
    or hold a Bundle, which is not opened.
    """
    for fault in shortfalls(results):
        raise DataUnavailable(
            f"The results are only a part, which calls for no card ({fault}).",
            where="context.results",
            remedy="Send all of them as the entries of one Bundle of type collection.",
            cause=fault,
        )
