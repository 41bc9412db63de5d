"""Facts `limit.<id>`: a value held against a published limit, in one unit family or not at all."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from cds_service.core.companions import CompanionValue
from cds_service.core.interval import Comparison, Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import Moment
from cds_service.core.quantity import Quantity, Unit, scale
from cds_service.core.schema import LimitRow, MetWhen
from cds_service.core.situation import NOT_APPLICABLE, Literature
from cds_service.core.verdict import STRADDLES, UNKNOWN, Fact

_MEETS: dict[MetWhen, Callable[[Interval, Decimal], Comparison]] = {
    MetWhen.AT_OR_ABOVE: Interval.at_or_above,
    MetWhen.ABOVE: Interval.above,
    MetWhen.AT_OR_BELOW: Interval.at_or_below,
    MetWhen.BELOW: Interval.below,
}
_MET = {Comparison.YES: "met", Comparison.NO: "not-met", Comparison.CANNOT_TELL: STRADDLES}


class Limit:
    """A limit of the knowledge, ready to hold values of its own unit family against."""

    __slots__ = ("_bound", "_meets", "_words", "family", "name", "row")

    def __init__(self, row: LimitRow, unit: Unit) -> None:
        side = row.met_when.value.replace("-", " ")
        self.row = row
        self.name = f"limit.{row.id}"
        self.family = unit.family
        self._bound = scale(row.value, unit)
        self._meets = _MEETS[row.met_when]
        self._words = f"against '{side} {row.value} {row.unit}'"

    def against(self, value: Quantity, shown: str) -> tuple[str, str]:
        """Value of the fact for a quantity of this family, and the words for it."""
        return _MET[self._meets(value.interval, self._bound)], f"{shown} {self._words}"


@lru_cache(maxsize=8)
def own_limits(knowledge: KnowledgeBase) -> tuple[Limit, ...]:
    """The limits of the analyte itself."""
    own = knowledge.identity.id
    return tuple(
        Limit(row, knowledge.units[row.unit]) for row in knowledge.limits.values() if row.of == own
    )


@lru_cache(maxsize=8)
def companion_limits(knowledge: KnowledgeBase) -> tuple[Limit, ...]:
    """The limits of companion tests."""
    return tuple(
        Limit(row, knowledge.companions[row.of].units[row.unit])
        for row in knowledge.limits.values()
        if row.of in knowledge.companions
    )


@lru_cache(maxsize=64)
def has_own_limit(knowledge: KnowledgeBase, specimen: str, family: str) -> bool:
    """Whether any limit of the analyte itself is of this specimen and unit family."""
    own = own_limits(knowledge)
    return any((limit.row.specimen, limit.family) == (specimen, family) for limit in own)


def not_applicable(limit: Limit, specimen: str, family: str, literature: Literature) -> str:
    """Why an own limit may not be held against such a value; empty when it may."""
    if limit.row.specimen != specimen:
        return f"the limit is for {limit.row.specimen}, the specimen is not"
    if limit.family != family:
        return f"the limit is in {limit.row.unit}, and families are never converted"
    if literature is Literature.BARRED:
        return "unit and LOINC code contradict each other"
    return ""


def companion_fact(
    limit: Limit,
    knowledge: KnowledgeBase,
    values: tuple[CompanionValue, ...],
    gone: tuple[str, ...],
) -> Fact:
    """Fact `limit.<id>` of a companion test, by the nearest of its usable results.

    `gone` is the part of the record that such results come from, where it could not be had.
    """
    test = limit.row.of
    for found in values:
        if found.quantity.unit.family == limit.family:
            value, because = limit.against(found.quantity, f"{test} {_shown(found)}")
            return Fact(limit.name, value, because, (), (found.result.ref,))
    others = companion_limits(knowledge)
    covered = {other.family for other in others if other.row.of == test}
    if any(found.quantity.unit.family in covered for found in values):
        return Fact(limit.name, NOT_APPLICABLE, f"{test} came in another unit family")
    days = knowledge.identity.companion_within_days
    return Fact(limit.name, UNKNOWN, f"no usable {test} within {days} days", (test, *gone))


def _shown(found: CompanionValue) -> str:
    """Value and day as the trace says them."""
    when = found.result.collected
    dated = f" of {when.text[:10]}" if isinstance(when, Moment) else ""
    return f"{found.value.text} {found.value.unit}{dated}"
