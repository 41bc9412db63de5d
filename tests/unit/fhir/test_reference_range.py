"""Observation.referenceRange: read as sent, never made wider than it was sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.core.card import JsonObject
from cds_service.core.model import (
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
from tests.unit.fhir.given import UCUM, concept, quantity, refused, result

MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"


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
    "element",
    [
        {"text": "158-623 U/mL"},
        {"low": {"unit": "U/mL"}, "text": "up to 623"},
        {"low": {"unit": "U/mL"}, "high": quantity(623)},
    ],
)
def test_a_range_in_text_or_with_a_bound_without_number_is_no_range(element: JsonObject) -> None:
    assert result(referenceRange=[element]).ranges == ()


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
        ({"low": quantity(18, "a", system=UCUM, code="a")}, AgeBand(Decimal(18), Decimal("inf"))),
        ({"high": quantity(17, "years")}, AgeBand(Decimal("-inf"), Decimal(17))),
        (
            {"low": quantity(3, "Years"), "high": quantity("7.9", "a")},
            AgeBand(Decimal(3), Decimal("7.9")),
        ),
        (
            {"high": quantity(6, "mo", system=UCUM, code="mo")},
            AgeBand(Decimal("-inf"), Decimal("0.5")),
        ),
        ({"high": quantity(7, "mo", system=UCUM, code="mo")}, AgeBandUnreadable()),
        ({"high": quantity(10, "d", system=UCUM, code="d")}, AgeBandUnreadable()),
        ({"low": quantity(18, "months", system=UCUM, code="a")}, AgeBandUnreadable()),
        (
            {"low": quantity(18, "Jahre", system=UCUM, code="a")},
            AgeBand(Decimal(18), Decimal("inf")),
        ),
        ({"high": quantity(17, "a", system="urn:oid:2.999", code="a")}, AgeBandUnreadable()),
        ({"high": quantity(17, "")}, None),
        ({"high": {"value": 17}}, AgeBandUnreadable()),
        ({"high": {"unit": "years"}}, AgeBandUnreadable()),
        ({"low": quantity(9, "a"), "high": quantity(3, "a")}, AgeBandUnreadable()),
        ({"extension": [{"url": "x:y", "valueString": "adults"}]}, AgeBandUnreadable()),
    ],
)
def test_an_age_is_read_in_years_or_is_unreadable(age: JsonObject, band: object) -> None:
    if band is None:
        assert refused(referenceRange=[{"high": quantity(623), "age": age}]) != ""
    else:
        assert the_range(age=age).age == band


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (concept(MEANING, "normal"), "normal"),
        (concept(MEANING, "therapeutic"), "therapeutic"),
        ({"text": "Normal"}, "unreadable"),
    ],
)
def test_the_kind_is_a_code_and_words_are_never_taken_for_normal(
    sent: JsonObject, kind: str
) -> None:
    assert the_range(type=sent).kind == kind


def test_a_group_of_people_told_in_words_is_still_a_condition() -> None:
    found = the_range(appliesTo=[{"text": "pregnant women"}, concept("x:y", "female")])
    assert found.applies_to == (Coding("", "", "pregnant women"), Coding("x:y", "female"))


def test_several_ranges_stay_several() -> None:
    two = [{"high": quantity(623)}, {"high": quantity(838)}, {"text": "see report"}]
    assert len(result(referenceRange=two).ranges) == 2
