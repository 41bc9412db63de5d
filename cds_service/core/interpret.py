"""From a patient's record to an evaluation: what can be said about each result, with its trace.

Nothing here looks at a clock, a file or the network; `at` is given. Whatever cannot be interpreted
ends in a named reason, whatever is left aside in a `Skipped` with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cds_service.core.caution import (
    beside_newer,
    cautions,
    gravest,
    items_met,
    most_pressing_first,
    urgent,
)
from cds_service.core.companions import companion_values
from cds_service.core.dates import as_received, when_taken
from cds_service.core.facts import Companions, companion_facts, facts_of
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.limit_facts import left_beside
from cds_service.core.missing import missing_words
from cds_service.core.model import InvalidResource, LabResult, PatientRecord
from cds_service.core.note import Note
from cds_service.core.notes import (
    note_on_sharing,
    notes_on_dates,
    notes_on_knowledge,
    notes_on_left,
    notes_on_range,
    notes_on_record,
    notes_on_resource,
    notes_on_sample,
    notes_on_unit,
    notes_on_value,
    notes_on_versions,
)
from cds_service.core.pairing import nearest_pair
from cds_service.core.reading import NotUnderstood, Understood, value_of
from cds_service.core.selection import (
    FINAL,
    NOT_YET,
    WITHDRAWN,
    Candidate,
    Looking,
    Placed,
    by_specimen,
    finals_beside,
    newest_first,
    of_one_time,
    perhaps_newer,
    unsettled_beside,
)
from cds_service.core.series import series_of
from cds_service.core.situation import Literature, Situation, literature_for
from cds_service.core.table import consult, consult_laboratory_range_only
from cds_service.core.triage import WrongOne, history_of, triage
from cds_service.core.verdict import (
    NO_VALUE,
    Answer,
    Evaluation,
    Interpreted,
    NotInterpretable,
    Reason,
    SeriesPoint,
    Skipped,
    Value,
    WrongAnalyte,
)


@dataclass(frozen=True, slots=True)
class _Case:
    """What every answer of one evaluation is read from."""

    record: PatientRecord
    knowledge: KnowledgeBase
    at: date
    known: tuple[Candidate, ...]
    """All results of this analyte, to be interpreted or not: for pairs and series."""


def interpret(
    record: PatientRecord, knowledge: KnowledgeBase, at: date, looking: Looking
) -> Evaluation:
    """Everything there is to say about the record's results on day `at`."""
    found = triage(record, knowledge, at, looking)
    case = _Case(record, knowledge, at, (*found.ours, *history_of(record, knowledge, at)))
    answers: list[Answer] = []
    skipped = list(found.skipped)
    for group in by_specimen(found.ours):
        told = tuple(_about_group(group, case, looking))
        answers += told
        if len(told) < len(group):
            skipped += _left_aside(group, told)
    answers += [
        _sharing(_fhir_invalid(resource, case), found.invalid[1:]) for resource in found.invalid[:1]
    ]
    skipped += [Skipped(item.ref, "another invalid resource is told") for item in found.invalid[1:]]
    wrong = sorted(found.wrong, key=lambda item: newest_first(item.result, at), reverse=True)
    answers += [_wrong_analyte(item, case) for item in wrong[:1]]
    skipped += [Skipped(item.result.ref, "a newer look-alike is told") for item in wrong[1:]]
    of_others = found.of_others
    if of_others and not answers:
        answers.append(_of_another(of_others[0]))
        of_others = of_others[1:]
    skipped += [Skipped(item.ref, "it belongs to another patient") for item in of_others]
    if len(answers) > 1:
        answers = list(most_pressing_first(answers, knowledge))
    if overdue := tuple(notes_on_knowledge(knowledge, at)):
        answers = [replace(answer, notes=(*answer.notes, *overdue)) for answer in answers]
    return Evaluation(knowledge.tag, at, tuple(answers), tuple(skipped))


