"""Reading whole parts of a record: which Observations and entries of a document are read, how many,
and what the part came to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from cds_service.core.concepts import ConceptIndex
from cds_service.core.model import Availability, CodedEntry, InvalidResource
from cds_service.fhir.bundle import Document, Entry
from cds_service.fhir.each_once import LabReading, each_once, is_foreign
from cds_service.fhir.lone_report import (
    is_issued,
    lone_reports,
    read_report,
    results_elsewhere,
)
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.ranked import best_first, distinct
from cds_service.fhir.record_entries import EntryReader, OfAnotherPatient
from cds_service.fhir.report import observations
from cds_service.fhir.wanted import MAY_BE_OURS, Sort, Wanted, may_stand_for, sort_of

MOST_READ = 200
"""Most Observations of one sort, and most coded entries, that are read from one part. Validating
one costs up to 0.3 ms, so that a chart of any size stays inside the deadline (T-59)."""


@dataclass(frozen=True, slots=True)
class LaboratoryPart:
    """The Observations of one document, as far as they are wanted."""

    analyte: tuple[LabReading, ...] = ()
    """Results of the analyte, and what cannot be ruled out to be one."""
    companions: tuple[LabReading, ...] = ()
    was_cut: bool = False
    """There were more than MOST_READ of one sort: see `_chosen` for which of them were read."""
    elsewhere: tuple[Entry, ...] = ()
    """Results that a report of the document names and that did not come in it."""


@dataclass(frozen=True, slots=True)
class CodedPart:
    """The coded entries of one part that count, and what the part came to."""

    entries: tuple[CodedEntry, ...] = ()
    availability: Availability = Availability.GIVEN
    unread: tuple[InvalidResource, ...] = ()


NO_RESULTS = LaboratoryPart()
NO_ENTRIES = CodedPart()


def read_laboratory(
    document: Document,
    reader: ObservationReader,
    wanted: Wanted,
    others: Sequence[Entry] = (),
) -> LaboratoryPart:
    """Validate and read the Observations with a wanted code; look at no other.

    `others`: what else is known of this patient, where a result may be that a report of the
    document names.
    """
    by_sort: Mapping[Sort, list[Entry]] = defaultdict(list)
    for entry in observations(document.entries):
        by_sort[sort_of(entry.resource, wanted)].append(entry)
    analyte, companions = distinct(by_sort[Sort.ANALYTE]), distinct(by_sort[Sort.COMPANION])
    panels, unreadable = distinct(by_sort[Sort.PANEL]), by_sort[Sort.UNREADABLE]
    asked = (*_chosen(analyte, reader), *_chosen(distinct(unreadable), reader))
    in_panels = chain.from_iterable(map(reader.read_panel, _chosen(panels, reader)))
    components = list(islice(in_panels, MOST_READ + 1))
    may_hold = (*analyte, *companions, *panels, *by_sort[Sort.COMPANION_PANEL])
    holding = [entry for entry in may_hold if "component" in entry.resource]
    in_components = _in_components(holding, reader, wanted) if holding else ()
    lone, elsewhere = _lone(document.entries, by_sort, others, reader, wanted)
    reports = [read_report(one, reader.scope, reader.whose) for one in _chosen(lone, reader)]
    all_found: tuple[Sequence[object], ...] = (
        analyte,
        companions,
        unreadable,
        panels,
        components,
        in_components,
        lone,
    )
    return LaboratoryPart(
        (
            *each_once(asked, reader),
            *components[:MOST_READ],
            *reports,
            *document.misfits,
        ),
        (*map(reader.read, _chosen(companions, reader)), *in_components[:MOST_READ]),
        max(map(len, all_found)) > MOST_READ,
        elsewhere,
    )


def _lone(
    entries: Iterable[Entry],
    by_sort: Mapping[Sort, Sequence[Entry]],
    others: Sequence[Entry],
    reader: ObservationReader,
    wanted: Wanted,
) -> tuple[Sequence[Entry], tuple[Entry, ...]]:
    """The issued reports of the analyte whose result is not there; and the results that stand among
    the others and belong to reports that came without them.
    """
    # Copies count here: each may lie in another report. And no card speaks of an unreadable one of
    # another patient, so no report is answered by it.
    own_unreadable = filter(reader.is_own, by_sort[Sort.UNREADABLE])
    found = (*by_sort[Sort.ANALYTE], *own_unreadable, *by_sort[Sort.PANEL])
    lone = list(lone_reports(entries, found, wanted.accepted))
    elsewhere = tuple(_elsewhere(lone, others, reader, wanted)) if lone and others else ()
    if elsewhere:
        lone = list(lone_reports(lone, elsewhere, wanted.accepted))
    return [report for report in lone if is_issued(report.resource)], elsewhere


def _elsewhere(
    lone: Iterable[Entry], others: Iterable[Entry], reader: ObservationReader, wanted: Wanted
) -> Sequence[Entry]:
    """Results of the analyte that these reports name, where both are this patient's."""
    named = results_elsewhere(filter(reader.is_own, lone), others, reader.whose.fhir_base)
    ours = (each for each in named if sort_of(each.resource, wanted) in MAY_BE_OURS)
    return list(filter(reader.is_own, ours))


