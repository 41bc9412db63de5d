"""A PostgreSQL that stands still while its machine answers: nobody waits for it for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text

from cds_service.errors import StoreUnavailable
from cds_service.store import engine
from cds_service.store.database import Database
from cds_service.store.postgresql import take_as_long_as_needed

pytestmark = pytest.mark.integration

LONGER_THAN_ALLOWED = text("SELECT pg_sleep(2.5)")
ONE = text("SELECT 1")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends a statement after a second; it is given up after two."""
    monkeypatch.setattr(engine, "WAIT_SECONDS", 1)


@contextmanager
def standing_still(connection: Connection) -> Iterator[None]:
    """The process of the server that works for this connection does nothing for a while."""
    process: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_what_is_asked_is_given_up_and_the_next_to_ask_gets_an_answer(postgresql_url: str) -> None:
    with Database.open(postgresql_url) as database:
        with (
            pytest.raises(StoreUnavailable),
            database.reading() as connection,
            standing_still(connection),
        ):
            connection.execute(ONE)
        database.ping()


def test_what_may_take_long_is_waited_for_and_what_comes_after_it_is_not(
    postgresql_url: str,
) -> None:
    with Database.open(postgresql_url) as database:
        with database.reading() as connection:
            take_as_long_as_needed(connection)
            assert connection.execute(LONGER_THAN_ALLOWED).one()
        with (
            pytest.raises(StoreUnavailable),
            database.reading() as connection,
            standing_still(connection),
        ):
            connection.execute(ONE)


def test_whose_own_options_allow_statements_any_time_waits_for_them(postgresql_url: str) -> None:
    own = f"{postgresql_url}&options=-c%20timezone%3DUTC"
    with Database.open(own) as database, database.reading() as connection:
        assert connection.execute(LONGER_THAN_ALLOWED).one()
