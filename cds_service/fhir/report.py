"""DiagnosticReport: which results it holds, and which of them it withdraws.

A report never raises the status of a result. One that was entered in error or cancelled withdraws
the results it contains or names, unless another report of the same Bundle still stands for them.
A preliminary report leaves each result its own status: results in it may be final already. The
specimens of a report or panel count for those of its results that name none themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.reference import Literal, Urn, base_of, may_be_on, target_of
from cds_service.fhir.shape import objects, type_of

_HOLD_RESULTS = ("DiagnosticReport", "Observation")

MOST_SPECIMENS = 100
"""Most specimens that one order or report may name; where there are more, none is looked up."""

Named = dict[str, set[str]]
"""The names by which results are referred to (`Type/id` or an address), each with the base
addresses that it was given with; an empty one where it was given without.
"""


def observations(entries: Iterable[Entry]) -> Iterator[Entry]:
    """All Observations of a document: its entries, and those contained in any of them, be it a
    report, a panel or another resource.

    That includes whatever `DiagnosticReport.result` and `Observation.hasMember` point at, if it was
    given.
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
    sampled: dict[str, list[tuple[Entry, str]]] = field(default_factory=dict)
    """Reports and panels that name specimens, by the names of their results, each with the base
    address that the name was given with.
    """
    specimens: dict[int, Sequence[JsonObject]] = field(default_factory=dict)
    """The references to their specimens, by the identity of the report or panel."""

    def have_withdrawn(self, observation: Entry) -> bool:
        """Whether an Observation is withdrawn with the report that contains it, or with all the
        reports that name it.
        """
        if observation.is_contained and _is_withdrawn(observation.container):
            return True
        if not self.withdrawn:
            return False
        return self._is_in(self.withdrawn, observation) and not self._is_in(
            self.upheld, observation
        )

    def specimens_of(self, observation: Entry) -> Iterator[tuple[JsonObject, Entry]]:
        """The references to specimens in the reports and panels of an Observation, each with the
        report or panel that it stands in.
        """
        if not self.specimens:  # the usual case
            return
        container = observation.container
        for reference in self.specimens.get(id(container), ()):
            yield reference, Entry(container, "", container, type_of(container))
        server = self._server_of(observation)
        for name in observation.names:
            for report, base in self.sampled.get(name, ()):
                if name == observation.full_url or may_be_on(server, base):
                    yield from ((each, report) for each in self.specimens[id(report.resource)])

    def _server_of(self, observation: Entry) -> str:
        return base_of(observation.full_url) or self.fhir_base

    def _is_in(self, named: Named, observation: Entry) -> bool:
        """Whether an Observation is among the named, by its address or by its id on its server."""
        server = self._server_of(observation)
        bases = named.get(observation.ref.resource, ())
        return observation.full_url in named or any(may_be_on(server, base) for base in bases)


def reports_in(entries: Iterable[Entry], fhir_base: str) -> Reports:
    """The reports among these entries; `fhir_base` is the server of resources without a fullUrl."""
    reports = Reports(fhir_base)
    for entry in entries:
        if entry.kind == "DiagnosticReport":
            named = reports.withdrawn if _is_withdrawn(entry.resource) else reports.upheld
            if "specimen" in entry.resource and named is reports.upheld:
                given = objects(entry.resource["specimen"])
                _note_specimens(entry, given, _results(entry.resource), reports)
            for name, base in _results(entry.resource):
                named.setdefault(name, set()).add(base)
        elif "hasMember" in entry.resource and entry.kind == "Observation":
            given = objects([entry.resource.get("specimen")])
            if not _is_withdrawn(entry.resource):
                _note_specimens(entry, given, _named(entry.resource["hasMember"]), reports)
    return reports


def _note_specimens(
    holder: Entry, given: Sequence[JsonObject], held: Iterable[tuple[str, str]], reports: Reports
) -> None:
    """Note the specimens of one report or panel. One more than MOST_SPECIMENS is kept, to show that
    there are too many.
    """
    if not given:
        return
    reports.specimens[id(holder.resource)] = given[: MOST_SPECIMENS + 1]
    for name, base in held:
        known = reports.sampled.setdefault(name, [])
        if len(known) <= MOST_SPECIMENS:
            known.append((holder, base))


def _is_withdrawn(container: JsonObject) -> bool:
    """Whether a status withdraws the results too: a task or an order may be cancelled, and a result
    contained in it still stands.
    """
    status = container.get("status")
    is_cancelled = status == "cancelled" and type_of(container) in _HOLD_RESULTS
    return is_cancelled or status == "entered-in-error"


def _results(report: JsonObject) -> Iterator[tuple[str, str]]:
    return _named(report.get("result"))


def _named(references: object) -> Iterator[tuple[str, str]]:
    for reference in objects(references):
        match target_of(reference):
            case Literal(base, kind, id_, _):
                yield f"{kind}/{id_}", base
                if base:  # as a fullUrl has it, also where the result itself has no id
                    yield f"{base}/{kind}/{id_}", base
            case Urn(text):
                yield text, ""
            case _:  # `#…` lies in the report itself
                continue
