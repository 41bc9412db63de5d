"""What a reader must be told beside the findings: assumptions, doubts, and other results seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice

from cds_service.core.dates import (
    birth_of,
    is_ahead,
    is_before_birth,
    named_date,
    patient_inputs,
    readable,
)
from cds_service.core.elements import (
    Measured,
    Moment,
    NoMoment,
    SpecimenLink,
    Status,
    ValueForm,
)
from cds_service.core.facts.companions import (
    companions_ahead,
)
from cds_service.core.facts.limits import has_own_limit
from cds_service.core.facts.ranges import as_sent
from cds_service.core.facts.situation import (
    FactorOfAnother,
    Literature,
    NoFactor,
    Situation,
    own_factor,
)
from cds_service.core.interval import EXACT
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import Availability, InvalidResource, LabResult, PatientRecord, Subject
from cds_service.core.note import MOST_NAMED, Note, NoteKind
from cds_service.core.results.selection import Candidate, by_rank, is_copy_of
from cds_service.core.schema import AcceptedCode, AssayFactor
from cds_service.core.verdict import RangeReading, Reason

_MOST_ALIKE = 8
"""Most results sharing a card that are named on it; all of them are among its inputs."""


def notes_on_knowledge(knowledge: KnowledgeBase, at: date) -> Iterator[Note]:
    """That the knowledge is past its review-by date: it is not served silently then."""
    if knowledge.is_overdue(at):
        yield Note(NoteKind.REVIEW_OVERDUE, {"date": knowledge.identity.review_by.isoformat()})


def notes_on_resource(result: LabResult) -> Iterator[Note]:
    """Notes on the result as a resource: whose it is, and in what state."""
    if result.subject is Subject.NOT_NAMED:
        yield Note(NoteKind.SUBJECT_NOT_NAMED)
    if result.status in {Status.AMENDED, Status.CORRECTED}:
        yield Note(NoteKind.CORRECTED, {"status": result.status.value})
    if result.status is Status.PRELIMINARY:
        yield Note(NoteKind.PRELIMINARY_BY_POLICY)


def notes_on_sample(head: Candidate, record: PatientRecord) -> Iterator[Note]:
    """Doubts about the sample: it may be somebody else's, entered in error or unfit."""
    match head.result.specimen.link:
        case SpecimenLink.OF_ANOTHER_PATIENT:
            yield Note(NoteKind.SPECIMEN_OF_ANOTHER)
        case SpecimenLink.ENTERED_IN_ERROR:
            yield Note(NoteKind.SPECIMEN_WITHDRAWN)
        case SpecimenLink.UNSATISFACTORY:
            yield Note(NoteKind.SPECIMEN_UNSATISFACTORY)
        case (
            SpecimenLink.NONE
            | SpecimenLink.UNRESOLVED
            | SpecimenLink.UNCERTAIN
            | SpecimenLink.INVALID
            | SpecimenLink.RESOLVED
        ):
            pass
    # A sample taken before birth: a date is wrong, or it is somebody else's sample.
    if is_before_birth(head.taken, birth_of(record)):
        yield Note(
            NoteKind.BEFORE_BIRTH, {"date": _text(head.taken)}, inputs=patient_inputs(record)
        )


def notes_on_record(record: PatientRecord) -> Iterator[Note]:
    """The parts of the record that are another patient's, failed, or may not be complete."""
    parts = record.availability
    if parts.get("patient") is Availability.OF_ANOTHER_PATIENT:
        yield Note(NoteKind.PATIENT_OF_ANOTHER)
    if in_part := tuple(part for part, found in parts.items() if found is Availability.PARTIAL):
        yield Note(NoteKind.MORE_MAY_EXIST, {"part": in_part})
    for part, found in parts.items():
        if found is Availability.FAILED:
            yield Note(NoteKind.DATA_FAILED, {"part": part})
        elif found is Availability.OF_ANOTHER_PATIENT and part != "patient":
            yield Note(NoteKind.DATA_OF_ANOTHER, {"part": part})


def notes_on_dates(head: Candidate, beside: Iterable[Candidate]) -> Iterator[Note]:
    """The results dated ahead of the day: their dates cannot be right, so they hide no others."""
    ahead = (item for item in (head, *beside) if item.is_dated_ahead)
    for item in islice(ahead, MOST_NAMED):
        yield Note(NoteKind.DATE_AHEAD, value_and_date(item))


def notes_on_copies(head: Candidate, known: Iterable[Candidate]) -> Iterator[Note]:
    """That copies of the result have other ranges: nothing tells which copy is the newer."""
    copies = [item for item in known if item is not head and is_copy_of(item, head)]
    if not copies:  # the usual case
        return
    own = {as_sent(row) for row in head.result.ranges}
    other = {
        words: item.result.ref
        for item in sorted(copies, key=by_rank, reverse=True)
        for row in item.result.ranges
        if (words := as_sent(row)) and words not in own
    }
    if other:
        ranges, inputs = tuple(other)[:MOST_NAMED], tuple(dict.fromkeys(other.values()))
        yield Note(NoteKind.OTHER_RANGE, {"ranges": ranges}, inputs=inputs)


def note_on_sharing(others: Sequence[Candidate | InvalidResource]) -> Note:
    """Names the results that share the card, since its reason holds for them too: without this note
    nothing would be said about them.
    """
    named = dict.fromkeys(map(_named, others))
    refs = [one.ref if isinstance(one, InvalidResource) else one.result.ref for one in others]
    told = {"results": tuple(islice(named, _MOST_ALIKE))}
    return Note(NoteKind.FOR_THE_SAME_REASON, told, inputs=tuple(dict.fromkeys(refs)))


