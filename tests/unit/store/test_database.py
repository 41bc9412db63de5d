"""Opening a database: which URLs, which file, which switches."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from cds_service.errors import ConfigurationError, StoreUnavailable
from cds_service.store.database import Database
from cds_service.store.engine import Durability, read_url


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///cds.sqlite3", "sqlite+pysqlite"),
        ("sqlite:////var/lib/cds/cds.sqlite3", "sqlite+pysqlite"),
        ("postgresql://user:secret@db.example.org/cds", "postgresql+psycopg"),
        ("postgres://user:secret@db.example.org/cds", "postgresql+psycopg"),
        ("postgresql+psycopg://db.example.org/cds?sslmode=verify-full", "postgresql+psycopg"),
    ],
)
def test_sqlite_files_and_postgresql_are_read(given: str, driver: str) -> None:
    assert read_url(given).drivername == driver


@pytest.mark.parametrize(
    "given",
    [
        "",
        "cds.sqlite3",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:cds?mode=memory&uri=true",
        "mysql://user:secret-canary@db.example.org/cds",
        "postgresql://user:secret-canary@db.example.org:port/cds",
        "postgresql://user:secret-canary@db.example.org/cds?sslmode=bogus",
        "postgresql://user:secret-canary@db.example.org/cds?sslmod=require",
        "postgresql://user:secret@canary@db.example.org/cds",
    ],
)
def test_any_other_url_is_refused_with_a_remedy_and_never_repeated(given: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database.open(given)
    assert caught.value.where == "CDS_DATABASE_URL"
    assert "postgresql://" in caught.value.remedy
    assert "%40 for @" in caught.value.remedy
    assert "canary" not in caught.value.one_line()


def test_a_password_may_hold_any_sign() -> None:
    url = read_url("postgresql://user:a%40b%25c/d+e%23f@db.example.org/cds")
    assert (url.password, url.host) == ("a@b%c/d+e#f", "db.example.org")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database of the test is made: a path that needs care in a URI."""
    return tmp_path / "new folder" / "50% of #1?.sqlite3"


def _open(file: Path) -> Database:
    return Database.open(f"sqlite:///{str(file).replace('%', '%25').replace('?', '%3F')}")


def test_nothing_is_made_before_the_upgrade(file: Path) -> None:
    with _open(file) as database:
        with pytest.raises(StoreUnavailable):
            database.ping()
        assert not file.parent.exists()


def test_a_new_database_is_for_its_owner_only(file: Path) -> None:
    with _open(file) as database:
        database.upgrade()
        database.ping()
        with database.writing() as connection:
            connection.execute(text("DELETE FROM cards"))
        made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert set(made.values()) == {0o600}
    assert {file.name, f"{file.name}-wal", f"{file.name}-shm"} <= set(made)


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o602])
def test_a_database_file_that_lets_in_others_is_noticed(file: Path, mode: int) -> None:
    with _open(file) as database:
        database.upgrade()
        assert not database.is_open_to_others()
        file.chmod(mode)
        assert database.is_open_to_others()


@pytest.mark.parametrize(("durability", "level"), [("PROCESS_LOSS", 1), ("POWER_LOSS", 2)])
def test_sqlite_runs_in_wal_mode_and_syncs_as_asked(
    file: Path, durability: str, level: int
) -> None:
    with _open(file) as database:
        database.upgrade()
        with database.writing(Durability[durability]) as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
            assert connection.scalar(text("PRAGMA busy_timeout")) == 2_000
            assert connection.scalar(text("PRAGMA synchronous")) == level


def test_a_write_is_durable_unless_less_is_asked_for(file: Path) -> None:
    with _open(file) as database:
        database.upgrade()
        with database.writing(Durability.PROCESS_LOSS):
            pass
        with database.writing() as connection:
            assert connection.scalar(text("PRAGMA synchronous")) == 2


def test_a_transaction_is_undone_when_its_block_raises(file: Path) -> None:
    with _open(file) as database:
        database.upgrade()
        with pytest.raises(KeyError):
            _write_and_raise(database)
        with database.reading() as connection:
            assert connection.scalar(text("SELECT count(*) FROM carded_results")) == 0


def _write_and_raise(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("INSERT INTO carded_results VALUES ('c', 'p', 'r', '2026')"))
        raise KeyError
