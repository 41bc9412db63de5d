"""What a program that reads `--json` meets: one document, or nothing and one line of error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import click
import pytest

import fhir_fixtures
from cds_service.cli import cli
from tests.unit.cli.command_line import through_main

NOT_THERE = "sqlite:///not-there/records.sqlite3"
WHAT_EACH_NEEDS = {
    "evaluate": ("broken",),
    "explain": ("broken",),
    "codes": ("broken",),
    "clients check": ("broken",),
    "knowledge show": (),
    "records show": ("an-id", "--client", "general-hospital"),
    "records list": ("--client", "general-hospital"),
    "records rates": (),
    "records replay": ("an-id", "broken", "--client", "general-hospital"),
    "records ledger": ("ledger",),
    "rehearse": (".",),
    "db purge": ("--older-than", "30"),
    "db erase": ("--client", "general-hospital"),
    "subscribe": ("--sandbox", "lab"),
    "unsubscribe": ("--sandbox", "lab"),
    "status": ("--sandbox", "lab"),
    "catch-up": ("--sandbox", "lab", "--since", "2026-11-20"),
    "events list": ("--sandbox",),
    "events retry": ("--sandbox",),
    "events drop": ("--sandbox", "--yes", "1"),
}
"""Arguments with which a command that takes `--json` finds that its input is not acceptable."""
REPORTS = {
    "knowledge check": (("--folder", "not-there"), "faults"),
    "records verify": (("broken",), "broken"),
}
"""What is wrong is what they are asked for: a document tells it, and the exit code."""


def with_json(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from with_json(command, f"{path}{name} ")
        elif any("--json" in given.opts for given in command.params):
            yield f"{path}{name}"


@pytest.fixture
def nothing_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken file, no database, no source."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").write_text("{")
    monkeypatch.setattr("sys.stdin", StringIO("an-id"))
    monkeypatch.setenv("CDS_DATABASE_URL", NOT_THERE)
    monkeypatch.setenv("CDS_DATA_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")


def test_every_command_that_takes_json_is_tried_here() -> None:
    assert set(with_json(cli)) == set(WHAT_EACH_NEEDS) | set(REPORTS)


@pytest.mark.usefixtures("nothing_fits")
@pytest.mark.parametrize("command", WHAT_EACH_NEEDS)
def test_an_error_is_one_line_and_no_document(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "knowledge show":
        monkeypatch.setenv("CDS_KNOWLEDGE", "not-there")
    assert through_main(monkeypatch, *command.split(), "--json", *WHAT_EACH_NEEDS[command]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("CDS-")
    assert said.err.count("\n") == 1


@pytest.mark.usefixtures("nothing_fits")
@pytest.mark.parametrize("command", REPORTS)
def test_a_report_of_what_is_wrong_is_a_document(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, member = REPORTS[command]
    assert through_main(monkeypatch, *command.split(), "--json", *arguments) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)[member]
    assert said.err == ""


@pytest.fixture
def umlauts(tmp_path: Path) -> Path:
    """A result of a laboratory whose name not every terminal can show."""
    result = fhir_fixtures.load("csf_above_150")
    result["performer"] = [{"display": "Labor Zürichμ"}]
    file = tmp_path / "result.json"
    file.write_text(json.dumps(result), encoding="utf-8")
    return file


def shown(file: Path, *options: str) -> bytes:
    """What `evaluate` writes where standard output is Latin-1, in which there is no Greek."""
    command = [sys.executable, "-m", "cds_service", "evaluate", str(file), *options]
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        command, env={**os.environ, **latin}, capture_output=True, check=True
    ).stdout


def test_a_document_is_in_utf_8_whatever_the_terminal_has(umlauts: Path) -> None:
    (card,) = json.loads(shown(umlauts, "--json").decode("utf-8"))["cards"]
    assert "Labor Zürichμ" in card["detail"]


def test_a_sign_that_a_terminal_does_not_have_is_no_crash(umlauts: Path) -> None:
    assert "Zürich?" in shown(umlauts).decode("latin-1")
