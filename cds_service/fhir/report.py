"""DiagnosticReport: which results it holds, and which of them it withdraws.

A report never raises the status of a result. One that was entered in error or cancelled withdraws
the results it contains or names, unless another report of the same Bundle still stands for them.
A preliminary report leaves each result its own status: results in it may be final already. The
specimens of a report or panel count for those of its results that name none themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.results_named import Name, names_borne, names_given
from cds_service.fhir.shape import objects, type_of

_HOLD_RESULTS = ("DiagnosticReport", "Observation")

MOST_SPECIMENS = 100
"""Most specimens that one order or report may name; where there are more, none is looked up."""


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
                    yield Entry(inner, "", entry.resource, "Observation", entry.full_url)


@dataclass(frozen=True, slots=True)
class Reports:
    """What the reports of a document say of the results that they name."""

    fhir_base: str
    withdrawn: set[Name] = field(default_factory=set)
    upheld: set[Name] = field(default_factory=set)
    sampled: dict[Name, list[Entry]] = field(default_factory=dict)
    """Reports and panels that name specimens, by the names of their results."""
    specimens: dict[int, Sequence[JsonObject]] = field(default_factory=dict)
    """The references to their specimens, by the identity of the report or panel."""

    def have_withdrawn(self, observation: Entry) -> bool:
        """Whether an Observation is withdrawn with the report that contains it, or with all the
        reports that name it.
        """
        if observation.is_contained and is_withdrawn(observation.container):
            return True
        if not self.withdrawn:
            return False
        names = frozenset(names_borne(observation, self.fhir_base))
        return not names.isdisjoint(self.withdrawn) and names.isdisjoint(self.upheld)

    def specimens_of(self, observation: Entry) -> Iterator[tuple[JsonObject, Entry]]:
        """The references to specimens in the reports and panels of an Observation, each with the
        report or panel that it stands in.
        """
        if not self.specimens:  # the usual case
            return
        container = observation.container
        for reference in self.specimens.get(id(container), ()):
            url = observation.full_url or observation.container_url
            yield reference, Entry(container, url, container, type_of(container))
        held = (self.sampled.get(name, ()) for name in names_borne(observation, self.fhir_base))
        holders = {id(holder.resource): holder for holder in chain.from_iterable(held)}
        for identity, holder in holders.items():
            yield from ((each, holder) for each in self.specimens[identity])


def reports_in(entries: Iterable[Entry], fhir_base: str) -> Reports:
    """The reports among these entries; `fhir_base` is the server of resources without a fullUrl."""
    reports = Reports(fhir_base)
    for entry in entries:
        holder = entry.resource
        if entry.kind == "DiagnosticReport":
            named = reports.withdrawn if is_withdrawn(holder) else reports.upheld
            held = frozenset(names_given(objects(holder.get("result")), entry))
            if "specimen" in holder and named is reports.upheld:
                _note_specimens(entry, objects(holder["specimen"]), held, reports)
            named |= held
        elif "hasMember" in holder and entry.kind == "Observation" and not is_withdrawn(holder):
            given = objects([holder.get("specimen")])
            held = frozenset(names_given(objects(holder["hasMember"]), entry))
            _note_specimens(entry, given, held, reports)
    return reports


def _note_specimens(
    holder: Entry,
    given: Sequence[JsonObject],
    held: Iterable[Name],
    reports: Reports,
) -> None:
    """Note the specimens of one report or panel. One more than MOST_SPECIMENS is kept, to show that
    there are too many.
    """
    if not given:
        return
    reports.specimens[id(holder.resource)] = given[: MOST_SPECIMENS + 1]
    for name in held:
        known = reports.sampled.setdefault(name, [])
        if len(known) <= MOST_SPECIMENS:
            known.append(holder)


def is_withdrawn(container: JsonObject) -> bool:
    """Whether a status withdraws the results too: a task or an order may be cancelled, and a result
    contained in it still stands.
    """
    status = container.get("status")
    is_cancelled = status == "cancelled" and type_of(container) in _HOLD_RESULTS
    return is_cancelled or status == "entered-in-error"
