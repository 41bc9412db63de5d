"""Observation.referenceRange: the laboratory's own limits as it sent them.

A range in text alone is kept as its words: text is never evidence, but a reader can use it. A
range is never made wider than it was sent: an age, a kind or a group of people that cannot be read
is kept as a condition that no patient meets.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cds_service.core.elements import (
    AgeBand,
    AgeBandUnreadable,
    Bound,
    Coding,
    EveryAge,
    OpenEnd,
    ReferenceRange,
    UnitGiven,
)
from cds_service.core.interval import EXACT, INFINITY
from cds_service.core.json_object import JsonObject
from cds_service.core.quantity import UCUM
from cds_service.fhir.shape import Refusal, a_text, an_object, codings, objects
from cds_service.fhir.value import read_number, read_unit

_MONTHS_BY_CODE = {"a": 12, "mo": 1}
_MONTHS_BY_WORD = _MONTHS_BY_CODE | {
    "y": 12,
    "yr": 12,
    "yrs": 12,
    "year": 12,
    "years": 12,
    "month": 1,
    "months": 1,
}
_MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
_NORMAL = "normal"
_UNREADABLE = "unreadable"
_ANY_AGE = (-INFINITY, INFINITY)


def read_ranges(observation: JsonObject) -> tuple[ReferenceRange, ...]:
    """The reference ranges. Raises Refusal where a bound is not a valid SimpleQuantity."""
    return tuple(_ranges(observation))


def _ranges(observation: JsonObject) -> Iterator[ReferenceRange]:
    for index, element in enumerate(objects(observation.get("referenceRange"))):
        where = f"Observation.referenceRange[{index}]"
        low = _bound(element, "low", where)
        high = _bound(element, "high", where)
        applies_to = tuple(c for who in objects(element.get("appliesTo")) for c in _people(who))
        numbers = isinstance(low, Bound), isinstance(high, Bound)
        for_whom = _age(element, where), _kind(element), applies_to
        if True in numbers and numbers == ("low" in element, "high" in element):
            yield ReferenceRange(low, high, *for_whom)
        elif words := a_text(element.get("text")):  # no number, or one end that has none
            yield ReferenceRange(OpenEnd(), OpenEnd(), *for_whom, words)


def _bound(element: JsonObject, name: str, where: str) -> Bound | OpenEnd:
    if name not in element:
        return OpenEnd()
    where = f"{where}.{name}"
    quantity = an_object(element[name])
    if "comparator" in quantity:
        raise Refusal(f"{where}.comparator")
    unit = read_unit(quantity, where)
    return Bound(read_number(quantity, where), unit) if "value" in quantity else OpenEnd()


def _kind(element: JsonObject) -> str:
    """The code of the kind of range, empty where none is given.

    HL7's own codes count before any others, and of several codes one that is not `normal`. A kind
    in words alone cannot be read, so it is not `normal` either.
    """
    if "type" not in element:
        return ""
    given = codings(element["type"])
    kinds = [kind.code for kind in given if kind.system == _MEANING] or [k.code for k in given]
    return next((kind for kind in kinds if kind != _NORMAL), _NORMAL) if kinds else _UNREADABLE


def _people(who: JsonObject) -> tuple[Coding, ...]:
    """The codes for a group of people, or their words as a Coding without a code."""
    return codings(who) or (Coding("", "", a_text(who.get("text"))),)


def _age(element: JsonObject, where: str) -> AgeBand | EveryAge | AgeBandUnreadable:
    if "age" not in element:
        return EveryAge()
    age = an_object(element["age"])
    match _months(age, "low", f"{where}.age"), _months(age, "high", f"{where}.age"):
        case (low, _), (_, until) if low < until and ("low" in age or "high" in age):
            return AgeBand(low, until)
        case _:
            return AgeBandUnreadable()


def _months(age: JsonObject, name: str, where: str) -> tuple[Decimal, Decimal] | AgeBandUnreadable:
    """The months of life from which and until which a person is said to have this age: "17 years"
    until the eighteenth birthday, "7.9 years" until the eighth, "6 months" until seven months.
    """
    if name not in age:
        return _ANY_AGE
    where = f"{where}.{name}"
    quantity = an_object(age[name])
    unit = read_unit(quantity, where)
    if "value" not in quantity or "comparator" in quantity:
        return AgeBandUnreadable()
    value = read_number(quantity, where).value
    match _months_in(unit):
        case 0:
            return AgeBandUnreadable()
        case months:
            ends = EXACT.add(value, _last_place(value))
            return EXACT.multiply(value, months), EXACT.multiply(ends, months)


def _last_place(value: Decimal) -> Decimal:
    """One in the last decimal place that is not zero: 0.1 of 7.9, 1 of 17.0."""
    fraction = f"{value:f}".partition(".")[2].rstrip("0")
    return Decimal(1).scaleb(-len(fraction))


def _months_in(unit: UnitGiven) -> int:
    """Months in one unit of age; zero for a unit that is not read.

    The code counts before the text, unless the text names another unit: then neither is read.
    """
    by_word = _MONTHS_BY_WORD.get(unit.text.lower(), 0)
    if not unit.code:
        return by_word
    by_code = _MONTHS_BY_CODE.get(unit.code, 0) if unit.system == UCUM else 0
    return by_code if by_word in (0, by_code) else 0
