"""`records ledger` and `records verify`, as a person and a nightly job use them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, text, update

from cds_service.cli import cli
from cds_service.errors import InputError
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey
from cds_service.store.tables import evaluations
from tests.kept import CLIENT, KEY, evaluation, keep, pseudonym
from tests.unit.cli.command_line import COMMANDING, document, is_harmless

DAY = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with one record in each of three hours, two days ago."""
    with opened(tmp_path) as database:
        database.upgrade()
        for number in range(3):
            made = DAY + timedelta(hours=number)
            keep(database, evaluation(f"evaluation-{number}", at=made))
    return tmp_path


@pytest.fixture(autouse=True)
def _half_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs of a test see the same last full hour, three hours after the last record."""
    settled = datetime.now(UTC) - (DAY + timedelta(hours=5))
    monkeypatch.setattr("cds_service.store.ledger.SETTLED", settled)


def opened(folder: Path) -> Database:
    return Database.open(f"sqlite:///{folder / 'cds.sqlite3'}")


def run(folder: Path, command: str, *arguments: str, key: DataKey = KEY) -> Result:
    environment = {
        "CDS_DATABASE_URL": f"sqlite:///{folder / 'cds.sqlite3'}",
        "CDS_DATA_KEY": key.base64(),
    }
    file = str(folder / "ledger")
    return CliRunner().invoke(cli, ["records", command, file, *arguments], env=environment)


def without(folder: Path, evaluation_id: str) -> None:
    with opened(folder) as database, database.writing() as connection:
        connection.execute(delete(evaluations).where(evaluations.c.id == evaluation_id))


def test_t111_it_notes_each_hour_once_and_says_what_to_keep_elsewhere(folder: Path) -> None:
    first = document(run(folder, "ledger", "--json"))
    assert (first["linesAdded"], first["recordsAdded"]) == (4, 3)
    again = run(folder, "ledger")
    assert "Lines added: 0, records: 0." in again.stdout
    assert f"Code of the last line, to be kept elsewhere: {first['lastCode']}" in again.stdout
    with opened(folder) as database:
        keep(database, evaluation("later", at=DAY + timedelta(hours=5)))
    assert document(run(folder, "ledger", "--json"))["linesAdded"] == 0, "it has to settle"
    assert run(folder, "verify", "--last", first["lastCode"]).exit_code == 0


def test_t111_a_ledger_that_was_emptied_proves_nothing_and_that_is_said(folder: Path) -> None:
    run(folder, "ledger")
    (folder / "ledger").write_bytes(b"")
    shown = run(folder, "verify")
    assert shown.exit_code == 1
    assert "Line 1: it is not there, so nothing was compared." in shown.stdout


def test_where_all_is_as_it_was_it_says_so(folder: Path) -> None:
    run(folder, "ledger")
    shown = run(folder, "verify")
    assert shown.exit_code == 0
    assert shown.stdout == "Every line is as it was written.\nLines: 4, records in them: 3.\n"
    assert document(run(folder, "verify", "--json")) == {
        "lines": 4,
        "broken": [],
        "records": 3,
        "changed": [],
        "purged": [],
        "erased": [],
        "missing": [],
    }


def test_t111_a_record_that_was_changed_is_named_with_exit_code_1(folder: Path) -> None:
    run(folder, "ledger")
    with opened(folder) as database, database.writing() as connection:
        this = evaluations.c.id == "evaluation-1"
        connection.execute(update(evaluations).where(this).values(findings=("csf-above-150",)))
    shown = run(folder, "verify")
    assert shown.exit_code == 1
    assert "evaluation-1" in shown.stdout


def test_t111_a_record_whose_id_is_no_text_any_more_is_named_all_the_same(folder: Path) -> None:
    run(folder, "ledger")
    with opened(folder) as database, database.writing() as connection:
        this = evaluations.c.id == "evaluation-1"
        connection.execute(
            update(evaluations).where(this).values(id=text("CAST(x'6531ff' AS TEXT)"))
        )
    (changed,) = json.loads(run(folder, "verify", "--json").stdout)["changed"]
    assert changed["id"] == r"e1\xff"
    shown = run(folder, "verify")
    assert shown.exit_code == 1
    assert r"e1\xff" in shown.stdout


def test_t111_a_record_that_is_gone_is_missing_unless_it_was_erased(folder: Path) -> None:
    run(folder, "ledger")
    without(folder, "evaluation-1")
    missing = run(folder, "verify")
    assert missing.exit_code == 1
    assert (DAY + timedelta(hours=1)).isoformat() in missing.stdout
    for written in (DAY + timedelta(hours=1), (DAY + timedelta(hours=1)).replace(tzinfo=None)):
        note = noted(folder, written)
        shown = run(folder, "verify", "--erased", note)
        assert shown.exit_code == 0
        assert "Gone, and noted as erased: 1." in shown.stdout
    without(folder, "evaluation-2")
    shown = run(folder, "verify", "--erased", note, "--json")
    assert shown.exit_code == 1
    told = json.loads(shown.stdout)
    assert told["missing"] == [(DAY + timedelta(hours=2)).isoformat()]
    assert told["erased"] == [(DAY + timedelta(hours=1)).isoformat()]


def test_t111_an_erasure_is_not_taken_for_tampering_and_tampering_not_for_an_erasure(
    folder: Path,
) -> None:
    """Of the records that went one is in no line yet, and one is too old to be missed."""
    with opened(folder) as database:
        for days in (0, 1, 20):
            made = DAY + timedelta(hours=5) - timedelta(days=days)
            keep(database, evaluation(f"of-p-{days}", at=made, patient=pseudonym("p")))
    run(folder, "ledger")
    note = str(folder / "note")
    env = {"CDS_DATABASE_URL": f"sqlite:///{folder / 'cds.sqlite3'}", "CDS_DATA_KEY": KEY.base64()}
    asked = ("db", "erase", "--client", CLIENT, "--note", note)
    for given in (*asked, "--dry-run"), asked:
        told = CliRunner().invoke(cli, given, input="p", env=env)
        assert told.exit_code == 0
        assert "evaluations: 3" in told.stdout
    said = ("verify", "--older-than", "10")
    assert run(folder, *said).exit_code == 1, "nobody said that anything was erased"
    assert run(folder, *said, "--erased", note).exit_code == 0
    without(folder, "evaluation-0")
    assert run(folder, *said, "--erased", note).exit_code == 1


def test_a_note_that_is_none_or_cannot_be_written_is_told(folder: Path) -> None:
    run(folder, "ledger")
    (folder / "note").write_text("2\n")
    refused = run(folder, "verify", "--erased", str(folder / "note"))
    assert isinstance(refused.exception, InputError)


def noted(folder: Path, at: datetime) -> str:
    (folder / "note").write_text(f"{at.isoformat()}\n")
    return str(folder / "note")


def test_what_is_older_than_is_kept_may_go_and_nothing_else(folder: Path) -> None:
    with opened(folder) as database:
        keep(database, evaluation("old", at=DAY - timedelta(days=9)))
    run(folder, "ledger")
    without(folder, "old")
    assert run(folder, "verify").exit_code == 1, "nobody said that anything may go"
    shown = run(folder, "verify", "--older-than", "10")
    assert shown.exit_code == 0
    old = (DAY - timedelta(days=9)).isoformat()
    assert f"Gone, and older than is kept: 1, up to {old}." in shown.stdout
    without(folder, "evaluation-0")
    shown = run(folder, "verify", "--older-than", "10")
    assert shown.exit_code == 1
    assert DAY.isoformat() in shown.stdout


def test_t111_a_line_that_was_changed_is_named_and_nothing_is_added_to_it(folder: Path) -> None:
    run(folder, "ledger")
    file = folder / "ledger"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], lines[2], lines[1]]))
    shown = run(folder, "verify")
    assert shown.exit_code == 1
    assert "Line 2: it was changed, or does not follow the one before." in shown.stdout
    more = run(folder, "ledger")
    assert isinstance(more.exception, InputError)
    assert f"{file} line 2" in more.exception.one_line()


def test_a_line_that_somebody_made_up_is_no_command_to_the_terminal(folder: Path) -> None:
    page = {"since": DAY.isoformat(), "until": DAY.isoformat(), "key": COMMANDING, "records": []}
    (folder / "ledger").write_text(f"{'0' * 32} {json.dumps(page)}\n", encoding="utf-8")
    shown = run(folder, "verify")
    assert isinstance(shown.exception, SystemExit)
    assert "Line 1: it names data key" in shown.stdout
    assert is_harmless(shown.stdout)


def test_t111_lines_that_were_cut_off_are_missed_by_the_code_kept_elsewhere(folder: Path) -> None:
    last = document(run(folder, "ledger", "--json"))["lastCode"]
    file = folder / "ledger"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    assert run(folder, "verify").exit_code == 0, "nothing tells"
    shown = run(folder, "verify", "--last", last)
    assert shown.exit_code == 1
    assert "Line 3: lines are missing at the end." in shown.stdout


def test_half_a_line_of_a_run_that_was_ended_is_written_anew(folder: Path) -> None:
    run(folder, "ledger")
    file = folder / "ledger"
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    assert document(run(folder, "ledger", "--json"))["linesAdded"] == 1
    assert file.read_bytes() == whole


def test_a_run_that_was_killed_anywhere_is_made_good_by_the_next(folder: Path) -> None:
    run(folder, "ledger")
    file = folder / "ledger"
    whole = file.read_bytes()
    for length in (*range(0, len(whole), 37), len(whole) - 1):
        file.write_bytes(whole[:length])
        shown = run(folder, "verify")
        half = "a run was ended in it; `records ledger` mends that" in shown.stdout
        assert shown.exit_code == 1
        assert half == bool(length), "nothing at all is no half of a line"
        run(folder, "ledger")
        assert file.read_bytes() == whole


def test_a_ledger_that_cannot_be_written_is_told(folder: Path) -> None:
    refused = run(folder / "nowhere", "ledger")
    assert isinstance(refused.exception, InputError)
    assert str(folder / "nowhere" / "ledger") in refused.exception.one_line()


def test_without_the_former_key_it_is_asked_for(folder: Path) -> None:
    run(folder, "ledger")
    refused = run(folder, "ledger", key=DataKey.random())
    assert isinstance(refused.exception, InputError)
    assert "--former-key" in refused.exception.one_line()


def test_another_data_key_proves_nothing_and_a_former_one_does(folder: Path) -> None:
    run(folder, "ledger")
    new = DataKey.random()
    refused = run(folder, "verify", key=new)
    assert refused.exit_code == 1
    assert f"it names data key {KEY.id()}, which was not given" in refused.stdout
    former = folder / "former-key"
    former.write_text(KEY.base64())
    assert run(folder, "verify", "--former-key", str(former), key=new).exit_code == 0
