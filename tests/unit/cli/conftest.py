"""An installation with one source of events, and one result of it that was set aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import cli
from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.tables import event_work
from cds_service.store.work_item import Kind, Target, Way
from tests.kept import KEY, PSEUDONYMS, put_database
from tests.lab import environment_of

Variables = dict[str, str]
"""The environment of the commands: which installation they are about."""


@pytest.fixture
def here(tmp_path: Path) -> Variables:
    """A source, and one result of it that was set aside: the number 1."""
    given = environment_of("http://127.0.0.1:1/fhir", tmp_path)
    put_database(tmp_path / "cds.sqlite3")
    with Database.open(given["CDS_DATABASE_URL"]) as database:
        store = EventStore(database, KEY, PSEUDONYMS)
        store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, datetime.now(UTC))
        with database.writing() as connection:
            connection.execute(event_work.update().values(dead=True))
    return given


def run(here: Variables, *arguments: str) -> Result:
    """`cds-service events …` about this installation."""
    return CliRunner().invoke(cli, ["events", *arguments, "--sandbox"], env=here)


def listed(here: Variables, *options: str) -> list[dict[str, Any]]:
    """What `events list` tells machines."""
    return list(json.loads(run(here, "list", *options, "--json").stdout)["events"])
