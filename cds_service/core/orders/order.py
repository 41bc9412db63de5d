"""A draft order as read, and what it orders: this analyte, a look-alike, or something else.

Codes decide, text never does: nothing is said about an order in words alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cds_service.core.elements import Coding, ResourceRef, SpecimenGiven, SpecimenLink
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, Subject
from cds_service.core.results.reading import (
    FROM_SPECIMEN,
    SETTLE_NOTHING,
    loinc_of,
    specimens_named,
)
from cds_service.core.schema import RefusedCode

NOT_NAMED = "not-named"
UNREADABLE = "unreadable"
CONFLICT = "conflict"

ORDER_LINE = "order-line"
"""Template: how a draft order is named on a card."""
ORDER_SWAP = "order-swap"
"""Template: how the swap of a look-alike is offered."""


@dataclass(frozen=True, slots=True)
class Performer:
    """A laboratory that an order names: by display, by reference, or by both."""

    display: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """One draft ServiceRequest as read: facts only.

    `place` is its number among the drafts of the request, which tells two without an id apart and
    does not depend on how they were sent.
    """

    ref: ResourceRef
    place: int
    codings: tuple[Coding, ...]
    subject: Subject
    specimen: SpecimenGiven = field(default_factory=SpecimenGiven)
    performers: tuple[Performer, ...] = ()
    in_doubt: bool = False
    """Whether its id came with other content too, and nothing tells which of the two counts."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """The draft orders of one request: `asked` are those to speak about, `beside` all readable ones
    of the patient that are not in doubt, since an order that was not selected may be the missing
    half of a pair.
    """

    asked: tuple[DraftOrder | InvalidResource, ...] = ()
    beside: tuple[DraftOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class OrdersAnalyte:
    """The order is for this analyte. `specimen` is the kind its code fixes, or FROM_SPECIMEN."""

    coding: Coding
    specimen: str


@dataclass(frozen=True, slots=True)
class OrdersLookAlike:
    """The order is for an analyte that is mistaken for this one. `coding` is the first that says
    so; `codes` are what each that does stands for.
    """

    coding: Coding
    codes: tuple[RefusedCode, ...]
    is_contradicted: bool = False
    """Whether another code of it is one of a companion test."""


@dataclass(frozen=True, slots=True)
class CodesContradict:
    """The codes of the order name two different tests."""

    codings: tuple[Coding, ...]


@dataclass(frozen=True, slots=True)
class OrdersSomethingElse:
    """The order is for something else, so nothing is said about it; `because` says why."""

    because: str


Ordered = OrdersAnalyte | OrdersLookAlike | CodesContradict | OrdersSomethingElse


@lru_cache(maxsize=8)
def site_orders(knowledge: KnowledgeBase) -> Mapping[tuple[str, str], frozenset[str]]:
    """The site's own ordering codes -> the suggestions they stand for."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for suggestion, code in knowledge.orders.items():
        key = (code.system, code.code)
        found[key] = found.get(key, frozenset()) | {suggestion}
    return found


def ordered_by(order: DraftOrder | InvalidResource, knowledge: KnowledgeBase) -> Ordered:
    """What the codes of an order say it is for, the site's ordering codes included. Those of an
    order that is not valid FHIR say it too.
    """
    ours = [found for coding in order.codings for found in _ours(coding, knowledge)]
    refused = [
        (coding, knowledge.refused[loinc])
        for coding in order.codings
        if (loinc := loinc_of(coding, knowledge)) in knowledge.refused
    ]
    is_of_companion = any(_is_of_companion(coding, knowledge) for coding in order.codings)
    if ours:
        fixed = {found.specimen for found in ours} - {FROM_SPECIMEN}
        if refused or is_of_companion or len(fixed) > 1:
            return CodesContradict(order.codings)
        return min(ours, key=lambda found: found.specimen == FROM_SPECIMEN)
    if alike := [(coding, code) for coding, code in refused if code.answer != "none"]:
        codes = tuple(code for _, code in alike)
        return OrdersLookAlike(alike[0][0], codes, is_contradicted=is_of_companion)
    if refused:
        _, code = refused[0]
        return OrdersSomethingElse(f"LOINC {code.loinc}: {code.because}")
    return OrdersSomethingElse("no code of it is known here")


def _is_of_companion(coding: Coding, knowledge: KnowledgeBase) -> bool:
    if loinc_of(coding, knowledge) in knowledge.companion_loincs:
        return True
    named = site_orders(knowledge).get((coding.system, coding.code), frozenset())
    return not named <= knowledge.order_table.own.keys()


def _ours(coding: Coding, knowledge: KnowledgeBase) -> Iterator[OrdersAnalyte]:
    if (loinc := loinc_of(coding, knowledge)) in knowledge.accepted:
        yield OrdersAnalyte(coding, knowledge.accepted[loinc].specimen)
    for suggestion in site_orders(knowledge).get((coding.system, coding.code), ()):
        if suggestion in knowledge.order_table.own:
            yield OrdersAnalyte(coding, knowledge.order_table.own[suggestion].specimen)


def specimen_ordered(order: DraftOrder, fixed: str, knowledge: KnowledgeBase) -> str:
    """The specimen kind an order is for, or why it cannot be told.

    `fixed` is the kind that the order's code fixes, or FROM_SPECIMEN. The answer is a specimen kind
    of the knowledge, `not-covered`, or one of NOT_NAMED, UNREADABLE, CONFLICT.
    """
    by_code = set() if fixed == FROM_SPECIMEN else {fixed}
    named = specimens_named(order.specimen, knowledge)
    if len(named | by_code) > 1:
        return CONFLICT
    link = order.specimen.link
    if kinds := by_code if link in SETTLE_NOTHING else named | by_code:
        (kind,) = kinds
        return kind
    return NOT_NAMED if link is SpecimenLink.NONE else UNREADABLE
