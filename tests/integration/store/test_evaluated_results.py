"""What was kept of a result is known no longer once its record cannot be read."""

from __future__ import annotations

import pytest
from sqlalchemy import Executable, delete, text, update

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.tables import evaluations
from cds_service.store.work_item import Claimed, Kind, NeverEvaluated, Past, Target, Way
from tests.integration.store.keeping import NEW, keep_event
from tests.kept import KEY, PSEUDONYMS

pytestmark = pytest.mark.integration


@pytest.fixture
def store(database: Database) -> EventStore:
    return EventStore(database, KEY, PSEUDONYMS)


@pytest.fixture
def claimed(database: Database, store: EventStore) -> Claimed:
    """A result about which a card was delivered, notified once more."""
    keep_event(database, "p1", "result", card="9d2c1c3e-6f0c-5a4f-9b7d-000000000001")
    store.add("lab", [Target(Kind.OBSERVATION, "result")], Way.NOTIFIED, NEW)
    (claimed,) = store.claim(NEW)
    return claimed


def test_a_card_that_was_delivered_is_known_by_its_record(
    store: EventStore, claimed: Claimed
) -> None:
    last = store.evaluated.last(claimed, "sil2r")
    assert isinstance(last, Past)
    assert (last.said, last.told) == (1, True)


@pytest.mark.parametrize(
    "change",
    [delete(evaluations), update(evaluations).values(outcomes=text("'[[1]]'"))],
    ids=["gone", "by hand"],
)
def test_without_a_record_that_can_be_read_nothing_is_known(
    database: Database, store: EventStore, claimed: Claimed, change: Executable
) -> None:
    """Else each later version of the result would fail, and be set aside in the end."""
    with database.writing() as connection:
        connection.execute(change)
    assert store.evaluated.last(claimed, "sil2r") == NeverEvaluated()
