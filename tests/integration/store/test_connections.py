"""How many connections a process opens: PostgreSQL admits few, and refuses the next one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from cds_service.store.database import Database
from cds_service.store.engine import CONNECTIONS

pytestmark = pytest.mark.integration

AT_ONCE = 3 * CONNECTIONS


def test_many_who_ask_at_once_wait_for_one_another_and_nobody_is_refused(
    postgresql_url: str,
) -> None:
    role = f"few_{uuid4().hex}"
    create = sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {}")
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(role), sql.Literal(CONNECTIONS)))
    with Database.open(postgresql_url.replace("postgres@", f"{role}@")) as database:

        def ask(number: int) -> object:
            with database.reading() as connection:
                connection.execute(text("SELECT pg_sleep(0.05)"))  # all of them stay a moment
                return connection.scalar(text("SELECT :number"), {"number": number})

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(ask, range(AT_ONCE)))
    assert answers == list(range(AT_ONCE))
