"""`db purge` and `db erase` as a security officer and a script use them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from cds_service.cli import cli
from cds_service.commands import database as module
from cds_service.errors import InputError
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import SentCard
from cds_service.store.tables import evaluations
from tests.kept import CLIENT, KEY, evaluation, keep, pseudonym
from tests.unit.cli.command_line import document

PATIENT = "canary-12345"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with three records of one patient: of now, of last year, of ten years ago."""
    file = tmp_path / "cds.sqlite3"
    with Database.open(f"sqlite:///{file}") as database:
        database.upgrade()
        for number, days in enumerate((0, 366, 3660)):
            made = evaluation(
                f"evaluation-{number}",
                at=datetime.now(UTC) - timedelta(days=days),
                patient=pseudonym(PATIENT),
                cards=(SentCard(uuid=f"card-{number}"),),
            )
            keep(database, made)
    return file


def run(file: Path, *arguments: str, stdin: str = "", key: str = "") -> Result:
    environment = {"CDS_DATABASE_URL": f"sqlite:///{file}", "CDS_DATA_KEY": key or KEY.base64()}
    return CliRunner().invoke(cli, ["db", *arguments], input=stdin, env=environment)


def left(file: Path) -> int:
    with Database.open(f"sqlite:///{file}") as database, database.reading() as connection:
        return connection.execute(select(func.count()).select_from(evaluations)).scalar_one()


def test_purge_deletes_by_age_and_says_how_much(file: Path) -> None:
    shown = run(file, "purge", "--older-than", "365")
    assert shown.exit_code == 0
    assert "evaluations: 2" in shown.stdout.splitlines()
    assert "4 rows older than" in shown.stdout
    assert left(file) == 1


def test_purge_for_machines(file: Path) -> None:
    shown = run(file, "purge", "--older-than", "2190", "--json")
    told = document(shown)
    assert shown.stderr == "", "a bar is for a terminal"
    assert told["dryRun"] is False
    assert told["rows"]["evaluations"] == told["rows"]["cards"] == 1
    assert datetime.fromisoformat(told["before"]) < datetime.now(UTC) - timedelta(days=2189)


@pytest.mark.parametrize("command", [("purge", "--older-than", "1"), ("erase", "--client", CLIENT)])
def test_a_dry_run_counts_and_deletes_nothing(file: Path, command: tuple[str, ...]) -> None:
    told = document(run(file, *command, "--dry-run", "--json", stdin=PATIENT))
    assert told["dryRun"] is True
    assert told["rows"]["evaluations"] == (2 if command[0] == "purge" else 3)
    assert "would be deleted" in run(file, *command, "--dry-run", stdin=PATIENT).stdout
    assert left(file) == 3


@pytest.mark.parametrize("days", ["0", "-1", "ever", "36501"])
def test_an_age_that_is_none_is_wrong_usage(file: Path, days: str) -> None:
    assert run(file, "purge", "--older-than", days).exit_code == 2
    assert left(file) == 3


@pytest.mark.parametrize("typed", [PATIENT, f"{PATIENT}\n", f"Patient/{PATIENT}\r\n"])
def test_erase_reads_the_id_from_standard_input_and_never_repeats_it(
    file: Path, typed: str
) -> None:
    shown = run(file, "erase", "--client", CLIENT, stdin=typed)
    assert shown.exit_code == 0
    assert "6 rows of this patient of general-hospital" in shown.stdout
    assert PATIENT not in shown.output
    assert left(file) == 0
    assert PATIENT.encode() not in file.read_bytes()


def test_what_was_stored_before_a_change_of_the_data_key_is_erased_with_the_former_one(
    file: Path, tmp_path: Path
) -> None:
    former, new = tmp_path / "former-key", DataKey.random()
    former.write_text(KEY.base64())
    patient = Pseudonymiser(new).of(CLIENT, "Patient", PATIENT)
    with Database.open(f"sqlite:///{file}") as database:
        keep(database, evaluation("since", patient=patient))
    erase = ("erase", "--client", CLIENT, "--former-key", str(former))
    counted = document(run(file, *erase, "--dry-run", "--json", stdin=PATIENT, key=new.base64()))
    assert counted["rows"]["evaluations"] == 4
    shown = run(file, *erase, stdin=PATIENT, key=new.base64())
    assert (
        "7 rows of this patient of general-hospital, under these data keys: deleted."
        in shown.stdout
    )
    assert left(file) == 0


def test_what_was_erased_is_noted_before_it_goes_and_nothing_goes_without(
    file: Path, tmp_path: Path
) -> None:
    asked = ("erase", "--client", CLIENT, "--note")
    refused = run(file, *asked, str(tmp_path / "nowhere" / "note"), stdin=PATIENT)
    assert isinstance(refused.exception, InputError)
    assert left(file) == 3
    note = tmp_path / "note"
    assert run(file, *asked, str(note), "--dry-run", stdin=PATIENT).exit_code == 0
    assert not note.exists()
    for patient in ("another", PATIENT):  # of the first there is nothing to note
        assert run(file, *asked, str(note), stdin=patient).exit_code == 0
    assert left(file) == 0
    times = [datetime.fromisoformat(line) for line in note.read_text().splitlines()]
    assert [(datetime.now(UTC) - at).days for at in times] == [3660, 366, 0]


def test_erase_takes_no_id_on_the_command_line(file: Path) -> None:
    assert run(file, "erase", "--client", CLIENT, "--patient", PATIENT).exit_code == 2
    assert run(file, "erase", "--client", CLIENT, PATIENT).exit_code == 2
    assert left(file) == 3


@pytest.mark.parametrize("typed", ["", " \n", "p1 p2", "p1\np2\n"])
def test_anything_but_one_id_is_not_acceptable(file: Path, typed: str) -> None:
    shown = run(file, "erase", "--client", CLIENT, stdin=typed)
    assert shown.exit_code == 1
    assert "not one patient's id" in str(shown.exception)
    assert left(file) == 3


def test_another_patient_is_no_fault_and_nothing_goes(file: Path) -> None:
    told = document(run(file, "erase", "--client", CLIENT, "--json", stdin="p2"))
    assert set(told["rows"].values()) == {0}
    assert left(file) == 3


def test_a_misspelt_client_is_named_with_those_that_are_known(file: Path) -> None:
    shown = run(file, "erase", "--client", "genral-hospital", stdin=PATIENT)
    assert shown.exit_code == 1
    assert getattr(shown.exception, "remedy", "") == "Known: general-hospital."
    assert left(file) == 3


def test_without_the_data_key_nothing_is_looked_for_and_none_is_made(file: Path) -> None:
    environment = {"CDS_DATABASE_URL": f"sqlite:///{file}", "CDS_DATA_KEY": None}
    arguments = ["db", "erase", "--client", CLIENT]
    shown = CliRunner().invoke(cli, arguments, input=PATIENT, env=environment)
    assert shown.exit_code == 1
    assert "no data key" in str(shown.exception)
    assert list(file.parent.glob("*.key")) == []


def test_at_a_terminal_the_id_is_asked_for_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def answer(_text: str, **how: Any) -> str:
        asked.append(how)
        return f"Patient/{PATIENT} "

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", answer)
    assert module._patient_id() == PATIENT
    assert [how["hide_input"] for how in asked] == [True]
