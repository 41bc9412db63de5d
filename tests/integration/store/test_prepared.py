"""Prepared INSERTs: the rows of SQLAlchemy, in a transaction of their own or of another."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from sqlalchemy import ColumnClause, Table, delete, event, insert, literal_column, select, text

from cds_service.access.replay import Remembered
from cds_service.errors import NotFound, StoreUnavailable
from cds_service.store.database import Database
from cds_service.store.engine import Durability
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Records, SentCard
from cds_service.store.replay import SqlReplayStore
from cds_service.store.tables import carded_results, cards, evaluations, tokens_seen
from tests.kept import NOON, PSEUDONYMS, evaluation

pytestmark = pytest.mark.integration

RECORD = evaluation(
    patient="patient", cards=(SentCard(uuid="card-1", results=("result",)), SentCard(uuid="card-2"))
)


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database, PSEUDONYMS)


# ---------------------------------------------------------------- what is stored

MOMENTS = [
    NOON,
    NOON.replace(microsecond=7),
    NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30))),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
WORDS = [(), ("one",), ("one", "two"), ('"\\/\x00\x1f\x7f\n', "§ ä 漢 🩸", "\ud800", "")]


def _evaluation(at: datetime, words: tuple[str, ...]) -> Mapping[str, Any]:
    texts = ("id", "door", "service", "client", "hook_instance", "knowledge", "software")
    lists = ("outcomes", "findings", "reasons", "missing", "inputs", "cards")
    return {
        **{name: f"{name} '§' %s %(x)s ?" for name in (*texts, "error", "patient")},
        **dict.fromkeys(lists, words),
        "at": at,
        "status": 200,
        "duration_ms": 0.1 + 0.2,
    }


def _card(at: datetime, words: tuple[str, ...]) -> Mapping[str, Any]:
    lists = ("findings", "suggestions", "override_reasons", "results")
    key = {"client": "north", "service": "sil2r", "uuid": "card"}
    return {
        **key,
        **dict.fromkeys(lists, words),
        "first_sent": at,
        "last_sent": at,
        "times_sent": 2**31 - 1,
    }


def _result(at: datetime, _: tuple[str, ...]) -> Mapping[str, Any]:
    return {"client": "north", "patient": "p", "result": "r", "first_sent": at}


def _token(at: datetime, _: tuple[str, ...]) -> Mapping[str, Any]:
    return {"issuer": "https://north", "jti_sha256": "0" * 64, "expires": at}


@pytest.mark.parametrize(
    ("table", "row"),
    [(evaluations, _evaluation), (cards, _card), (carded_results, _result), (tokens_seen, _token)],
    ids=["evaluations", "cards", "carded_results", "tokens_seen"],
)
def test_a_prepared_insert_stores_what_sqlalchemy_stores(
    database: Database, table: Table, row: Any
) -> None:
    prepared = database.prepare(table, insert(table))
    for values in [row(at, words) for at in MOMENTS for words in WORDS]:
        with database.inserting(Durability.PROCESS_LOSS) as connection:
            assert prepared.run(connection, [values]) == 1
        ours = _taken_out(database, table)
        with database.writing() as session:
            session.execute(insert(table), values)
        assert ours == _taken_out(database, table)


def _taken_out(database: Database, table: Table) -> list[tuple[Any, ...]]:
    """All rows as the driver reads them, without numbers; the table is empty afterwards."""
    # Literal columns have no type: nothing is converted on the way out.
    counted = table.autoincrement_column
    columns: list[ColumnClause[Any]] = [
        literal_column(each.name) for each in table.columns if each is not counted
    ]
    with database.writing() as connection:
        rows = connection.execute(select(*columns).select_from(table)).all()
        connection.execute(delete(table))
    return [tuple(row) for row in rows]


def test_several_rows_are_counted_as_far_as_they_were_written(database: Database) -> None:
    once = database.insert(carded_results).on_conflict_do_nothing()
    prepared = database.prepare(carded_results, once)
    rows = [{**_result(NOON, ()), "result": name} for name in ("a", "b", "c")]
    with database.inserting(Durability.PROCESS_LOSS) as connection:
        assert prepared.run(connection, rows[:2]) == 2
        assert prepared.run(connection, rows) == 1
        assert prepared.run(connection, rows[:1]) == 0


def test_a_statement_that_takes_more_than_its_columns_is_refused_at_the_start(
    database: Database,
) -> None:
    counted = database.insert(cards).on_conflict_do_update(
        index_elements=[cards.c.client, cards.c.service, cards.c.uuid],
        set_={"times_sent": cards.c.times_sent + 1},  # a value beside those of the row
    )
    with pytest.raises(ValueError, match="must take its columns"):
        database.prepare(cards, counted)


# ---------------------------------------------------------------- the transaction


def test_a_block_that_raises_keeps_nothing_and_the_next_one_works(database: Database) -> None:
    prepared = database.prepare(tokens_seen, insert(tokens_seen))

    def insert_and_fail() -> None:
        with database.inserting(Durability.PROCESS_LOSS) as connection:
            prepared.run(connection, [_token(NOON, ())])
            raise KeyError

    for _ in range(40):  # more often than there are connections
        with pytest.raises(KeyError):
            insert_and_fail()
    with database.inserting(Durability.PROCESS_LOSS) as connection:
        assert prepared.run(connection, [_token(NOON, ())]) == 1
    assert len(_taken_out(database, tokens_seen)) == 1


def test_a_record_inside_a_transaction_that_fails_is_not_kept(
    database: Database, records: Records
) -> None:
    def write_and_fail() -> None:
        with database.writing() as connection:
            records.save_in(connection, RECORD)
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with pytest.raises(NotFound):
        records.find(RECORD.id, RECORD.client)
    assert _taken_out(database, carded_results) == []


def test_both_ways_of_keeping_a_record_store_the_same(database: Database, records: Records) -> None:
    kept = []
    for _ in range(2):
        records.save(RECORD)
        records.save(replace(RECORD, at=NOON + timedelta(hours=1)))
        kept.append([_taken_out(database, each) for each in (evaluations, cards, carded_results)])
        with database.writing() as connection:
            records.save_in(connection, RECORD)
            records.save_in(connection, replace(RECORD, at=NOON + timedelta(hours=1)))
        kept.append([_taken_out(database, each) for each in (evaluations, cards, carded_results)])
    assert kept[0] == kept[1] == kept[2] == kept[3]
    assert [len(rows) for rows in kept[0]] == [2, 2, 1]


def test_a_failure_of_the_driver_inside_a_transaction_is_translated_too(
    database: Database, records: Records
) -> None:
    def write_without_a_table() -> None:
        with database.writing() as connection:
            connection.execute(text("DROP TABLE carded_results"))
            records.save_in(connection, RECORD)

    with pytest.raises(StoreUnavailable) as caught:
        write_without_a_table()
    assert caught.value.cause in ("SQLITE_ERROR", "42P01")
    records.save(RECORD)
    assert len(_taken_out(database, carded_results)) == 1, "what was dropped is there again"


def test_a_connection_that_the_server_ended_is_replaced(postgresql_url: str) -> None:
    with Database.open(postgresql_url) as database:
        database.upgrade()
        prepared = database.prepare(tokens_seen, insert(tokens_seen))

        def insert_into_a_lost_connection() -> None:
            with database.inserting(Durability.PROCESS_LOSS) as connection:
                driver = connection.driver_connection
                assert isinstance(driver, psycopg.Connection)
                with database.reading() as other:
                    own = {"own": driver.info.backend_pid}
                    other.execute(text("SELECT pg_terminate_backend(:own, 2000)"), own)
                prepared.run(connection, [_token(NOON, ())])

        with pytest.raises(StoreUnavailable) as caught:
            insert_into_a_lost_connection()
        assert caught.value.cause == "57P01", "the SQLSTATE admin_shutdown"
        with database.inserting(Durability.PROCESS_LOSS) as connection:
            assert prepared.run(connection, [_token(NOON, ())]) == 1


@pytest.mark.parametrize(("durability", "level"), [("PROCESS_LOSS", 1), ("POWER_LOSS", 2)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_takes_its_turn_at_the_start_and_syncs_as_asked(
    database: Database, durability: str, level: int
) -> None:
    for other in Durability:
        with database.inserting(other):
            pass
        with database.inserting(Durability[durability]) as connection:
            driver = connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            assert driver.in_transaction, "BEGIN IMMEDIATE, before the first statement"
            assert driver.execute("PRAGMA synchronous").fetchone() == (level,)
            assert driver.execute("PRAGMA foreign_keys").fetchone() == (1,)


# ---------------------------------------------------------------- cost and order


def test_a_call_makes_sqlalchemy_execute_nothing(database: Database, records: Records) -> None:
    """What is compiled at the start is not looked up, bound and converted again."""
    store = SqlReplayStore(database)
    soon = datetime.now(UTC) + timedelta(minutes=15)
    store.remember("issuer", "the first one purges", soon)
    seen: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    assert store.remember("issuer", "jti", soon) is Remembered.FRESH
    records.save(RECORD)
    assert seen == []
    records.find(RECORD.id, RECORD.client)
    assert len(seen) == 2, "reading goes through SQLAlchemy"


def test_a_token_whose_purge_fails_is_not_used_up(database: Database) -> None:
    store = SqlReplayStore(database)
    soon = datetime.now(UTC) + timedelta(minutes=15)

    def fail(*_: object) -> None:
        raise OSError

    event.listen(database._engine, "before_cursor_execute", fail)
    with pytest.raises(StoreUnavailable):
        store.remember("issuer", "jti", soon)
    event.remove(database._engine, "before_cursor_execute", fail)
    assert store.remember("issuer", "jti", soon) is Remembered.FRESH


def test_all_take_the_locks_of_postgresql_in_the_same_order(postgresql_url: str) -> None:
    """Two transactions that do never wait for each other in a ring."""
    named = [SentCard(uuid=f"card-{n}", results=(f"result-{9 - n}",)) for n in (3, 1, 2)]
    with Database.open(postgresql_url) as database:
        database.upgrade()
        records = Records(database, Pseudonymiser(DataKey.random()))
        records.save(replace(RECORD, cards=tuple(named)))
        as_written = text("ctid")
        with database.reading() as connection:
            sent = connection.scalars(select(cards.c.uuid).order_by(as_written)).all()
            about = connection.scalars(select(carded_results.c.result).order_by(as_written)).all()
    assert sent == ["card-1", "card-2", "card-3"]
    assert about == ["result-6", "result-7", "result-8"]
