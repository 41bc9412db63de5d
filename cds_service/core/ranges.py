"""The reporting laboratory's own limits, read from the result itself.

Upper limits of different laboratories differ ten-fold, so this is the only range that may be held
against a value. Several ranges that cannot be told apart are no range; an absent range is never
"normal", and neither is a value above a lower limit that has no upper one beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from itertools import product

from cds_service.core.dates import Age, AgeUnknown
from cds_service.core.interval import EXACT, INFINITY, Comparison, Interval
from cds_service.core.model import (
    AgeBand,
    AgeBandUnreadable,
    Bound,
    EveryAge,
    LabResult,
    OpenEnd,
    ReferenceRange,
    UnitGiven,
)
from cds_service.core.quantity import Quantity, UnitTable, UnitUnderstood, scale
from cds_service.core.schema import RowUnit
from cds_service.core.verdict import Place, RangeReading

REFERENCE_INTERVAL_KINDS = frozenset({"", "normal"})


def read_range(result: LabResult, value: Quantity, age: Age, units: UnitTable) -> RangeReading:
    """Hold a value against the laboratory's own range, bounds inclusive.

    A range for some people only (`appliesTo`: a sex, pregnancy) is left aside: nothing but the age
    is read that could tell whether it is for this patient. Where the age leaves open whether a band
    applies, another range beside it cannot be told apart from it.
    """
    found = [
        (covers, (low, high), words)
        for row in result.ranges
        if row.kind in REFERENCE_INTERVAL_KINDS and not row.applies_to
        if (covers := _covers(row, age)) is not Comparison.NO
        for low, high, words in _read(row, value.unit, units)
    ]
    is_proved = Comparison.YES in [covers for covers, _, _ in found]
    if not is_proved or len({ends for _, ends, _ in found}) > 1:
        return RangeReading(Place.NONE)
    _, (low, high), words = found[0]
    place = _place(value.interval, low, high)
    if place is Place.NONE:
        return RangeReading(place)
    multiple = _multiple(value, high) if place is Place.ABOVE else ""
    return RangeReading(place, words, multiple)


def _covers(row: ReferenceRange, age: Age) -> Comparison:
    """Whether the range applies to every age the patient can have, or to none of them."""
    match row.age:
        case EveryAge():
            return Comparison.YES
        case AgeBand(low, high):
            return _lies_in(low, high, age)
        case AgeBandUnreadable():
            return Comparison.NO


def _lies_in(low: Decimal, high: Decimal, age: Age) -> Comparison:
    """Whether an age lies in a band; one "to 17" reaches up to the eighteenth birthday."""
    match age:
        case AgeUnknown():
            return Comparison.CANNOT_TELL
        case Interval(low=youngest, high=oldest):  # completed years
            if low <= youngest and oldest <= high:
                return Comparison.YES
            outside = oldest + 1 <= low or high < youngest
            return Comparison.NO if outside else Comparison.CANNOT_TELL


def _read(
    row: ReferenceRange, unit: RowUnit, units: UnitTable
) -> Iterator[tuple[Decimal, Decimal, str]]:
    """Low and high in the canonical unit, infinite where open, and the range as the laboratory gave
    it, each bound in its own unit (`158 to 623 U/mL`); nothing if a bound is of another family or
    senseless.
    """
    lows, highs = _end(row.low, -INFINITY, unit, units), _end(row.high, INFINITY, unit, units)
    for (low, number, low_unit), (high, upper, high_unit) in product(lows, highs):
        if not number and not upper:
            return
        if low > high or high <= 0:  # a field left at zero is no limit
            return
        if not number:
            yield low, high, f"up to {upper} {high_unit}"
        elif not upper:
            yield low, high, f"from {number} {low_unit}"
        elif low_unit != high_unit:
            yield low, high, f"{number} {low_unit} to {upper} {high_unit}"
        else:
            yield low, high, f"{number} to {upper} {high_unit}"


def _end(
    bound: Bound | OpenEnd, infinite: Decimal, unit: RowUnit, units: UnitTable
) -> Iterator[tuple[Decimal, str, str]]:
    """One end in the canonical unit, then its number and unit as shown; nothing if it is of another
    family. A bound without a unit has the result's unit.
    """
    match bound:
        case OpenEnd():
            yield infinite, "", ""
        case Bound(number, UnitGiven("", "", "")):
            yield scale(number.value, unit), number.text, unit.text
        case Bound(number, given):
            match units.read(given):
                case UnitUnderstood(RowUnit(family=unit.family) as own, shown=shown):
                    yield scale(number.value, own), number.text, shown
                case _:
                    return


def _place(value: Interval, low: Decimal, high: Decimal) -> Place:
    """Without an upper limit only "below" can be told: how high is too high, nobody said."""
    above, below = value.above(high), value.below(low)
    if above is Comparison.YES:
        return Place.ABOVE
    if below is Comparison.YES:
        return Place.BELOW
    if above is Comparison.NO and below is Comparison.NO:
        return Place.NONE if high == INFINITY else Place.WITHIN
    return Place.STRADDLES


def _multiple(value: Quantity, high: Decimal) -> str:
    """Times the upper limit, to one decimal, to two just above it.

    Of a value such as `> 860` only the least is known: that is rounded down, and has no "just".
    """
    times = EXACT.divide(value.interval.low, high)
    if not value.exact:
        least = _to_digits(times, ROUND_DOWN, one_from=Decimal("1.1"))
        return f"at least {least:f}" if least > 1 else "more than 1"
    rounded = _to_digits(times, ROUND_HALF_UP, one_from=Decimal("1.05"))
    return f"{rounded:f}" if rounded > 1 else "just over 1"


def _to_digits(times: Decimal, rounding: str, *, one_from: Decimal) -> Decimal:
    digits = Decimal("0.1") if times >= one_from else Decimal("0.01")
    return times.quantize(digits, rounding, context=EXACT)
