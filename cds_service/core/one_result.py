"""The answer about one result: what the decision table makes of its facts, or why it has none.

Which results get an answer, and which others are named on it, is decided in `interpret`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.core.caution import cautions, cautions_uninterpreted, cautions_wrong_analyte
from cds_service.core.dates import dates_as_received, when_taken
from cds_service.core.elements import NOT_YET_FINAL, WITHDRAWN, NoMoment
from cds_service.core.facts.companions import companion_values
from cds_service.core.facts.missing import missing_words
from cds_service.core.facts.result import companion_facts, facts_of
from cds_service.core.facts.situation import Literature, Situation, literature_for
from cds_service.core.facts.surroundings import Surroundings, surroundings_of
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, LabResult, PatientRecord
from cds_service.core.note import Note
from cds_service.core.notes import (
    notes_on_copies,
    notes_on_dates,
    notes_on_range,
    notes_on_record,
    notes_on_resource,
    notes_on_specimen,
    notes_on_unit,
    notes_on_value,
)
from cds_service.core.results.pairing import nearest_pair
from cds_service.core.results.reading import NotUnderstood, Understood, value_of
from cds_service.core.results.selection import Candidate, Settled, finals_beside
from cds_service.core.results.series import series_of
from cds_service.core.results.triage import WrongOne
from cds_service.core.table import consult, consult_laboratory_range_only
from cds_service.core.verdict import (
    NO_VALUE,
    Answer,
    Interpreted,
    NotInterpretable,
    Reason,
    SeriesPoint,
    Value,
    WrongAnalyte,
)

_WOULD_HELP = {
    Reason.UNIT_MISSING: ("unit",),
    Reason.UNIT_UNKNOWN: ("unit",),
    Reason.SPECIMEN_UNKNOWN: ("specimen",),
}


@dataclass(frozen=True, slots=True)
class Basis:
    """The arguments that every answer of one evaluation is made from."""

    record: PatientRecord
    knowledge: KnowledgeBase
    at: date
    known: tuple[Candidate, ...]
    """All results of this analyte, those of the history too: for pairs and series."""


def answer_about(head: Candidate, basis: Basis) -> Answer:
    """The answer about the newest final result of one specimen kind."""
    beside = finals_beside(head, basis.known)
    series = series_of(head, beside)
    notes = [
        *notes_on_resource(head.result),
        *notes_on_record(basis.record),
        *notes_on_dates(head, beside),
        *notes_on_copies(head, basis.known),
    ]
    match head.settled, head.reading:
        case NotInterpretable() as verdict, _:
            notes += notes_on_specimen(head.result, verdict.reason)
        case Settled(), NotUnderstood(because=verdict):
            notes += notes_on_unit(head.result, verdict.reason)
        case Settled(code, specimen), Understood(value, quantity):
            situation = Situation(
                knowledge=basis.knowledge,
                record=basis.record,
                result=head.result,
                specimen=specimen,
                value=value,
                quantity=quantity,
                literature=literature_for(code, quantity),
                at=basis.at,
                pair=nearest_pair(head, basis.known),
            )
            notes += notes_on_value(situation, code)
            return _understood(situation, basis, notes, series)
    return _blank(
        head.result,
        verdict,
        basis,
        specimen=head.specimen,
        value=head.reading.value,
        notes=notes,
        series=series,
    )


def not_final(item: Candidate, basis: Basis) -> Answer:
    """The answer that a result is withdrawn, not yet final, or of unknown status."""
    status = item.result.status
    if status in WITHDRAWN:
        verdict = NotInterpretable(Reason.STATUS_WITHDRAWN, status.value)
        on_record = notes_on_record(basis.record)
        return _blank(item.result, verdict, basis, specimen=item.specimen, notes=on_record)
    reason = Reason.STATUS_PRELIMINARY if status in NOT_YET_FINAL else Reason.STATUS_UNKNOWN
    beside = finals_beside(item, basis.known)
    return _blank(
        item.result,
        NotInterpretable(reason, status.value),
        basis,
        specimen=item.specimen,
        value=item.reading.value,
        notes=(
            *notes_on_record(basis.record),
            *notes_on_dates(item, beside),
        ),
        series=series_of(item, beside),
    )


def fhir_invalid(resource: InvalidResource, basis: Basis) -> Answer:
    """The answer that a result is not valid FHIR, and where the fault is."""
    verdict = NotInterpretable(Reason.FHIR_INVALID, resource.where)
    return _blank(resource, verdict, basis, notes=notes_on_record(basis.record))


def wrong_analyte(item: WrongOne, basis: Basis) -> Answer:
    """The answer that a result is of a look-alike, not of this analyte."""
    value = value_of(item.result, basis.knowledge).value
    verdict, on_record = WrongAnalyte(item.code.loinc), notes_on_record(basis.record)
    return _blank(item.result, verdict, basis, value=value, notes=on_record)


def of_another(result: LabResult, basis: Basis) -> Answer:
    """The answer that a result of another patient was received, without its value and reference;
    and what of the record could not be had, since this patient's own result may be there.
    """
    on_record = tuple(notes_on_record(basis.record))
    return Answer(NotInterpretable(Reason.SUBJECT_MISMATCH), result, notes=on_record)


def _understood(
    situation: Situation, basis: Basis, notes: Iterable[Note], series: tuple[SeriesPoint, ...]
) -> Answer:
    """The answer about a result whose value was understood: its facts meet the decision table."""
    facts = facts_of(situation)
    notes = (*notes, *notes_on_range(facts.laboratory, situation))
    verdict: Interpreted | NotInterpretable
    match situation.literature:
        case Literature.APPLIES:
            verdict = Interpreted()
            table = consult(basis.knowledge, facts.usual, facts.settled)
            told = (*notes, *cautions(situation, facts, table))
        case Literature.BARRED:
            verdict = NotInterpretable(Reason.UNIT_CODE_CONFLICT)
            table = consult_laboratory_range_only(basis.knowledge, facts.by_name)
            told = (*notes, *cautions_uninterpreted(surroundings_of(situation, facts)))
    read = filter(facts.settled.__contains__, table.grounds)  # usual facts have no inputs
    used = [ref for ground in read for ref in facts.settled[ground].inputs]
    behind = [ref for note in told for ref in note.inputs]
    return Answer(
        verdict,
        situation.result,
        specimen=situation.specimen,
        value=situation.value,
        facts=facts.by_name,
        findings=table.findings,
        rows=table.rows,
        missing=missing_words(basis.record, table.missing, basis.knowledge.identity.id),
        inputs=tuple(dict.fromkeys((situation.result.ref, *used, *behind))),
        dates=dates_as_received(basis.record),
        notes=told,
        series=series,
        laboratory=facts.laboratory,
        paired=situation.pair,
        companions=frozenset(facts.companions),
    )


def _blank(
    result: LabResult | InvalidResource,
    verdict: NotInterpretable | WrongAnalyte,
    basis: Basis,
    *,
    specimen: str = "",
    value: Value = NO_VALUE,
    notes: Iterable[Note],
    series: tuple[SeriesPoint, ...] = (),
) -> Answer:
    """An answer without facts: why the result is not interpreted, what would allow it, and what the
    other results near it call for nevertheless.
    """
    around = _surroundings(result, basis)
    match verdict:
        case NotInterpretable(reason):
            words = _WOULD_HELP.get(reason, ())
            told = (*notes, *cautions_uninterpreted(around))
        case WrongAnalyte():
            words = ()
            told = (*notes, *cautions_wrong_analyte(around))
    behind = [ref for note in told for ref in note.inputs]
    return Answer(
        verdict,
        result,
        specimen,
        value,
        missing=missing_words(basis.record, words, basis.knowledge.identity.id),
        inputs=tuple(dict.fromkeys((result.ref, *behind))),
        dates=dates_as_received(basis.record),
        notes=told,
        series=series,
        companions=frozenset(around.companions),
    )


def _surroundings(result: LabResult | InvalidResource, basis: Basis) -> Surroundings:
    """Those of a result that has no facts of its own. Nothing is near one that could not be read,
    since nobody knows when its specimen was taken.
    """
    record, knowledge, at = basis.record, basis.knowledge, basis.at
    taken = when_taken(result, at) if isinstance(result, LabResult) else NoMoment()
    companions = companion_values(knowledge, record, taken, at)
    facts = companion_facts(companions, record, knowledge)
    return Surroundings(knowledge, record, at, taken, companions, facts)
