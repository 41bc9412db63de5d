"""Trying again: delays double and scatter, a passing fault is waited out, another one is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.events import faults
from cds_service.events.faults import (
    LONGEST_DELAY,
    MOST_ATTEMPTS,
    PATIENCE,
    SetAside,
    TryAgain,
    after_failure,
)
from cds_service.fhir.calls.fetched import status_fault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.integers(1, 10_000))
def test_delays_grow_to_a_bound_and_never_beyond(attempts: int) -> None:
    step = after_failure(passes=True, attempts=attempts, first_received=NOW, at=NOW)
    assert isinstance(step, TryAgain)
    expected = min(timedelta(seconds=2) * 2 ** min(attempts - 1, 16), LONGEST_DELAY)
    assert expected * 0.5 <= step.due - NOW <= expected * 1.5


def test_delays_double_and_are_a_half_longer_or_shorter_at_random(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Middle:
        def uniform(self, low: float, high: float) -> float:
            assert (low, high) == (0.5, 1.5)
            return 1.0

    monkeypatch.setattr(faults, "_JITTER", Middle())
    steps = [
        after_failure(passes=True, attempts=attempts, first_received=NOW, at=NOW)
        for attempts in range(1, 11)
    ]
    seconds = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert steps == [TryAgain(NOW + timedelta(seconds=each)) for each in seconds]


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (299, "status-other"),
        (300, "redirect"),
        (399, "redirect"),
        (400, "status-4xx"),
        (404, "status-404"),
        (408, "timeout"),
        (410, "status-404"),
        (499, "status-4xx"),
        (500, "status-5xx"),
        (501, "status-501"),
        (599, "status-5xx"),
        (600, "status-other"),
    ],
)
def test_every_status_has_its_fault(status: int, fault: str) -> None:
    assert status_fault(status) == fault


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
