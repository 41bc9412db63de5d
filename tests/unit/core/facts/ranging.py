"""A value beside the ranges of its laboratory, and where in them it lies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cds_service.core.dates import Age
from cds_service.core.elements import Coding, OpenEnd, ReferenceRange
from cds_service.core.facts.ranges import read_range
from cds_service.core.interval import Interval
from cds_service.core.quantity import UnitUnderstood, quantity
from cds_service.core.verdict import Place, RangeReading
from tests import toy
from tests.records import measured, result

UNITS = toy.knowledge().units
FORTY = Interval(Decimal(40), Decimal(40))
PREGNANT = Coding("http://snomed.info/sct", "77386006")


def reading(value: str, *ranges: ReferenceRange, age: Age = FORTY) -> RangeReading:
    """What is read of these ranges beside a value."""
    given = measured(value)
    unit = UNITS.read(given.unit)
    assert isinstance(unit, UnitUnderstood)
    return read_range(result(value, ranges=ranges), quantity(given, unit), age, UNITS)


def in_words(words: str, **more: Any) -> ReferenceRange:
    """A range without a number."""
    return ReferenceRange(OpenEnd(), OpenEnd(), words=words, **more)


def place(value: str, *ranges: ReferenceRange, age: Age = FORTY) -> Place:
    return reading(value, *ranges, age=age).place