def _named(one: Candidate | InvalidResource) -> str:
    match one:
        case InvalidResource(ref, where):
            return f"{ref.resource} (at {where})"
        case Candidate(result=result):
            told = value_and_date(one)
            return (
                " of ".join(filter(None, told.values())) if told["value"] else result.ref.resource
            )


def notes_on_value(situation: Situation, code: AcceptedCode) -> Iterator[Note]:
    """Notes on how value, unit, code and date were read."""
    if assumed := situation.quantity.unit.assumed:
        yield Note(NoteKind.UNIT_ASSUMED, {"unit": situation.value.unit, "sentence": assumed})
    match situation.result.value:
        case Measured(form=ValueForm.TEXT):
            yield Note(NoteKind.VALUE_FROM_TEXT, {"value": situation.value.words})
        case _ if not situation.quantity.coded:
            yield Note(NoteKind.UNIT_FROM_TEXT, {"unit": situation.value.unit})
        case _:
            pass
    yield from _on_factor(situation)
    if code.naming == "implied":
        yield Note(NoteKind.NAME_NOT_SOLUBLE, {"loinc": code.loinc, "name": code.name})
    match named_date(situation.result):
        case NoMoment():
            yield Note(NoteKind.COLLECTION_UNKNOWN)
        case Moment(first_day=first, last_day=last) as named:
            if first != last and not is_ahead(named, situation.at):
                yield Note(NoteKind.COLLECTION_OPEN, {"date": readable(named.text)})
    ahead = companions_ahead(situation.knowledge, situation.record, situation.at)
    for title, companion in islice(ahead, MOST_NAMED):
        dated = _text(named_date(companion.result))
        told = {"value": f"{title} {companion.value.words}", "date": dated}
        yield Note(NoteKind.DATE_AHEAD, told)


def _on_factor(situation: Situation) -> Iterator[Note]:
    """Whether a factor of the site was used, if the value is compared with limits of studies."""
    specimen, family = situation.specimen, situation.quantity.unit.family
    limited = has_own_limit(situation.knowledge, specimen, family)
    if situation.literature is Literature.BARRED or not limited:
        return
    match own_factor(situation):
        case AssayFactor(laboratory=laboratory, factor=factor, source=source):
            told = {"factor": str(factor), "laboratory": laboratory, "source": source}
            scaled = _times(factor, situation)
            yield Note(NoteKind.ASSAY_FACTOR, {**told, "scaled": scaled})
        case FactorOfAnother(laboratory):
            told = {"laboratory": laboratory, "own": situation.result.laboratory}
            yield Note(NoteKind.FACTOR_OF_ANOTHER, told)
        case NoFactor():
            return


def _times(factor: Decimal, situation: Situation) -> str:
    """The value as it is compared with limits of studies, in the unit that it was reported in."""
    match situation.result.value:
        case Measured(comparator, number):
            scaled = EXACT.multiply(number.value, factor).normalize(EXACT)
            return f"{comparator.value}{scaled:f} {situation.value.unit}"
        case _:
            raise ValueError("a value that was understood has a number")


def notes_on_range(laboratory: RangeReading, situation: Situation) -> Iterator[Note]:
    """What is assumed of the unit of the laboratory's range and was not of the value's; and its
    ranges that are not applied, though they may be for this patient.
    """
    for unit in sorted(laboratory.units):
        assumed = situation.knowledge.units[unit].assumed
        if assumed and assumed != situation.quantity.unit.assumed:
            yield Note(NoteKind.UNIT_ASSUMED, {"unit": unit, "sentence": assumed})
    if laboratory.left:
        yield Note(NoteKind.RANGES_LEFT, {"ranges": laboratory.left})
    if laboratory.not_comparable:
        yield Note(NoteKind.RANGES_NOT_COMPARABLE, {"ranges": laboratory.not_comparable})


def notes_on_unit(result: LabResult, reason: Reason) -> Iterator[Note]:
    """That a unit was not understood whose text and code say different things."""
    if reason is Reason.UNIT_UNKNOWN and isinstance(result.value, Measured):
        unit = result.value.unit
        if unit.text and unit.code and unit.text != unit.code:
            yield Note(NoteKind.UNIT_TEXT_AND_CODE, {"unit": unit.text, "code": unit.code})


def notes_on_specimen(result: LabResult, reason: Reason) -> Iterator[Note]:
    """Why the specimen kind is not settled: the Specimen is not valid, may not be the one that is
    meant, or has type codes that are not in the knowledge.
    """
    if reason not in {Reason.SPECIMEN_UNKNOWN, Reason.SPECIMEN_CONFLICT}:
        return
    match result.specimen.link:
        case SpecimenLink.INVALID:
            yield Note(NoteKind.SPECIMEN_INVALID, {"where": result.specimen.where})
        case SpecimenLink.UNCERTAIN:
            yield Note(NoteKind.SPECIMEN_UNCERTAIN)
        case _:
            pass
    if reason is Reason.SPECIMEN_UNKNOWN and result.specimen.codings:
        told = dict.fromkeys(
            f"{coding.code} ({coding.display})" if coding.display else coding.code
            for coding in result.specimen.codings
        )
        yield Note(NoteKind.SPECIMEN_CODE_UNKNOWN, {"codes": tuple(islice(told, MOST_NAMED))})


def value_and_date(item: Candidate) -> dict[str, str]:
    """The value and the date that a result of this analyte carries, for a note."""
    return {"value": item.reading.value.words, "date": _text(named_date(item.result))}


def _text(moment: Moment | NoMoment) -> str:
    match moment:
        case Moment(text=text):
            return readable(text)
        case NoMoment():
            return ""
