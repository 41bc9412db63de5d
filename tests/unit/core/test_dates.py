"""Days and ages are intervals: partial dates prove only what holds on every day they can mean."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from cds_service.core.dates import (
    AgeUnknown,
    Days,
    age_in_years,
    collection_days,
    distance,
    within_days,
)
from cds_service.core.interval import Interval
from cds_service.core.model import Moment, NoMoment
from tests.records import AT, moment, result


def days(text: str) -> Days:
    given = moment(text)
    assert isinstance(given, Moment)
    return Days(given.first_day, given.last_day)


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
    assert within_days(days(one), days(other), 7) is provable


def test_assumed_days_are_near_to_nothing_not_even_to_themselves() -> None:
    assumed = Days(date(2026, 3, 1), date(2026, 3, 1), assumed=True)
    assert not within_days(assumed, days("2026-03-01"), 7)
    assert not within_days(days("2026-03-01"), assumed, 7)


def test_distance_is_the_largest_that_is_possible() -> None:
    assert distance(days("2026-03"), days("2026-03-01")).days == 30


def test_collection_days_are_those_of_collection_then_of_issue() -> None:
    issued = moment("2026-03-05")
    assert collection_days(result(on="2026-03-01", issued=issued), AT, 90) == days("2026-03-01")
    assert collection_days(result(on="", issued=issued), AT, 90) == days("2026-03-05")


def test_a_result_without_any_date_is_assumed_to_lie_within_the_look_back_window() -> None:
    undated = result(collected=NoMoment())
    assert collection_days(undated, date(2026, 3, 2), 90) == Days(
        date(2025, 12, 2), date(2026, 3, 2), assumed=True
    )
