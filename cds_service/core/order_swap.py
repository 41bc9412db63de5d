"""What may be ordered in the place of a look-alike, where this analyte was meant."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.core.elements import Coding
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.order import DraftOrder, specimen_ordered
from cds_service.core.order_facts import OrderCase, is_for
from cds_service.core.reading import FROM_SPECIMEN
from cds_service.core.schema import SwapRow


@dataclass(frozen=True, slots=True)
class Swap:
    """What may be ordered in a look-alike's place: one code or none, and always words."""

    codings: tuple[Coding, ...]
    text: str


@dataclass(frozen=True, slots=True)
class AlreadyDrafted:
    """The analyte is drafted in this specimen already: the look-alike need only be removed."""


@dataclass(frozen=True, slots=True)
class NoSwap:
    """There is nothing to swap, or nothing known to swap it for."""


def swap_for(order: DraftOrder, refused: str, case: OrderCase) -> Swap | AlreadyDrafted | NoSwap:
    """The order that may stand in a look-alike's place, unless it is drafted already.

    The site's own ordering code, where there is one, else the accepted LOINC code of the same
    specimen and property. A draft that names another specimen than that code gets words alone.
    """
    knowledge = case.knowledge
    row = knowledge.order_table.swaps.get(refused)
    if row is None:
        return NoSwap()
    in_words = Swap((), knowledge.identity.analyte)
    if not row.order:
        return in_words
    specimen = knowledge.order_table.own[row.order].specimen
    named = specimen_ordered(order, FROM_SPECIMEN, knowledge)
    meant = named if named in knowledge.specimens else specimen
    others = [draft for draft in case.drafts.beside if not _are_one(draft, order)]
    if any(is_for(draft, meant, knowledge) for draft in others):
        return AlreadyDrafted()
    if named in knowledge.specimens and named != specimen:
        return in_words
    return Swap(_codes_in_place(row, knowledge), knowledge.suggestions[row.order].text)


def _are_one(draft: DraftOrder, order: DraftOrder) -> bool:
    """Whether both have the same id: removing one removes the other."""
    return "/" in order.ref.resource and draft.ref.resource == order.ref.resource


def _codes_in_place(row: SwapRow, knowledge: KnowledgeBase) -> tuple[Coding, ...]:
    if row.order in knowledge.orders:
        site = knowledge.orders[row.order]
        return (Coding(site.system, site.code, site.display),)
    if row.loinc:
        return (Coding(LOINC, row.loinc, knowledge.accepted[row.loinc].name),)
    return ()
