"""DiagnosticReport: which results it holds, and which it takes back with itself.

A report never raises the status of a result. One that was entered in error or cancelled withdraws
the results it contains or names, unless another report of the same Bundle still stands for them.
A preliminary report leaves each result its own status: results in it may be final already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cds_service.core.card import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.reference import Literal, Urn, base_of, may_be_on, target_of
from cds_service.fhir.shape import objects, type_of

_HOLD_RESULTS = ("DiagnosticReport", "Observation")

Named = dict[str, set[str]]
"""What results are named by (`Type/id`, an address), and the servers that were said with it, empty
where none was.
"""


def observations(entries: Iterable[Entry]) -> Iterator[Entry]:
    """All Observations of a document: entries, and those contained in others: in reports and
    panels, and wherever else a result may stand that is coded as one.

    What `DiagnosticReport.result` and `Observation.hasMember` point at is thereby found, as far as
    it was given at all.
    """
    for entry in entries:
        if entry.kind == "Observation":
            yield entry
        if "contained" in entry.resource:
            for inner in objects(entry.resource["contained"]):
                if type_of(inner) == "Observation":
                    yield Entry(inner, "", entry.resource, "Observation")


@dataclass(frozen=True, slots=True)
class Reports:
    """What the reports of a document say of the results that they name."""

    fhir_base: str = ""
    withdrawn: Named = field(default_factory=dict)
    upheld: Named = field(default_factory=dict)

    def take_back(self, observation: Entry) -> bool:
        """Whether an Observation falls with its report: the one it lies in, or all that name it."""
        if observation.is_contained and _is_withdrawn(observation.container):
            return True
        if not self.withdrawn:
            return False
        return self._is_in(self.withdrawn, observation) and not self._is_in(
            self.upheld, observation
        )

    def _is_in(self, named: Named, observation: Entry) -> bool:
        """By its own address, or by its id on the server that it is on."""
        server = base_of(observation.full_url) or self.fhir_base
        bases = named.get(observation.ref.resource, ())
        return observation.full_url in named or any(may_be_on(server, base) for base in bases)


def reports_in(entries: Iterable[Entry], fhir_base: str) -> Reports:
    """The reports among these entries; `fhir_base` is the server of what says no address."""
    reports = Reports(fhir_base)
    for entry in entries:
        if entry.kind == "DiagnosticReport":
            named = reports.withdrawn if _is_withdrawn(entry.resource) else reports.upheld
            for name, base in _results(entry.resource):
                named.setdefault(name, set()).add(base)
    return reports


def _is_withdrawn(container: JsonObject) -> bool:
    """A task or an order may be cancelled, and a result that lies in it stands all the same."""
    status = container.get("status")
    is_cancelled = status == "cancelled" and type_of(container) in _HOLD_RESULTS
    return is_cancelled or status == "entered-in-error"


def _results(report: JsonObject) -> Iterator[tuple[str, str]]:
    for reference in objects(report.get("result")):
        match target_of(reference):
            case Literal(base, kind, id_, _):
                yield f"{kind}/{id_}", base
                if base:  # as a fullUrl has it, also where the result itself has no id
                    yield f"{base}/{kind}/{id_}", base
            case Urn(text):
                yield text, ""
            case _:  # `#…` lies in the report itself
                continue
