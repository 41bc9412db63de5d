"""How often a subscription in trouble is tried, and when that begins anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cds_service.events.troubles import Troubles
from cds_service.store.subscription import SubscriptionState
from tests.subscriptions import subscription

BEGIN = datetime(2026, 11, 22, 6, tzinfo=UTC)
SOUND = subscription(BEGIN)
FAILED = replace(SOUND, status="error")
SILENT = replace(SOUND, heartbeat_seconds=60, last_heard=BEGIN - timedelta(hours=1))


def tried(troubles: Troubles, state: SubscriptionState, minutes: range) -> list[int]:
    """Looked at once a minute: the minutes at which it is tried."""
    return [
        each
        for each in minutes
        if troubles.next_steps(state, BEGIN + timedelta(minutes=each)).is_to_be_tried
    ]


def test_one_that_fails_again_soon_after_it_was_switched_on_goes_on_with_longer_pauses() -> None:
    troubles = Troubles()
    assert tried(troubles, FAILED, range(5)) == [0, 1, 3]
    assert tried(troubles, SOUND, range(5, 6)) == []
    assert tried(troubles, FAILED, range(6, 61)) == [7, 15, 30, 45, 60]


def test_one_that_fails_after_a_good_quarter_of_an_hour_is_tried_as_if_for_the_first_time() -> None:
    """Counted from when the next try would have been: at minute 7."""
    troubles = Troubles()
    assert tried(troubles, FAILED, range(5)) == [0, 1, 3]
    assert tried(troubles, SOUND, range(5, 24)) == []
    assert tried(troubles, FAILED, range(24, 30)) == [24, 25, 27]


def test_one_that_was_silent_and_has_answered_is_tried_at_once_when_it_is_silent_again() -> None:
    troubles = Troubles()
    assert tried(troubles, SILENT, range(5)) == [0, 1, 3]
    assert tried(troubles, SOUND, range(5, 6)) == []
    assert tried(troubles, SILENT, range(6, 11)) == [6, 7, 9]
