"""Numbers of events that did not come, while somebody looks for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cds_service.store.database import Database
from cds_service.store.event_subscriptions import Heard, Subscriptions

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOON = timedelta(seconds=30)


def hear(database: Database, heard: Heard, at: datetime) -> int:
    """How many numbers are newly missing; they are looked for a little later."""
    subscriptions = Subscriptions(database)
    with database.writing() as connection:
        subscriptions.heard_in(connection, "lab", heard, at, timedelta(0))
        return subscriptions.follow_in(connection, "lab", heard, at + SOON)


def test_what_has_been_missing_since_the_numbers_began_anew_is_still_to_be_looked_for(
    database: Database,
) -> None:
    subscriptions = Subscriptions(database)
    hear(database, Heard(subscription="s1", numbers=(1,)), NOW)
    assert hear(database, Heard(subscription="s1", numbers=(4,)), NOW) == 2
    begun = NOW + SOON
    (gap,) = subscriptions.gaps(begun)
    assert (gap.first, gap.last) == (2, 3)
    hear(database, Heard(subscription="s1", begins=True), begun)
    assert hear(database, Heard(subscription="s1", numbers=(4,)), begun) == 3
    subscriptions.settle(gap)
    assert subscriptions.missing("lab") == 3
