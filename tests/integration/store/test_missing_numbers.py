"""Numbers of events that did not come, while somebody looks for them."""

from __future__ import annotations

from datetime import datetime

import pytest

from cds_service.store.database import Database
from cds_service.store.event_subscriptions import GAP_WINDOW, Subscriptions
from cds_service.store.subscription import Heard
from tests.kept import NOON

pytestmark = pytest.mark.integration


def hear(database: Database, heard: Heard, at: datetime) -> int:
    """How many numbers are newly missing."""
    with database.writing() as connection:
        return Subscriptions(database).heard_in(connection, "lab", heard, at)


def test_what_has_been_missing_since_the_numbers_began_anew_is_still_to_be_looked_for(
    database: Database,
) -> None:
    subscriptions = Subscriptions(database)
    hear(database, Heard(subscription="s1", numbers=(1,)), NOON)
    assert hear(database, Heard(subscription="s1", numbers=(4,)), NOON) == 2
    begun = NOON + GAP_WINDOW
    (gap,) = subscriptions.gaps(begun)
    assert (gap.first, gap.last) == (2, 3)
    hear(database, Heard(subscription="s1", begins=True), begun)
    assert hear(database, Heard(subscription="s1", numbers=(4,)), begun) == 3
    subscriptions.settle(gap)
    assert subscriptions.missing("lab") == 3
