"""The database: opening it, bringing it up to date, and the two ways to use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import URL, Connection, Insert, PoolProxiedConnection, Table, text
from sqlalchemy.dialects import sqlite

from cds_service.store import upgrade
from cds_service.store.engine import (
    DURABILITY,
    WAIT_SECONDS,
    Durability,
    begin,
    make_engine,
    read_url,
    translated,
)
from cds_service.store.prepared import PreparedInsert

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


class _Turns:
    """What the threads of one process wait for before they write to SQLite.

    SQLite has one writer at a time and no queue: who finds it busy sleeps and tries again, longer
    each time, and at many threads some sleep until they give up. A lock wakes the next one at once.
    While another process holds the database, each turn takes as long as SQLite waits; so nobody
    waits for more than that for a turn. Raises TimeoutError.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise TimeoutError

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _turns(url: URL) -> AbstractContextManager[None]:
    """PostgreSQL needs no turns."""
    return _Turns() if url.get_backend_name() == "sqlite" else nullcontext()


class Database:
    """One database, shared by the threads of one process; each process opens its own.

    Every failure of the database is StoreUnavailable, without data or password in its text.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = make_engine(url)
        self._writing = {
            durability: self._engine.execution_options(**{DURABILITY: durability})
            for durability in Durability
        }
        self._turn = _turns(url)
        self._keeps = url.get_backend_name() == "sqlite"
        self._kept: list[PoolProxiedConnection] = []

    @classmethod
    def open(cls, url: str) -> Database:
        """The database of `CDS_DATABASE_URL`. Connects only when used.

        Raises ConfigurationError for a URL that is neither SQLite (a file) nor PostgreSQL.
        """
        return cls(read_url(url))

    def upgrade(self) -> None:
        """Creates the database or migrates it to the newest revision, in one transaction.

        Safe to call from many processes at once: one does the work, the others wait for it.
        """
        with translated(self._engine):
            if self._url.get_backend_name() == "sqlite":
                upgrade.sqlite(self._engine, Path(self._url.database or ""))
            else:
                upgrade.postgresql(self._engine)

    def revision(self) -> str:
        """The revision the database is at; empty when it was never upgraded."""
        with self.reading() as connection:
            return upgrade.revision(connection)

    def is_current(self) -> bool:
        """Whether the database is at the revision this software was written for."""
        return self.revision() == upgrade.newest_revision()

    def is_newer(self) -> bool:
        """Whether a later release has migrated it: for one release that only adds."""
        return upgrade.is_newer(self.revision())

    def ping(self) -> None:
        """Returns when the database answers; raises StoreUnavailable when it does not."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from."""
        with translated(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, durability: Durability = Durability.POWER_LOSS) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        with translated(self._engine), self._turn, self._writing[durability].begin() as connection:
            yield connection

    @contextmanager
    def inserting(self, durability: Durability) -> Iterator[PoolProxiedConnection]:
        """The same for prepared INSERTs only, at a fraction of the cost.

        Where writers take turns one connection does for all of them, and is kept.
        """
        with translated(self._engine), self._turn:
            connection = self._kept.pop() if self._kept else self._engine.raw_connection()
            try:
                begin(connection, durability)
                yield connection
                connection.commit()
            except BaseException:
                connection.invalidate()  # closed, which undoes all; and it may be broken
                raise
            if self._keeps:
                self._kept.append(connection)
            else:
                connection.close()

    def prepare(self, table: Table, statement: Insert) -> PreparedInsert:
        """An INSERT into `table` that takes all its columns, ready to be run many times."""
        return PreparedInsert(table, statement, self._engine.dialect)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT in the dialect of this database: it knows ON CONFLICT and counts its rows."""
        if self._url.get_backend_name() == "sqlite":
            return sqlite.insert(table).execution_options(preserve_rowcount=True)
        # PostgreSQL's dialect only where it is the database: a start on SQLite is sooner done
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table).execution_options(preserve_rowcount=True)

    def close(self) -> None:
        """Closes the connections that are not in use."""
        with translated(self._engine), self._turn:
            while self._kept:
                self._kept.pop().close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
