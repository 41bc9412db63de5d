"""Migrations make exactly the tables of `store.tables`, on both databases."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, DateTime, MetaData, Text, inspect, text

from cds_service.store import migrations
from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.tables import event_work, metadata
from cds_service.store.upgrade import NEWEST
from cds_service.store.work_item import Kind, Target, Way
from tests.integration.store.conftest import AtOnce
from tests.kept import KEY, NOON, PSEUDONYMS

pytestmark = pytest.mark.integration

AS_THEY_RAN = {
    "0001": "42bc1b67e232dc1e",
    "0002": "b29448d75f32214c",
    "0003": "c742cf5bbc68827a",
}
"""Of each migration how its SHA-256 begins."""


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


def test_a_migration_that_may_have_run_somewhere_is_not_changed() -> None:
    """What it made there stays as it was. A change is a migration of its own."""
    files = (Path(migrations.__file__).parent / "versions").glob("r[0-9]*.py")
    found = {each.name[1:5]: sha256(each.read_bytes()).hexdigest() for each in files}
    assert {number: digest[:16] for number, digest in found.items()} == AS_THEY_RAN


def test_a_database_that_was_never_upgraded_has_no_revision(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "cds.sqlite3").touch()
    with Database.open(database_url) as database:
        assert database.revision() == ""
        assert database.revision() != NEWEST


def test_a_database_of_before_columns_were_taken_back_takes_events(database_url: str) -> None:
    """`0002` was changed after it had been run: each notification was answered with 503."""
    early = event_work.to_metadata(MetaData())
    early.append_column(Column("target_key", Text, nullable=False))
    early.append_column(Column("last_received", DateTime(timezone=True), nullable=False))
    with Database.open(database_url) as database:
        database.upgrade()
        with database.writing() as connection:
            event_work.drop(connection)
            early.create(connection)
            connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
        database.upgrade()
        work = EventStore(database, KEY, PSEUDONYMS)
        work.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, NOON)
        assert work.backlog("lab").waiting == 1


def test_an_upgrade_of_a_current_database_changes_nothing(database: Database) -> None:
    assert database.revision() == NEWEST
    database.upgrade()
    assert database.revision() == NEWEST


def test_concurrent_upgrades_by_several_processes_all_succeed(
    database_url: str, at_once: AtOnce
) -> None:
    assert at_once(6, "upgrade", database_url) == [f"{NEWEST}\n"] * 6
