"""Subscribing, looking and ending from the command line, beside a little FHIR server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import cli
from cds_service.errors import DataUnavailable
from tests.event_world import TOPIC
from tests.lab import environment_of
from tests.little_fhir import LittleFhir, little_fhir

Variables = dict[str, str]


@pytest.fixture
def laboratory() -> Iterator[LittleFhir]:
    with little_fhir() as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, laboratory: LittleFhir) -> Variables:
    return environment_of(laboratory.base, tmp_path)


def run(here: Variables, command: str, columns: str = "1000") -> Result:
    asked = [command, "lab", "--sandbox"]
    return CliRunner().invoke(cli, asked, env={**here, "COLUMNS": columns})


def cells(shown: Result) -> dict[str, str]:
    """What is said of the one subscription."""
    lines = (re.split(r"\s{2,}", line.strip()) for line in shown.stdout.splitlines())
    return dict(line for line in lines if len(line) == 2)


def test_a_subscription_is_made_shown_beside_the_backlog_and_ended(
    here: Variables, laboratory: LittleFhir
) -> None:
    made = cells(run(here, "subscribe"))
    number = made["subscription"]
    assert (made["here"], made["on its server"]) == ("requested", "requested")
    assert made["criteria"] == laboratory.resources[f"Subscription/{number}"]["criteria"]

    laboratory.resources[f"Subscription/{number}"]["status"] = "active"
    status = run(here, "status")
    assert {"subscription": number, "here": "requested", "on its server": "active"}.items() <= (
        cells(status).items()
    )
    assert status.stdout.splitlines()[-1] == "waiting: 0  dead: 0  evaluated: 0  missing: 0"

    assert run(here, "unsubscribe").stdout == "Subscriptions ended: 1.\n"
    assert laboratory.of("Subscription") == []
    nothing = run(here, "status").stdout.splitlines()
    assert nothing[0] == "There is no subscription; make one with `subscribe`."


def test_on_a_narrow_terminal_only_what_is_too_long_for_a_line_is_folded(here: Variables) -> None:
    clients = Path(here["CDS_CLIENTS"])
    clients.write_text(f'{clients.read_text()}topic = "{TOPIC}"\n')
    told = cells(run(here, "subscribe", columns="80"))
    assert told["criteria"] == TOPIC
    assert datetime.fromisoformat(told["last heard"]).tzinfo is not None


@pytest.mark.parametrize("command", ["subscribe", "unsubscribe", "catch-up"])
def test_a_server_that_does_not_do_what_was_asked_is_one_designed_error(
    here: Variables, laboratory: LittleFhir, command: str
) -> None:
    run(here, "subscribe")
    laboratory.resources.clear()
    clients = Path(here["CDS_CLIENTS"])
    clients.write_text(f'{clients.read_text()}topic = "{TOPIC}"\n')
    laboratory.broken = 403
    asked = [command, "lab", "--sandbox", *(["--since", "2026-01-01"] * (command == "catch-up"))]
    failed = CliRunner().invoke(cli, asked, env=here)
    assert isinstance(failed.exception, DataUnavailable)
    expected = "search" if command == "catch-up" else command
    assert str(failed.exception).startswith(
        f"The FHIR server did not do what was asked ({expected}: status-403)."
    )
