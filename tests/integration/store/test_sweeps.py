"""A search for changes that ends while another process asks for one that goes back further."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.work_item import SWEEP, Claimed, Ending, Searched, Way
from tests.kept import KEY, NOON, PSEUDONYMS

pytestmark = pytest.mark.integration

WAITS_FOR_A_LOCK = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class InTheMiddle(EventStore):
    """Ends a row and then, before it notes anything, goes on only once another waits for it."""

    def __init__(self, database: Database, begun: threading.Event) -> None:
        super().__init__(database, KEY, PSEUDONYMS)
        self._begun = begun

    def _end(self, connection: Connection, claimed: Claimed, at: datetime) -> Ending:
        ending = super()._end(connection, claimed, at)
        self._begun.set()
        while connection.execute(WAITS_FOR_A_LOCK).scalar_one() == 0:
            connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        return ending


def test_neither_waits_for_the_other_for_ever_and_the_one_asked_for_is_still_to_come(
    postgresql_url: str,
) -> None:
    begun, long_ago = threading.Event(), NOON - timedelta(days=7)
    hour = Searched(NOON - timedelta(hours=1), until=NOON)
    with Database.open(postgresql_url) as database:
        database.upgrade()
        worker, caretaker = (InTheMiddle(database, begun), EventStore(database, KEY, PSEUDONYMS))
        worker.sweep_since("lab", hour.since, Way.RECOVERED, NOON)
        (claimed,) = worker.claim(NOON)
        with ThreadPoolExecutor() as threads:
            ended = threads.submit(worker.finish, claimed, NOON, searched=hour)
            assert begun.wait(10)
            asked = threads.submit(caretaker.sweep_since, "lab", long_ago, Way.RECOVERED, NOON)
            assert ended.result(10) is Ending.DONE
            asked.result(10)
        assert worker.swept_until("lab", otherwise=NOON) == long_ago
        assert [each.target for each in worker.claim(NOON)] == [SWEEP]
