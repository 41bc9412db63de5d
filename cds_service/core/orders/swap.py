"""What may be ordered in the place of a look-alike, where this analyte was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cds_service.core.elements import Coding
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.orders.facts import OrderCase, is_for
from cds_service.core.orders.order import (
    NOT_NAMED,
    UNREADABLE,
    DraftOrder,
    OrdersLookAlike,
    specimen_ordered,
)
from cds_service.core.results.reading import FROM_SPECIMEN
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


def swap_for(
    order: DraftOrder, ordered: OrdersLookAlike, case: OrderCase
) -> Swap | AlreadyDrafted | NoSwap:
    """The order that may stand in a look-alike's place, unless it is drafted already.

    The site's own ordering code, where there is one, else the accepted LOINC code of the same
    specimen and property. Where the codes of a draft leave these open, or its specimen is another,
    it is words alone. Nothing replaces a draft that may be for another test.
    """
    knowledge = case.knowledge
    swaps = knowledge.order_table.swaps
    rows = [swaps[code.loinc] for code in ordered.codes if code.loinc in swaps]
    if not rows or ordered.is_contradicted or order.in_doubt:
        return NoSwap()
    in_words = Swap((), knowledge.identity.analyte)
    (own, *others) = dict.fromkeys(row.order for row in rows)
    if others or not own:
        return in_words
    specimen = knowledge.order_table.own[own].specimen
    named = specimen_ordered(order, FROM_SPECIMEN, knowledge)
    meant = specimen if named in {NOT_NAMED, UNREADABLE} else named
    is_known = meant in knowledge.specimens
    if is_known and any(is_for(draft, meant, knowledge) for draft in case.drafts.beside):
        return AlreadyDrafted()
    if meant != specimen:
        return in_words
    return Swap(tuple(_codes_in_place(rows, knowledge)), knowledge.suggestions[own].text)


def _codes_in_place(rows: Sequence[SwapRow], knowledge: KnowledgeBase) -> Iterator[Coding]:
    """The code for these rows, which are for one order; none if they differ in property."""
    (loinc, *others) = {row.loinc for row in rows}
    if site := knowledge.orders.get(rows[0].order):
        yield Coding(site.system, site.code, site.display)
    elif loinc and not others:
        yield Coding(LOINC, loinc, knowledge.accepted[loinc].name)
