"""Observation.value[x]: a number with comparator and unit, no value, or another kind of value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.elements import (
    Comparator,
    Measured,
    NotNumeric,
    NoValue,
    Number,
    UnitGiven,
    ValueForm,
)
from cds_service.exact import ExactDecimal
from tests.unit.fhir.given import (
    FERRITIN,
    LEFT_OUT,
    SIL2R,
    UCUM,
    concept,
    quantity,
    refused,
    result,
)


def test_a_quantity_gives_comparator_number_and_unit_as_received() -> None:
    sent = quantity("150.10", unit="U/ml", comparator="<", system=UCUM, code="U/mL")
    assert result(valueQuantity=sent).value == Measured(
        Comparator.LESS, Number("150.10", Decimal("150.1")), UnitGiven("U/ml", "U/mL", UCUM)
    )


@pytest.mark.parametrize("text", ["150.10", "1.5E2", "-0.0", "1e400", "0.00000000000000001"])
def test_t53_a_number_keeps_its_text_and_negative_or_huge_ones_are_read(text: str) -> None:
    value = result(valueQuantity=quantity(text)).value
    assert isinstance(value, Measured)
    assert value.number == Number(text, Decimal(text))


def test_an_integer_is_a_number() -> None:
    value = result(valueQuantity=quantity(-7)).value
    assert isinstance(value, Measured)
    assert value.number.text == "-7"


@pytest.mark.parametrize("sent", ["412", True, 412.5, None, [412], {"value": 412}])
def test_a_value_that_is_no_json_number_is_refused(sent: object) -> None:
    where = refused(valueQuantity={"value": sent, "unit": "U/mL"})
    assert where == "Observation.valueQuantity.value"


@pytest.mark.parametrize("sent", ["~", "=<", "ad", "", 5])
def test_a_comparator_outside_the_r4_value_set_is_refused(sent: object) -> None:
    where = refused(valueQuantity=quantity(comparator=sent))
    assert where == "Observation.valueQuantity.comparator"


def test_qty3_a_unit_code_without_its_system_is_refused() -> None:
    assert refused(valueQuantity=quantity(code="U/mL")) == "Observation.valueQuantity.system"


def test_obs6_a_value_beside_a_data_absent_reason_is_refused() -> None:
    assert refused(dataAbsentReason=concept("x:y", "error")) == "Observation.dataAbsentReason"


def test_obs7_a_component_that_repeats_the_code_of_a_valued_observation_is_refused() -> None:
    again = {"code": concept(*SIL2R), "valueQuantity": quantity(1)}
    assert refused(component=[again]) == "Observation.component[0].code"


def test_two_values_are_refused() -> None:
    assert refused(valueString="5200 U/mL") != ""


def test_two_values_are_refused_even_if_one_is_only_an_extension() -> None:
    hidden = {"extension": [{"url": "x:y", "valueCode": "unknown"}]}
    assert refused(_valueString=hidden) == "Observation.value"


def test_a_component_is_never_read_as_the_value() -> None:
    part = {"code": concept(*FERRITIN), "valueQuantity": quantity(1)}
    assert result(valueQuantity=LEFT_OUT, component=[part]).value == NoValue()


ABSENT = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "masked",
        }
    ]
}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valueQuantity": LEFT_OUT}, ""),
        (
            {
                "valueQuantity": LEFT_OUT,
                "dataAbsentReason": concept(
                    "http://terminology.hl7.org/CodeSystem/data-absent-reason", "error"
                ),
            },
            "error",
        ),
        ({"valueQuantity": LEFT_OUT, "dataAbsentReason": {"text": "haemolysed"}}, ""),
        ({"valueQuantity": {"unit": "U/mL"}}, ""),
        ({"valueQuantity": {"unit": "U/mL", "_value": ABSENT}}, "masked"),
        ({"valueQuantity": LEFT_OUT, "_valueString": ABSENT}, "masked"),
    ],
)
def test_no_value_says_why_where_a_code_for_it_was_sent(changes: dict[str, Any], why: str) -> None:
    assert result(**changes).value == NoValue(why)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("valueCodeableConcept", {"text": "positive"}),
        ("valueBoolean", True),
        ("valueInteger", 5200),
        ("valueRange", {"low": {"value": 1}}),
        ("valueRatio", {"numerator": {"value": 1}, "denominator": {"value": 2}}),
        ("valueDateTime", "2026-03-01"),
    ],
)
def test_a_value_of_another_kind_is_named_by_its_element(kind: str, sent: object) -> None:
    assert result(valueQuantity=LEFT_OUT, **{kind: sent}).value == NotNumeric(kind)


@pytest.mark.parametrize(
    ("text", "comparator", "number", "unit"),
    [
        ("5200 U/mL", "", "5200", "U/mL"),
        ("<150 pg/mL", "<", "150", "pg/mL"),
        (">= 10000.50 units/mL", ">=", "10000.50", "units/mL"),
        ("1.5E2U/mL", "", "1.5E2", "U/mL"),
        ("150 [IU]/mL", "", "150", "[IU]/mL"),
        ("150 E/mL", "", "150", "E/mL"),
        ("150e/mL", "", "150", "e/mL"),
    ],
)
def test_text_of_exactly_comparator_number_and_unit_is_read_and_flagged(
    text: str, comparator: str, number: str, unit: str
) -> None:
    assert result(valueQuantity=LEFT_OUT, valueString=text).value == Measured(
        Comparator(comparator), Number(number, Decimal(number)), UnitGiven(unit), ValueForm.TEXT
    )


@pytest.mark.parametrize(
    "text",
    [
        "5200",
        "<150",
        "1,200 U/mL",
        "1.200.000 U/mL",
        "150-200 U/mL",
        "150 U/mL (high)",
        "about 150 U/mL",
        "~150 U/mL",
        "≤150 U/mL",
        "<> 150 U/mL",
        "150  U/mL",
        " 150 U/mL",
        "150 U/mL ",
        "0150 U/mL",
        ".5 U/mL",
        "+150 U/mL",
        "\u0661\u0665\u0660 U/mL",
        "Non-reactive",
        "150 U/mL\n",
        "1e4",
        "5230E0",
        "1 e4",
        "1e4000 U/mL",
        "1e4000U/mL",
    ],
)
def test_any_other_text_is_not_numeric(text: str) -> None:
    assert result(valueQuantity=LEFT_OUT, valueString=text).value == NotNumeric("valueString")


@pytest.mark.parametrize("text", ["2.400", "1.234", "12.000", "999.999", "-2.400"])
def test_in_text_a_point_before_three_digits_may_mean_thousands_so_nobody_guesses(
    text: str,
) -> None:
    for written in (f"{text} U/mL", f">{text} U/mL"):
        said = result(valueQuantity=LEFT_OUT, valueString=written).value
        assert said == NotNumeric("valueString"), written
    sent = result(valueQuantity=quantity(text)).value
    assert isinstance(sent, Measured)
    assert sent.number.value == Decimal(text), "in JSON a point is a point"


@pytest.mark.parametrize("text", ["0.400", "2.40", "2.4000", "2400.000", "1.234e3"])
def test_in_text_a_point_that_cannot_mean_thousands_is_a_decimal_point(text: str) -> None:
    said = result(valueQuantity=LEFT_OUT, valueString=f"{text} ng/mL").value
    assert isinstance(said, Measured)
    assert said.number.value == Decimal(text)


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,4})?", fullmatch=True).filter(
        lambda text: not re.fullmatch(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", text)
    )
)
def test_t53_the_text_of_a_number_in_a_quantity_and_in_text_is_the_same(text: str) -> None:
    sent = ExactDecimal(text)
    by_quantity = result(valueQuantity={"value": sent, "unit": "U/mL"}).value
    by_text = result(valueQuantity=LEFT_OUT, valueString=f"{text} U/mL").value
    assert isinstance(by_quantity, Measured)
    assert isinstance(by_text, Measured)
    assert by_quantity.number == by_text.number == Number(text, Decimal(text))
