"""Who may write, and when: on SQLite one thread of a process at a time, on PostgreSQL any."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import Protocol

from sqlalchemy import Engine, PoolProxiedConnection

from cds_service.store.engine import (
    WAIT_SECONDS,
    Durability,
    LastWrite,
    Translated,
    be_patient,
    begin,
)
from cds_service.turn import waiting


class Writers(Protocol):
    """The threads of one process that write to one database."""

    @property
    def lock(self) -> AbstractContextManager[None]:
        """To be held while writing. Raises TimeoutError."""

    def inserting(self, durability: Durability) -> AbstractContextManager[PoolProxiedConnection]:
        """A transaction for prepared INSERTs: committed at the end, undone when the block raises.

        Raises StoreUnavailable.
        """

    def close(self) -> None:
        """Closes what was kept open."""


class AnyWriter:
    """PostgreSQL: each takes a connection of the pool, and waits for the server's answers."""

    def __init__(self, engine: Engine, last: LastWrite) -> None:
        self.lock: AbstractContextManager[None] = nullcontext()
        self._engine = engine
        self._last = last

    @contextmanager
    def inserting(self, durability: Durability) -> Iterator[PoolProxiedConnection]:
        """A transaction on a connection of the pool."""
        with waiting(), Translated(self._engine, self._last.fails):
            connection = self._engine.raw_connection()
            try:
                begin(connection, durability)
                yield connection
                connection.commit()
            except BaseException:
                connection.invalidate()  # closes it, which undoes all; it may be broken
                raise
            connection.close()
        self._last.failed = False

    def close(self) -> None:
        """The pool is the engine's."""


class OneWriter:
    """SQLite: one connection is enough for all who insert, and is kept.

    Their writes are so short that they keep the turn of the process (`cds_service.turn`). Only a
    thread that finds another process writing gives it up until that one is done.
    """

    def __init__(self, engine: Engine, last: LastWrite) -> None:
        self.lock: AbstractContextManager[None] = _WriteLock()
        self._engine = engine
        self._last = last
        self._kept: list[PoolProxiedConnection] = []

    @contextmanager
    def inserting(self, durability: Durability) -> Iterator[PoolProxiedConnection]:
        """A transaction on the connection that is kept."""
        with Translated(self._engine, self._last.fails), self.lock:
            connection = self._kept.pop() if self._kept else self._opened()
            try:
                self._begin(connection, durability)
                yield connection
                connection.commit()
            except BaseException:
                connection.invalidate()
                raise
            self._kept.append(connection)
        self._last.failed = False

    def _opened(self) -> PoolProxiedConnection:
        connection = self._engine.raw_connection()
        be_patient(connection, seconds=0)
        return connection

    def _begin(self, connection: PoolProxiedConnection, durability: Durability) -> None:
        try:
            begin(connection, durability)
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            with waiting():
                be_patient(connection, seconds=WAIT_SECONDS)
                begin(connection, durability)
                be_patient(connection, seconds=0)

    def close(self) -> None:
        """Closes the connection that was kept."""
        with Translated(self._engine), self.lock:
            while self._kept:
                self._kept.pop().close()


class _WriteLock:
    """The lock that a thread of this process holds while it writes to SQLite.

    SQLite has one writer at a time and no queue: who finds it busy sleeps and tries again, longer
    each time, and at many threads some sleep until they give up. A lock wakes the next one at once.
    While another process writes, each holder waits as long as SQLite does; so nobody waits longer
    than that for the lock. Raises TimeoutError.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        if self._lock.acquire(blocking=False):
            return
        with waiting():
            if not self._lock.acquire(timeout=WAIT_SECONDS):
                raise TimeoutError

    def __exit__(self, *_: object) -> None:
        self._lock.release()
