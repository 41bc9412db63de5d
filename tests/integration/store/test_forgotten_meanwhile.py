"""A subscription that was ended here while its server was still to say how it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cds_service.store.database import Database
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.subscription import Heard, SubscriptionState
from tests.subscriptions import subscription

pytestmark = pytest.mark.integration

ASKED = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANSWERED = ASKED + timedelta(seconds=20)

Answer = Callable[[Database, SubscriptionState], None]


def its_status(database: Database, asked_of: SubscriptionState) -> None:
    with database.writing() as connection:
        heard = Heard(subscription="s1", status="error", so_far=7)
        Subscriptions(database).heard_in(connection, "lab", heard, ANSWERED, (asked_of,))


def itself(database: Database, asked_of: SubscriptionState) -> None:
    Subscriptions(database).set_status(asked_of, "off")


@pytest.mark.parametrize("answer", [its_status, itself])
def test_one_that_was_ended_while_its_server_was_asked_does_not_come_back(
    database: Database, answer: Answer
) -> None:
    """Else it would be told as broken for ever, and nobody could find it on its server."""
    subscriptions = Subscriptions(database)
    asked_of = subscription(ASKED, heartbeat_seconds=60)
    subscriptions.expect(asked_of)
    subscriptions.forget("lab", "s1")
    answer(database, asked_of)
    assert subscriptions.of("lab") == ()
    assert subscriptions.missing("lab") == 0
