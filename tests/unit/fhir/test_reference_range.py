"""Observation.referenceRange: read as sent, never made wider than it was sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.core.elements import (
    AgeBand,
    AgeBandUnreadable,
    Bound,
    Coding,
    EveryAge,
    Number,
    OpenEnd,
    ReferenceRange,
    UnitGiven,
)
from cds_service.core.json_object import JsonObject
from tests.unit.fhir.given import UCUM, concept, quantity, refused, result

MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
HL7_NORMAL = {"system": MEANING, "code": "normal"}
LOCAL = {"system": "https://ehr.example.org/codeSet/1", "code": "222"}


def the_range(**members: Any) -> ReferenceRange:
    (found,) = result(referenceRange=[{"high": quantity(623), **members}]).ranges
    return found


def test_bounds_keep_their_numbers_and_units_as_received() -> None:
    found = the_range(low=quantity("158.0", unit="U/ml", system=UCUM, code="U/mL"))
    assert found.low == Bound(Number("158.0", Decimal(158)), UnitGiven("U/ml", "U/mL", UCUM))
    assert found.high == Bound(Number("623", Decimal(623)), UnitGiven("U/mL"))
    assert (found.age, found.kind, found.applies_to) == (EveryAge(), "", ())


def test_a_missing_bound_is_open_and_a_bound_may_lack_its_unit() -> None:
    found = the_range(high={"value": 623})
    assert (found.low, found.high) == (OpenEnd(), Bound(Number("623", Decimal(623)), UnitGiven()))


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ({"text": "158-623 U/mL"}, "158-623 U/mL"),
        ({"low": {"unit": "U/mL"}, "text": "up to 623"}, "up to 623"),
        ({"low": {"unit": "U/mL"}, "high": quantity(623), "text": "0-623"}, "0-623"),
    ],
)
def test_a_range_in_text_or_with_a_bound_without_number_is_its_words(
    element: JsonObject, words: str
) -> None:
    (found,) = result(referenceRange=[element]).ranges
    assert found == ReferenceRange(OpenEnd(), OpenEnd(), words=words)


@pytest.mark.parametrize(
    "element",
    [{"low": {"unit": "U/mL"}, "high": quantity(623)}, {"appliesTo": [{"text": "women"}]}],
)
def test_a_range_with_neither_numbers_nor_words_is_none(element: JsonObject) -> None:
    assert result(referenceRange=[element]).ranges == ()


def test_the_words_of_a_range_are_for_whom_they_were_sent() -> None:
    only_words = {"high": {"unit": "U/mL"}, "text": "to 900"}
    found = the_range(**only_words, type={"coding": [LOCAL]}, appliesTo=[{"text": "women"}])
    assert (found.words, found.kind) == ("to 900", "222")
    assert found.applies_to == (Coding("", "", "women"),)


def test_words_beside_numbers_are_left_aside() -> None:
    assert the_range(text="up to 623").words == ""


@pytest.mark.parametrize(
    ("bound", "where"),
    [
        ({"value": "623"}, "value"),
        ({"value": 623, "comparator": "<"}, "comparator"),
        ({"value": 623, "code": "U/mL"}, "system"),
    ],
)
def test_a_bound_that_is_no_simple_quantity_is_refused(bound: JsonObject, where: str) -> None:
    assert (
        refused(referenceRange=[{"high": bound}]) == f"Observation.referenceRange[0].high.{where}"
    )


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ({"low": quantity(18, "a", system=UCUM, code="a")}, ("216", "inf")),
        ({"high": quantity(17, "years")}, ("-inf", "216")),
        ({"high": quantity("17.0", "years")}, ("-inf", "216")),
        ({"high": quantity(20, "years")}, ("-inf", "252")),
        ({"low": quantity(3, "Years"), "high": quantity("7.9", "a")}, ("36", "96")),
        ({"high": quantity("17.99", "a")}, ("-inf", "216")),
        ({"high": quantity("17.90", "a")}, ("-inf", "216")),
        ({"high": quantity("17.05", "a")}, ("-inf", "204.72")),
        ({"high": quantity("1.5", "a")}, ("-inf", "19.2")),
        ({"high": quantity(6, "mo", system=UCUM, code="mo")}, ("-inf", "7")),
        ({"low": quantity(7, "mo"), "high": quantity(24, "months")}, ("7", "25")),
        ({"low": quantity(3, "a"), "high": quantity(3, "a")}, ("36", "48")),
        ({"low": quantity(18, "Jahre", system=UCUM, code="a")}, ("216", "inf")),
    ],
)
def test_an_age_is_read_in_months_and_lasts_until_the_next_one_begins(
    age: JsonObject, band: tuple[str, str]
) -> None:
    low, until = band
    assert the_range(age=age).age == AgeBand(Decimal(low), Decimal(until))


@pytest.mark.parametrize(
    "age",
    [
        {"high": quantity(10, "d", system=UCUM, code="d")},
        {"low": quantity(18, "months", system=UCUM, code="a")},
        {"high": quantity(17, "a", system="urn:oid:2.999", code="a")},
        {"high": quantity(17, "Jahre", system="urn:oid:2.999", code="a")},
        {"high": {"value": 17}},
        {"high": {"unit": "years"}},
        {"high": quantity(17, "a", comparator="<")},
        {"low": quantity(18, "a", comparator=">=")},
        {"low": quantity(9, "a"), "high": quantity(3, "a")},
        {"low": quantity(18, "a"), "high": quantity(17, "a")},
        {"extension": [{"url": "x:y", "valueString": "adults"}]},
    ],
)
def test_an_age_that_cannot_be_read_stays_a_condition(age: JsonObject) -> None:
    assert the_range(age=age).age == AgeBandUnreadable()


def test_an_age_without_its_system_is_refused() -> None:
    assert refused(referenceRange=[{"high": quantity(623), "age": {"high": quantity(17, "")}}])


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (concept(MEANING, "normal"), "normal"),
        (concept(MEANING, "therapeutic"), "therapeutic"),
        ({"text": "Normal"}, "unreadable"),
        ({"coding": [LOCAL, HL7_NORMAL]}, "normal"),
        ({"coding": [HL7_NORMAL, LOCAL]}, "normal"),
        ({"coding": [LOCAL]}, "222"),
        ({"coding": [HL7_NORMAL, {"system": MEANING, "code": "therapeutic"}]}, "therapeutic"),
    ],
)
def test_the_kind_is_a_code_and_words_are_never_taken_for_normal(
    sent: JsonObject, kind: str
) -> None:
    assert the_range(type=sent).kind == kind


def test_a_group_of_people_told_in_words_is_still_a_condition() -> None:
    found = the_range(appliesTo=[{"text": "pregnant women"}, concept("x:y", "female")])
    assert found.applies_to == (Coding("", "", "pregnant women"), Coding("x:y", "female"))


def test_several_ranges_stay_several_whatever_words_stand_among_them() -> None:
    words = {"text": "see report"}
    two = [words, {"high": quantity(623)}, words, {"high": quantity(838)}]
    highs = [found.high for found in result(referenceRange=two).ranges if not found.words]
    assert highs == [Bound(Number(n, Decimal(n)), UnitGiven("U/mL")) for n in ("623", "838")]
