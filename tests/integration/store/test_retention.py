"""Deleting by age and by patient: all of it, nothing else, in small lots, and safe to stop."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, event, func, select, update

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.records import Door, Records
from cds_service.store.retention import AGE, Belongings, Key, Removed, Retention
from cds_service.store.tables import cards, event_work, feedback, metadata
from cds_service.store.work_item import Evaluated, Kind, Target, Way, client_name
from tests.kept import CLIENT, KEY, PSEUDONYMS, evaluation, keep_card, pseudonym

pytestmark = pytest.mark.integration

OLD, NEW = datetime(2019, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
BETWEEN = datetime(2020, 11, 21, tzinfo=UTC)
OF_ONE_CARD = {"evaluations": 1, "cards": 1, "carded_results": 1, "feedback": 1}


def retention(database: Database, lot: int = 3) -> Retention:
    return Retention(database, lot=lot, rest=lambda _seconds: None)


def keep(
    database: Database, patient: str, card: int, at: datetime = NEW, client: str = CLIENT
) -> None:
    """One record of a patient, with a card, a result, and feedback on the card."""
    uuid = f"9d2c1c3e-6f0c-5a4f-9b7d-{card:012d}"
    keep_card(database, patient, uuid, at, client=client, id_=f"evaluation-{card}")
    with database.writing() as connection:  # received when it was said
        connection.execute(update(feedback).where(feedback.c.card == uuid).values(received=at))


def keep_event(database: Database, patient: str, result: str, *, at: datetime = NEW) -> None:
    """One result that was notified and evaluated."""
    store = EventStore(database, KEY, PSEUDONYMS)
    store.add("lab", [Target(Kind.OBSERVATION, result)], Way.NOTIFIED, at)
    (claimed,) = store.claim(at)
    client = client_name("lab")
    whose = pseudonym(patient, client) if patient else ""
    made: dict[str, Any] = {"at": at, "door": Door.EVENT, "client": client, "patient": whose}
    made |= {"knowledge": "sil2r@2026.1", "outcomes": ("interpreted",)}
    record = evaluation(f"evaluation-of-{result}-{patient}", **made)
    version = f"1 for {patient}" if patient else "deleted after 1"
    store.finish(claimed, at, evaluated=[Evaluated(version, "", record)])


def counts(database: Database) -> dict[str, int]:
    """Rows of every table that has any."""
    with database.reading() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in rows.items() if count}


def times(factor: int, of_one: Mapping[str, int] = OF_ONE_CARD) -> dict[str, int]:
    return {name: count * factor for name, count in of_one.items()}


# ------------------------------------------------------------------ by age


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
    """Between looking for old rows and deleting them, every card is sent once more."""

    def _keys(self, asked: Select[Any]) -> list[Key]:
        keys = super()._keys(asked)
        with self._database.writing() as connection:
            connection.execute(update(cards).values(last_sent=NEW))
        return keys


def test_a_card_that_is_sent_again_meanwhile_stays(database: Database) -> None:
    keep(database, "p", 1, OLD)
    overtaken = Overtaken(database, rest=lambda _seconds: None)
    removed = [
        overtaken._delete(cards, keys, AGE[cards](BETWEEN))
        for keys in overtaken._keys_of(cards, AGE[cards](BETWEEN))
    ]
    assert removed == [Removed("cards", 0)]
    assert counts(database)["cards"] == 1


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


# ------------------------------------------------------------------ by patient


def erase(database: Database, patient: str, client: str = CLIENT) -> Belongings:
    found = retention(database).belongings(client, pseudonym(patient, client))
    removed = list(retention(database).erase(found))
    assert sum(lot.rows for lot in removed) == sum(found.counts().values())
    return found


def test_all_of_one_patient_goes_and_the_next_patient_stays(database: Database) -> None:
    for number in range(5):
        keep(database, "p1", number)
        keep(database, "p2", 100 + number)
    found = erase(database, "p1")
    assert found.counts() == times(5)
    assert counts(database) == times(5)
    assert erase(database, "p1").counts() == times(0)
    erase(database, "p2")
    assert counts(database) == {}


def test_a_card_that_was_sent_five_times_is_one_card(database: Database) -> None:
    for _ in range(5):
        keep(database, "p1", 1)
    assert erase(database, "p1").counts() == OF_ONE_CARD | {"evaluations": 5}
    assert counts(database) == {}


def test_the_same_id_at_another_client_is_another_patient(database: Database) -> None:
    keep(database, "p1", 1)
    keep(database, "p1", 2, client="other-hospital")
    erase(database, "p1")
    assert counts(database) == OF_ONE_CARD


def test_looking_for_what_belongs_to_a_patient_changes_nothing(database: Database) -> None:
    keep(database, "p1", 1)
    retention(database).belongings(CLIENT, pseudonym("p1"))
    assert counts(database) == OF_ONE_CARD


def test_what_events_left_of_a_patient_goes_with_what_still_waits(database: Database) -> None:
    client = client_name("lab")
    for patient in ("p1", "p2"):
        keep_event(database, patient, f"result-of-{patient}")
        keep_event(database, "", f"result-of-{patient}")  # deleted there: names no patient
    store = EventStore(database, KEY, PSEUDONYMS)
    again = [Target(Kind.OBSERVATION, f"result-of-{patient}") for patient in ("p1", "p2")]
    store.add("lab", again, Way.NOTIFIED, NEW)
    of_one = {"evaluations": 2, "event_evaluations": 2, "event_work": 1}
    assert counts(database) == times(2, of_one)
    found = erase(database, "p1", client)
    assert {name: rows for name, rows in found.counts().items() if rows} == of_one
    assert counts(database) == of_one
    with database.reading() as connection:
        (item,) = connection.scalars(select(event_work.c.item))
    assert item == store.item("lab", again[1])


@pytest.mark.parametrize("done", range(10))
def test_an_erasure_that_was_stopped_anywhere_can_be_made_good(
    database: Database, done: int
) -> None:
    client = client_name("lab")
    for number in range(4):
        keep(database, "p1", number, client=client)
    for patient in ("p1", ""):
        keep_event(database, patient, "result")
    unfinished = retention(database)
    list(islice(unfinished.erase(unfinished.belongings(client, pseudonym("p1", client))), done))
    erase(database, "p1", client)
    assert counts(database) == {}


@pytest.mark.parametrize("done", range(5))
def test_an_erasure_that_was_stopped_between_the_versions_of_a_result_can_be_made_good(
    database: Database, done: int
) -> None:
    """The later version names no patient: only the one before it tells whose result it was."""
    client = client_name("lab")
    for patient in ("p1", ""):
        keep_event(database, patient, "result")
    unfinished = retention(database, lot=1)
    list(islice(unfinished.erase(unfinished.belongings(client, pseudonym("p1", client))), done))
    erase(database, "p1", client)
    assert counts(database) == {}


def test_the_clients_of_whom_something_is_stored_are_known(database: Database) -> None:
    for number, client in enumerate(("south", "north", "south")):
        keep(database, "p", number, client=client)
    assert retention(database).clients() == ("north", "south")


# ------------------------------------------------------------------ beside the service


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
