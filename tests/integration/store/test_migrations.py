"""Migrations make exactly the tables of `store.tables`, on both databases."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from cds_service.store.database import Database
from cds_service.store.tables import metadata
from cds_service.store.upgrade import NEWEST

pytestmark = pytest.mark.integration

Start = Callable[..., subprocess.Popen[str]]


def test_the_migrated_schema_is_the_schema_of_the_tables(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        made = inspect(connection)
        for table in metadata.sorted_tables:
            columns = {
                column["name"]: column["nullable"] for column in made.get_columns(table.name)
            }
            assert columns == {column.name: False for column in table.columns}


def test_a_database_that_was_never_upgraded_has_no_revision(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "cds.sqlite3").touch()
    with Database.open(database_url) as database:
        assert database.revision() == ""
        assert database.revision() != NEWEST


def test_an_upgrade_of_a_current_database_changes_nothing(database: Database) -> None:
    assert database.revision() == NEWEST
    database.upgrade()
    assert database.revision() == NEWEST


def test_concurrent_upgrades_by_several_processes_all_succeed(
    database_url: str, start: Start
) -> None:
    processes = [start("upgrade", database_url) for _ in range(6)]
    assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 6
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert output == f"{NEWEST}\n"
