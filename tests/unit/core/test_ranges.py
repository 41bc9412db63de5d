"""The laboratory's own range: inclusive, in the result's unit family, or no range at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.core.dates import Age, AgeUnknown
from cds_service.core.elements import (
    AgeBand,
    AgeBandUnreadable,
    Bound,
    Coding,
    OpenEnd,
    ReferenceRange,
)
from cds_service.core.interval import INFINITY, Interval
from cds_service.core.quantity import UnitUnderstood, quantity
from cds_service.core.ranges import read_range
from cds_service.core.verdict import Place, RangeReading
from tests import toy
from tests.records import coded, measured, number, result, text_only, within

UNITS = toy.knowledge().units
FORTY = Interval(Decimal(40), Decimal(40))
CHILDREN = AgeBand(Decimal(0), Decimal(18 * 12))
PREGNANT = Coding("http://snomed.info/sct", "77386006")
ADULTS = AgeBand(Decimal(18 * 12), INFINITY)
WRITTEN_OUT = ReferenceRange(OpenEnd(), Bound(number("90"), text_only("points/mL")))


def reading(value: str, *ranges: ReferenceRange, age: Age = FORTY) -> RangeReading:
    given = measured(value)
    unit = UNITS.read(given.unit)
    assert isinstance(unit, UnitUnderstood)
    return read_range(result(value, ranges=ranges), quantity(given, unit), age, UNITS)


def in_words(words: str, **more: Any) -> ReferenceRange:
    return ReferenceRange(OpenEnd(), OpenEnd(), words=words, **more)


def as_sent(*ranges: str) -> RangeReading:
    """None applied, and these told as they were sent."""
    return RangeReading(Place.NONE, not_comparable=ranges)


def place(value: str, *ranges: ReferenceRange, age: Age = FORTY) -> Place:
    return reading(value, *ranges, age=age).place


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("19.9 pt/mL", Place.BELOW),
        ("20 pt/mL", Place.WITHIN),
        ("90 pt/mL", Place.WITHIN),
        ("90.1 pt/mL", Place.ABOVE),
        ("<20 pt/mL", Place.BELOW),
        ("<=20 pt/mL", Place.STRADDLES),
        ("<90 pt/mL", Place.STRADDLES),
        (">90 pt/mL", Place.ABOVE),
        (">=90 pt/mL", Place.STRADDLES),
        (">20 pt/mL", Place.STRADDLES),
        (">5 pt/mL", Place.STRADDLES),
    ],
)
def test_the_bounds_belong_to_the_range_and_an_interval_over_one_straddles(
    value: str, where: Place
) -> None:
    assert place(value, within("20", "90")) is where


@pytest.mark.parametrize(
    ("value", "given", "where"),
    [
        ("0 pt/mL", within("", "90"), Place.WITHIN),
        ("<90 pt/mL", within("", "90"), Place.WITHIN),
        ("91 pt/mL", within("", "90"), Place.ABOVE),
        ("1.1 pt/mL", within("", "1"), Place.ABOVE),
        ("19 pt/mL", within("20", ""), Place.BELOW),
        (">18 pt/mL", within("20", ""), Place.STRADDLES),
    ],
)
def test_a_range_may_be_open_on_one_side(value: str, given: ReferenceRange, where: Place) -> None:
    assert place(value, given) is where


@pytest.mark.parametrize("value", ["20 pt/mL", "90000 pt/mL", ">20 pt/mL"])
def test_a_lower_limit_alone_calls_no_value_normal(value: str) -> None:
    """How high is too high, the laboratory did not say: 90,000 is not "within" it."""
    assert reading(value, within("20", "")) == as_sent("from 20 pt/mL")


def test_beside_a_lower_limit_alone_a_range_for_some_people_is_told() -> None:
    some = within("50", "500", applies_to=(PREGNANT,))
    found = reading("250 pt/mL", within("20", ""), some)
    assert found.left == ("50 to 500 pt/mL",)


@pytest.mark.parametrize("low", ["", "0", "-5"])
@pytest.mark.parametrize("high", ["0", "-1"])
def test_an_upper_limit_of_zero_is_a_field_left_empty(low: str, high: str) -> None:
    assert reading("250 pt/mL", within(low, high)) == RangeReading(Place.NONE)


def test_a_range_of_one_number_is_a_range() -> None:
    assert place("20 pt/mL", within("20", "20")) is Place.WITHIN
    assert place("20.1 pt/mL", within("20", "20")) is Place.ABOVE


def test_a_bound_in_another_unit_of_the_family_is_converted_exactly() -> None:
    assert place("90 pt/mL", within("200", "900", "dpt/mL")) is Place.WITHIN
    assert place("0.0901 ng/mL", within("20", "90", "pg/mL")) is Place.ABOVE


def test_a_bound_without_a_unit_has_the_unit_of_the_result() -> None:
    assert place("0.1 ng/mL", within("0.02", "0.09", "")) is Place.ABOVE


@pytest.mark.parametrize(
    "unusable",
    [
        pytest.param(within("", ""), id="no bound"),
        pytest.param(within("90", "20"), id="low above high"),
        pytest.param(within("20", "90", kind="treatment"), id="a treatment target"),
        pytest.param(within("20", "90", age=CHILDREN), id="another age"),
        pytest.param(within("20", "90", "pg/mL", age=CHILDREN), id="another age and family"),
        pytest.param(in_words("20 to 90", kind="treatment"), id="a treatment target in words"),
    ],
)
def test_what_is_no_range_for_this_patient_is_not_told(unusable: ReferenceRange) -> None:
    assert reading("250 pt/mL", unusable) == RangeReading(Place.NONE)


MIXED = ReferenceRange(Bound(number("20"), coded("pg/mL")), Bound(number("90"), coded("pt/mL")))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (in_words("20 - 90 points"), "20 - 90 points"),
        (in_words("90 in pregnancy", applies_to=(PREGNANT,)), "90 in pregnancy"),
        (within("20", "90", "pg/mL"), "20 to 90 pg/mL"),
        (within("", "90", "pg/mL"), "up to 90 pg/mL"),
        (within("20", "", "mg"), "from 20 mg"),
        (within("20", "90", "pg/mL", applies_to=(PREGNANT,)), "20 to 90 pg/mL"),
        (MIXED, "20 pg/mL to 90 pt/mL"),
    ],
    ids=[
        *("words", "words for some people", "another family", "an upper limit of another family"),
        *("an unknown unit", "another family for some people", "one bound of another family"),
    ],
)
def test_a_range_that_no_value_can_be_compared_with_is_told_as_it_was_sent(
    given: ReferenceRange, told: str
) -> None:
    """A laboratory that sends "20 - 90 points" as text has not left its range out."""
    assert reading("250 pt/mL", given, given) == as_sent(told)
    applied = reading("250 pt/mL", given, within("20", "90"))
    assert applied == RangeReading(Place.ABOVE, "20 to 90 pt/mL", "2.8")


TEENS = AgeBand(Decimal(12 * 12), Decimal(18 * 12))


@pytest.mark.parametrize(
    ("ranges", "age", "left"),
    [
        ([within("20", "90", applies_to=(PREGNANT,))], FORTY, ["20 to 90 pt/mL"]),
        ([within("20", "90", age=AgeBandUnreadable())], FORTY, ["20 to 90 pt/mL"]),
        ([within("20", "90", age=ADULTS)], AgeUnknown(), ["20 to 90 pt/mL"]),
        ([within("20", "90", age=TEENS)], Interval(Decimal(17), Decimal(18)), ["20 to 90 pt/mL"]),
        ([within("20", "90"), within("20", "99")], FORTY, ["20 to 90 pt/mL", "20 to 99 pt/mL"]),
        ([within("20", "90", age=CHILDREN, applies_to=(PREGNANT,))], FORTY, []),
        ([within("20", "90", kind="treatment", applies_to=(PREGNANT,))], FORTY, []),
        ([within("20", "90", kind="unreadable")], FORTY, ["20 to 90 pt/mL"]),
        ([within("20", "90", kind="luteal")], FORTY, ["20 to 90 pt/mL"]),
        ([within("20", "90", kind="222", age=CHILDREN)], FORTY, []),
    ],
    ids=[
        *("some people", "age unreadable", "age unknown", "around a birthday", "two for everybody"),
        *("people of another age", "a treatment target"),
        *("a kind in words", "a kind of some people", "an unknown kind at another age"),
    ],
)
def test_a_range_that_may_be_for_this_patient_is_told_and_not_applied(
    ranges: list[ReferenceRange], age: Age, left: list[str]
) -> None:
    assert reading("250 pt/mL", *ranges, age=age) == RangeReading(Place.NONE, left=tuple(left))


def test_beside_a_range_for_everybody_another_for_some_people_is_told() -> None:
    everybody, some = within("20", "90"), within("50", "500", applies_to=(PREGNANT,))
    found = reading("250 pt/mL", everybody, some)
    assert (found.place, found.words) == (Place.ABOVE, "20 to 90 pt/mL")
    assert found.left == ("50 to 500 pt/mL",)
    again = within("20", "90", applies_to=(PREGNANT,))
    assert reading("250 pt/mL", everybody, again).left == ()


def test_no_range_is_never_within() -> None:
    assert place("1 pt/mL") is Place.NONE


@pytest.mark.parametrize("kind", ["", "normal"])
def test_a_reference_interval_needs_no_type(kind: str) -> None:
    assert place("91 pt/mL", within("20", "90", kind=kind)) is Place.ABOVE


@pytest.mark.parametrize(
    ("years", "where"),
    [(0, Place.WITHIN), (17, Place.WITHIN), (18, Place.ABOVE), (40, Place.ABOVE)],
)
def test_an_age_band_applies_to_its_ages_the_first_and_the_last_included(
    years: int, where: Place
) -> None:
    bands = (within("50", "500", age=CHILDREN), within("20", "90", age=ADULTS))
    assert place("91 pt/mL", *bands, age=Interval(Decimal(years), Decimal(years))) is where


@pytest.mark.parametrize(
    ("until", "years", "where"),
    [
        pytest.param(7, 0, Place.NONE, id="to 6 months, and eight months is 0 years too"),
        pytest.param(12, 0, Place.WITHIN, id="to 11 months"),
        pytest.param(25, 1, Place.WITHIN, id="to 24 months, before the second birthday"),
        pytest.param(25, 2, Place.NONE, id="to 24 months, perhaps just before the third one"),
        pytest.param(36, 2, Place.WITHIN, id="to 2 years, perhaps just before the third one"),
    ],
)
def test_a_band_that_ends_within_a_year_of_age_is_for_nobody_who_may_be_past_it(
    until: int, years: int, where: Place
) -> None:
    infants = within("50", "500", age=AgeBand(Decimal(0), Decimal(until)))
    assert place("91 pt/mL", infants, age=Interval(Decimal(years), Decimal(years))) is where


@pytest.mark.parametrize("age", [AgeUnknown(), Interval(Decimal(17), Decimal(18))])
def test_an_age_band_applies_to_no_age_that_is_not_proved(age: Age) -> None:
    bands = (within("50", "500", age=CHILDREN), within("20", "90", age=ADULTS))
    assert place("91 pt/mL", *bands, age=age) is Place.NONE


EVERYBODY = within("20", "90")


@pytest.mark.parametrize("age", [AgeUnknown(), Interval(Decimal(17), Decimal(18))])
def test_beside_a_band_that_may_apply_a_range_for_everybody_cannot_be_told_apart(age: Age) -> None:
    """As where the age is known and lies in the band: knowing less never says more."""
    band = within("50", "500", age=CHILDREN)
    assert place("91 pt/mL", EVERYBODY, band, age=age) is Place.NONE
    assert place("91 pt/mL", EVERYBODY, band, age=Interval(Decimal(17), Decimal(17))) is Place.NONE


def test_a_band_that_says_the_same_takes_nothing_from_a_range_for_everybody() -> None:
    band = within("20", "90", age=CHILDREN)
    assert place("91 pt/mL", EVERYBODY, band, age=AgeUnknown()) is Place.ABOVE


@pytest.mark.parametrize("years", [18, 40])
def test_beside_a_band_for_another_age_a_range_for_everybody_applies(years: int) -> None:
    band = within("50", "500", age=CHILDREN)
    age = Interval(Decimal(years), Decimal(years))
    assert place("91 pt/mL", EVERYBODY, band, age=age) is Place.ABOVE


def test_in_the_first_year_of_life_a_band_from_half_a_year_may_apply() -> None:
    """Ages are completed years: an infant of eight months has completed none."""
    band = within("50", "500", age=AgeBand(Decimal(6), Decimal(36)))
    infant = Interval(Decimal(0), Decimal(0))
    assert place("91 pt/mL", EVERYBODY, band, age=infant) is Place.NONE


def test_several_ranges_that_cannot_be_told_apart_are_none() -> None:
    assert place("91 pt/mL", within("20", "90"), within("20", "100")) is Place.NONE


def test_a_range_in_words_alone_hides_no_range_in_numbers() -> None:
    assert place("91 pt/mL", within("", ""), within("20", "90")) is Place.ABOVE


def test_the_same_range_twice_is_one() -> None:
    assert place("91 pt/mL", within("20", "90"), within("200", "900", "dpt/mL")) is Place.ABOVE


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (within("20", "90.0"), "20 to 90.0 pt/mL"),
        (within("", "90"), "up to 90 pt/mL"),
        (within("60", ""), "from 60 pt/mL"),
        (within("20", "90", ""), "20 to 90 pt/mL"),
        (WRITTEN_OUT, "up to 90 points/mL"),
    ],
)
def test_the_range_is_told_as_the_laboratory_gave_it(given: ReferenceRange, words: str) -> None:
    assert reading("50 pt/mL", given).words == words


@pytest.mark.parametrize(
    ("value", "multiple"),
    [
        ("225 pt/mL", "2.5"),
        ("94.4 pt/mL", "1.05"),
        ("94.5 pt/mL", "1.1"),
        ("91 pt/mL", "1.01"),
        ("90.1 pt/mL", "just over 1"),
        (">225 pt/mL", "at least 2.5"),
        ("1500 pt/mL", "16.7"),
        ("9000 pt/mL", "100.0"),
        ("9e30 pt/mL", "100000000000000000000000000000.0"),
        ("50 pt/mL", ""),
    ],
)
def test_the_multiple_of_the_upper_limit_is_told_only_above_it(value: str, multiple: str) -> None:
    assert reading(value, within("20", "90")).multiple == multiple


@pytest.mark.parametrize(
    ("value", "multiple"),
    [
        (">90 pt/mL", "more than 1"),
        (">90.1 pt/mL", "more than 1"),
        (">=90.1 pt/mL", "more than 1"),
        (">=94.4 pt/mL", "at least 1.04"),
        (">98 pt/mL", "at least 1.08"),
        (">=99 pt/mL", "at least 1.1"),
        (">=104 pt/mL", "at least 1.1"),
        (">1500 pt/mL", "at least 16.6"),
    ],
)
def test_of_a_value_without_an_upper_end_no_more_is_told_than_it_proves(
    value: str, multiple: str
) -> None:
    """`>90.1` against 90 may be any number of times: never "just over 1", and never rounded up."""
    assert reading(value, within("20", "90")).multiple == multiple
