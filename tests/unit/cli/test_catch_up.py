"""Catching up from the command line: all that was found is tried, whatever some of it comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from cds_service.cli import cli
from cds_service.store.database import Database
from cds_service.store.event_subscriptions import Subscriptions
from cds_service.store.events import EventStore
from cds_service.store.tables import event_work
from cds_service.store.work_item import Kind, Target, Way
from tests.event_world import PATIENT, Clock, observation
from tests.kept import KEY, PSEUDONYMS
from tests.lab import environment_of
from tests.little_fhir import LittleFhir, Refuse, little_fhir
from tests.subscriptions import subscription

RESULTS = 20
REFUSED = 9
"""More than a worker takes at once."""


@pytest.fixture
def laboratory(monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleFhir]:
    """Twenty results, of which the first nine may not be read."""
    with little_fhir() as made:
        made.put(PATIENT)
        for number in range(RESULTS):
            made.put(observation(f"o{number:02}"))
        refused = {f"Observation/o{number:02}" for number in range(REFUSED)}
        real = made._answer

        def answer(method: str, path: str, query: str, body: bytes) -> Any:
            if path in refused:
                raise Refuse(403)
            return real(method, path, query, body)

        monkeypatch.setattr(made, "_answer", answer)
        yield made


@pytest.fixture
def environment(tmp_path: Path, laboratory: LittleFhir) -> dict[str, str]:
    """A registered source, and one event of a source that is registered no more."""
    given = environment_of(laboratory.base, tmp_path)
    with Database.open(given["CDS_DATABASE_URL"]) as database:
        database.upgrade()
        store = EventStore(database, KEY, PSEUDONYMS)
        store.add("gone", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, Clock()())
    return given


def test_results_that_may_not_be_read_do_not_end_the_catching_up(
    environment: dict[str, str], laboratory: LittleFhir
) -> None:
    asked = ["catch-up", "lab", "--since", "2026-01-01T00:00:00", "--sandbox"]
    shown = CliRunner().invoke(cli, asked, env=environment)
    found, waiting = shown.stdout.splitlines()
    assert found.startswith(f"{RESULTS} result(s) changed since ")
    assert waiting == f"{REFUSED} event(s) of lab wait for their turn."
    read = {path for _method, path in laboratory.calls if path.startswith("/fhir/Observation/")}
    assert len(read) == RESULTS


def test_a_program_is_told_what_was_found_and_what_is_left(environment: dict[str, str]) -> None:
    asked = ["catch-up", "lab", "--since", "2026-01-01T00:00:00", "--sandbox", "--json"]
    told = json.loads(CliRunner().invoke(cli, asked, env=environment).stdout)
    assert told == {
        "changed": RESULTS,
        "since": "2026-01-01T00:00:00+00:00",
        "inPart": False,
        "waiting": REFUSED,
        "dead": 0,
    }


def test_what_was_set_aside_is_told(environment: dict[str, str], laboratory: LittleFhir) -> None:
    """No worker has finished it, and none will."""
    asked = ["catch-up", "lab", "--since", "2026-01-01T00:00:00", "--sandbox"]
    CliRunner().invoke(cli, [*asked, "--no-wait"], env=environment)
    with Database.open(environment["CDS_DATABASE_URL"]) as database, database.writing() as rows:
        rows.execute(update(event_work).values(dead=True))
    laboratory.resources.clear()
    shown = CliRunner().invoke(cli, asked, env=environment)
    assert shown.stdout.splitlines()[1:] == [
        f"{RESULTS} were set aside: see `cds-service events list --dead`."
    ]


def test_an_answer_that_may_not_be_all_is_said_to_be_and_leaves_a_search(
    environment: dict[str, str], laboratory: LittleFhir
) -> None:
    laboratory.operations["Observation"] = lambda _: {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 2,
        "entry": [{"resource": observation("o19")}],
    }
    asked = ["catch-up", "lab", "--since", "2026-01-01T00:00:00", "--sandbox", "--no-wait"]
    shown = CliRunner().invoke(cli, asked, env=environment)
    assert shown.stdout.startswith("1 result(s) changed since ")
    assert shown.stderr.splitlines() == [
        "The server says that this may not be all: it will be searched again."
    ]
    with Database.open(environment["CDS_DATABASE_URL"]) as database:
        store = EventStore(database, KEY, PSEUDONYMS)
        waiting = {row.kind for row in store.waiting() if row.source == "lab"}
    assert waiting == {"Observation", "Sweep"}


def test_what_a_server_calls_a_status_is_shown_as_it_stands(
    environment: dict[str, str], laboratory: LittleFhir
) -> None:
    laboratory.put({"resourceType": "Subscription", "id": "s1", "status": "[/off]"})
    with Database.open(environment["CDS_DATABASE_URL"]) as database:
        Subscriptions(database).expect(subscription(Clock()()))
    shown = CliRunner().invoke(cli, ["status", "lab", "--sandbox"], env=environment)
    assert shown.exit_code == 0
    assert "[/off]" in shown.stdout
