"""The laboratory's own range: where a value lies in it, and how far above its limit."""

from __future__ import annotations

import pytest

from cds_service.core.elements import Bound, OpenEnd, ReferenceRange
from cds_service.core.verdict import Place, RangeReading
from tests.records import coded, number, text_only, within
from tests.unit.core.facts.ranging import PREGNANT, in_words, place, reading

WRITTEN_OUT = ReferenceRange(OpenEnd(), Bound(number("90"), text_only("points/mL")))


def as_sent(*ranges: str) -> RangeReading:
    """None applied, and these told as they were sent."""
    return RangeReading(Place.NONE, not_comparable=ranges)


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
    assert applied == RangeReading(Place.ABOVE, "20 to 90 pt/mL", "2.8", frozenset({"pt/mL"}))


def test_no_range_is_never_within() -> None:
    assert place("1 pt/mL") is Place.NONE


@pytest.mark.parametrize("kind", ["", "normal"])
def test_a_reference_interval_needs_no_type(kind: str) -> None:
    assert place("91 pt/mL", within("20", "90", kind=kind)) is Place.ABOVE


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