def _in_components(
    holding: Sequence[Entry], reader: ObservationReader, wanted: Wanted
) -> Sequence[LabReading]:
    """The companion results in components of these, those first that matter most; at most one more
    than MOST_READ.
    """
    panels = best_first(distinct(holding), reader)
    found = chain.from_iterable(reader.read_companions(panel, wanted) for panel in panels)
    return list(islice(found, MOST_READ + 1))


def read_coded(
    document: Document, reader: EntryReader, types: frozenset[str], concepts: ConceptIndex
) -> CodedPart:
    """The entries of the given types that count; unreadable ones are left out and make it PARTIAL.

    Of more than MOST_READ, those come first that may stand for one of the concepts.
    """
    of_type = [entry for entry in document.entries if entry.kind in types]
    was_cut = False
    if len(of_type) > MOST_READ:
        of_type.sort(key=lambda entry: not may_stand_for(entry.resource, concepts))
        was_cut = may_stand_for(of_type[MOST_READ].resource, concepts)
    found = [reader.read(entry) for entry in of_type[:MOST_READ]]
    unread = tuple(item for item in found if isinstance(item, InvalidResource))
    foreign = sum(isinstance(item, OfAnotherPatient) for item in found)
    extent = availability_of(
        read=len(found) - len(unread) - foreign,
        invalid=len(unread) + len(document.misfits),
        foreign=foreign,
        was_cut=was_cut,
    )
    return CodedPart(
        tuple(item for item in found if isinstance(item, CodedEntry)),
        extent if document.is_of(types) else Availability.FAILED,
        unread,
    )


def results_availability(part: LaboratoryPart) -> Availability:
    """Whether all that was sent with the results to interpret was read. An invalid result of the
    analyte does not count here: it gets an answer of its own.
    """
    is_part = part.was_cut or any(isinstance(one, InvalidResource) for one in part.companions)
    return Availability.PARTIAL if is_part else Availability.GIVEN


def laboratory_availability(found: Sequence[LabReading], *, was_cut: bool) -> Availability:
    """How much was read of a part of further Observations."""
    invalid = sum(isinstance(item, InvalidResource) for item in found)
    foreign = sum(is_foreign(item) for item in found)
    return availability_of(
        read=len(found) - invalid - foreign, invalid=invalid, foreign=foreign, was_cut=was_cut
    )


def availability_of(*, read: int, invalid: int, foreign: int, was_cut: bool) -> Availability:
    """How much was read of a part that was given.

    Some entries invalid, and none read: FAILED. Some invalid, or too many to read: PARTIAL, as more
    exists than was read. Nothing but another patient's: OF_ANOTHER_PATIENT.
    """
    if invalid and not read:
        return Availability.FAILED
    if invalid or was_cut:
        return Availability.PARTIAL
    return Availability.OF_ANOTHER_PATIENT if foreign and not read else Availability.GIVEN


def _chosen(entries: Sequence[Entry], reader: ObservationReader) -> Sequence[Entry]:
    """At most MOST_READ entries, those that matter most, so that no other hides them."""
    return entries if len(entries) <= MOST_READ else best_first(entries, reader)[:MOST_READ]
