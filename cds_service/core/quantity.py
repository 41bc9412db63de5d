"""Units: exact strings in closed tables, exact Decimal arithmetic inside one family, none across.

UCUM validity is not enough (`PG/ML` is valid UCUM and means petagauss per megalitre), and U to mass
has no general factor: two published limits disagree seven- to nine-fold. So a unit is understood
only if its exact text stands in the knowledge, and families are never converted into each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds_service.core.interval import EXACT, Interval
from cds_service.core.model import Comparator, Measured, UnitGiven, ValueForm
from cds_service.core.schema import RowUnit

UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tables: `factor` leads to the canonical unit of its `family`."""

    text: str
    family: str
    factor: Decimal
    ucum: bool
    assumed: str


@dataclass(frozen=True, slots=True)
class UnitUnderstood:
    """The unit is in the table; `coded` says whether its UCUM code decided, or only text."""

    unit: Unit
    coded: bool


@dataclass(frozen=True, slots=True)
class UnitMissing:
    """No unit was sent."""


@dataclass(frozen=True, slots=True)
class UnitNotUnderstood:
    """A unit was sent that the table does not hold, or its code and text contradict each other."""


UnitReading = UnitUnderstood | UnitMissing | UnitNotUnderstood


class UnitTable:
    """The exact unit strings understood for one analyte or companion test."""

    def __init__(self, rows: Iterable[RowUnit]) -> None:
        self._units: Mapping[str, Unit] = {
            row.text: Unit(row.text, row.family, row.factor, row.ucum, row.assumed) for row in rows
        }

    def __contains__(self, text: str) -> bool:
        return text in self._units

    def __getitem__(self, text: str) -> Unit:
        return self._units[text]

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def read(self, given: UnitGiven) -> UnitReading:
        """Understand a unit as received.

        A UCUM code decides; the text beside it may say more, but not something else that the table
        knows. Without a UCUM code the exact text counts, as the less certain unit it is.
        """
        by_text = self._units.get(given.text)
        if given.code and given.system == UCUM:
            return self._by_code(given, by_text)
        if by_text is not None:
            return UnitUnderstood(by_text, coded=False)
        return UnitNotUnderstood() if given.text or given.code else UnitMissing()

    def _by_code(self, given: UnitGiven, by_text: Unit | None) -> UnitReading:
        by_code = self._units.get(given.code)
        if by_code is None:
            return UnitNotUnderstood()
        if not by_code.ucum:
            # Not UCUM although it says so (`IU/mL`): then it is no more than a text.
            agrees = given.text in {"", given.code}
            return UnitUnderstood(by_code, coded=False) if agrees else UnitNotUnderstood()
        if by_text is not None and not _same(by_code, by_text):
            return UnitNotUnderstood()
        return UnitUnderstood(by_code, coded=True)


def _same(one: Unit, other: Unit) -> bool:
    return one.family == other.family and one.factor == other.factor


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value as understood: its interval in the canonical unit of its family."""

    interval: Interval
    unit: Unit
    coded: bool
    exact: bool
    """Whether it is one number, not a range of values behind a comparator."""


def scale(number: Decimal, unit: Unit) -> Decimal:
    """`number` in the canonical unit of the unit's family, exactly."""
    return EXACT.multiply(number, unit.factor)


def quantity(measured: Measured, understood: UnitUnderstood) -> Quantity:
    """The interval that a measured value stands for. Raises ValueError if it holds no value."""
    interval = Interval.of(measured.comparator, scale(measured.number.value, understood.unit))
    return Quantity(
        interval,
        understood.unit,
        understood.coded and measured.form is ValueForm.QUANTITY,
        exact=measured.comparator is Comparator.EXACT,
    )
