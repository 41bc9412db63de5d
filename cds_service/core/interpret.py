"""From a patient's record to an evaluation: what can be said about each result, with its trace.

Nothing here looks at a clock, a file or the network; the day `at` is an argument. A result that
cannot be interpreted gets an answer with a named reason; one that gets no card, a `Skipped` that
says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date

from cds_service.core.elements import WITHDRAWN
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, LabResult, PatientRecord
from cds_service.core.notes import note_on_sharing, notes_on_knowledge, notes_on_sample
from cds_service.core.one_result import (
    Basis,
    answer_about,
    fhir_invalid,
    not_final,
    of_another,
    wrong_analyte,
)
from cds_service.core.results.ranking import rank_of
from cds_service.core.results.selection import (
    Candidate,
    Looking,
    by_specimen,
    of_one_time,
    other_versions,
    perhaps_newer,
    unsettled_beside,
    with_ranges,
)
from cds_service.core.results.triage import WrongOne, history_of, most_telling_first, triage
from cds_service.core.urgency import ByItself, gravest, most_pressing_first, naming_others
from cds_service.core.verdict import Answer, Evaluation, NotInterpretable, Skipped


def interpret(
    record: PatientRecord, knowledge: KnowledgeBase, at: date, looking: Looking
) -> Evaluation:
    """Everything there is to say about the record's results on day `at`. That a result of another
    patient came is told only where nothing else is.
    """
    found = triage(record, knowledge, at, looking)
    history = tuple(history_of(record, knowledge, at))
    ours = with_ranges(found.ours, (*found.ours, *history))
    basis = Basis(record, knowledge, at, (*ours, *history))
    told: list[Answer | Skipped] = [*found.skipped]
    for group in by_specimen(ours):
        told += _about_group(group, basis, looking)
    told += _about_invalid(found.invalid, basis)
    told += _about_look_alikes(found.wrong, basis)
    is_silent = all(isinstance(item, Skipped) for item in told)
    told += _about_others(found.of_others, basis, is_told=is_silent)
    answers = [item for item in told if isinstance(item, Answer)]
    skipped = [item for item in told if isinstance(item, Skipped)]
    if answers:
        skipped += [
            Skipped(item.ref, f"it could not be read, at {item.where}") for item in record.unread
        ]
    if len(answers) > 1:
        answers = list(most_pressing_first(answers, knowledge))
    if overdue := tuple(notes_on_knowledge(knowledge, at)):
        answers = [answer.with_notes((*answer.notes, *overdue)) for answer in answers]
    return Evaluation(knowledge.tag, at, tuple(answers), tuple(skipped))


def _about_group(
    group: Sequence[Candidate], basis: Basis, looking: Looking
) -> Iterator[Answer | Skipped]:
    """The answers about the results of one specimen kind, and those that are left aside."""
    answers = tuple(_answers_about(group, basis, looking))
    yield from answers
    if len(answers) < len(group):
        yield from _left_aside(group, answers)


def _answers_about(group: Sequence[Candidate], basis: Basis, looking: Looking) -> Iterator[Answer]:
    """An answer about the newest final result or, where there is none, about the newest that is not
    withdrawn. Then one about each withdrawn result that had a card before: what that card said no
    longer holds.
    """
    if heads := of_one_time([item for item in group if item.is_usable]):
        head = gravest(heads, basis.knowledge, _by_itself(basis))
        answer = _with_doubts(answer_about(head, basis), head, basis)
        yield _sharing(answer, unsettled_beside(head, group))
    elif waiting := [item for item in group if item.result.status not in WITHDRAWN]:
        head = waiting[0]
        answer = _with_doubts(not_final(head, basis), head, basis)
        yield _sharing(answer, unsettled_beside(head, waiting))
    if looking is Looking.RESULT_ARRIVED and (carded := basis.record.carded_before):
        for item in group:
            if item.result.ref.resource in carded and item.result.status in WITHDRAWN:
                yield not_final(item, basis)


def _about_invalid(
    invalid: Collection[InvalidResource], basis: Basis
) -> Iterator[Answer | Skipped]:
    """One answer for all results that are not valid FHIR, which names them."""
    if invalid:
        first, *others = sorted(invalid, key=most_telling_first)
        yield _sharing(fhir_invalid(first, basis), others)
        for item in others:
            yield Skipped(item.ref, "another invalid resource is told")


def _about_look_alikes(wrong: Collection[WrongOne], basis: Basis) -> Iterator[Answer | Skipped]:
    """One answer, about the newest of them."""
    if wrong:
        newest, *older = sorted(
            wrong, key=lambda item: rank_of(item.result, basis.at), reverse=True
        )
        yield wrong_analyte(newest, basis)
        for item in older:
            yield Skipped(item.result.ref, "a newer look-alike is told")


def _about_others(
    of_others: Sequence[LabResult], basis: Basis, *, is_told: bool
) -> Iterator[Answer | Skipped]:
    """That a result of another patient came: told once at most, and only where nothing else is."""
    if of_others and is_told:
        yield of_another(of_others[0], basis)
    for item in of_others[1:] if is_told else of_others:
        yield Skipped(item.ref, "its subject is not known to be this patient")


def _with_doubts(answer: Answer, head: Candidate, basis: Basis) -> Answer:
    """The answer, with notes on results that may be newer than its own, from `results` or history,
    and on other versions of it; behind urgent notes, with notes that cast doubt on its sample.
    """
    if doubts := tuple(notes_on_sample(head, basis.record)):
        answer = answer.with_notes((*answer.notes, *doubts))
    newer, versions = perhaps_newer(head, basis.known), other_versions(head, basis.known)
    if not (newer or versions):
        return answer
    return naming_others(answer, head, newer, versions, _by_itself(basis))


def _sharing(answer: Answer, others: Sequence[Candidate | InvalidResource]) -> Answer:
    """The answer with the other results named on it that share its card."""
    if not others:
        return answer
    return answer.with_notes((note_on_sharing(others), *answer.notes))


def _by_itself(basis: Basis) -> ByItself:
    return lambda item: answer_about(item, replace(basis, known=()))


def _left_aside(group: Sequence[Candidate], told: Sequence[Answer]) -> Iterator[Skipped]:
    """The results with neither a card nor, as an earlier final result, a place in the series."""
    with_a_card = [answer.result for answer in told]
    for item in group:
        if item.result in with_a_card:
            continue
        if not item.is_final:
            yield Skipped(item.result.ref, f"the result is {item.result.status.value}")
        elif isinstance(item.settled, NotInterpretable):
            yield Skipped(item.result.ref, f"{item.settled.reason.value}, as told of a newer one")
