"""Intervals and three-valued comparison: yes, no, or cannot tell.

A result "<150" is not the number 150: it is every value below it. A limit is met only if the whole
interval meets it, not met only if the whole interval fails it, and otherwise nobody can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum

from cds_service.core.elements import Comparator

INFINITY = Decimal("Infinity")
ZERO = Decimal(0)
EXACT = Context(prec=500, Emax=10_000, Emin=-10_000)
"""Wide enough that no product of a bounded number and a table factor is ever rounded."""


class Comparison(StrEnum):
    """The three answers to a comparison; `CANNOT_TELL` is a first-class one."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot-tell"

    def negated(self) -> Comparison:
        """Yes for no, and no for yes; `CANNOT_TELL` stays as it is."""
        match self:
            case Comparison.YES:
                return Comparison.NO
            case Comparison.NO:
                return Comparison.YES
            case Comparison.CANNOT_TELL:
                return Comparison.CANNOT_TELL


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from `low` to `high`; an end belongs to it where `*_open` is false.

    Raises ValueError if it would be empty.
    """

    low: Decimal
    high: Decimal
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            raise ValueError("an interval holds at least one value")

    @classmethod
    def of(cls, comparator: Comparator, value: Decimal) -> Interval:
        """The values a laboratory can mean by comparator and number. Nothing is below zero.

        "<0" has no value at all, and "<-1" neither: ValueError.
        """
        match comparator:
            case Comparator.EXACT:
                return cls(value, value)
            case Comparator.LESS:
                return cls(ZERO, value, high_open=True)
            case Comparator.AT_MOST:
                return cls(ZERO, value)
            case Comparator.MORE:
                return cls(value, INFINITY, low_open=True, high_open=True)
            case Comparator.AT_LEAST:
                return cls(value, INFINITY, high_open=True)

    def scaled(self, factor: Decimal) -> Interval:
        """The same interval on another scale of the same family, exactly (`factor` above zero)."""
        low, high = EXACT.multiply(self.low, factor), EXACT.multiply(self.high, factor)
        return Interval(low, high, self.low_open, self.high_open)

    def at_or_above(self, limit: Decimal) -> Comparison:
        """Is every value >= limit?"""
        if self.low >= limit:
            return Comparison.YES
        if self.high < limit or (self.high == limit and self.high_open):
            return Comparison.NO
        return Comparison.CANNOT_TELL

    def above(self, limit: Decimal) -> Comparison:
        """Is every value > limit?"""
        if self.low > limit or (self.low == limit and self.low_open):
            return Comparison.YES
        if self.high <= limit:
            return Comparison.NO
        return Comparison.CANNOT_TELL

    def below(self, limit: Decimal) -> Comparison:
        """Is every value < limit?"""
        return self.at_or_above(limit).negated()

    def at_or_below(self, limit: Decimal) -> Comparison:
        """Is every value <= limit?"""
        return self.above(limit).negated()
