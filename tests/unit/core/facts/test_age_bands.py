"""Ranges for some people only: an age band applies only to an age that is proved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.core.dates import Age, AgeUnknown
from cds_service.core.elements import AgeBand, AgeBandUnreadable, ReferenceRange
from cds_service.core.interval import INFINITY, Interval
from cds_service.core.verdict import Place, RangeReading
from tests.records import within
from tests.unit.core.facts.ranging import FORTY, PREGNANT, in_words, place, reading

CHILDREN = AgeBand(Decimal(0), Decimal(18 * 12))
ADULTS = AgeBand(Decimal(18 * 12), INFINITY)


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
