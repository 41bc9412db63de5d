"""What a program that reads `--json` meets: one document, or nothing and one line of error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import click
import pytest

from cds_service import cli as module
from cds_service.cli import cli

NOT_THERE = "sqlite:///not-there/records.sqlite3"
WHAT_EACH_NEEDS = {
    "evaluate": ("broken",),
    "explain": ("broken",),
    "codes": ("broken",),
    "clients check": ("broken",),
    "knowledge show": (),
    "records show": ("an-id", "--client", "general-hospital"),
    "records rates": (),
    "db purge": ("--older-than", "30"),
    "db erase": ("--client", "general-hospital"),
    "subscribe": ("--sandbox", "lab"),
    "unsubscribe": ("--sandbox", "lab"),
    "status": ("--sandbox", "lab"),
    "events list": ("--sandbox",),
    "events retry": ("--sandbox",),
    "events drop": ("--sandbox", "--yes", "1"),
}
"""Arguments with which a command that takes `--json` finds that its input is not acceptable."""
REPORTS = {"knowledge check"}
"""What is wrong is what they are asked for: a document tells it, and the exit code."""


def with_json(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from with_json(command, f"{path}{name} ")
        elif any("--json" in given.opts for given in command.params):
            yield f"{path}{name}"


def run(monkeypatch: pytest.MonkeyPatch, words: Sequence[str]) -> int:
    """The exit code as a shell sees it."""
    monkeypatch.setattr("sys.argv", ["cds-service", *words])
    with pytest.raises(SystemExit) as stopped:
        module.main()
    return int(stopped.value.code or 0)


@pytest.fixture
def nothing_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken file, no database, no source."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").write_text("{")
    monkeypatch.setattr("sys.stdin", StringIO("an-id"))
    monkeypatch.setenv("CDS_DATABASE_URL", NOT_THERE)
    monkeypatch.setenv("CDS_DATA_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")


def test_every_command_that_takes_json_is_tried_here() -> None:
    assert set(with_json(cli)) == set(WHAT_EACH_NEEDS) | REPORTS


@pytest.mark.usefixtures("nothing_fits")
@pytest.mark.parametrize("command", WHAT_EACH_NEEDS)
def test_an_error_is_one_line_and_no_document(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "knowledge show":
        monkeypatch.setenv("CDS_KNOWLEDGE", "not-there")
    assert run(monkeypatch, [*command.split(), "--json", *WHAT_EACH_NEEDS[command]]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("CDS-")
    assert said.err.count("\n") == 1


@pytest.mark.usefixtures("nothing_fits")
@pytest.mark.parametrize("command", sorted(REPORTS))
def test_a_report_of_what_is_wrong_is_a_document(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, [*command.split(), "--json", "--folder", "not-there"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["faults"]
    assert said.err == ""
