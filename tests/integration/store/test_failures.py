"""A database that fails is one error, StoreUnavailable, that gives nothing away (T-17, T-68)."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, select, text

from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.errors import CdsError, NotFound, StoreUnavailable
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Records, SentCard
from cds_service.store.replay import SqlReplayStore
from cds_service.store.tables import tokens_seen
from tests.kept import NOON, evaluation

pytestmark = pytest.mark.integration

CARD, COMMENT, RECORD, JTI = "card-canary", "comment-canary", "record-canary", "jti-canary"
ROOM_AGAIN = "PRAGMA max_page_count = 1000000"


def _all_that_a_log_could_show(error: CdsError) -> str:
    trace = "".join(traceback.format_exception(error))
    return f"{trace} {error!r} {error.one_line()} {error.cause}"


def _write_feedback(database: Database) -> None:
    item = FeedbackItem(card=CARD, outcome=FeedbackOutcome.OVERRIDDEN, at=NOON, comment=COMMENT)
    Feedback(database, DataKey.random()).save([item], "client", "service")


def _write_record(database: Database) -> None:
    Records(database, Pseudonymiser(DataKey.random())).save(evaluation(RECORD))


def _remember_token(database: Database) -> None:
    SqlReplayStore(database).remember("issuer", JTI, NOON + timedelta(minutes=15))


Write = Callable[[Database], None]
each_write = pytest.mark.parametrize("write", [_write_feedback, _write_record, _remember_token])


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database at the newest revision."""
    url = f"sqlite:///{tmp_path / 'cds.sqlite3'}"
    with Database.open(url) as database:
        database.upgrade()
    return url


def _with_pragma(url: str, pragma: str) -> Database:
    """The database with one of SQLite's own switches set on each connection.

    Permissions and quotas would not stop root, whom containers often run tests as.
    """
    database = Database.open(url)
    event.listen(database._engine, "connect", lambda driver, _: driver.execute(pragma))
    return database


@each_write
def test_t68_a_database_without_tables_is_unavailable_and_the_error_says_what_to_run(
    database_url: str, tmp_path: Path, write: Write
) -> None:
    (tmp_path / "cds.sqlite3").touch()
    with Database.open(database_url) as database, pytest.raises(StoreUnavailable) as caught:
        write(database)
    assert "canary" not in _all_that_a_log_could_show(caught.value)
    assert "cds-service db upgrade" in caught.value.remedy


@each_write
def test_t68_a_read_only_sqlite_file_is_unavailable(sqlite_url: str, write: Write) -> None:
    with _with_pragma(sqlite_url, "PRAGMA query_only = ON") as database:
        database.ping()
        with pytest.raises(StoreUnavailable) as caught:
            write(database)
    assert caught.value.cause == "SQLITE_READONLY"
    assert "canary" not in _all_that_a_log_could_show(caught.value)


@each_write
def test_t68_a_read_only_postgresql_is_unavailable(postgresql_url: str, write: Write) -> None:
    with Database.open(postgresql_url) as database:
        database.upgrade()
        with database.writing() as connection:
            name = connection.scalar(text("SELECT current_database()"))
            connection.execute(
                text(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            )
        database.close()
        database.ping()
        with pytest.raises(StoreUnavailable) as at_the_start:
            database.upgrade()
        assert "made read-only" in at_the_start.value.remedy
        with pytest.raises(StoreUnavailable) as caught:
            write(database)
    assert caught.value.cause == "25006", "the SQLSTATE read_only_sql_transaction"
    assert "canary" not in _all_that_a_log_could_show(caught.value)


@each_write
def test_t68_a_full_disk_is_unavailable_and_afterwards_the_store_works(
    sqlite_url: str, write: Write
) -> None:
    with _with_pragma(sqlite_url, "PRAGMA max_page_count = 1") as full:
        with pytest.raises(StoreUnavailable) as caught:
            _fill(full)
        assert caught.value.cause == "SQLITE_FULL"
        full.ping()
        with pytest.raises(StoreUnavailable) as at_the_start:
            full.upgrade()
        assert "disk" in at_the_start.value.remedy
    with Database.open(sqlite_url) as database:
        write(database)


def _fill(database: Database) -> None:
    for _ in range(1_000):
        _write_record(database)


@each_write
def test_a_service_that_cannot_write_is_not_ready_until_it_can_again(
    sqlite_url: str, write: Write
) -> None:
    """By itself: when it is not ready, nobody sends it anything to write."""
    with _with_pragma(sqlite_url, "PRAGMA max_page_count = 1") as full:
        full.check()
        with pytest.raises(StoreUnavailable):
            _fill(full)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="cannot be used"):
                full.check()
        full.ping()
        event.listen(full._engine, "checkout", lambda driver, *_: driver.execute(ROOM_AGAIN))
        full.check()
        write(full)
        full.check()


