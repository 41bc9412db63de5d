"""How much answers press, so that no calmer one stands before a more urgent one.

Where nothing but the ids puts results in order, where one may be newer than the one interpreted,
and where there are several cards, the most urgent is told first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from enum import IntEnum

from cds_service.core.dates import wholly_before
from cds_service.core.elements import WITHDRAWN
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import MOST_NAMED, Note, NoteKind
from cds_service.core.notes import value_and_date
from cds_service.core.results.reading import NotUnderstood, Understood
from cds_service.core.results.selection import Candidate
from cds_service.core.verdict import Answer

ByItself = Callable[[Candidate], Answer]
"""The answer about a result as if it were final and stood alone."""

_MOST_JUDGED = 30
"""Most results of one time that are evaluated to find the gravest. No real chart holds more, and a
flood of them must not cost more."""
_NOTHING_READ = Decimal("-Infinity")
_ITEMS = frozenset({NoteKind.ITEMS_MET, NoteKind.ITEMS_DISPUTED})
_KINDS = {
    (True, True): (NoteKind.NEWER_FINAL_URGENT, NoteKind.NEWER_EXISTS),
    (True, False): (NoteKind.NEWER_URGENT, NoteKind.NEWER_VALUE),
    (False, True): (NoteKind.PERHAPS_NEWER_URGENT, NoteKind.ORDER_UNKNOWN),
    (False, False): (NoteKind.PERHAPS_NEWER_URGENT, NoteKind.ORDER_UNKNOWN_NOT_FINAL),
}
"""(provably newer, final) -> the note on one that is more urgent, and on one that is not."""
_URGENT = frozenset({NoteKind.OTHER_VERSION_URGENT, *(urgent for urgent, _ in _KINDS.values())})


class _Urgency(IntEnum):
    QUIET = 0
    IF_ILL = 1
    """It says what to do for an ill patient."""
    GRAVE = 2
    """It warns, or names items of a panel that are met."""


def gravest(heads: Sequence[Candidate], knowledge: KnowledgeBase, by_itself: ByItself) -> Candidate:
    """The one of several results of one time that the card is about: the first that warns, else the
    first. Only their ids put them in order, and no id may hide a warning. The others are named on
    the card.
    """
    if len(heads) == 1:  # the usual case
        return heads[0]
    judged = heads
    if len(heads) > _MOST_JUDGED:  # a higher value never says less
        judged = sorted(heads, key=_surely_above, reverse=True)[:_MOST_JUDGED]
    return next((head for head in judged if _warns(by_itself(head), knowledge)), heads[0])


def _surely_above(head: Candidate) -> Decimal:
    """The lowest value that the result can mean, in the canonical unit of its family."""
    match head.reading:
        case Understood(quantity=quantity):
            return quantity.interval.low
        case NotUnderstood():
            return _NOTHING_READ


def naming_others(
    answer: Answer,
    head: Candidate,
    newer: Sequence[Candidate],
    versions: Sequence[Candidate],
    by_itself: ByItself,
) -> Answer:
    """The answer about `head`, with those named on it that may be `newer`, and the other `versions`
    of it, of which nothing tells which is the newest. One whose own answer would be more urgent
    comes first: none may be hidden behind a calmer answer.
    """
    own = _urgency(answer, head.knowledge)

    def presses_more(item: Candidate) -> bool:
        says_a_value = item.result.status not in WITHDRAWN and item.reading.value.words
        if own is _Urgency.GRAVE or not says_a_value:
            return False
        return _urgency(by_itself(item), head.knowledge) > own

    def about_newer() -> Iterator[Note]:
        for item in newer[:_MOST_JUDGED]:
            presses = presses_more(item)
            if presses or not _is_told_by_its_date(item):
                yield _note_on_newer(item, head, presses=presses)

    def about_versions() -> Iterator[Note]:
        for item in versions[:_MOST_JUDGED]:
            yield _note_on_version(item, presses=presses_more(item))

    named = [*_most_urgent(about_newer()), *_most_urgent(about_versions())]
    said = answer.notes
    if any(note.kind in _URGENT for note in named):  # these say what to do for an ill patient
        said = tuple(note for note in said if note.kind is not NoteKind.URGENT_IF_ILL)
    return answer.with_notes((*named, *said))


def _is_told_by_its_date(item: Candidate) -> bool:
    """Whether a note of its own names it, since its date cannot be right."""
    return item.is_final and item.is_dated_ahead


def _note_on_newer(item: Candidate, head: Candidate, *, presses: bool) -> Note:
    told = _told(item)
    urgent, kind = _KINDS[wholly_before(head.taken, item.taken), item.is_final]
    if presses:
        kind = urgent
    elif kind is NoteKind.NEWER_VALUE and not told["value"]:
        kind = NoteKind.NEWER_NOT_FINAL
    return Note(kind, told, inputs=(item.result.ref,))


def _note_on_version(item: Candidate, *, presses: bool) -> Note:
    kinds = item.knowledge.specimens
    specimen = kinds[item.specimen].words if item.specimen else ""
    kind = NoteKind.OTHER_VERSION_URGENT if presses else NoteKind.OTHER_VERSION
    told = {**value_and_date(item), "specimen": specimen}
    return Note(kind, told, inputs=(item.result.ref,))


def _most_urgent(notes: Iterable[Note]) -> Sequence[Note]:
    return sorted(notes, key=lambda note: note.kind not in _URGENT)[:MOST_NAMED]


def _told(item: Candidate) -> dict[str, str]:
    """Status, date and value as received; no value where the result was withdrawn."""
    status = item.result.status
    told = {**value_and_date(item), "status": status.value}
    return {**told, "value": ""} if status in WITHDRAWN else told


def most_pressing_first(answers: Sequence[Answer], knowledge: KnowledgeBase) -> Sequence[Answer]:
    """The answers with warnings first, then urgent ones, otherwise in their order: many clients
    show cards as they come, and a reassuring one must not stand above a warning.
    """

    def pressing(answer: Answer) -> tuple[bool, bool, _Urgency]:
        leads = any(
            "headline" in knowledge.templates[f"note-{note.kind.value}"] for note in answer.notes
        )
        return _warns(answer, knowledge), leads, _urgency(answer, knowledge)

    return sorted(answers, key=pressing, reverse=True)


def _urgency(answer: Answer, knowledge: KnowledgeBase) -> _Urgency:
    """How much an answer presses.

    Words for an ill patient do not count beside companion results of one time that disagree: they
    may be said only because of these, and must not keep a more urgent newer result from leading.
    """
    told = {note.kind for note in answer.notes}
    if _warns(answer, knowledge) or not _ITEMS.isdisjoint(told):
        return _Urgency.GRAVE
    calls = NoteKind.URGENT_IF_ILL in told and NoteKind.OF_ONE_TIME not in told
    return _Urgency.IF_ILL if calls else _Urgency.QUIET


def _warns(answer: Answer, knowledge: KnowledgeBase) -> bool:
    """Whether a finding of the answer is a warning."""
    return not knowledge.warnings.isdisjoint(found.id for found in answer.findings)
