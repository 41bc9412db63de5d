"""What all commands share in how they speak: JSON for machines, progress for a person, one line
for wrong usage.

Members of JSON are named in camel case, as in FHIR and CDS Hooks.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.errors import printable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from rich.progress import Progress

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Output(Console):
    """Standard output. It is no failure if the reader stops early, as `head` does."""

    def on_broken_pipe(self) -> NoReturn:
        """Ends the program quietly; what Python still holds for the reader is thrown away."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0)


def table_of(*columns: str) -> Table:
    """A table whose cells are folded and never cut, since an operator needs the whole text."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def cell(text: str) -> Text:
    """A text that somebody else may have written: on one line, and without control characters."""
    return Text(printable(" ".join(text.splitlines())))


def print_json(document: object) -> None:
    """One JSON document on standard output: in UTF-8 (RFC 8259), whatever the terminal has.

    What a terminal might obey is escaped: of control characters, JSON itself escapes only the
    first 32.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False)
    harmless = (
        sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text
    )
    click.echo("".join(harmless).encode())


def print_lines(lines: Iterable[str]) -> None:
    """A report for a person, as plain text without control characters."""
    for line in lines:
        click.echo(printable(line))


def show_what_can_be_shown() -> None:
    """Lets a sign that the terminal does not have become `?`, where Python would raise an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def members(row: DataclassInstance) -> Any:
    """The members of a row as our JSON has them (`in_camel_case`)."""
    return in_camel_case(asdict(row))


def in_camel_case(content: object) -> Any:
    """The content with the names of all members in camel case, and moments as ISO 8601."""
    match content:
        case dict():
            return {_camel(name): in_camel_case(value) for name, value in content.items()}
        case list() | tuple():
            return [in_camel_case(each) for each in content]
        case datetime():
            return content.isoformat()
        case _:
            return content


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def progress() -> Progress:
    """Shows on standard error how far a long command is; nothing where that is no terminal."""
    # loaded here, since most commands are quick and need no progress
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def usage_line(error: click.UsageError) -> str:
    """Wrong usage as one line: which command, what is wrong, where to read on."""
    command = error.ctx.command_path if error.ctx else "cds-service"
    said = printable(" ".join(error.format_message().split())).removesuffix(".")
    end = "" if said.endswith("?") else "."
    return f"{command}: {said}{end} See `{command} --help`."
