"""What is too old goes, what is not stays, and a purge that was stopped goes on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, event, select, update

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.records import Records
from cds_service.store.retention import AGE, Key, Removed, Retention
from cds_service.store.tables import cards, feedback, metadata
from cds_service.store.work_item import Kind, Target, Way
from tests.integration.store.keeping import (
    NEW,
    OF_ONE_CARD,
    OLD,
    counts,
    erase,
    keep,
    keep_event,
    retention,
    times,
)
from tests.kept import CLIENT, KEY, PSEUDONYMS, pseudonym

pytestmark = pytest.mark.integration
BETWEEN = datetime(2020, 11, 21, tzinfo=UTC)


def test_what_is_older_goes_and_what_is_younger_stays(database: Database) -> None:
    for number in range(10):
        keep(database, f"p{number % 3}", number, OLD if number % 2 else NEW)
    keep_event(database, "p1", "old", at=OLD)
    keep_event(database, "p1", "new", at=NEW)
    old = times(5) | {"evaluations": 6, "event_evaluations": 1}
    assert retention(database).count_older(BETWEEN) == old
    removed = list(retention(database).purge(BETWEEN))
    assert sum(lot.rows for lot in removed) == sum(old.values())
    assert max(lot.rows for lot in removed) == 3
    assert retention(database).count_older(BETWEEN) == dict.fromkeys(old, 0)
    assert counts(database) == old


def test_feedback_that_came_later_goes_with_its_card(database: Database) -> None:
    """Left alone, nothing would say whose it is, and no erasure could find it."""
    keep(database, "p-1", 1, OLD)
    with database.writing() as connection:
        connection.execute(update(feedback).values(received=NEW))
    keep(database, "p-2", 2, NEW)
    assert retention(database).count_older(BETWEEN)["feedback"] == 1
    list(retention(database).purge(BETWEEN))
    with database.reading() as connection:
        (left,) = connection.execute(select(feedback.c.card)).all()
        assert left.card.endswith("2")


def test_what_is_exactly_as_old_stays(database: Database) -> None:
    keep(database, "p", 1, BETWEEN)
    assert list(retention(database).purge(BETWEEN)) == []
    a_second_later = BETWEEN + timedelta(seconds=1)
    assert [lot.rows for lot in retention(database).purge(a_second_later)] == [1] * 4


def test_counting_deletes_nothing(database: Database) -> None:
    keep(database, "p", 1, OLD)
    retention(database).count_older(BETWEEN)
    assert counts(database) == OF_ONE_CARD


def test_a_purge_that_was_stopped_goes_on_where_it_was(database: Database) -> None:
    for number in range(7):
        keep(database, "p", number, OLD)
    first = list(islice(retention(database).purge(BETWEEN), 2))
    assert [lot.rows for lot in first] == [3, 3]
    assert sum(counts(database).values()) == 4 * 7 - 6
    list(retention(database).purge(BETWEEN))
    assert counts(database) == {}


def test_after_each_lot_the_writer_is_given_up_for_a_while(database: Database) -> None:
    for number in range(4):
        keep(database, "p", number, OLD)
    rests: list[float] = []
    lots = list(Retention(database, lot=2, rest=rests.append).purge(BETWEEN))
    assert len(rests) == len(lots) == 2 * len(OF_ONE_CARD)
    assert min(rests) > 0


def test_a_record_can_be_read_though_a_purge_was_stopped_once_its_cards_had_gone(
    database: Database,
) -> None:
    keep(database, "p", 1, OLD)
    assert [lot.table for lot in islice(retention(database).purge(BETWEEN), 2)] == [
        "feedback",
        "cards",
    ]
    (record,) = Records(database, PSEUDONYMS).find("evaluation-1", CLIENT)
    assert (record.at, record.cards) == (OLD, ())


class Overtaken(Retention):
    """Between looking for old cards and deleting them, every card is sent once more."""

    def _keys(self, asked: Select[Any]) -> list[Key]:
        keys = super()._keys(asked)
        if cards in asked.get_final_froms():
            with self._database.writing() as connection:
                connection.execute(update(cards).values(last_sent=NEW))
        return keys


def test_a_card_that_is_sent_again_meanwhile_stays(database: Database) -> None:
    keep(database, "p", 1, OLD)
    overtaken = Overtaken(database, rest=lambda _seconds: None)
    assert Removed("cards", 0) in list(overtaken.purge(BETWEEN))
    assert counts(database) == {"cards": 1}


def test_work_that_waits_or_was_set_aside_is_never_too_old(database: Database) -> None:
    store = EventStore(database, KEY, PSEUDONYMS)
    targets = [Target(Kind.OBSERVATION, each) for each in ("waits", "set-aside")]
    store.add("lab", targets, Way.NOTIFIED, OLD)
    store.set_aside(store.claim(OLD)[0], "read: status-403")
    list(retention(database).purge(BETWEEN))
    assert counts(database) == {"event_work": 2}


def test_every_table_with_a_moment_of_its_own_is_purged_or_left_for_a_reason() -> None:
    left = {
        "tokens_seen",  # goes by itself
        "event_work",  # goes when it is done
        "event_subscriptions",
        "event_gaps",
        "event_sweeps",
    }
    assert {table.name for table in AGE} | left == set(metadata.tables)


def test_the_service_writes_on_while_old_rows_are_deleted(database: Database) -> None:
    for number in range(12):
        keep(database, "p", number, OLD)
    written: list[int] = []

    def write() -> None:
        for number in range(100, 112):
            keep(database, "p", number, NEW)
            written.append(number)

    service = threading.Thread(target=write)
    service.start()
    list(retention(database, lot=1).purge(BETWEEN))
    service.join(60)
    assert len(written) == 12
    list(retention(database).purge(BETWEEN))
    assert counts(database) == times(12)


@pytest.fixture
def sqlite_as_it_comes() -> Iterator[None]:
    """SQLite leaves what was deleted in the file, unless it was built otherwise, as Debian's is."""

    def forget_nothing(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA secure_delete = OFF")

    event.listen(Engine, "connect", forget_nothing)
    yield
    event.remove(Engine, "connect", forget_nothing)


@pytest.mark.usefixtures("sqlite_as_it_comes")
def test_on_sqlite_what_was_deleted_is_in_no_file_although_the_service_runs_on(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/cds.sqlite3"
    with Database.open(url) as service, Database.open(url) as command:
        service.upgrade()
        keep(service, "p1", 1)
        keep(service, "p2", 2, OLD)
        assert _is_in_a_file(tmp_path, "p1")
        assert _is_in_a_file(tmp_path, "p2")
        erase(command, "p1")
        assert not _is_in_a_file(tmp_path, "p1")
        list(retention(command).purge(BETWEEN))
        assert not _is_in_a_file(tmp_path, "p2")
        keep(service, "p3", 3)
        assert counts(service) == OF_ONE_CARD


def _is_in_a_file(folder: Path, patient: str) -> bool:
    name = pseudonym(patient).encode()
    return any(name in file.read_bytes() for file in folder.iterdir())
