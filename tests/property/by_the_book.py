"""Which findings a result has, by the public list (docs/cards.md) and by nothing of the code.

Written a second time, and in another way: a comparator stands for values, so every question is put
to values around the limit and around the number, and is settled if all of them answer alike.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

ABOUT = {"": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
A_LITTLE = Decimal("0.0001")
BEYOND_EVERY_LIMIT = Decimal(10) ** 8


class Open(Enum):
    """The answer to a question that some of the values answer so and others not."""

    STRADDLES = "straddles"


Answer = bool | Open


@dataclass(frozen=True)
class Amount:
    """A comparator and a number in the unit of the limits."""

    comparator: str
    number: Decimal

    def meant(self, limit: Decimal) -> Iterator[Decimal]:
        """Values that the laboratory can have meant, those that matter for a limit among them."""
        around = [end + step for end in (limit, self.number) for step in (-A_LITTLE, 0, A_LITTLE)]
        is_meant = getattr(operator, ABOUT[self.comparator])
        for value in (Decimal(0), *around, BEYOND_EVERY_LIMIT):
            if value >= 0 and is_meant(value, self.number):
                yield value

    def _settled(self, compare: Callable[[Decimal, Decimal], bool], limit: int) -> Answer:
        answers = {compare(value, Decimal(limit)) for value in self.meant(Decimal(limit))}
        return answers.pop() if len(answers) == 1 else Open.STRADDLES

    def at_least(self, limit: int) -> Answer:
        return self._settled(operator.ge, limit)

    def above(self, limit: int) -> Answer:
        return self._settled(operator.gt, limit)

    def below(self, limit: int) -> Answer:
        return self._settled(operator.lt, limit)


@dataclass(frozen=True)
class Case:
    """One result and what of its record opens a gate."""

    specimen: str
    family: str
    amount: Amount
    years: int
    """Completed years at collection; below zero: not known."""
    laboratory: tuple[int, int] | None
    """Its own limits, in the unit of the amount."""
    conditions: frozenset[str]
    ferritin: Amount | None
    """In ng/mL, drawn with the result."""


def findings(case: Case) -> set[str]:
    """Those of the public list but the contexts."""
    found = dict(_laboratory(case))
    match case.specimen, case.family:
        case "blood", "U":
            found |= dict(_blood_in_units(case))
        case "csf", "mass":
            found |= dict(_csf_in_mass(case.amount))
        case _:
            pass  # the list has nothing else for blood in mass, nor for CSF in units
    if case.specimen == "blood" and "sarcoidosis" in case.conditions:
        found["sarcoidosis-supportive"] = found.get("above-laboratory-limit") is True
    return {
        "threshold-indeterminate" if answer is Open.STRADDLES else name
        for name, answer in found.items()
        if answer is not False
    }


def _laboratory(case: Case) -> Iterator[tuple[str, Answer]]:
    if case.laboratory is None:
        yield "no-laboratory-limit", True
        return
    low, high = case.laboratory
    below, above = case.amount.below(low), case.amount.above(high)
    yield "above-laboratory-limit", above
    yield "below-laboratory-limit", below
    yield "within-laboratory-limit", above is False and below is False


def _blood_in_units(case: Case) -> Iterator[tuple[str, Answer]]:
    amount = case.amount
    met = amount.at_least(2400)
    yield "hlh-2004-criterion-met", met
    if case.years >= 18:
        yield "hlh-adult-less-likely", met is False and "hlh" not in case.conditions
        yield "hlh-adult-high-specificity", amount.above(10_000)
    if case.ferritin:
        yield "hlh-2004-item-count", True
    if case.ferritin and case.years >= 18 and "haematological-malignancy" in case.conditions:
        both = amount.above(3900), case.ferritin.above(1000)
        positive = False if False in both else Open.STRADDLES if Open.STRADDLES in both else True
        yield "ohi-index-positive", positive
        yield "ohi-index-negative", positive is False
    if "indolent-atl" in case.conditions:
        over_1000, over_6000 = amount.above(1000), amount.above(6000)
        yield "atl-indolent-risk-low", over_1000 is False
        yield "atl-indolent-risk-high", over_6000
        yield "atl-indolent-risk-intermediate", _and_not(over_1000, over_6000)


def _and_not(one: Answer, other: Answer) -> Answer:
    if one is False or other is True:
        return False
    return True if (one, other) == (True, False) else Open.STRADDLES


def _csf_in_mass(amount: Amount) -> Iterator[tuple[str, Answer]]:
    above = amount.above(150)
    yield "csf-above-150", above
    yield "csf-not-above-150", above is False
