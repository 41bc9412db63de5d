"""What a server answers late, about a subscription that has spoken for itself meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cds_service.store.database import Database
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.subscription import Heard, SubscriptionState
from tests.subscriptions import subscription

pytestmark = pytest.mark.integration

MADE = datetime(2026, 11, 21, 12, tzinfo=UTC)
ASKED = MADE + timedelta(minutes=20)
SPOKE = ASKED + timedelta(seconds=10)
ANSWERED = ASKED + timedelta(seconds=25)

Answered = Callable[[Database, SubscriptionState], None]


def known(database: Database, status: str = "active") -> SubscriptionState:
    """The subscription as it stands when its server is asked about it."""
    state = subscription(MADE, status=status)
    Subscriptions(database).expect(state)
    return state


def hear(database: Database, heard: Heard, at: datetime, *asked_of: SubscriptionState) -> int:
    """How many numbers are newly missing."""
    with database.writing() as connection:
        return Subscriptions(database).heard_in(connection, "lab", heard, at, asked_of)


def stands(database: Database) -> tuple[str, datetime]:
    (state,) = Subscriptions(database).named("lab", "s1")
    return state.status, state.last_heard


def is_read_as_active(database: Database, asked_of: SubscriptionState) -> None:
    Subscriptions(database).found_active(asked_of, ANSWERED)


def says_that_it_is_active(database: Database, asked_of: SubscriptionState) -> None:
    hear(database, Heard(subscription="s1"), ANSWERED, asked_of)


@pytest.mark.parametrize("answer", [is_read_as_active, says_that_it_is_active])
def test_an_answer_in_time_is_a_sign_of_life(database: Database, answer: Answered) -> None:
    answer(database, known(database, "requested"))
    assert stands(database) == ("active", ANSWERED)


@pytest.mark.parametrize("before", ["active", "error"])
@pytest.mark.parametrize("answer", [is_read_as_active, says_that_it_is_active])
def test_a_failure_told_meanwhile_is_newer_than_the_answer_that_it_works(
    database: Database, answer: Answered, before: str
) -> None:
    """Also where it had failed before: that it works was true between the two failures."""
    asked_of = known(database, before)
    hear(database, Heard(subscription="s1", status="error"), SPOKE)
    answer(database, asked_of)
    assert stands(database) == ("error", SPOKE)


@pytest.mark.parametrize("answer", [is_read_as_active, says_that_it_is_active])
def test_what_another_process_read_meanwhile_is_newer_too(
    database: Database, answer: Answered
) -> None:
    asked_of = known(database)
    Subscriptions(database).set_status(asked_of, "off")
    answer(database, asked_of)
    assert stands(database) == ("off", MADE)


def test_the_clock_of_the_machine_that_heard_of_it_may_be_slow(database: Database) -> None:
    asked_of = known(database)
    slow = ASKED - timedelta(minutes=1)
    hear(database, Heard(subscription="s1", status="error"), slow)
    is_read_as_active(database, asked_of)
    assert stands(database) == ("error", slow)


def test_one_that_spoke_meanwhile_is_not_off_because_it_was_so_when_it_was_asked_about(
    database: Database,
) -> None:
    asked_of = known(database)
    hear(database, Heard(subscription="s1"), SPOKE)
    Subscriptions(database).set_status(asked_of, "off")
    assert stands(database) == ("active", SPOKE)


def test_one_that_is_switched_on_before_it_is_answered_that_it_will_be_is_not_waited_for(
    database: Database,
) -> None:
    asked_of = known(database, "off")
    hear(database, Heard(subscription="s1", begins=True), SPOKE)
    Subscriptions(database).request_anew(asked_of, ANSWERED)
    assert stands(database) == ("active", SPOKE)


def test_numbers_of_before_they_began_anew_are_not_missed(database: Database) -> None:
    asked_of = known(database)
    hear(database, Heard(subscription="s1", begins=True), SPOKE)
    assert hear(database, Heard(subscription="s1", so_far=50), ANSWERED, asked_of) == 0
    assert Subscriptions(database).missing("lab") == 0
