"""The commands about events as an operator uses them, without any FHIR server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import cli
from cds_service.config import Mode, load_settings
from cds_service.errors import InputError, StoreUnavailable
from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.tables import event_work
from cds_service.store.work_item import Kind, Target, Way

KEY = DataKey(bytes(range(32)))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A source, and one result of it that was set aside: the number 1."""
    (tmp_path / "lab.secret").write_text("a-shared-secret-of-the-test")
    (tmp_path / "clients.toml").write_text(
        '[[source]]\nname = "lab"\nfhir_server = "http://127.0.0.1:1/fhir"\n'
        'secret_file = "lab.secret"\n'
    )
    given = {
        "CDS_CLIENTS": str(tmp_path / "clients.toml"),
        "CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'cds.sqlite3'}",
        "CDS_DATA_KEY": KEY.base64(),
    }
    with Database.open(load_settings(Mode.SANDBOX, given).database_url) as database:
        database.upgrade()
        store = EventStore(database, KEY, Pseudonymiser(KEY))
        store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, datetime.now(UTC))
        with database.writing() as connection:
            connection.execute(event_work.update().values(dead=True))
    return given


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["events", *arguments, "--sandbox"], env=environment)


def status(environment: dict[str, str]) -> Result:
    return CliRunner().invoke(cli, ["status", "lab", "--sandbox"], env=environment)


def listed(environment: dict[str, str], *options: str) -> list[dict[str, Any]]:
    return list(json.loads(run(environment, "list", *options, "--json").stdout)["events"])


def test_what_was_set_aside_is_listed_for_machines_in_camel_case(
    environment: dict[str, str],
) -> None:
    (row,) = listed(environment, "--dead")
    assert (row["number"], row["source"], row["dead"]) == (1, "lab", True)
    assert datetime.fromisoformat(row["firstReceived"]) <= datetime.now(UTC)


def test_a_list_that_was_cut_says_so_and_leaves_the_document_alone(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(environment, "list", "--dead").stderr == ""
    monkeypatch.setattr("cds_service.store.event_backlog.MOST_LISTED", 0)
    shown = run(environment, "list", "--dead", "--json")
    assert shown.stderr == "These are the oldest 0 of 1.\n"
    assert json.loads(shown.stdout) == {"events": []}


def test_what_was_set_aside_gets_another_turn(environment: dict[str, str]) -> None:
    shown = run(environment, "retry", "1")
    assert (shown.exit_code, shown.stdout) == (0, "1 event(s) will be tried again.\n")
    assert listed(environment, "--dead") == []
    assert run(environment, "list", "--dead").stdout == "Nothing was set aside.\n"


def test_looking_makes_neither_a_queue_nor_anything_else(
    environment: dict[str, str], tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    assert run(environment, "list").exit_code == 0
    assert status(environment).exit_code == 0
    assert {path.name.partition("-")[0] for path in set(tmp_path.iterdir()) - before} <= {
        "cds.sqlite3"
    }


@pytest.mark.parametrize("given", [("list", "--dead"), ("retry",)])
def test_a_mistyped_path_of_the_database_is_no_all_clear(
    environment: dict[str, str], tmp_path: Path, given: tuple[str, ...]
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere = environment | {"CDS_DATABASE_URL": f"sqlite:///{folder / 'cds.sqlite3'}"}
    for shown in (run(elsewhere, *given), status(elsewhere)):
        assert shown.exit_code == 1
        assert isinstance(shown.exception, StoreUnavailable)
        assert not shown.stdout
    assert list(folder.iterdir()) == []


def test_a_number_that_there_is_not_is_not_acceptable(environment: dict[str, str]) -> None:
    shown = run(environment, "retry", "1", "99")
    assert shown.exit_code == 1
    assert shown.stdout == "1 event(s) will be tried again.\n"
    assert isinstance(shown.exception, InputError)
    assert "events list --dead" in shown.exception.remedy


def test_with_no_number_and_nothing_set_aside_there_is_nothing_to_do(
    environment: dict[str, str],
) -> None:
    assert run(environment, "retry").exit_code == 0
    shown = run(environment, "retry")
    assert (shown.exit_code, shown.stdout) == (0, "0 event(s) will be tried again.\n")
