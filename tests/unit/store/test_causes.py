"""Why a database cannot be used, as an operator reads it: a word, what to do, and no secret."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from cds_service.errors import StoreUnavailable
from cds_service.store.causes import advice, cause_of
from cds_service.store.database import Database


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("failed to resolve host 'canary': [Errno -2] Name or service not known", "no-such-host"),
        ('connection failed: FATAL:  password authentication failed for user "canary"', "password"),
        ("connection failed: fe_sendauth: no password supplied", "password"),
        ('connection failed: FATAL:  role "canary" does not exist', "password"),
        ('connection failed: FATAL:  database "canary" does not exist', "no-such-database"),
        (
            'connection failed: FATAL:  no pg_hba.conf entry for host "::1", user "u", SSL off',
            "not-admitted",
        ),
        ("connection failed: server does not support SSL, but SSL was required", "tls"),
        ("connection failed: SSL error: certificate verify failed", "tls"),
        ("connection failed: FATAL:  Datenbank canary existiert nicht", "refused"),
        ("connection failed: Connection refused", "unreachable"),
        ("connection timeout expired", "unreachable"),
    ],
)
def test_a_connection_that_postgresql_refuses_has_a_word_and_a_remedy(
    said: str, cause: str
) -> None:
    told = cause_of(psycopg.OperationalError(said))
    assert told == cause
    assert advice(told).startswith(f"Cause: {cause}. ")
    assert "canary" not in advice(told)
    assert "runs and can be written" not in advice(told), "it says more than that"


def told_at_the_upgrade(file: Path) -> str:
    with Database.open(f"sqlite:///{file}") as database, pytest.raises(StoreUnavailable) as caught:
        database.upgrade()
    assert str(file.parent) not in caught.value.one_line()
    return caught.value.remedy


def test_a_folder_in_place_of_a_file_is_said(tmp_path: Path) -> None:
    assert "CDS_DATABASE_URL names a folder" in told_at_the_upgrade(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("a note that is long enough to be told apart from a database\n" * 20)
    assert "something else than an SQLite database" in told_at_the_upgrade(file)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("SQLITE_FULL", "is full"),
        ("SQLITE_BUSY", "keeps the file"),
        ("SQLITE_BUSY_SNAPSHOT", "keeps the file"),
        ("SQLITE_CORRUPT", "restore a backup"),
        ("53100", "is full"),
        ("25006", "made read-only"),
        ("42501", "must belong"),
        ("FileNotFoundError", "cannot be made"),
    ],
)
def test_what_keeps_a_database_from_being_written_has_a_remedy(cause: str, told: str) -> None:
    assert told in advice(cause)
    assert "runs and can be written" not in advice(cause), "it says more than that"


def test_a_database_that_was_never_made_is_to_be_made_by_the_upgrade(tmp_path: Path) -> None:
    with (
        Database.open(f"sqlite:///{tmp_path / 'cds.sqlite3'}") as database,
        pytest.raises(StoreUnavailable) as caught,
    ):
        database.ping()
    assert "`cds-service db upgrade` makes a new one" in caught.value.remedy


def test_a_cause_that_nobody_foresaw_has_a_remedy_too() -> None:
    assert "runs and can be written" in advice(cause_of(TimeoutError()))
