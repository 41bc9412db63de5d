"""Runs the migrations: whole or not at all, and by one process at a time.

A migration and the note of its revision are one transaction on both databases (both know DDL in
transactions), so an upgrade that dies half-way leaves the database as it was.

A database that a later release has migrated is left as it is: for one release migrations only add,
so that instances of the old release can go on, and start again, beside those of the new one.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from cds_service.errors import ConfigurationError
from cds_service.store.causes import SETTING
from cds_service.store.engine import DURABILITY, Durability, create_sqlite_file

NEWEST = "0003"
"""The revision this software was written for. A test holds it against the migrations: to ask them
would load Alembic at every start."""
_NUMBER = re.compile(r"\d{4}")
"""A revision as ours are named: the next one is the next number."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_WAIT_SECONDS = 60
_ADVISORY_LOCK = 0x51_12_CD_50
"""Any number will do, as long as every version of this software uses the same."""


def revision(connection: Connection) -> str:
    """The revision the database is at, as Alembic notes it; empty when it was never upgraded.

    Where it notes several, which ours never does, all of them. Raises the errors of SQLAlchemy.
    """
    if not inspect(connection).has_table("alembic_version"):
        return ""
    noted = connection.scalars(text("SELECT version_num FROM alembic_version"))
    return ", ".join(sorted(noted))


def is_newer(noted: str) -> bool:
    """Whether a later release has made this revision."""
    return _NUMBER.fullmatch(noted) is not None and noted > NEWEST


def sqlite(engine: Engine, file: Path) -> None:
    """Creates the file where it is missing, turns on WAL, migrates.

    Raises ConfigurationError, OSError and the errors of SQLAlchemy.
    """
    create_sqlite_file(file)
    with _file_lock(file.with_name(f"{file.name}.lock")):
        # WAL is a property of the file and cannot be set inside a transaction. Once it is on, it
        # is only asked for, so that a running service is not disturbed.
        with engine.connect() as connection:
            if connection.scalar(text("PRAGMA journal_mode")) != "wal":
                connection.execute(text("PRAGMA journal_mode = WAL"))
        with engine.execution_options(**{DURABILITY: Durability.POWER_LOSS}).begin() as connection:
            _migrate(connection)


def postgresql(engine: Engine) -> None:
    """Migrates under an advisory lock that ends with the transaction.

    Raises ConfigurationError and the errors of SQLAlchemy.
    """
    # imported only where it is the database: a start on SQLite is quicker without psycopg
    from cds_service.store.postgresql import take_as_long_as_needed  # noqa: PLC0415

    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'"))
        take_as_long_as_needed(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    noted = revision(connection)
    if noted == NEWEST or is_newer(noted):
        return
    # loaded only where there is something to migrate, or a revision that is not ours to refuse
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    try:
        command.upgrade(configuration, "head")
    except CommandError:
        raise ConfigurationError(
            "This database is at a revision that this release does not know.",
            where=SETTING,
            remedy="Name the database of this service, or start the release that made it.",
        ) from None


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _wait_for(descriptor)
        yield
    finally:
        os.close(descriptor)  # gives the lock back


def _wait_for(descriptor: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