def test_a_trial_of_writing_leaves_nothing_behind(database_url: str) -> None:
    with Database.open(database_url) as database:
        with pytest.raises(StoreUnavailable):
            _remember_token(database)
        database.upgrade()
        database.check()
        with database.reading() as connection:
            assert connection.scalars(select(tokens_seen.c.issuer)).all() == []


def test_t68_a_locked_database_is_unavailable_until_the_lock_is_gone(
    sqlite_url: str, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "cds.sqlite3", isolation_level=None)
    with Database.open(sqlite_url) as database:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable) as caught:
            _remember_token(database)
        assert caught.value.cause == "SQLITE_BUSY"
        other.close()
        _remember_token(database)


@each_write
def test_t68_nobody_waits_for_ever_behind_a_writer_that_is_stuck(
    sqlite_url: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.store.writers.WAIT_SECONDS", 0.01)
    with Database.open(sqlite_url) as database:
        with database.writing(), pytest.raises(StoreUnavailable) as caught:
            write(database)
        assert caught.value.cause == "TimeoutError"
        write(database)


def test_a_database_that_is_not_there_is_unavailable_and_is_not_made_by_looking(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cds.sqlite3"
    with Database.open(f"sqlite:///{file}") as database, pytest.raises(StoreUnavailable):
        database.ping()
    assert not file.exists()


def test_a_place_where_no_file_can_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path / 'file' / 'cds.sqlite3'}"
    with Database.open(url) as database, pytest.raises(StoreUnavailable) as caught:
        database.upgrade()
    assert str(tmp_path) not in caught.value.one_line()


@pytest.mark.parametrize("use", [Database.ping, Database.upgrade, Database.revision])
def test_t17_a_server_that_does_not_answer_is_unavailable_and_no_password_is_shown(
    tmp_path: Path, use: Callable[[Database], object]
) -> None:
    url = f"postgresql://canary-user:canary-password@/canary-name?host={tmp_path}"
    with Database.open(url) as database, pytest.raises(StoreUnavailable) as caught:
        use(database)
    assert "canary" not in _all_that_a_log_could_show(caught.value)
    assert "canary-password" not in repr(database)


def test_t17_a_server_that_is_gone_without_a_word_is_not_waited_for(postgresql_url: str) -> None:
    """The network says nothing of it; so the system is told how long to try."""
    with Database.open(postgresql_url) as database, database.reading() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        told = driver.info.get_parameters()
    assert told["tcp_user_timeout"] == "2000", "milliseconds until what was sent must have come"
    silence = ("keepalives_idle", "keepalives_interval", "keepalives_count")
    assert [told[name] for name in silence] == ["2", "1", "2"], "seconds, seconds, and how often"


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "cds.sqlite3"
    file.write_text("this is a note, not a database, and long enough to be told apart\n" * 20)
    with Database.open(f"sqlite:///{file}") as database, pytest.raises(StoreUnavailable) as caught:
        database.upgrade()
    assert caught.value.cause == "SQLITE_NOTADB"


def test_a_failed_transaction_leaves_nothing_behind(database: Database) -> None:
    key = DataKey.random()
    records = Records(database, Pseudonymiser(key))
    with database.writing() as connection:
        connection.execute(text("DROP TABLE carded_results"))
    card = SentCard(uuid="6c7b5a1e-0000-4000-8000-000000000001", results=("observation",))
    record = evaluation(patient="p", cards=(card,))
    with pytest.raises(StoreUnavailable):
        records.save(record)
    with pytest.raises(NotFound):
        records.find(record.id, record.client)


def test_the_row_that_postgresql_quotes_in_its_error_is_not_passed_on(postgresql_url: str) -> None:
    with Database.open(postgresql_url) as database:
        database.upgrade()
        with database.writing() as connection:
            connection.execute(
                text("ALTER TABLE evaluations ADD CONSTRAINT never CHECK (status = 0)")
            )
        with pytest.raises(StoreUnavailable) as caught:
            _write_record(database)
    assert caught.value.cause == "23514", "the SQLSTATE check_violation"
    assert "canary" not in _all_that_a_log_could_show(caught.value)
