"""The reporting laboratory's own limits, read from the result itself.

Upper limits of different laboratories differ ten-fold, so this is the only range that may be held
against a value. Several ranges that cannot be told apart are no range; an absent range is never
"normal", and neither is a value above a lower limit that has no upper one beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from cds_service.core.quantity import Quantity, Unit, UnitTable, UnitUnderstood, scale
from cds_service.core.verdict import Place, RangeReading

REFERENCE_INTERVAL_KINDS = frozenset({"", "normal"})


def read_range(result: LabResult, value: Quantity, age: Age, units: UnitTable) -> RangeReading:
    """Hold a value against the laboratory's own range, bounds inclusive.

    A range for some people only (`appliesTo`: a sex, pregnancy) is left aside: nothing but the age
    is read that could tell whether it is for this patient.
    """
    usable = {
        (low, high): _words(row, value.unit)
        for row in result.ranges
        if row.kind in REFERENCE_INTERVAL_KINDS and not row.applies_to and _covers(row, age)
        for low, high in _bounds(row, value.unit, units)
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


def _bounds(row: ReferenceRange, unit: Unit, units: UnitTable) -> list[tuple[End, End]]:
    """Low and high in the canonical unit; nothing if a bound is of another family or senseless."""
    ends: list[End] = []
    for bound in (row.low, row.high):
        match bound:
            case OpenEnd():
                ends.append(bound)
            case Bound(number, given):
                match _bound_unit(given, unit, units):
                    case Unit(family=unit.family) as bound_unit:
                        ends.append(scale(number.value, bound_unit))
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
    return [(low, high)]


@dataclass(frozen=True, slots=True)
class _NoUnit:
    """The bound's unit is not understood."""


def _bound_unit(given: UnitGiven, unit: Unit, units: UnitTable) -> Unit | _NoUnit:
    """A bound without a unit has the result's unit."""
    if given == UnitGiven():
        return unit
    match units.read(given):
        case UnitUnderstood(found):
            return found
        case _:
            return _NoUnit()


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


def _words(row: ReferenceRange, unit: Unit) -> str:
    """The range as the laboratory gave it: `158 to 623 U/mL`."""

    def end(bound: Bound | OpenEnd) -> str:
        return bound.number.text if isinstance(bound, Bound) else ""

    given = [b.unit.text or b.unit.code for b in (row.low, row.high) if isinstance(b, Bound)]
    unit_text = next((text for text in given if text), unit.text)
    match end(row.low), end(row.high):
        case "", high:
            return f"up to {high} {unit_text}"
        case low, "":
            return f"from {low} {unit_text}"
        case low, high:
            return f"{low} to {high} {unit_text}"


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
