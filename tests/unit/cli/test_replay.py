"""`records replay`: what stood on the cards of an evaluation, from the request that was sent."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result
from sqlalchemy import update

import cards
import fhir_fixtures
from cds_service import wiring
from cds_service.cli import cli
from cds_service.config import Settings
from cds_service.errors import InputError
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey
from cds_service.store.records import Door
from cds_service.store.tables import evaluations
from fhir_fixtures import Answer, Story
from tests.kept import KEY, NOON, evaluation, keep
from tests.packaged import SIL2R
from tests.unit.cli.command_line import COMMANDING, document, is_harmless

DAY = datetime.fromisoformat("2026-11-21T23:30:00-05:00")
LATER = DAY + timedelta(days=200)
CHART = "patient_view_full_prefetch"
STORIES = [
    story
    for story in fhir_fixtures.manifest().stories
    if story.service and not story.site and story.answer is Answer.CARDS
]
Ask = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cds.sqlite3"


@pytest.fixture
def ask(file: Path) -> Ask:
    """Posts a request to the service on that day, and gives the answer."""
    settings = Settings(database_url=f"sqlite:///{file}", data_key=KEY.base64())
    client = wiring.make_app(settings, wiring.prepared(settings)).test_client()

    def post(request: str, service: str) -> dict[str, Any]:
        with time_machine.travel(DAY, tick=False):
            answered = client.post(
                f"/cds-services/{service}", data=request, content_type="application/json"
            )
        assert answered.status_code == 200
        said: dict[str, Any] = answered.get_json()
        return said

    return post


def replayed(
    file: Path, evaluation_id: str, request: str, *more: str, key: DataKey = KEY, **env: str
) -> Result:
    sent = file.parent / "request.json"
    sent.write_text(request, encoding="utf-8")
    arguments = ["records", "replay", evaluation_id, str(sent), "--client", "sandbox", *more]
    told = {"CDS_DATABASE_URL": f"sqlite:///{file}", "CDS_DATA_KEY": key.base64(), **env}
    with time_machine.travel(LATER, tick=False):
        return CliRunner().invoke(cli, arguments, env=told)


def id_of(answer: dict[str, Any]) -> str:
    told: str = answer["cards"][0]["extension"]["org.sil2r-cds.evaluation"]["id"]
    return told


def edited(request: str, change: Callable[[Any], object]) -> str:
    body = json.loads(request)
    change(body)
    return json.dumps(body)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_t108_every_story_comes_to_the_same_cards_when_it_is_replayed_later(
    story: Story, ask: Ask, file: Path
) -> None:
    request = fhir_fixtures.text(story.id)
    answer = ask(request, story.service)
    shown = replayed(file, id_of(answer), request, "--json")
    assert shown.exit_code == 0, shown.output
    told = document(shown)
    assert (told["same"], told["differences"]) == (True, [])
    assert told["cards"] == answer["cards"]


def test_what_stood_on_the_card_is_shown_to_whoever_must_know(ask: Ask, file: Path) -> None:
    request = fhir_fixtures.text(CHART)
    answer = ask(request, "sil2r-patient-view")
    shown = replayed(file, id_of(answer), request)
    assert shown.exit_code == 0
    assert "comes to the same, word by word" in shown.stdout
    assert "2026-11-22 04:30:00 UTC" in shown.stdout
    assert answer["cards"][0]["summary"][:40] in shown.stdout


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda body: body["prefetch"]["sil2r"]["entry"][0]["resource"]["valueQuantity"].update(
                value=1
            ),
            "findings then: ",
        ),
        (lambda body: body["prefetch"].pop("labs"), "they were fetched"),
        (lambda body: body["prefetch"].pop("sil2r"), "It was fetched then"),
        (lambda body: body["context"].update(patientId="another"), "about another patient"),
    ],
    ids=["another value", "labs not sent", "results not sent", "another patient"],
)
def test_another_request_is_told_from_the_one_that_was_sent(
    change: Callable[[Any], object], why: str, ask: Ask, file: Path
) -> None:
    request = fhir_fixtures.text(CHART)
    evaluation_id = id_of(ask(request, "sil2r-patient-view"))
    shown = replayed(file, evaluation_id, edited(request, change), "--json")
    assert shown.exit_code == 1
    told = json.loads(shown.stdout)
    assert told["same"] is False
    assert any(why in sentence for sentence in told["differences"])


def test_that_a_server_was_asked_then_is_told_also_where_it_failed(ask: Ask, file: Path) -> None:
    """The card said that the labs could not be had; no resource is missing from the request."""
    with closing(socket.create_server(("127.0.0.1", 0))) as once:
        server = f"http://127.0.0.1:{once.getsockname()[1]}/fhir"

    def changed(body: dict[str, Any]) -> None:
        del body["prefetch"]["labs"]
        body["fhirServer"] = server

    request = edited(fhir_fixtures.text(CHART), changed)
    answer = ask(request, "sil2r-patient-view")
    assert "could not be obtained" in answer["cards"][0]["detail"]
    shown = replayed(file, id_of(answer), request, "--json")
    assert shown.exit_code == 1
    told = json.loads(shown.stdout)["differences"]
    assert any("names a FHIR server, which is not asked now" in sentence for sentence in told)


def test_t108_a_record_of_another_version_names_the_one_it_needs(ask: Ask, file: Path) -> None:
    request = fhir_fixtures.text(CHART)
    evaluation_id = id_of(ask(request, "sil2r-patient-view"))
    newer = file.parent / "cards"
    shutil.copytree(Path(cards.__file__).parent, newer)
    identity = newer / "sil2r" / "knowledge.toml"
    version = f'version = "{SIL2R.identity.version}"'
    identity.write_text(identity.read_text().replace(version, 'version = "2099.1"'))
    shown = replayed(file, evaluation_id, request, CDS_KNOWLEDGE=str(newer))
    assert shown.exit_code == 1
    assert "these settings hold sil2r@2099.1" in " ".join(shown.stdout.split())


def test_a_record_that_somebody_changed_is_no_command_to_the_terminal(ask: Ask, file: Path) -> None:
    request = fhir_fixtures.text(CHART)
    evaluation_id = id_of(ask(request, "sil2r-patient-view"))
    with Database.open(f"sqlite:///{file}") as database, database.writing() as connection:
        connection.execute(update(evaluations).values(knowledge=COMMANDING, software=COMMANDING))
    shown = replayed(
        file, evaluation_id, edited(request, lambda body: body["prefetch"].pop("labs"))
    )
    assert isinstance(shown.exception, SystemExit)
    assert is_harmless(shown.stdout)


def test_a_record_under_a_former_key_is_replayed_with_it(ask: Ask, file: Path) -> None:
    request = fhir_fixtures.text(CHART)
    evaluation_id = id_of(ask(request, "sil2r-patient-view"))
    new_key, former = DataKey.random(), file.parent / "former"
    former.write_text(KEY.base64())
    assert replayed(file, evaluation_id, request, key=new_key).exit_code == 1
    with_it = replayed(file, evaluation_id, request, "--former-key", str(former), key=new_key)
    assert with_it.exit_code == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"door": Door.EVENT}, "came from an event"),
        ({"status": 412, "error": "CDS-3001"}, "ended with CDS-3001"),
    ],
)
def test_what_had_no_request_or_no_answer_is_not_replayed(
    changes: dict[str, Any], why: str, file: Path
) -> None:
    with Database.open(f"sqlite:///{file}") as database:
        database.upgrade()
        keep(database, evaluation("an-evaluation", at=NOON, client="sandbox", **changes))
    shown = replayed(file, "an-evaluation", fhir_fixtures.text(CHART))
    assert isinstance(shown.exception, InputError)
    assert why in shown.exception.one_line()
