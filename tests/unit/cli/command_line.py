"""The command line as tests use it: in this process, or through `main` as a shell does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service import cli as module
from cds_service.cli import cli

COMMANDING = "\x1b]0;title\x07 \x9b31m red \u202e back [/]\r\n| made | up |"
"""A text that a terminal would obey, with a line that passes for one of ours."""


def is_harmless(shown: str) -> bool:
    """Whether a terminal shows it as it stands, line by line."""
    return all(line.isprintable() for line in shown.split("\n"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def document(shown: Result) -> dict[str, Any]:
    """The one document that a command wrote, which must have ended well."""
    assert shown.exit_code == 0, shown.output
    return dict(json.loads(shown.stdout))


def through_main(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code as a shell sees it, designed errors included."""
    monkeypatch.setattr("sys.argv", ["cds-service", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        module.main()
    return int(stopped.value.code or 0)