def _about_group(group: Sequence[Candidate], case: _Case, looking: Looking) -> Iterator[Answer]:
    """The newest final result, or, where there is none, the newest that is not withdrawn; then what
    somebody was told and is withdrawn since, each by itself: what was said of it no longer holds.
    """
    if heads := of_one_time([item for item in group if item.is_usable]):
        head = gravest(heads, case.knowledge, _by_itself(case))
        answer = _with_doubts(_about(head, case), head, case)
        yield _sharing(answer, unsettled_beside(head, group))
    else:
        for head in [item for item in group if item.result.status not in WITHDRAWN][:1]:
            yield _with_doubts(_not_final(head, case), head, case)
    carded = case.record.carded_before if looking is Looking.RESULT_ARRIVED else ()
    for item in group if carded else ():
        if item.result.ref.resource in carded and item.result.status in WITHDRAWN:
            yield _not_final(item, case)


def _with_doubts(answer: Answer, head: Candidate, case: _Case) -> Answer:
    """The answer, with what may be newer than its result named on it, wherever it was sent; and,
    behind whatever is urgent, what casts doubt on its sample.
    """
    if doubts := tuple(notes_on_sample(head, case.record)):
        used = (*answer.inputs, *(ref for note in doubts for ref in note.inputs))
        inputs = tuple(dict.fromkeys(used))
        answer = replace(answer, notes=(*answer.notes, *doubts), inputs=inputs)
    others = perhaps_newer(head, case.known)
    if not others:
        return answer
    return beside_newer(answer, head, others, _by_itself(case))


def _sharing(answer: Answer, others: Sequence[Candidate | InvalidResource]) -> Answer:
    """The answer, which stands for these results too, with each of them named on it."""
    if not others:
        return answer
    note = note_on_sharing(others)
    used = dict.fromkeys((*answer.inputs, *note.inputs))
    return replace(answer, notes=(note, *answer.notes), inputs=tuple(used))


def _by_itself(case: _Case) -> Callable[[Candidate], Answer]:
    """The answer about a result as if it were final and stood alone."""
    return lambda item: _about(item, replace(case, known=()))


def _left_aside(group: Sequence[Candidate], told: Sequence[Answer]) -> Iterator[Skipped]:
    """Whatever has neither a card nor, as an earlier final result, a place in the series."""
    with_a_card = [answer.result for answer in told]
    for item in group:
        if item.result in with_a_card:
            continue
        match item.place:
            case _ if item.result.status not in FINAL:
                yield Skipped(item.result.ref, f"the result is {item.result.status.value}")
            case NotInterpretable(reason):
                yield Skipped(item.result.ref, f"{reason.value}, as told of a newer one")
            case Placed():
                continue


def _about(head: Candidate, case: _Case) -> Answer:
    """The answer about the newest final result of one specimen kind."""
    beside = finals_beside(head, case.known)
    series = series_of(head, beside)
    notes = [
        *notes_on_resource(head.result),
        *notes_on_record(case.record),
        *notes_on_dates(head, beside),
        *notes_on_versions(head, case.known),
    ]
    match head.place, head.reading:
        case NotInterpretable() as verdict, _:
            pass
        case Placed(), NotUnderstood(because=verdict):
            notes += notes_on_unit(head.result, verdict.reason)
        case Placed(code, specimen), Understood(value, quantity):
            situation = Situation(
                case.knowledge,
                case.record,
                head.result,
                specimen,
                value,
                quantity,
                literature_for(code, quantity),
                case.at,
                nearest_pair(head, case.known),
            )
            notes += notes_on_value(situation, code)
            return _understood(situation, case, notes, series)
    return _blank(
        head.result,
        verdict,
        case,
        specimen=head.specimen,
        value=head.reading.value,
        notes=notes,
        series=series,
    )


