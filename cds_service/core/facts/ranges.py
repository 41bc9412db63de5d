"""The reporting laboratory's own limits, read from the result itself.

Upper limits of different laboratories differ ten-fold, so this is the only range that may be held
against a value. Several ranges that cannot be told apart are no range. Without a range no value is
called normal, nor is one above a lower limit where no upper limit was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import Enum, auto
from itertools import product
from typing import NamedTuple

from cds_service.core.dates import Age, AgeUnknown
from cds_service.core.elements import (
    AgeBand,
    AgeBandUnreadable,
    Bound,
    EveryAge,
    OpenEnd,
    ReferenceRange,
    UnitGiven,
)
from cds_service.core.interval import EXACT, INFINITY, Comparison, Interval
from cds_service.core.model import LabResult
from cds_service.core.quantity import Quantity, UnitTable, UnitUnderstood, scale
from cds_service.core.schema import RowUnit
from cds_service.core.verdict import Place, RangeReading

REFERENCE_INTERVAL_KINDS = frozenset({"", "normal"})
_NO_INTERVALS = frozenset({"recommended", "treatment", "therapeutic", "pre", "post"})
"""Kinds of HL7's referencerange-meaning that say where a value should be, not where those of
healthy people lie. Any other kind may be an interval of some group, or is not known here.
"""
_YEAR = 12
"""In months."""
_MOST_TOLD = 8
"""Most ranges that are named as not applied: a laboratory has about as many for bands of age."""

_Ends = tuple[Decimal, Decimal]
"""Low and high in the canonical unit."""


class _Said(NamedTuple):
    """A range in words, and the units that stand in them."""

    words: str
    units: frozenset[str]


class _Whom(Enum):
    """Whether a range is for this patient."""

    THIS_PATIENT = auto()
    PERHAPS = auto()
    """The age of the patient leaves open whether it is within the band."""
    SOME_PEOPLE = auto()
    """A group named by `appliesTo` (a sex, pregnant women), by an age that cannot be read, or by an
    unknown kind of range: nothing that we read of a patient tells who belongs to it."""
    OTHERS = auto()


def read_range(result: LabResult, value: Quantity, age: Age, units: UnitTable) -> RangeReading:
    """Hold a value against the laboratory's own range, bounds inclusive.

    The one range that is for this patient is applied, unless by age a different one may be: an
    unknown age must not allow a claim that a known one would rule out. Ranges that may be for this
    patient and are not applied are named in `left`, and if none is applied those that no value can
    be compared with in `not_comparable`.
    """
    ours: dict[_Ends, _Said] = {}
    perhaps: dict[_Ends, _Said] = {}
    of_some: dict[_Ends, _Said] = {}
    not_comparable: list[str] = []
    for row in result.ranges:
        whom = _for_whom(row, age)
        if row.kind in _NO_INTERVALS or whom is _Whom.OTHERS:
            continue
        if words := _not_comparable(row, value.unit, units):
            not_comparable.append(words)
            continue
        match whom:
            case _Whom.THIS_PATIENT:
                ours.update(_read(row, value.unit, units))
            case _Whom.PERHAPS:
                perhaps.update(_read(row, value.unit, units))
            case _Whom.SOME_PEOPLE:
                of_some.update(_read(row, value.unit, units))
    if len(ours) != 1 or perhaps.keys() - ours.keys():
        left = _told(said.words for said in {**ours, **perhaps, **of_some}.values())
        return RangeReading(Place.NONE, left=left, not_comparable=_told(not_comparable))
    (((low, high), (words, named)),) = ours.items()
    of_some.pop((low, high), None)
    left = _told(said.words for said in of_some.values())
    place = _place(value.interval, low, high)
    if place is Place.NONE:
        return RangeReading(place, left=left, not_comparable=_told([words, *not_comparable]))
    multiple = _multiple(value, high) if place is Place.ABOVE else ""
    return RangeReading(place, words, multiple, named, left)


def _told(ranges: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ranges))[:_MOST_TOLD]


def _for_whom(row: ReferenceRange, age: Age) -> _Whom:
    match row.age:
        case EveryAge():
            by_age = _Whom.THIS_PATIENT
        case AgeBand() as band:
            by_age = _by_age(band, age)
        case AgeBandUnreadable():
            by_age = _Whom.SOME_PEOPLE
    is_of_some = row.applies_to or row.kind not in REFERENCE_INTERVAL_KINDS
    return _Whom.SOME_PEOPLE if is_of_some and by_age is not _Whom.OTHERS else by_age


def _by_age(band: AgeBand, age: Age) -> _Whom:
    match age:
        case AgeUnknown():
            return _Whom.PERHAPS
        case Interval(youngest, oldest):
            # A person of two completed years may be nearly three.
            first, last = youngest * _YEAR, (oldest + 1) * _YEAR
            if band.low <= first and last <= band.until:
                return _Whom.THIS_PATIENT
            return _Whom.OTHERS if last <= band.low or band.until <= first else _Whom.PERHAPS


def _not_comparable(row: ReferenceRange, unit: RowUnit, units: UnitTable) -> str:
    """A range in words or in a unit of another family, as it was sent; empty for any other."""
    ends = (row.low, row.high)
    if row.words or all(any(_end(end, INFINITY, unit, units)) for end in ends):
        return row.words
    return as_sent(row)


def as_sent(row: ReferenceRange) -> str:
    """A range in the words, or the numbers and units, in which it came; empty for one without."""
    low, high = _sent(row.low), _sent(row.high)
    return row.words or (_in_words(low, high).rstrip() if any((*low, *high)) else "")


def _sent(bound: Bound | OpenEnd) -> tuple[str, str]:
    """The number of one end and its unit, as they were sent."""
    match bound:
        case OpenEnd():
            return "", ""
        case Bound(number, given):
            return number.text, given.text or given.code


def _in_words(low: tuple[str, str], high: tuple[str, str]) -> str:
    """A range by the number and unit of each end, as `158 to 623 U/mL`."""
    (number, low_unit), (upper, high_unit) = low, high
    if not number:
        return f"up to {upper} {high_unit}"
    if not upper:
        return f"from {number} {low_unit}"
    own = "" if low_unit == high_unit else f" {low_unit}"
    return f"{number}{own} to {upper} {high_unit}"


def _read(row: ReferenceRange, unit: RowUnit, units: UnitTable) -> Iterator[tuple[_Ends, _Said]]:
    """Low and high in the canonical unit, infinite where open, and the range in words, each bound
    in its own unit (`158 to 623 U/mL`). Nothing if both are open, or if no value could lie in it.
    """
    lows, highs = _end(row.low, -INFINITY, unit, units), _end(row.high, INFINITY, unit, units)
    for (low, number, low_unit), (high, upper, high_unit) in product(lows, highs):
        if not number and not upper:
            return
        if low > high or high <= 0:  # a field left at zero is no limit
            return
        words = _in_words((number, low_unit), (upper, high_unit))
        yield (low, high), _Said(words, frozenset({low_unit, high_unit} - {""}))


def _end(
    bound: Bound | OpenEnd, infinite: Decimal, unit: RowUnit, units: UnitTable
) -> Iterator[tuple[Decimal, str, str]]:
    """One end in the canonical unit, then its number and unit as shown; nothing if the unit is of
    another family. A bound without a unit has the result's unit.
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
    """Where a value lies. Without an upper limit it is never within: nobody said what is high."""
    above, below = value.above(high), value.below(low)
    if above is Comparison.YES:
        return Place.ABOVE
    if below is Comparison.YES:
        return Place.BELOW
    if above is Comparison.NO and below is Comparison.NO:
        return Place.NONE if high == INFINITY else Place.WITHIN
    return Place.STRADDLES


def _multiple(value: Quantity, high: Decimal) -> str:
    """How many times the upper limit, to one decimal; to two decimals just above the limit.

    Of a value such as `> 860` only the lower end is known: it is rounded down ("at least").
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
