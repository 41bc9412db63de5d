"""From a database URL to an SQLAlchemy engine: waiting is bounded, and what is written lasts.

SQLite: WAL (readers never wait), `BEGIN IMMEDIATE` (a writer waits once, at the start, never in the
middle), a file for its owner only. PostgreSQL: psycopg, bounded waits on both sides.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cds_service.errors import ConfigurationError, StoreUnavailable
from cds_service.store.causes import SETTING, advice, cause_of

DURABILITY = "cds_durability"
"""Execution option that says what a write must outlive."""

WAIT_SECONDS = 2
"""How long a call waits for any one thing of the database: a lock or a connection."""
_WAL_PAGES = 4000
"""Pages (of 4 KiB) in SQLite's WAL before a commit moves them into the file, which takes tens of
milliseconds. At SQLite's own 1000 every hundredth call would wait for it."""
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
CONNECTIONS = 8
"""Most connections of one process. PostgreSQL by default admits 100 of all processes together and
refuses the next one, so callers wait here instead. With 16 no call was answered sooner."""
_POOL: dict[str, Any] = {
    "pool_size": CONNECTIONS,
    "max_overflow": 0,
    "pool_timeout": WAIT_SECONDS,
}


class Durability(Enum):
    """What a committed write outlives, on SQLite (PostgreSQL follows its own configuration)."""

    PROCESS_LOSS = "NORMAL"
    """`kill -9` of every process of ours; a power failure may take the last moments with it."""
    POWER_LOSS = "FULL"
    """A power failure too: the write is on the disk before it is acknowledged."""


class LastWrite:
    """Whether the last write failed; among several threads, the one that ended last."""

    __slots__ = ("failed",)

    def __init__(self) -> None:
        self.failed = False

    def fails(self) -> None:
        """A write has failed."""
        self.failed = True


class Translated:
    """A block in which each failure of the engine's database becomes StoreUnavailable.

    Before that, `note` is called. Texts of drivers may hold parameters, rows and passwords: none of
    them is kept.
    """

    __slots__ = ("_engine", "_note")

    def __init__(self, engine: Engine, note: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._note = note

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        driver = self._engine.dialect.loaded_dbapi
        if isinstance(error, (DBAPIError, PoolTimeoutError, driver.Error, OSError)):
            self._note()
            cause = cause_of(error)
            raise StoreUnavailable(
                "The database cannot be used.", remedy=advice(cause), cause=cause
            ) from None


def read_url(text: str) -> URL:
    """The URL with the driver we use: `sqlite:///file`, `postgresql://…` or `postgres://…`.

    Raises ConfigurationError, which never repeats the text (it may hold a password).
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _unusable() from None
    match url.drivername.partition("+")[0]:
        case "sqlite" if url.database and url.database != ":memory:" and not url.query:
            return url.set(drivername="sqlite+pysqlite")
        # An @ in the host is one of the password, of which the rest would be looked up as a name.
        case "postgresql" | "postgres" if "@" not in (url.host or "") and _are_options(url.query):
            return url.set(drivername="postgresql+psycopg")
        case _:
            raise _unusable()


def _are_options(query: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether libpq knows the options in the query: else no connection would ever work."""
    # imported only where PostgreSQL is the database: a start on SQLite is quicker without it
    from psycopg import ProgrammingError  # noqa: PLC0415
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    try:
        make_conninfo(**{name: str(value) for name, value in query.items()})
    except ProgrammingError:
        return False
    return query.get("sslmode", "prefer") in _SSL_MODES


def _unusable() -> ConfigurationError:
    return ConfigurationError(
        "This database URL cannot be used.",
        where=SETTING,
        remedy="Give sqlite:///path/to/file.sqlite3 or postgresql://user:password@host/database, "
        "with %40 for @ and %25 for % in the password, and after a ? only options of libpq.",
    )


def make_engine(url: URL) -> Engine:
    """The engine of a URL that `read_url` gave. Nothing is opened yet.

    Parameters never stand in the texts of its errors.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(Path(url.database or ""))
    return _postgresql(url)


def _sqlite(file: Path) -> Engine:
    # mode=rw: a file that is not there is an error, never a new file with another mode.
    url = URL.create(
        "sqlite+pysqlite",
        database=f"file:{quote(str(file.absolute()))}",
        query={"mode": "rw", "uri": "true"},
    )
    arguments = {"timeout": WAIT_SECONDS, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, connect_args=arguments, **_POOL)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")


def _on_sqlite_begin(connection: Connection) -> None:
    durability = connection.get_execution_options().get(DURABILITY)
    if not isinstance(durability, Durability):
        return  # a reading connection: each statement sees one state by itself
    begin(connection.connection, durability)


def begin(connection: PoolProxiedConnection, durability: Durability) -> None:
    """Begins a transaction to write in, on SQLite. psycopg does so with the first statement."""
    driver = connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        if connection.info.get(DURABILITY) is not durability:
            driver.execute(f"PRAGMA synchronous = {durability.value}")
            connection.info[DURABILITY] = durability
        driver.execute("BEGIN IMMEDIATE")


def be_patient(connection: PoolProxiedConnection, *, seconds: int) -> None:
    """Sets how long SQLite waits on this connection for another process that writes."""
    connection.cursor().execute(f"PRAGMA busy_timeout = {seconds * 1000}")


def create_sqlite_file(file: Path) -> None:
    """Makes an empty database file (0600) where there is none; SQLite gives -wal and -shm its mode.

    Only ever creates: to open and close a file that is in use would drop SQLite's own locks on it.
    Raises OSError.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if file.is_dir():
            raise IsADirectoryError from None


def _postgresql(url: URL) -> Engine:
    # imported only where it is the database: a start on SQLite is quicker without psycopg
    from cds_service.store import postgresql  # noqa: PLC0415

    wait = WAIT_SECONDS * 1000
    ours = {
        "application_name": "cds-service",
        # A cluster made without a locale has databases without an encoding, for whose texts the
        # driver gives bytes unless it is told one.
        "client_encoding": "utf8",
        "connect_timeout": str(WAIT_SECONDS),
        # Without these, if the server's machine is gone, the system waits for a quarter of an hour
        # until it gives up sending, and for hours until it gives up on an answer.
        "tcp_user_timeout": str(wait),
        "keepalives_idle": str(WAIT_SECONDS),
        "keepalives_interval": "1",
        "keepalives_count": str(WAIT_SECONDS),
        "options": f"-c statement_timeout={wait} -c lock_timeout={wait} -c timezone=UTC",
    }
    arguments = {name: value for name, value in ours.items() if name not in url.query}
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args=arguments,
        paramstyle="format",  # parameters by position, as on SQLite
        **_POOL,
    )
    # Who gives options of his own may allow statements any time.
    postgresql.open_bounded(engine, WAIT_SECONDS * 2 if "options" in arguments else math.inf)
    return engine
