"""Reading whole parts of a record: which Observations and entries of a document are read, how many,
and what the part came to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from cds_service.core.concepts import ConceptIndex
from cds_service.core.elements import LabValue, Measured, NoValue, ResourceRef
from cds_service.core.model import Availability, CodedEntry, InvalidResource, LabResult, Subject
from cds_service.core.results.comparable import laboratory_name
from cds_service.fhir.bundle import Document, Entry
from cds_service.fhir.lone_report import (
    is_issued,
    lone_reports,
    read_report,
    results_elsewhere,
)
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.ranked import best_first, distinct
from cds_service.fhir.record_entries import EntryReader, OfAnotherPatient
from cds_service.fhir.reference import comparable_base
from cds_service.fhir.report import observations
from cds_service.fhir.wanted import MAY_BE_OURS, Sort, Wanted, may_stand_for, sort_of

MOST_READ = 200
"""Most Observations of one sort, and most coded entries, that are read from one part. Validating
one costs up to 0.3 ms, so that a chart of any size stays inside the deadline (T-59)."""

LabReading = LabResult | InvalidResource


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


_NO_REF, _NO_VALUE = ResourceRef(""), NoValue()
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
            *_each_once(asked, reader),
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


def _each_once(entries: Sequence[Entry], reader: ObservationReader) -> Sequence[LabReading]:
    """What the entries say, without copies: a page that was sent and the search that was made again
    may hold one result, with addresses and a version here and without there.
    """
    found = [reader.read(entry) for entry in entries]
    if len({one.ref.resource for one in found}) == len(found):  # as mostly
        return found
    servers = {comparable_base(entry.server) for entry in entries if entry.server}
    several = len(servers) > 1  # two may give one id to two results
    kept: dict[object, LabReading] = {}
    for entry, one in zip(entries, found, strict=True):
        key = (several and entry.server, _content(one)) if _is_named(one) else id(one)
        if one.ref.version >= kept.setdefault(key, one).ref.version:
            kept[key] = one
    return list(kept.values())


def _is_named(one: LabReading) -> bool:
    """Whether it is a valid result with an id, so that a copy of it can be told."""
    return isinstance(one, LabResult) and _has_id(one) and "#" not in one.ref.resource


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


def is_foreign(item: LabReading) -> bool:
    """Whether a result belongs to another patient."""
    return isinstance(item, LabResult) and item.subject is Subject.ANOTHER_PATIENT


def beside(past: LaboratoryPart, main: LaboratoryPart) -> Sequence[LabReading]:
    """What the record holds of the analyte beside the results to interpret. One that is not valid
    and stands among these too is told there.
    """
    if past is main:
        return ()
    told = frozenset(_content(one) for one in main.analyte if isinstance(one, InvalidResource))
    if not told:
        return past.analyte
    return [one for one in past.analyte if _content(one) not in told]


def strayed(
    strays: Sequence[LabReading], results: tuple[LabReading, ...], wanted: Wanted
) -> tuple[LabReading, ...]:
    """The results, with those of this patient that were sent among the other laboratory results.
    One that is not valid counts only by a code of the analyte.
    """
    invalid = (one for one in strays if isinstance(one, InvalidResource))
    ours = (
        one for one in invalid if any((c.system, c.code) in wanted.analyte for c in one.codings)
    )
    return (*results, *further(strays, than=results), *ours) if strays else results


def further(found: Iterable[LabReading], *, than: Iterable[LabReading]) -> tuple[LabResult, ...]:
    """Usable results of this patient, each once, without those already in `than`.

    Two results are the same if nothing but the version tells them apart; the last version by its
    text then stands for both. Where one id comes with two contents and nothing tells which is
    newer, both are kept, in whatever order they came, and the card says so (see `notes`).
    """
    usable = [one for one in found if isinstance(one, LabResult) and not is_foreign(one)]
    if not usable:  # as mostly; spares the keys of what is known
        return ()
    known = list(than)
    there = frozenset(_content(one) for one in known if isinstance(one, LabResult))
    unread = frozenset(one.ref.resource for one in known if isinstance(one, InvalidResource))
    new: dict[object, LabResult] = {}
    for item in usable:
        content = _content(item)
        if content in there or (_has_id(item) and item.ref.resource in unread):
            continue
        if item.ref.version >= new.setdefault(content, item).ref.version:
            new[content] = item
    return tuple(new.values())


def _content(result: LabReading) -> object:
    """A key that is the same for two results if all but their versions is, and the address of their
    laboratory: where one came with its own address and the other without, that differs.
    """
    if isinstance(result, InvalidResource):
        return result.ref.resource, result.where, result.codings
    name = laboratory_name(result)
    bare = replace(result, ref=_NO_REF, value=_NO_VALUE, laboratory=name, laboratory_reference="")
    return result.ref.name, _same(result.value), bare


def _same(value: LabValue) -> object:
    """A key that is the same for two equal values, however many digits they were written with."""
    match value:
        case Measured(comparator, number, unit):
            return comparator, number.value, unit.code or unit.text
        case _:
            return value


def _has_id(result: LabResult) -> bool:
    return "/" in result.ref.resource


def _chosen(entries: Sequence[Entry], reader: ObservationReader) -> Sequence[Entry]:
    """At most MOST_READ entries, those that matter most, so that no other hides them."""
    return entries if len(entries) <= MOST_READ else best_first(entries, reader)[:MOST_READ]
