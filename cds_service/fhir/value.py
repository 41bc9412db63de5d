"""Observation.value[x] as a closed answer. A value in a component is noticed, never read.

`fhir.resources` lets through a comparator outside its value set, a number sent as a string, a value
beside a dataAbsentReason (obs-6) and a unit code without its system (qty-3): refused here.

A component has neither status, specimen nor date of its own, and laboratories put partial results,
dilutions and ratios there: which of them is the result cannot be told by structure.
"""

from __future__ import annotations

import re

from cds_service.core.elements import (
    Comparator,
    LabValue,
    Measured,
    NotNumeric,
    NoValue,
    Number,
    UnitGiven,
    ValueForm,
)
from cds_service.core.json_object import JsonObject
from cds_service.exact import ExactDecimal, number_of
from cds_service.fhir.shape import Refusal, a_text, absence, codings, objects
from cds_service.fhir.wanted import carries, codes_of

_VALUE = ("value", "_value")
_NUMBER_WITH_UNIT = re.compile(
    r"(?:(?P<comparator><=|>=|<|>) ?)?"
    r"(?P<number>-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,63})?(?:[eE][+-]?[0-9]{1,3})?) ?"
    r"(?P<unit>(?![eE][+-]?[0-9])[^\s\d.,;:/<>=+\-()][^\s]*)"
)
"""A comparator or none, a number (FHIR decimal) and a unit, and nothing else: `150`, `1,200 U/mL`
and `150-200 U/mL` do not match. Nor may the unit be an exponent: `1e4` would be read as `1`.
"""
_POINT_MAY_GROUP = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
"""`2.400` is 2.4 in one country and 2400 in the next; in text nobody can tell. `0.400` is clear."""


def read_value(observation: JsonObject) -> LabValue:
    """The value of a structurally valid Observation. Raises Refusal for what R4 does not allow."""
    given = {name.removeprefix("_") for name in observation if name.startswith(_VALUE)}
    if not given:
        return NoValue(_reason(observation))
    if len(given) > 1:
        raise Refusal("Observation.value")
    if "dataAbsentReason" in observation:
        raise Refusal("Observation.dataAbsentReason")
    _refuse_repeated_code(observation)
    return _value(given.pop(), observation)


def noticed(component: JsonObject) -> NotNumeric | NoValue:
    """That a component has a value, which is not read; or why it has none."""
    if any(name.startswith(_VALUE) for name in component):
        return NotNumeric("component")
    return NoValue(_reason(component))


def _value(name: str, observation: JsonObject) -> LabValue:
    match observation.get(name):
        case None:
            return NoValue(absence(observation[f"_{name}"]))
        case dict() as quantity if name == "valueQuantity":
            return _measured(quantity)
        case str() as text if name == "valueString":
            return _from_text(text)
        case _:
            return NotNumeric(name)


def read_number(quantity: JsonObject, where: str) -> Number:
    """The value of a Quantity that has one. Raises Refusal unless it is a JSON number."""
    try:
        return number_of(quantity["value"])
    except TypeError:
        raise Refusal(f"{where}.value") from None


def read_unit(quantity: JsonObject, where: str) -> UnitGiven:
    """The unit of a Quantity as received. Raises Refusal for a code without its system (qty-3)."""
    if "code" in quantity and "system" not in quantity:
        raise Refusal(f"{where}.system")
    return UnitGiven(
        a_text(quantity.get("unit")), a_text(quantity.get("code")), a_text(quantity.get("system"))
    )


def _reason(element: JsonObject) -> str:
    """Why an Observation or a component has no value, empty where it does not say."""
    reasons = codings(element.get("dataAbsentReason"))
    return reasons[0].code if reasons else ""


def _measured(quantity: JsonObject) -> Measured | NoValue:
    where = "Observation.valueQuantity"
    try:
        comparator = Comparator(quantity.get("comparator", ""))
    except ValueError:
        raise Refusal(f"{where}.comparator") from None
    unit = read_unit(quantity, where)
    if "value" not in quantity:
        return NoValue(absence(quantity.get("_value")))
    return Measured(comparator, read_number(quantity, where), unit)


def _from_text(text: str) -> Measured | NotNumeric:
    match _NUMBER_WITH_UNIT.fullmatch(text):
        case re.Match() as written if not _POINT_MAY_GROUP.fullmatch(written["number"]):
            return Measured(
                Comparator(written["comparator"] or ""),
                number_of(ExactDecimal(written["number"])),
                UnitGiven(written["unit"]),
                ValueForm.TEXT,
            )
        case _:
            return NotNumeric("valueString")


def _refuse_repeated_code(observation: JsonObject) -> None:
    """obs-7: a component must not repeat the code of an Observation that has a value itself."""
    if "component" not in observation:
        return
    own = codes_of(observation)
    for index, component in enumerate(objects(observation["component"])):
        if carries(component, own):
            raise Refusal(f"Observation.component[{index}].code")
