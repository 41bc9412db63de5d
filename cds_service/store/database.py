"""The database: opening it, bringing it up to date, and the two ways to use it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self
from weakref import finalize

from sqlalchemy import URL, Connection, Engine, Insert, PoolProxiedConnection, Table, delete, text
from sqlalchemy.dialects import sqlite

from cds_service.store import upgrade
from cds_service.store.engine import (
    DURABILITY,
    Durability,
    LastWrite,
    Translated,
    make_engine,
    read_url,
)
from cds_service.store.prepared import PreparedInsert
from cds_service.store.tables import tokens_seen
from cds_service.store.writers import AnyWriter, OneWriter, Writers
from cds_service.turn import waiting

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def is_open_to_others(file: Path) -> bool:
    """Whether a file lets in others than its owner and group. Raises OSError."""
    return bool(file.stat().st_mode & 0o007)


class Database:
    """One database, shared by the threads of one process; each process opens its own.

    Every failure of the database is StoreUnavailable, without data or password in its text.
    """

    def __init__(self, url: URL) -> None:
        self._is_sqlite = url.get_backend_name() == "sqlite"
        self._file = Path(url.database or "")
        """The file of SQLite; no meaning on PostgreSQL."""
        self._engine = make_engine(url)
        self._writing = {
            durability: self._engine.execution_options(**{DURABILITY: durability})
            for durability in Durability
        }
        self._last_write = LastWrite()
        writers = OneWriter if self._is_sqlite else AnyWriter
        self._writers: Writers = writers(self._engine, self._last_write)
        # Closed with the object, but not at exit: a process that ends need not close it.
        finalize(self, _close, self._writers, self._engine).atexit = False

    @classmethod
    def open(cls, url: str) -> Database:
        """The database of `CDS_DATABASE_URL`. Connects only when used.

        Raises ConfigurationError for a URL that is neither SQLite (a file) nor PostgreSQL.
        """
        return cls(read_url(url))

    def upgrade(self) -> None:
        """Creates the database or migrates it to the newest revision, in one transaction.

        Safe to call from many processes at once: one does the work, the others wait for it. Raises
        ConfigurationError for a database at a revision that is not of this software, and
        StoreUnavailable also for one that can be read and not written: better said at the start
        than by every call.
        """
        with Translated(self._engine):
            if self._is_sqlite:
                upgrade.sqlite(self._engine, self._file)
            else:
                upgrade.postgresql(self._engine)
        self._try_to_write()

    def revision(self) -> str:
        """The revision the database is at; empty when it was never upgraded."""
        with self.reading() as connection:
            return upgrade.revision(connection)

    def is_newer(self) -> bool:
        """Whether a later release has migrated it: for one release, migrations only add."""
        return upgrade.is_newer(self.revision())

    def is_open_to_others(self) -> bool:
        """Whether its file, which was there before us, lets in others than owner and group."""
        return self._is_sqlite and is_open_to_others(self._file)

    def ping(self) -> None:
        """Returns when the database answers; raises StoreUnavailable when it does not."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def check(self) -> None:
        """Returns when the database answers and takes what is written; raises StoreUnavailable.

        If the last write failed, one is tried here: no request may come that would try.
        """
        self.ping()
        if self._last_write.failed:
            self._try_to_write()

    def _try_to_write(self) -> None:
        """Write a row that needs room of its own, and delete it again."""
        trial = secrets.token_hex(1000)
        row = {"issuer": "", "jti_sha256": trial, "expires": datetime.now(UTC)}
        with self.writing() as connection:
            connection.execute(self.insert(tokens_seen), row)
            connection.execute(delete(tokens_seen).where(tokens_seen.c.jti_sha256 == trial))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from."""
        with waiting(), Translated(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, durability: Durability = Durability.POWER_LOSS) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        engine = self._writing[durability]
        told = Translated(self._engine, self._last_write.fails)
        with waiting(), told, self._writers.lock, engine.begin() as connection:
            yield connection
        self._last_write.failed = False

    def inserting(self, durability: Durability) -> AbstractContextManager[PoolProxiedConnection]:
        """As `writing`, for prepared INSERTs only and at a fraction of the cost."""
        return self._writers.inserting(durability)

    def prepare(self, table: Table, statement: Insert) -> PreparedInsert:
        """An INSERT into `table` that takes all its columns, ready to be run many times."""
        return PreparedInsert(table, statement, self._engine.dialect)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT in the dialect of this database: it knows ON CONFLICT and counts its rows."""
        if self._is_sqlite:
            return sqlite.insert(table).execution_options(preserve_rowcount=True)
        # imported only where it is the database: a start on SQLite is quicker without it
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table).execution_options(preserve_rowcount=True)

    def close(self) -> None:
        """Closes the connections that are not in use."""
        _close(self._writers, self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close(writers: Writers, engine: Engine) -> None:
    writers.close()
    engine.dispose()