def _understood(
    situation: Situation, case: _Case, notes: Iterable[Note], series: tuple[SeriesPoint, ...]
) -> Answer:
    """Facts meet the table."""
    facts = facts_of(situation)
    notes = (*notes, *notes_on_range(facts.laboratory))
    verdict: Interpreted | NotInterpretable
    match situation.literature:
        case Literature.APPLIES:
            verdict = Interpreted()
            table = consult(case.knowledge, facts.usual, facts.settled)
            told = (*notes, *cautions(situation, facts, table))
        case Literature.BARRED:
            verdict = NotInterpretable(Reason.UNIT_CODE_CONFLICT)
            table = consult_laboratory_range_only(case.knowledge, facts.by_name)
            taken = when_taken(situation.result, case.at)
            left = left_beside(case.knowledge, case.record, taken, case.at, facts.companions)
            on_left = notes_on_left(left, case.knowledge)
            told = (*notes, *on_left, *urgent(facts.companions, facts.by_name, case.knowledge))
    read = filter(facts.settled.__contains__, table.grounds)  # the usual ones were read nowhere
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
        missing=missing_words(case.record, table.missing, case.knowledge.identity.id),
        inputs=tuple(dict.fromkeys((situation.result.ref, *used, *behind))),
        dates=as_received(case.record),
        notes=told,
        series=series,
        laboratory=facts.laboratory,
        paired=situation.pair,
        companions=frozenset(facts.companions),
    )


def _blank(
    result: LabResult | InvalidResource,
    verdict: NotInterpretable | WrongAnalyte,
    case: _Case,
    *,
    specimen: str = "",
    value: Value = NO_VALUE,
    notes: Iterable[Note] = (),
    series: tuple[SeriesPoint, ...] = (),
) -> Answer:
    """An answer without facts: why there is no reading, what would allow one, and what other
    results of the same days call for all the same.
    """
    words: tuple[str, ...] = ()
    told = list(notes)
    companions: Companions = {}
    if isinstance(result, LabResult):
        taken = when_taken(result, case.at)
        companions = companion_values(case.knowledge, case.record, taken, case.at)
        left = left_beside(case.knowledge, case.record, taken, case.at, companions)
        told += notes_on_left(left, case.knowledge)
    beside = companion_facts(companions, case.record, case.knowledge)
    match verdict:
        case NotInterpretable(reason):
            words = _WOULD_HELP.get(reason, ())
            told += urgent(companions, beside, case.knowledge)
        case WrongAnalyte():
            told += items_met(companions, beside, case.knowledge)
    behind = [ref for note in told for ref in note.inputs]
    return Answer(
        verdict,
        result,
        specimen,
        value,
        missing=missing_words(case.record, words, case.knowledge.identity.id),
        inputs=tuple(dict.fromkeys((result.ref, *behind))),
        dates=as_received(case.record),
        notes=tuple(told),
        series=series,
        companions=frozenset(companions),
    )


_WOULD_HELP = {
    Reason.UNIT_MISSING: ("unit",),
    Reason.UNIT_UNKNOWN: ("unit",),
    Reason.SPECIMEN_UNKNOWN: ("specimen",),
}


def _not_final(item: Candidate, case: _Case) -> Answer:
    status = item.result.status
    if status in WITHDRAWN:
        verdict = NotInterpretable(Reason.STATUS_WITHDRAWN, status.value)
        return _blank(item.result, verdict, case, specimen=item.specimen)
    reason = Reason.STATUS_PRELIMINARY if status in NOT_YET else Reason.STATUS_UNKNOWN
    beside = finals_beside(item, case.known)
    return _blank(
        item.result,
        NotInterpretable(reason, status.value),
        case,
        specimen=item.specimen,
        value=item.reading.value,
        notes=(*notes_on_dates(item, beside), *notes_on_versions(item, case.known)),
        series=series_of(item, beside),
    )


def _fhir_invalid(resource: InvalidResource, case: _Case) -> Answer:
    return _blank(resource, NotInterpretable(Reason.FHIR_INVALID, resource.where), case)


def _wrong_analyte(item: WrongOne, case: _Case) -> Answer:
    value = value_of(item.result, case.knowledge).value
    return _blank(item.result, WrongAnalyte(item.code.loinc), case, value=value)


def _of_another(result: LabResult) -> Answer:
    """Neither value nor reference: only that such a result was received."""
    return Answer(NotInterpretable(Reason.SUBJECT_MISMATCH), result)
