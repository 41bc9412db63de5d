"""Trying again: delays double and scatter, a passing fault is waited out, another one is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cds_service.events.faults import (
    LONGEST_DELAY,
    MOST_ATTEMPTS,
    PATIENCE,
    SetAside,
    TryAgain,
    after_failure,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.integers(1, 10_000))
def test_delays_grow_to_a_bound_and_never_beyond(attempts: int) -> None:
    step = after_failure(passes=True, attempts=attempts, first_received=NOW, at=NOW)
    assert isinstance(step, TryAgain)
    expected = min(timedelta(seconds=2) * 2 ** min(attempts - 1, 16), LONGEST_DELAY)
    assert expected * 0.5 <= step.due - NOW <= expected * 1.5


def test_a_server_down_for_an_hour_or_a_day_loses_nothing() -> None:
    for down in (timedelta(hours=1), timedelta(days=1), PATIENCE):
        step = after_failure(passes=True, attempts=500, first_received=NOW - down, at=NOW)
        assert isinstance(step, TryAgain)


def test_patience_with_a_passing_fault_ends_too() -> None:
    long_ago = NOW - PATIENCE - timedelta(seconds=1)
    step = after_failure(passes=True, attempts=2_000, first_received=long_ago, at=NOW)
    assert step == SetAside()


def test_what_is_old_and_gets_another_turn_is_tried_as_often_as_anything() -> None:
    long_ago = NOW - timedelta(days=90)
    steps = [
        after_failure(passes=True, attempts=attempts, first_received=long_ago, at=NOW)
        for attempts in range(1, MOST_ATTEMPTS + 1)
    ]
    assert [type(step) for step in steps] == [TryAgain] * (MOST_ATTEMPTS - 1) + [SetAside]


def test_a_fault_that_does_not_pass_is_tried_so_often_and_then_set_aside() -> None:
    steps = [
        after_failure(passes=False, attempts=attempts, first_received=NOW, at=NOW)
        for attempts in range(1, MOST_ATTEMPTS + 1)
    ]
    assert [type(step) for step in steps] == [TryAgain] * (MOST_ATTEMPTS - 1) + [SetAside]
