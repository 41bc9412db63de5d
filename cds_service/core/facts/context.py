"""Facts about the patient: the age, and what conditions and medications are coded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from cds_service.core.concepts import ConceptIndex
from cds_service.core.dates import Age, AgeUnknown, Days, missing_for_age, patient_inputs
from cds_service.core.elements import Moment, NoMoment, ResourceRef
from cds_service.core.fact import UNKNOWN, Fact
from cds_service.core.interval import Comparison, Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import CodedEntry, PatientRecord, RecordKind
from cds_service.core.schema import AgeRow, Concept

Part = Literal["condition", "medication"]
PARTS: tuple[Part, ...] = ("condition", "medication")
Recorded = Mapping[str, ResourceRef]
"""Concept -> the entry of the record that switches it on."""

_KINDS = {
    "condition": frozenset({RecordKind.CONDITION, RecordKind.PROCEDURE}),
    "medication": frozenset({RecordKind.MEDICATION, RecordKind.DOSE, RecordKind.COURSE}),
}


def age_fact(row: AgeRow, record: PatientRecord, age: Age, when: Days, event: str) -> Fact:
    """Fact `age.<id>`: yes, no, or unknown where the birth date does not prove it. `event` is what
    happened on the days `when`: `at collection`.
    """
    name = f"age.{row.id}"
    match age:
        case AgeUnknown():
            because = f"the age {event} is not known"
            return Fact(name, UNKNOWN, because, missing_for_age(record, when))
        case Interval(low, high):
            answer = age.at_or_above(Decimal(row.at_least_years))
            years = str(low) if low == high else f"{low!s} to {high!s}"
            because = f"{years} completed years {event}"
            if answer is Comparison.CANNOT_TELL:
                return Fact(name, UNKNOWN, because, missing_for_age(record, when))
            return Fact(name, answer.value, because, inputs=patient_inputs(record))


def _concepts_of(part: Part, knowledge: KnowledgeBase) -> ConceptIndex:
    """The concepts that one part of the record is searched for."""
    return knowledge.conditions if part == "condition" else knowledge.medications


def coded(part: Part, knowledge: KnowledgeBase, record: PatientRecord, when: Days) -> Recorded:
    """The concepts that entries of the record switch on at that time. Of several entries for one
    concept the first by reference is named, in its last version, whatever the order of arrival.
    """
    index = _concepts_of(part, knowledge)
    recorded: dict[str, ResourceRef] = {}
    for entry in sorted(record.entries, key=_reference):
        if entry.kind in _KINDS[part] and _is_of_that_time(entry, when, knowledge):
            for coding in entry.codings:
                for name in index.of(coding):
                    if _counts(entry, index.concepts[name], when, knowledge):
                        named = recorded.setdefault(name, entry.ref)
                        if named.resource == entry.ref.resource:
                            recorded[name] = entry.ref
    return recorded


def _reference(entry: CodedEntry) -> tuple[str, str]:
    return entry.ref.resource, entry.ref.version


def _is_of_that_time(entry: CodedEntry, when: Days, knowledge: KnowledgeBase) -> bool:
    """Whether an entry can matter to a result of these days.

    A procedure, dose or course matters from its day on, a dose or course only for the look-back
    window; one without a date matters. Conditions and orders matter whatever their date: the onset
    is only the day on which a condition was noticed, and an order may renew an earlier one.
    """
    match _kind_at(entry, when):
        case RecordKind.CONDITION | RecordKind.MEDICATION:
            return True
        case RecordKind.PROCEDURE:
            return not _began_after(entry, when)
        case RecordKind.DOSE | RecordKind.COURSE:
            return not _began_after(entry, when) and _is_recent(entry, when, knowledge)


def _counts(entry: CodedEntry, concept: Concept, when: Days, knowledge: KnowledgeBase) -> bool:
    """Whether an entry that can matter to the result switches on this very concept. For some drugs
    (`counts_when_over`) a course that is over counts, and an order of a later day does not. Some
    procedures (`procedure_passes`) do not count if they are long over.
    """
    match _kind_at(entry, when):
        case RecordKind.COURSE:
            return concept.counts_when_over
        case RecordKind.MEDICATION if concept.counts_when_over:  # few doses, so no renewal
            return not _began_after(entry, when)
        case RecordKind.PROCEDURE if concept.procedure_passes and isinstance(entry.until, Moment):
            return _is_recent(entry, when, knowledge)
        case RecordKind.MEDICATION | RecordKind.DOSE | RecordKind.CONDITION | RecordKind.PROCEDURE:
            return True


def _kind_at(entry: CodedEntry, when: Days) -> RecordKind:
    """The kind of an entry, seen from these days: a medication with an end before all of them is
    over. Of two results in one record it may have been over for the one and not for the other.
    """
    match entry:
        case CodedEntry(kind=RecordKind.MEDICATION, until=Moment() as end) if when.are_after(end):
            return RecordKind.COURSE
        case CodedEntry(kind=kind):
            return kind


def _began_after(entry: CodedEntry, when: Days) -> bool:
    match entry.since:
        case Moment() as began:
            return when.are_before(began)
        case NoMoment():
            return False


def _is_recent(entry: CodedEntry, when: Days, knowledge: KnowledgeBase) -> bool:
    match entry.since if isinstance(entry.until, NoMoment) else entry.until:
        case Moment(last_day=last_day):
            return (when.first - last_day).days <= knowledge.policy.look_back_days
        case NoMoment():
            return True


def _concept_fact(part: Part, concept: Concept, recorded: Recorded, gone: tuple[str, ...]) -> Fact:
    """Fact `condition.<name>` or `medication.<name>`.

    `gone` holds the word for that part of the record where the part could not be had, else nothing.
    """
    name = f"{part}.{concept.name}"
    if concept.name in recorded:
        because = f"{concept.title} is coded in the record"
        return Fact(name, "recorded", because, (), (recorded[concept.name],))
    for coarse in concept.undetermined_by:
        if coarse in recorded:
            because = f"'{coarse}' is coded, which does not tell {concept.title}"
            return Fact(name, UNKNOWN, because, tuple(concept.missing), (recorded[coarse],))
    if gone:
        return Fact(name, UNKNOWN, f"the {gone[0]} were not available", gone)
    return Fact(name, "not-recorded", f"{concept.title} is not coded in the record")


def concept_facts(
    part: Part, knowledge: KnowledgeBase, recorded: Recorded, gone: tuple[str, ...]
) -> Iterator[Fact]:
    """The facts of all concepts of one part."""
    for concept in _concepts_of(part, knowledge).concepts.values():
        yield _concept_fact(part, concept, recorded, gone)
