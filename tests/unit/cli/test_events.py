"""What was set aside is listed, shown and tried again by `cds-service events`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import cli
from cds_service.commands import events
from cds_service.errors import InputError, StoreUnavailable
from cds_service.events.subscribing import SubscriptionStanding
from cds_service.store.database import Database
from cds_service.store.tables import event_work
from tests.unit.cli.command_line import COMMANDING, is_harmless
from tests.unit.cli.conftest import Variables, listed, run


def status(here: Variables) -> Result:
    return CliRunner().invoke(cli, ["status", "lab", "--sandbox"], env=here)


def test_what_was_set_aside_is_listed_for_machines_in_camel_case(here: Variables) -> None:
    (row,) = listed(here, "--dead")
    assert (row["number"], row["source"], row["dead"]) == (1, "lab", True)
    assert datetime.fromisoformat(row["firstReceived"]) <= datetime.now(UTC)


def test_a_list_that_was_cut_says_so_and_leaves_the_document_alone(
    here: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(here, "list", "--dead").stderr == ""
    monkeypatch.setattr("cds_service.store.event_backlog.MOST_LISTED", 0)
    shown = run(here, "list", "--dead", "--json")
    assert shown.stderr == "These are the oldest 0 of 1.\n"
    assert json.loads(shown.stdout) == {"events": []}


@pytest.mark.parametrize(
    ("dead", "state"), [(True, "set aside"), (False, "due 2026-11-23 09:15:00")]
)
def test_in_a_narrow_terminal_no_word_is_folded_or_cut(
    here: Variables, dead: bool, state: str
) -> None:
    at, cause = datetime(2026, 11, 23, 9, 15, tzinfo=UTC), "search: operation-outcome"
    row = {"number": 12345, "source": "general-hospital", "kind": "DiagnosticReport"}
    with Database.open(here["CDS_DATABASE_URL"]) as database, database.writing() as kept:
        told = {"dead": dead, "cause": cause, "first_received": at, "due": at, "attempts": 8}
        kept.execute(event_work.update().values(**row, **told))
    shown = run({**here, "COLUMNS": "80"}, "list").stdout
    words = {
        "12345",
        "general-hospital:",
        "DiagnosticReport",
        *f"{state}, attempts 8, {cause}".split(),
    }
    assert words <= set(shown.split())
    assert "2026-11-23 09:15:00" in shown.splitlines()[3]


def test_what_was_set_aside_gets_another_turn(here: Variables) -> None:
    shown = run(here, "retry", "1")
    assert (shown.exit_code, shown.stdout) == (0, "1 event(s) will be tried again.\n")
    assert listed(here, "--dead") == []
    assert run(here, "list", "--dead").stdout == "Nothing was set aside.\n"


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_what_is_no_number_is_wrong_usage(here: Variables, command: str) -> None:
    shown = run(here, command, "o1")
    assert shown.exit_code == 2
    assert "'o1' is not a valid integer" in shown.stderr
    assert len(listed(here, "--dead")) == 1


def test_looking_makes_neither_a_queue_nor_anything_else(here: Variables, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    assert run(here, "list").exit_code == 0
    assert status(here).exit_code == 0
    assert {path.name.partition("-")[0] for path in set(tmp_path.iterdir()) - before} <= {
        "cds.sqlite3"
    }


@pytest.mark.parametrize("given", [("list", "--dead"), ("retry",), ("drop", "1", "--yes")])
def test_a_mistyped_path_of_the_database_is_no_all_clear(
    here: Variables, tmp_path: Path, given: tuple[str, ...]
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere = here | {"CDS_DATABASE_URL": f"sqlite:///{folder / 'cds.sqlite3'}"}
    for shown in (run(elsewhere, *given), status(elsewhere)):
        assert shown.exit_code == 1
        assert isinstance(shown.exception, StoreUnavailable)
        assert not shown.stdout
    assert list(folder.iterdir()) == []


def test_a_number_that_there_is_not_is_not_acceptable(here: Variables) -> None:
    shown = run(here, "retry", "1", "99")
    assert shown.exit_code == 1
    assert shown.stdout == "1 event(s) will be tried again.\n"
    assert isinstance(shown.exception, InputError)
    assert "events list --dead" in shown.exception.remedy


def test_with_no_number_and_nothing_set_aside_there_is_nothing_to_do(here: Variables) -> None:
    assert run(here, "retry").exit_code == 0
    shown = run(here, "retry")
    assert (shown.exit_code, shown.stdout) == (0, "0 event(s) will be tried again.\n")


def test_what_a_server_says_of_a_subscription_is_no_command_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    standing = SubscriptionStanding("s1", "Observation?code=x", "active", COMMANDING, "")
    events._show_standing([standing], as_json=False)
    assert is_harmless(capsys.readouterr().out)
