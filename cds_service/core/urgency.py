"""How much answers press, so that no calmer one stands before a more urgent one.

Where nothing but the ids puts results in order, where one may be newer than the one interpreted,
and where there are several cards, the most urgent is told first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

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


def naming_newer(
    answer: Answer, head: Candidate, others: Sequence[Candidate], by_itself: ByItself
) -> Answer:
    """The answer about `head`, with the others that may be newer named on it. Those whose own
    answer would be more urgent come first: none may be hidden behind a calmer answer.
    """

    def named(item: Candidate) -> _Named:
        told = _told(item)
        urgent, calm = _KINDS[wholly_before(head.taken, item.taken), item.is_final]
        if calm is NoteKind.NEWER_VALUE and not told["value"]:
            calm = NoteKind.NEWER_NOT_FINAL
        return _Named(item, told, urgent, calm)

    return _naming(answer, map(named, others[:_MOST_JUDGED]), by_itself)


def naming_versions(answer: Answer, versions: Sequence[Candidate], by_itself: ByItself) -> Answer:
    """The answer, with other versions of its result named on it: nothing tells which is the newest.
    So none may be hidden behind a calmer answer either.
    """

    def named(item: Candidate) -> _Named:
        kinds = item.knowledge.specimens
        specimen = kinds[item.specimen].words if item.specimen else ""
        told = {**value_and_date(item), "specimen": specimen}
        return _Named(item, told, NoteKind.OTHER_VERSION_URGENT, NoteKind.OTHER_VERSION)

    return _naming(answer, map(named, versions[:_MOST_JUDGED]), by_itself)


class _Named(NamedTuple):
    """Another result to be named on a card: what is told of it, and the note on it if its own
    answer would be more urgent, and if not.
    """

    item: Candidate
    told: Mapping[str, str]
    urgent: NoteKind
    calm: NoteKind


def _naming(answer: Answer, others: Iterable[_Named], by_itself: ByItself) -> Answer:
    leading: list[Note] = []
    further: list[Note] = []
    for item, told, urgent, calm in others:
        own = _urgency(answer, item.knowledge)
        may_press_more = bool(told["value"]) and own is not _Urgency.GRAVE
        if may_press_more and _urgency(by_itself(item), item.knowledge) > own:
            leading.append(Note(urgent, told, inputs=(item.result.ref,)))
        else:
            further.append(Note(calm, told, inputs=(item.result.ref,)))
    named = (*leading, *further)[:MOST_NAMED]
    said = answer.notes
    if leading:  # these say themselves what to do for an ill patient
        said = tuple(note for note in said if note.kind is not NoteKind.URGENT_IF_ILL)
    return answer.with_notes((*named, *said))


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
