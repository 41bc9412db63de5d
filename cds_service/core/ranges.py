"""The reporting laboratory's own limits, read from the result itself.

Upper limits of different laboratories differ ten-fold, so this is the only range that may be held
against a value. Several ranges that cannot be told apart are no range; an absent range is never
"normal", and neither is a value above a lower limit that has no upper one beside it.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from cds_service.core.dates import Age
from cds_service.core.interval import EXACT, Comparison, Interval
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
from cds_service.core.quantity import Quantity, UnitReading, UnitTable, UnitUnderstood, scale
from cds_service.core.schema import RowUnit
from cds_service.core.verdict import Place, RangeReading

REFERENCE_INTERVAL_KINDS = frozenset({"", "normal"})
_NO_UNIT = UnitGiven()


def read_range(result: LabResult, value: Quantity, age: Age, units: UnitTable) -> RangeReading:
    """Hold a value against the laboratory's own range, bounds inclusive.

    A range for some people only (`appliesTo`: a sex, pregnancy) is left aside: nothing but the age
    is read that could tell whether it is for this patient.
    """
    usable = {
        (low, high): words
        for row in result.ranges
        if row.kind in REFERENCE_INTERVAL_KINDS and not row.applies_to and _covers(row, age)
        for low, high, words in _bounds(row, value.unit, units)
    }
    if len(usable) != 1:
        return RangeReading(Place.NONE)
    (((low, high), words),) = usable.items()
    place = _place(value.interval, low, high)
    if place is Place.NONE:
        return RangeReading(place)
    multiple = _multiple(value, high) if place is Place.ABOVE else ""
    return RangeReading(place, words, multiple)


def _covers(row: ReferenceRange, age: Age) -> bool:
    """Whether the range applies to every age the patient can have."""
    match row.age:
        case EveryAge():
            return True
        case AgeBand(low, high):
            # A band "to 17" applies up to the eighteenth birthday; ages are completed years.
            return isinstance(age, Interval) and low <= age.low and age.high <= high
        case AgeBandUnreadable():
            return False


End = Decimal | OpenEnd


def _bounds(row: ReferenceRange, unit: RowUnit, units: UnitTable) -> list[tuple[End, End, str]]:
    """Low and high in the canonical unit, and the range in words; nothing if a bound is of another
    family or senseless.
    """
    ends: list[End] = []
    said: list[tuple[str, str]] = []
    for bound in (row.low, row.high):
        match bound:
            case OpenEnd():
                ends.append(bound)
                said.append(("", ""))
            case Bound(number, given):
                match _bound_unit(given, unit, units):
                    case UnitUnderstood(RowUnit(family=unit.family) as bound_unit, shown=shown):
                        ends.append(scale(number.value, bound_unit))
                        said.append((number.text, shown))
                    case _:
                        return []
    low, high = ends
    match low, high:
        case OpenEnd(), OpenEnd():
            return []
        case Decimal(), Decimal() if low > high:
            return []
        case _, Decimal() if high <= 0:
            return []  # a field left at zero, not a limit
    return [(low, high, _words(*said))]


def _bound_unit(given: UnitGiven, unit: RowUnit, units: UnitTable) -> UnitReading:
    """A bound without a unit has the result's unit."""
    if given == _NO_UNIT:
        return UnitUnderstood(unit, coded=False, shown=unit.text)
    return units.read(given)


def _place(value: Interval, low: End, high: End) -> Place:
    """Without an upper limit only "below" can be told: how high is too high, nobody said."""
    above = Comparison.NO if isinstance(high, OpenEnd) else value.above(high)
    below = Comparison.NO if isinstance(low, OpenEnd) else value.below(low)
    if above is Comparison.YES:
        return Place.ABOVE
    if below is Comparison.YES:
        return Place.BELOW
    if above is Comparison.NO and below is Comparison.NO:
        return Place.NONE if isinstance(high, OpenEnd) else Place.WITHIN
    return Place.STRADDLES


def _words(low: tuple[str, str], high: tuple[str, str]) -> str:
    """The range as the laboratory gave it, each bound in its own unit: `158 to 623 U/mL`."""
    match low, high:
        case ("", _), (number, unit):
            return f"up to {number} {unit}"
        case (number, unit), ("", _):
            return f"from {number} {unit}"
        case (number, unit), (upper, of_upper) if unit != of_upper:
            return f"{number} {unit} to {upper} {of_upper}"
        case (number, unit), (upper, _):
            return f"{number} to {upper} {unit}"


def _multiple(value: Quantity, high: End) -> str:
    """Times the upper limit, to one decimal, to two just above it.

    Of a value such as `> 860` only the least is known: that is rounded down, and has no "just".
    """
    if isinstance(high, OpenEnd):
        return ""
    times = EXACT.divide(value.interval.low, high)
    if not value.exact:
        least = _to_digits(times, ROUND_DOWN, one_from=Decimal("1.1"))
        return f"at least {least:f}" if least > 1 else "more than 1"
    rounded = _to_digits(times, ROUND_HALF_UP, one_from=Decimal("1.05"))
    return f"{rounded:f}" if rounded > 1 else "just over 1"


def _to_digits(times: Decimal, rounding: str, *, one_from: Decimal) -> Decimal:
    digits = Decimal("0.1") if times >= one_from else Decimal("0.01")
    return times.quantize(digits, rounding, context=EXACT)
