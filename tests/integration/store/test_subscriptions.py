"""Subscriptions as they are kept, one beside the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cds_service.store.database import Database
from cds_service.store.event_subscriptions import GAP_WINDOW, Subscriptions
from cds_service.store.subscription import Gap, Heard, SubscriptionState
from tests.subscriptions import subscription

pytestmark = pytest.mark.integration

MADE = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = MADE + timedelta(hours=1)
FIRST = subscription(MADE, heartbeat_seconds=60)
SECOND = replace(FIRST, subscription="s2")
ELSEWHERE = replace(FIRST, source="another")


@pytest.fixture
def subscriptions(database: Database) -> Subscriptions:
    """Two of one source, kept in the other order, and one of the same id at another source."""
    made = Subscriptions(database)
    for each in (SECOND, FIRST, ELSEWHERE):
        made.expect(each)
    return made


def all_of(subscriptions: Subscriptions) -> tuple[SubscriptionState, ...]:
    return subscriptions.of("lab") + subscriptions.of("another")


def hear(database: Database, heard: Heard, source: str = "lab", at: datetime = MADE) -> int:
    """How many numbers are newly missing."""
    with database.writing() as connection:
        return Subscriptions(database).heard_in(connection, source, heard, at)


def test_one_that_is_heard_of_before_its_server_has_answered_that_it_is_made_is_at_work(
    database: Database, subscriptions: Subscriptions
) -> None:
    """Its handshake was faster; what was asked for is known by the answer."""
    hear(database, Heard(subscription="s3", begins=True, so_far=2))
    made = replace(FIRST, subscription="s3", status="requested", last_heard=LATER)
    subscriptions.expect(made)
    (kept,) = subscriptions.named("lab", "s3")
    assert kept == replace(made, status="active", next_number=3)


def test_one_that_was_not_asked_for_here_is_known_by_what_it_says_and_the_registry(
    database: Database, subscriptions: Subscriptions
) -> None:
    """What says nothing of its topic, or comes with another heartbeat, changes neither."""
    said = Heard(
        subscription="s3", criteria="topic", heartbeat=timedelta(minutes=1), is_numbered=False
    )
    hear(database, said)
    known = replace(FIRST, subscription="s3", criteria="topic", next_number=0)
    assert subscriptions.named("lab", "s3") == (known,)
    hear(database, Heard(subscription="s3", status="error", is_numbered=False))
    assert subscriptions.named("lab", "s3") == (replace(known, status="error"),)
    hear(database, replace(said, criteria="another"))
    assert subscriptions.named("lab", "s3") == (replace(known, criteria="another"),)


def test_what_is_learnt_of_one_says_nothing_of_the_others(subscriptions: Subscriptions) -> None:
    subscriptions.set_status(FIRST, "off")
    off = replace(FIRST, status="off")
    assert all_of(subscriptions) == (off, SECOND, ELSEWHERE)
    subscriptions.request_anew(off, LATER)
    requested = replace(FIRST, status="requested", last_heard=LATER)
    assert all_of(subscriptions) == (requested, SECOND, ELSEWHERE)
    subscriptions.found_active(requested, LATER)
    assert all_of(subscriptions) == (replace(FIRST, last_heard=LATER), SECOND, ELSEWHERE)


def missing(subscriptions: Subscriptions, at: datetime = LATER) -> list[tuple[str, str, int, int]]:
    """The gaps that are due: source, subscription, first and last number."""
    gaps = subscriptions.gaps(at)
    return sorted((each.source, each.subscription, each.first, each.last) for each in gaps)


@pytest.fixture
def gap(database: Database, subscriptions: Subscriptions) -> Gap:
    """Of each of the three numbers 1 and 2 are missing; this is the gap of the first."""
    for source, id_ in (("lab", "s1"), ("lab", "s2"), ("another", "s1")):
        assert hear(database, Heard(subscription=id_, numbers=(3,)), source) == 2
    gaps = {(each.source, each.subscription): each for each in subscriptions.gaps(LATER)}
    return gaps["lab", "s1"]


OTHERS = [("another", "s1", 1, 2), ("lab", "s2", 1, 2)]


def test_a_gap_that_was_looked_for_ends_and_the_others_do_not(
    subscriptions: Subscriptions, gap: Gap
) -> None:
    assert (gap.first, gap.last, gap.missing) == (1, 2, 2)
    subscriptions.settle(gap)
    assert missing(subscriptions) == OTHERS
    assert (subscriptions.missing("lab"), subscriptions.missing("another")) == (2, 2)


def test_numbers_found_missing_while_others_were_looked_for_are_still_to_be_looked_for(
    database: Database, subscriptions: Subscriptions, gap: Gap
) -> None:
    """Also by a machine whose clock is behind, so that they seem to have been missing as long."""
    hear(database, Heard(subscription="s1", numbers=(gap.last + 3,)))
    subscriptions.settle(gap)
    beyond = ("lab", "s1", gap.last + 2, gap.last + 2)
    assert missing(subscriptions) == [*OTHERS[:1], beyond, *OTHERS[1:]]


def test_numbers_that_began_anew_while_a_gap_was_looked_for_are_not_those_of_the_gap(
    database: Database, subscriptions: Subscriptions, gap: Gap
) -> None:
    hear(database, Heard(subscription="s1", begins=True))
    hear(database, Heard(subscription="s1", numbers=(gap.last + 1,)), at=LATER)
    subscriptions.settle(gap)
    anew = ("lab", "s1", gap.first, gap.last)
    assert missing(subscriptions, LATER + GAP_WINDOW) == [*OTHERS[:1], anew, *OTHERS[1:]]


def test_a_gap_that_is_put_off_is_due_when_it_was_said_and_the_others_are_due_still(
    subscriptions: Subscriptions, gap: Gap
) -> None:
    subscriptions.put_off(gap, LATER + timedelta(minutes=1))
    assert missing(subscriptions) == OTHERS
    assert len(missing(subscriptions, LATER + timedelta(minutes=1))) == 3


def test_numbers_of_one_that_come_late_or_begin_anew_end_the_gap_of_no_other(
    database: Database, subscriptions: Subscriptions, gap: Gap
) -> None:
    hear(database, Heard(subscription="s1", numbers=(gap.first,)))
    assert missing(subscriptions) == [*OTHERS[:1], ("lab", "s1", 2, 2), *OTHERS[1:]]
    hear(database, Heard(subscription="s1", begins=True))
    assert missing(subscriptions) == OTHERS


def test_a_handshake_that_goes_on_with_the_numbers_ends_no_gap(
    database: Database, subscriptions: Subscriptions, gap: Gap
) -> None:
    hear(database, Heard(subscription="s1", begins=True, so_far=gap.last + 1))
    assert missing(subscriptions) == [*OTHERS[:1], ("lab", "s1", 1, 2), *OTHERS[1:]]


def test_one_that_was_ended_is_forgotten_with_its_gaps_and_no_other(
    subscriptions: Subscriptions, gap: Gap
) -> None:
    subscriptions.forget(gap.source, gap.subscription)
    assert [(each.source, each.subscription) for each in all_of(subscriptions)] == [
        ("lab", "s2"),
        ("another", "s1"),
    ]
    assert missing(subscriptions) == OTHERS
