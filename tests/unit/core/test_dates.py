"""Days and ages are intervals: partial dates prove only what holds on every day they can mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from cds_service.core.dates import (
    Age,
    AgeUnknown,
    Days,
    age_in_years,
    collection_days,
    day_of,
    furthest_apart,
    readable,
    when_taken,
    whole_day,
    wholly_before,
    within_days,
    younger_than,
)
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.interval import Comparison, Interval
from cds_service.core.model import LabResult
from tests.records import AT, moment, result


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-01T09:30:00Z", "2026-03-01"),
        ("2026-03", "2026-03"),
        ("2026-03-01T09:30:00Z/2026-03-02", "2026-03-01"),
        ("2026-02/2026-03", "2026-02"),
        ("2026-03-01/..", "2026-03-01"),
        ("../2026-03-01T09:30:00Z", "until 2026-03-01"),
        ("", ""),
    ],
)
def test_the_day_of_a_date_is_never_part_of_another(written: str, day: str) -> None:
    assert day_of(written) == day


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-01T09:30:00Z", "2026-03-01 09:30 UTC"),
        ("2026-03-01T09:30:00+01:00", "2026-03-01 09:30 UTC+01:00"),
        ("2026-03-01T09:30:00.000-03:30", "2026-03-01 09:30 UTC-03:30"),
        ("2026-03-01T09:30:05Z", "2026-03-01 09:30:05 UTC"),
        ("2026-03-01T00:00:00.050Z", "2026-03-01 00:00:00.050 UTC"),
        ("2026-03-01T09:30:00Z/2026-03-02", "2026-03-01 09:30 UTC to 2026-03-02"),
        ("2026-03-01/2026-03-02", "2026-03-01 to 2026-03-02"),
        ("2026-03-01T09:30:00Z/..", "from 2026-03-01 09:30 UTC"),
        ("../2026-03-01", "until 2026-03-01"),
        ("2026/..", "from 2026"),
        ("2026-03", "2026-03"),
        ("", ""),
    ],
)
def test_a_date_for_people_says_all_that_was_sent(written: str, read: str) -> None:
    assert readable(written) == read


def days(text: str) -> Days:
    given = moment(text)
    assert isinstance(given, Moment)
    return Days(given.first_day, given.last_day, given)


def drawn(given: LabResult) -> Days:
    """When the specimen of a result can have been taken, seen on 2 March 2026."""
    return collection_days(when_taken(given, AT), AT, 90)


def years(low: int, high: int | None = None) -> Interval:
    return Interval(Decimal(low), Decimal(low if high is None else high))


@pytest.mark.parametrize(
    ("birth", "collected", "age"),
    [
        pytest.param("2008-03-01", "2026-03-01", years(18), id="on the birthday"),
        pytest.param("2008-03-02", "2026-03-01", years(17), id="the day before"),
        pytest.param("2008-03", "2026-03-01", years(17, 18), id="a birth month around it"),
        pytest.param("2008-02", "2026-03-01", years(18), id="a birth month before it"),
        pytest.param("2008", "2026-03-01", years(17, 18), id="a bare year proves nothing at 18"),
        pytest.param("2007", "2026-03-01", years(18, 19), id="a bare year may prove 18"),
        pytest.param("2008", "2026", years(17, 18), id="two bare years"),
        pytest.param("2008-02-29", "2026-02-28", years(17), id="leap day: not yet on 28 February"),
        pytest.param("2008-02-29", "2026-03-01", years(18), id="leap day: on 1 March"),
        pytest.param("2008-02-29", "2028-02-29", years(20), id="leap day in a leap year"),
        pytest.param("2026-03-01", "2026-03-01", years(0), id="born on the day"),
    ],
)
def test_t65_age_is_what_birth_and_collection_prove(
    birth: str, collected: str, age: Interval
) -> None:
    assert age_in_years(moment(birth), days(collected)) == age


@pytest.mark.parametrize(
    ("birth", "drawn_at", "age", "younger"),
    [
        ("2026-03-02", "2026-03-01T19:30:00Z", years(0), Comparison.YES),
        ("2026-03-02", "2026-03-02T08:30:00+13:00", years(0), Comparison.YES),
        ("2026-03-03", "2026-03-01T19:30:00Z", AgeUnknown(), Comparison.CANNOT_TELL),
        ("2026-03-02", "2026-03-01", AgeUnknown(), Comparison.CANNOT_TELL),
        ("2026-02-02", "2026-03-01T23:59:00Z", years(0), Comparison.YES),
        ("2026-02-01", "2026-03-01T00:00:00Z", years(0), Comparison.NO),
    ],
)
def test_t65_a_newborn_has_an_age_though_the_time_of_the_sample_is_of_another_zone(
    birth: str, drawn_at: str, age: Age, younger: Comparison
) -> None:
    """At half past eight in Auckland it is the day before in UTC."""
    assert age_in_years(moment(birth), days(drawn_at)) == age
    assert younger_than(28, moment(birth), days(drawn_at)) is younger


@pytest.mark.parametrize("birth", ["", "2026-03-02", "2026"])
def test_t65_no_birth_date_or_one_that_may_lie_after_collection_proves_no_age(birth: str) -> None:
    assert age_in_years(moment(birth), days("2026-03-01")) == AgeUnknown()


@pytest.mark.parametrize(
    ("one", "other", "provable"),
    [
        ("2026-03-01", "2026-03-08", True),
        ("2026-03-08", "2026-03-01", True),
        ("2026-03-01", "2026-03-09", False),
        ("2026-03-01", "2026-03", False),
        ("2026-02", "2026-02", False),
        ("2026-02-28", "2026-03-01", True),
    ],
)
def test_t65_within_seven_days_only_where_every_day_they_can_mean_is(
    one: str, other: str, *, provable: bool
) -> None:
    assert within_days(moment(one), moment(other), 7) is provable


def test_what_has_no_date_is_near_to_nothing_not_even_to_itself() -> None:
    assert not within_days(NoMoment(), moment("2026-03-01"), 7)
    assert not within_days(moment("2026-03-01"), NoMoment(), 7)
    assert not within_days(NoMoment(), NoMoment(), 7)


@pytest.mark.parametrize(
    ("one", "other", "hours"),
    [
        ("2026-03-01T08:00:00Z", "2026-03-01T12:00:00Z", 4),
        ("2026-03-01T12:00:00Z", "2026-03-01T09:00:00+01:00", 4),
        ("2026-03-01", "2026-03-01T08:00:00Z", 24),
        ("2026-03-01", "2026-03-02", 48),
        ("2026-03", "2026-03-01", 31 * 24),
    ],
)
def test_distance_is_the_largest_that_is_possible(one: str, other: str, hours: int) -> None:
    for pair in ((one, other), (other, one)):
        assert furthest_apart(*map(moment, pair)) == timedelta(hours=hours)


def test_nothing_is_further_away_than_an_unknown_date() -> None:
    assert furthest_apart(moment(""), moment("2026-03-01")) > timedelta(days=365_000)


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("2026-03-01", "2026-03-02", True),
        ("2026-03-01", "2026-03-01", False),
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:01Z", True),
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z", False),
        ("2026-03-01T23:00:00-05:00", "2026-03-02T01:00:00+01:00", False),
        ("2026-03-02T01:00:00+01:00", "2026-03-01T23:00:00-05:00", True),
        ("2026-03-01", "2026-03-01T23:00:00Z", False),
        ("2026-03-01T08:00:00Z", "2026-03-01", False),
        ("2026-03-01", "2026-03-02T08:00:00Z", True),
        ("2026-02", "2026-03-01", True),
        ("2026-03", "2026-03-20", False),
        ("2026", "2026-03-20", False),
        ("2025", "2026-01-01", True),
        ("", "2026-03-01", False),
        ("2026-03-01", "", False),
    ],
)
def test_one_is_before_the_other_only_where_it_is_whatever_their_exact_times(
    one: str, other: str, *, before: bool
) -> None:
    assert wholly_before(moment(one), moment(other)) is before
    assert not wholly_before(moment(other), moment(one)) or not before


@pytest.mark.parametrize(
    ("on", "possible"),
    [
        ("2026-03-02", True),
        ("2026-03-03", True),
        ("2026-03-04", False),
        ("2026-03", True),
        ("2026", True),
        ("2026-04", False),
        ("2027", False),
    ],
)
def test_a_date_more_than_a_day_ahead_is_no_date(on: str, *, possible: bool) -> None:
    """A day is left for time zones; today is 2 March 2026."""
    given = result(on=on, issued=moment("2026-03-01"))
    named = moment(on)
    assert isinstance(named, Moment)
    last = min(named.last_day, date(2026, 3, 3))
    assert (when_taken(given, AT) == replace(named, last_day=last)) is possible
    assert (drawn(given) == Days(named.first_day, last)) is possible


def test_of_a_period_without_an_end_what_lies_ahead_does_not_count() -> None:
    """Else a child of five is 5 to 7978 years old, and nothing is known to be near its sample."""
    began = moment("2026-02-27")
    assert isinstance(began, Moment)
    taken = when_taken(result(collected=replace(began, last_day=date.max)), AT)
    on = collection_days(taken, AT, 90)
    assert on == Days(date(2026, 2, 27), date(2026, 3, 3))
    assert age_in_years(moment("2021-01-01"), on) == years(5)
    assert within_days(taken, moment("2026-03-02"), 7)


def test_a_whole_day_has_no_time() -> None:
    assert whole_day(date(2026, 3, 1)) == moment("2026-03-01")


def test_collection_days_are_those_of_collection_then_of_issue() -> None:
    issued = moment("2026-03-02")
    assert drawn(result(on="2026-03-01", issued=issued)) == days("2026-03-01")
    assert drawn(result(on="", issued=issued)) == days("2026-03-02")


def test_a_result_without_any_date_is_assumed_to_lie_within_the_look_back_window() -> None:
    undated = result(collected=NoMoment())
    window = Days(date(2025, 12, 2), date(2026, 3, 2))
    assert drawn(undated) == window
