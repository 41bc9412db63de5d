"""When a card must not reassure, and what it says then, whatever the number.

A card that cannot interpret, or that says something harmless beside signs of disease in the same
request, says what to do for an ill patient. These are notes, not findings: they never change
whether a limit is met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from cds_service.core.companions import CompanionsLeft
from cds_service.core.dates import wholly_before
from cds_service.core.elements import WITHDRAWN
from cds_service.core.facts import Facts
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.limit_facts import has_own_limit
from cds_service.core.note import MOST_NAMED, Note, NoteKind
from cds_service.core.notes import (
    notes_on_companions_at_odds,
    notes_on_companions_left,
    value_and_date,
)
from cds_service.core.panels import items_beside, items_met_beside, may_be_met
from cds_service.core.reading import NotUnderstood, Understood
from cds_service.core.selection import Candidate
from cds_service.core.signs import items_met
from cds_service.core.situation import Situation
from cds_service.core.surroundings import Surroundings, left_beside, surroundings_of
from cds_service.core.table import TableResult
from cds_service.core.verdict import Answer, Place

_NOTHING_READ = Decimal("-Infinity")
_NOT_HIGH = frozenset({Place.WITHIN, Place.BELOW})
_IF_ILL = Note(NoteKind.URGENT_IF_ILL)


def cautions(situation: Situation, facts: Facts, table: TableResult) -> Iterator[Note]:
    """What keeps the card of an interpreted result from reassuring.

    If enough items of a panel are met without this result, the card names them. If not, and the
    card does not warn, it says what to do for an ill patient where one of these is left open:

    - a warning is muted, or cannot be decided;
    - companion results of one time disagree;
    - the unit has no published limit, unless the value lies within or below the laboratory's range;
    - one item of a panel is met and another may be (see `_may_be_second`).

    Muting takes words away, never caution.
    """
    if table.withheld:
        yield Note(NoteKind.WARNING_MUTED, {"warnings": table.withheld})
    if table.unspoken:
        yield Note(NoteKind.CAVEAT_MUTED, {"caveats": table.unspoken})
    family = situation.quantity.unit.family
    limited = has_own_limit(situation.knowledge, situation.specimen, family)
    if not limited:
        yield Note(NoteKind.NO_LIMIT_IN_UNIT, {"unit": situation.value.unit})
    knowledge = situation.knowledge
    at_odds = list(notes_on_companions_at_odds(facts.companions, facts.by_name, knowledge))
    yield from at_odds
    left, on_items = CompanionsLeft(), list[Note]()
    if situation.record.companions:
        around = surroundings_of(situation, facts)
        left = left_beside(around, missing=table.missing)
        yield from notes_on_companions_left(left, knowledge)
        on_items += items_met(around, warned_of=situation.specimen if table.warns else "")
    is_open = (
        at_odds
        or not (limited or facts.laboratory.place in _NOT_HIGH)
        or _may_be_second(left, facts, knowledge)
    )
    if on_items:
        yield from on_items
    elif not table.warns and (table.may_warn or table.withheld or is_open):
        yield _IF_ILL


def _may_be_second(left: CompanionsLeft, facts: Facts, knowledge: KnowledgeBase) -> bool:
    """Whether a panel with one item met may have another: a result for it was left aside, or the
    results that count leave it open.
    """
    if not (left.tests or facts.companions):  # the usual case
        return False
    by_name = facts.by_name
    for panel in knowledge.panels.values():
        met = items_met_beside(panel, by_name, knowledge)
        others = [item for item in items_beside(panel, knowledge) if item not in met]
        limits = [knowledge.limits[name] for item in others for name in item.limits]
        if met and any(limit.of in left.tests for limit in limits):
            return True
        if met and any(may_be_met(item, by_name) for item in others):
            return True
    return False


def cautions_uninterpreted(around: Surroundings) -> Iterator[Note]:
    """What keeps the card of a result that is not interpreted from reassuring: the items of panels
    that other results meet; if there are none, what to do for an ill patient.
    """
    yield from notes_on_companions_left(left_beside(around), around.knowledge)
    yield from notes_on_companions_at_odds(around.companions, around.facts, around.knowledge)
    yield from list(items_met(around)) or [_IF_ILL]


def cautions_wrong_analyte(around: Surroundings) -> Iterator[Note]:
    """What keeps the card about a look-alike from reassuring: the items of panels that other
    results meet (decision 59).
    """
    yield from notes_on_companions_left(left_beside(around), around.knowledge)
    yield from items_met(around)


# ------------------------------------------------------------------ results that may be newer

_MOST_JUDGED = 30
"""Most results of one time that are evaluated to find the gravest. No real chart holds more, and a
flood of them must not cost more."""


def gravest(
    heads: Sequence[Candidate], knowledge: KnowledgeBase, by_itself: Callable[[Candidate], Answer]
) -> Candidate:
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
    answer: Answer,
    head: Candidate,
    others: Sequence[Candidate],
    by_itself: Callable[[Candidate], Answer],
) -> Answer:
    """The answer about `head`, with the others that may be newer named on it. Those whose own
    answer would be more urgent come first: none may be hidden behind a calmer answer.

    `by_itself` gives the answer about another result as if it were final and stood alone.
    """
    own = _urgency(answer, head.knowledge)
    leading: list[Note] = []
    further: list[Note] = []
    for item in others[:_MOST_JUDGED]:
        told = _told(item)
        urgent_kind, kind = _KINDS[wholly_before(head.taken, item.taken), item.is_final]
        if told["value"] and own < _GRAVE and _urgency(by_itself(item), head.knowledge) > own:
            leading.append(Note(urgent_kind, told, inputs=(item.result.ref,)))
            continue
        if kind is NoteKind.NEWER_VALUE and not told["value"]:
            kind = NoteKind.NEWER_NOT_FINAL
        further.append(Note(kind, told, inputs=(item.result.ref,)))
    notes = (*leading, *further)[:MOST_NAMED]
    # the leading notes say themselves what to do for an ill patient
    said = [note for note in answer.notes if not (leading and note == _IF_ILL)]
    return answer.with_notes((*notes, *said))


_KINDS = {
    (True, True): (NoteKind.NEWER_FINAL_URGENT, NoteKind.NEWER_EXISTS),
    (True, False): (NoteKind.NEWER_URGENT, NoteKind.NEWER_VALUE),
    (False, True): (NoteKind.PERHAPS_NEWER_URGENT, NoteKind.ORDER_UNKNOWN),
    (False, False): (NoteKind.PERHAPS_NEWER_URGENT, NoteKind.ORDER_UNKNOWN_NOT_FINAL),
}
"""(provably newer, final) -> the note on one that is more urgent, and on one that is not."""


def _told(item: Candidate) -> dict[str, str]:
    """Status, date and value as received; no value where the result was withdrawn."""
    status = item.result.status
    told = {**value_and_date(item), "status": status.value}
    return {**told, "value": ""} if status in WITHDRAWN else told


def most_pressing_first(answers: Sequence[Answer], knowledge: KnowledgeBase) -> Sequence[Answer]:
    """The answers with warnings first, then urgent ones, otherwise in their order: many clients
    show cards as they come, and a reassuring one must not stand above a warning.
    """

    def pressing(answer: Answer) -> tuple[bool, bool, int]:
        leads = any(
            "headline" in knowledge.templates[f"note-{note.kind.value}"] for note in answer.notes
        )
        return _warns(answer, knowledge), leads, _urgency(answer, knowledge)

    return sorted(answers, key=pressing, reverse=True)


_ITEMS = frozenset({NoteKind.ITEMS_MET, NoteKind.ITEMS_DISPUTED})
_QUIET, _URGENT_IF_ILL, _GRAVE = range(3)


def _urgency(answer: Answer, knowledge: KnowledgeBase) -> int:
    """How much an answer presses: grave if it warns or names items that are met.

    Words for an ill patient do not count beside companion results of one time that disagree: they
    may be said only because of these, and must not keep a more urgent newer result from leading.
    """
    told = {note.kind for note in answer.notes}
    if _warns(answer, knowledge) or not _ITEMS.isdisjoint(told):
        return _GRAVE
    calls = NoteKind.URGENT_IF_ILL in told and NoteKind.OF_ONE_TIME not in told
    return _URGENT_IF_ILL if calls else _QUIET


def _warns(answer: Answer, knowledge: KnowledgeBase) -> bool:
    """Whether a finding of the answer is a warning."""
    return not knowledge.warnings.isdisjoint(found.id for found in answer.findings)
