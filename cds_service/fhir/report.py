"""DiagnosticReport: which results it holds, and which it takes back with itself.

A report never raises the status of a result. One that was entered in error or cancelled withdraws
the results it contains or names, unless another report of the same Bundle still stands for them.
A preliminary report leaves each result its own status: results in it may be final already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.core.card import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.reference import Literal, Urn, may_be_on, target_of
from cds_service.fhir.shape import objects, type_of

_CONTAINERS = ("DiagnosticReport", "Observation")
_WITHDRAWN = ("entered-in-error", "cancelled")


def observations(entries: Iterable[Entry]) -> Iterator[Entry]:
    """All Observations of a document: entries, and those contained in reports and in panels.

    What `DiagnosticReport.result` and `Observation.hasMember` point at is thereby found, as far as
    it was given at all.
    """
    for entry in entries:
        if entry.kind == "Observation":
            yield entry
        if entry.kind in _CONTAINERS and "contained" in entry.resource:
            for inner in objects(entry.resource["contained"]):
                if type_of(inner) == "Observation":
                    yield Entry(inner, "", entry.resource, "Observation")


def named_by_withdrawn(entries: Iterable[Entry], fhir_base: str) -> frozenset[str]:
    """Names (`Entry.names`) of the Observations that only withdrawn reports refer to.

    A full address on the server `fhir_base` and a relative one are one name.
    """
    taken_back: set[str] = set()
    upheld: set[str] = set()
    for entry in entries:
        if entry.kind == "DiagnosticReport":
            names = _results(entry.resource, fhir_base)
            (taken_back if _is_withdrawn(entry.resource) else upheld).update(names)
    return frozenset(taken_back - upheld)


def withdrawn_with_report(observation: Entry, named: frozenset[str]) -> bool:
    """Whether an Observation falls with its report: the one it lies in, or those that name it."""
    if observation.is_contained and _is_withdrawn(observation.container):
        return True
    return bool(named) and not named.isdisjoint(observation.names)


def _is_withdrawn(container: JsonObject) -> bool:
    return container.get("status") in _WITHDRAWN


def _results(report: JsonObject, fhir_base: str) -> Iterator[str]:
    for reference in objects(report.get("result")):
        match target_of(reference):
            case Literal(base, kind, id_, _):
                yield f"{kind}/{id_}" if may_be_on(fhir_base, base) else f"{base}/{kind}/{id_}"
            case Urn(text):
                yield text
            case _:  # `#…` lies in the report itself
                continue
