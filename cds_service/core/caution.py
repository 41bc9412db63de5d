"""When a card must not reassure, and what it says then, whatever the number.

A card that cannot interpret, or that says something harmless beside signs of disease in the same
request, says what to do for an ill patient. These are notes, not findings: they never change
whether a limit is met.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.core.facts.companions import CompanionsLeft
from cds_service.core.facts.limits import has_own_limit
from cds_service.core.facts.panels import items_beside, items_met_beside, may_be_met
from cds_service.core.facts.result import Facts
from cds_service.core.facts.signs import items_met
from cds_service.core.facts.situation import Situation
from cds_service.core.facts.surroundings import Surroundings, left_beside, surroundings_of
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import Note, NoteKind
from cds_service.core.notes_on_companions import (
    notes_on_companions_at_odds,
    notes_on_companions_left,
)
from cds_service.core.table import TableResult
from cds_service.core.verdict import Place

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
