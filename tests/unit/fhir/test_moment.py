"""Dates and times: what days they can mean, and in which order they come (T-65)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.elements import Moment, NoMoment
from cds_service.fhir.moment import instant, moment, period
from cds_service.fhir.shape import Refusal


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-04", date(2026, 4, 1), date(2026, 4, 30)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("2026-03-01T23:30:00-11:00", date(2026, 3, 1), date(2026, 3, 1)),
        ("2026-03-29T02:30:00+01:00", date(2026, 3, 29), date(2026, 3, 29)),
        ("2026-03-01T10:00:00.123456789Z", date(2026, 3, 1), date(2026, 3, 1)),
        ("2016-12-31T23:59:60Z", date(2016, 12, 31), date(2016, 12, 31)),
        ("2016-12-31T23:59:60.75+13:59", date(2016, 12, 31), date(2016, 12, 31)),
        ("0001-01-01T00:00:00+14:00", date(1, 1, 1), date(1, 1, 1)),
        ("9999-12-31T23:59:59-12:00", date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_t65_a_moment_means_the_days_as_written_in_its_own_zone(
    text: str, first: date, last: date
) -> None:
    found = moment(text, "here")
    assert (found.text, found.first_day, found.last_day) == (text, first, last)
    assert found.timed is ("T" in text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0000",
        "26",
        "20260301",
        "2026-13",
        "2026-02-29",
        "2026-3-1",
        "2026-03-01T10:00",
        "2026-03-01T10:00:00",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:00:61Z",
        "2026-03-01T10:00:00+14:01",
        "2026-03-01T10:00:00+14:30",
        "2026-03-01T10:00:00+13:60",
        "2026-03-01T10:00:00+0100",
        "2026-03-01T10:00:00.Z",
        "2026-02-29T10:00:00Z",
        "2026-03-01T10:00:00+01:60",
        "2026-03-01 10:00:00Z",
        "2026-03-01\n",
        "\uff12026",
        2026,
        None,
        ["2026"],
    ],
)
def test_t65_what_is_no_date_is_refused_with_its_place_and_without_its_text(value: object) -> None:
    with pytest.raises(Refusal) as refusal:
        moment(value, "Observation.effectiveDateTime")
    assert str(refusal.value) == "Observation.effectiveDateTime"


def test_moments_are_ordered_by_the_instant_they_mean_not_by_their_text() -> None:
    tokyo = moment("2026-03-02T01:00:00+09:00", "here")
    berlin = moment("2026-03-01T18:00:00+01:00", "here")
    assert tokyo.text > berlin.text
    assert tokyo.order < berlin.order


@given(
    st.integers(min_value=-62_000_000_000, max_value=253_000_000_000),
    st.integers(min_value=-840, max_value=840),
)
def test_the_order_of_an_instant_is_that_instant_in_utc(seconds: int, minutes: int) -> None:
    when = datetime.fromtimestamp(0, timezone(timedelta(minutes=minutes)))
    when += timedelta(seconds=seconds)
    assert moment(when.isoformat(), "here").order == when


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("2026-03-01T10:00:00.5Z", datetime(2026, 3, 1, 10, 0, 0, 500_000, UTC)),
        ("2026-03-01T10:00:00.123456789-00:30", datetime(2026, 3, 1, 10, 30, 0, 123_456, UTC)),
        ("2016-12-31T23:59:60.75Z", datetime(2016, 12, 31, 23, 59, 59, 750_000, UTC)),
        ("9999-12-31T23:59:59-12:00", datetime(9999, 12, 31, 23, 59, 59, 0, UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_the_order_is_told_to_the_microsecond_and_always_in_utc(text: str, order: datetime) -> None:
    found = moment(text, "here").order
    assert (found, found.tzinfo) == (order, UTC)


WRITTEN = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
CUT_SHORT = st.builds(lambda text, length: text[:length], WRITTEN, st.integers(4, 32))


@given(st.text(max_size=40) | CUT_SHORT)
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        found = moment(text, "here")
    except Refusal:
        return
    assert found.first_day <= found.last_day


@pytest.mark.parametrize("text", ["2026", "2026-03-01"])
def test_an_instant_is_never_partial(text: str) -> None:
    with pytest.raises(Refusal):
        instant(text, "Observation.issued")


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "first", "last", "order"),
    [
        (
            {"start": "2026-03", "end": "2026-04"},
            date(2026, 3, 1),
            date(2026, 4, 30),
            datetime(2026, 3, 1, tzinfo=UTC),
        ),
        (
            {"start": "2026-01-01T07:40:00Z", "end": "2026-01-01T07:55:00Z"},
            date(2026, 1, 1),
            date(2026, 1, 1),
            NEW_YEAR.replace(hour=7, minute=40),
        ),
        (
            {"start": "2026-01-02T00:30:00+14:00", "end": "2026-01-01T12:00:00Z"},
            date(2026, 1, 1),
            date(2026, 1, 2),
            NEW_YEAR.replace(hour=10, minute=30),
        ),
        ({"start": "2026-01-01"}, date(2026, 1, 1), date.max, NEW_YEAR),
        ({"end": "2026-01-01"}, date.min, date(2026, 1, 1), NEW_YEAR),
    ],
    ids=[
        "two months",
        "minutes of one day",
        "an hour and a half in two zones",
        "open end",
        "open start",
    ],
)
def test_a_period_reaches_from_the_first_day_of_its_start_to_the_last_day_of_its_end(
    sent: dict[str, str], first: date, last: date, order: datetime
) -> None:
    """An open end proves nothing about that side."""
    found = period(sent, "here")
    assert isinstance(found, Moment)
    assert (found.first_day, found.last_day, found.order) == (first, last, order)
    assert found.text == f"{sent.get('start', '..')}/{sent.get('end', '..')}"


def test_a_period_without_ends_is_no_moment() -> None:
    assert period({"extension": [{"url": "x"}]}, "here") == NoMoment()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-02", "2026-03-01"),
        ("2026-03-02T10:00:00Z", "2026-03-02T09:59:59Z"),
        ("2026-03-02T10:00:00Z", "2026-03-02T10:30:00+01:00"),
        ("2026-03-01T23:30:00-11:00", "2026-03-02T10:00:00Z"),
    ],
)
def test_a_period_that_ends_before_it_starts_is_refused(start: str, end: str) -> None:
    with pytest.raises(Refusal):
        period({"start": start, "end": end}, "here")


def test_a_period_may_end_when_it_starts() -> None:
    assert period({"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T11:00:00+01:00"}, "here")
