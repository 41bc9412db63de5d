"""What a worker that is told to stop, or that lost its database, had taken and not begun."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cds_service.store.database import Database
from cds_service.store.events import LEASE, EventStore
from cds_service.store.work_item import Claimed, Kind, Target, Way
from tests.kept import KEY, PSEUDONYMS

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def store(database: Database) -> EventStore:
    store = EventStore(database, KEY, PSEUDONYMS)
    store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, NOW)
    return store


def claimed(store: EventStore, at: datetime = NOW) -> Claimed:
    (one,) = store.claim(at)
    return one


def test_what_is_given_back_unbegun_was_not_tried(store: EventStore) -> None:
    """However often workers are replaced: a result keeps all its tries, and nobody asks its server
    whether an answer stands there already.
    """
    for _ in range(3):
        store.give_back(claimed(store), NOW)
    now = claimed(store)
    assert (now.attempts, now.may_have_been_delivered) == (1, False)


def test_a_try_that_was_begun_before_still_counts(store: EventStore) -> None:
    claimed(store)  # and its worker dies
    later = NOW + timedelta(seconds=1) + LEASE
    store.give_back(claimed(store, later), later)
    now = claimed(store, later)
    assert (now.attempts, now.may_have_been_delivered) == (2, True)
