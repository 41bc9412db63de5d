"""Units: exact strings in closed tables, exact Decimal arithmetic inside one family, none across.

UCUM validity is not enough (`PG/ML` is valid UCUM and means petagauss per megalitre), and U to mass
has no general factor: two published limits disagree seven- to nine-fold. So a unit is understood
only if its exact code or text stands in the knowledge, and families are never converted into each
other. What is shown of it is what was understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.core.elements import Comparator, Measured, UnitGiven, ValueForm
from cds_service.core.interval import EXACT, Interval
from cds_service.core.schema import RowUnit

UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class UnitUnderstood:
    """The unit is in the table; `coded` says whether its UCUM code decided, or only text."""

    unit: RowUnit
    coded: bool
    shown: str
    """The unit as a reader sees it: always a text that the table holds."""


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
        self._units: dict[str, RowUnit] = {}
        self._spelt: dict[str, set[_Size]] = {}
        for row in rows:
            self._units[row.text] = row
            for text in (row.text, *row.beside):
                self._spelt.setdefault(_spelling(text), set()).add((row.family, row.factor))

    def __contains__(self, text: str) -> bool:
        return text in self._units

    def __getitem__(self, text: str) -> RowUnit:
        return self._units[text]

    def __iter__(self) -> Iterator[RowUnit]:
        return iter(self._units.values())

    def read(self, given: UnitGiven) -> UnitReading:
        """Understand a unit as received.

        A UCUM code decides, if the text beside it is a spelling of the same unit: a text that is
        not in the table may be another unit, and then one of the two is wrong. Without a UCUM code
        the exact text decides, and `coded` is false.
        """
        if given.code and given.system == UCUM:
            return self._by_code(given)
        by_text = self._units.get(given.text)
        if by_text is not None:
            return UnitUnderstood(by_text, coded=False, shown=given.text)
        return UnitNotUnderstood() if given.text or given.code else UnitMissing()

    def _by_code(self, given: UnitGiven) -> UnitReading:
        unit = self._units.get(given.code)
        if unit is None:
            return UnitNotUnderstood()
        if given.text in ("", given.code):
            # A code under the UCUM system that is not UCUM (`IU/mL`) counts as a text.
            return UnitUnderstood(unit, unit.ucum, given.code)
        if unit.ucum and self._sizes(given.text) == {(unit.family, unit.factor)}:
            by_text = self._units.get(given.text)
            says_it = by_text is not None and by_text.assumed == unit.assumed
            return UnitUnderstood(unit, coded=True, shown=given.text if says_it else given.code)
        return UnitNotUnderstood()

    def _sizes(self, text: str) -> set[_Size]:
        """The sizes that a text can mean beside a code: of its exact row, else of every row with
        the same spelling.
        """
        exact = self._units.get(text)
        if exact is not None:
            return {(exact.family, exact.factor)}
        return self._spelt.get(_spelling(text), set())


_Size = tuple[str, Decimal]
"""Family and factor: two units of one size are the same unit."""


def _spelling(text: str) -> str:
    """The text without what people write in different ways: case, spaces, micro, `[IU]`, `x10`."""
    letters = "".join(text.split()).casefold().translate(_SPELT_ALIKE)
    return letters.replace("mc", "u").removeprefix("x")


_SPELT_ALIKE = str.maketrans({"\u03bc": "u", "[": "", "]": ""})
"""Case-folding makes both micro signs the Greek letter."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value as understood: its interval in the canonical unit of its family."""

    interval: Interval
    unit: RowUnit
    coded: bool
    exact: bool
    """Whether it is one number, not a range of values behind a comparator."""


def scale(number: Decimal, unit: RowUnit) -> Decimal:
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
