"""`records ledger` and `records verify`: whether the records are still what was recorded."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cds_service.commands.input import (
    CONFIG,
    FILE,
    FORMER_KEYS,
    database_of,
    former_data_keys,
    settings_of,
)
from cds_service.commands.output import (
    AS_JSON,
    Output,
    cell,
    members,
    print_json,
    progress,
    table_of,
)
from cds_service.errors import InputError

if TYPE_CHECKING:
    from cds_service.store.ledger import Broken, Comparison, Sound

LEDGER = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", metavar="FILE", type=LEDGER)
@FORMER_KEYS
@AS_JSON
@CONFIG
def ledger(*, file: Path, former_keys: Sequence[Path], as_json: bool, config: Path | None) -> None:
    """Note the records of the past hours in FILE.

    What is in FILE already stays; a new line is added for each hour with records, once it is an
    hour old, and one for the quiet hours after the last. Keep FILE where nobody who can change the
    database can change it, and the code of its last line, which is printed, in a third place. Needs
    the data key.
    """
    from cds_service.store.ledger import Broken, Ledger
    from cds_service.wiring import existing_data_key

    settings = settings_of(config)
    key = existing_data_key(settings)
    with database_of(settings) as database, _opened(file) as open_file:
        keeper = Ledger(database, key, former_data_keys(former_keys))
        lines, state = keeper.read(_whole_lines(open_file))
        if isinstance(state, Broken):
            raise InputError(
                f"The ledger cannot be continued: {state.why}.",
                where=f"{file} line {state.line}",
                remedy="If it names a data key, give that with --former-key. Else keep the file as "
                "it is, for whoever will look into it, and begin another.",
            )
        added = []
        for line in keeper.due(lines, datetime.now(UTC)):
            open_file.write(line.written())
            added.append(line)
        open_file.flush()
        os.fsync(open_file.fileno())
    records = sum(len(line.page.records) for line in added)
    codes = [line.code for line in (*lines, *added)]
    last = codes[-1] if codes else ""
    if as_json:
        print_json({"linesAdded": len(added), "recordsAdded": records, "lastCode": last})
    else:
        click.echo(f"Lines added: {len(added)}, records: {records}.")
        if last:
            click.echo(f"Code of the last line, to be kept elsewhere: {last}")


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The ledger to read and to add to, for one run at a time. Raises InputError."""
    try:
        opened = file.open("a+b")
    except OSError:
        raise InputError(
            "The ledger can be neither made nor written.",
            where=str(file),
            remedy="Check path and permissions.",
        ) from None
    with opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield opened


def _whole_lines(file: BinaryIO) -> list[bytes]:
    """The lines of the file. The half of a line that a run left when it was ended is removed."""
    file.seek(0)
    lines = file.readlines()
    if lines and not lines[-1].endswith(b"\n"):
        file.truncate(sum(map(len, lines[:-1])))
        lines.pop()
    return lines


@click.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--last", metavar="CODE", default="", help="The code of a line that must be there.")
@click.option(
    "--erased",
    "notes",
    metavar="FILE",
    type=FILE,
    multiple=True,
    help="What `db erase --note` wrote: these records may be gone.",
)
@click.option(
    "--older-than",
    "days",
    metavar="DAYS",
    type=click.IntRange(1, 36_500),
    default=36_500,
    help="As given to `db purge`: older records may be gone. Without it none may.",
)
@FORMER_KEYS
@AS_JSON
@CONFIG
def verify(
    *,
    file: Path,
    last: str,
    notes: Sequence[Path],
    days: int,
    former_keys: Sequence[Path],
    as_json: bool,
    config: Path | None,
) -> None:
    """Compare the records with FILE, as `records ledger` wrote it.

    Exit code 1 where there is no line, where a line or a record is not what it was, where records
    came in since, or where others are gone than were purged and erased. Needs the data key.
    """
    from cds_service.store.ledger import Broken, Ledger
    from cds_service.wiring import existing_data_key

    settings = settings_of(config)
    key = existing_data_key(settings)
    erased = [at for note in notes for at in _noted(note)]
    with database_of(settings) as database:
        keeper = Ledger(database, key, former_data_keys(former_keys))
        lines, state = keeper.read(_all_lines(file))
        if not lines and not isinstance(state, Broken):
            state = Broken(1, "it is not there, so nothing was compared")
        if last and not isinstance(state, Broken) and last not in {line.code for line in lines}:
            state = Broken(len(lines) + 1, "lines are missing at the end")
        with progress() as bar:
            task = bar.add_task("Comparing lines", total=len(lines))
            kept_since = datetime.now(UTC) - timedelta(days=days)
            found = keeper.compare(lines, kept_since, lambda: bar.advance(task), erased)
    if as_json:
        print_json(
            {
                "lines": len(lines),
                "broken": [members(state)] if isinstance(state, Broken) else [],
                **members(found),
            }
        )
    else:
        _print(len(lines), state, found)
    if isinstance(state, Broken) or found.changed or found.missing:
        raise SystemExit(1)


def _noted(note: Path) -> list[datetime]:
    """The times that `db erase --note` wrote there, or somebody as SQLite tells them: in UTC, which
    it does not say. Raises InputError.
    """
    try:
        noted = [datetime.fromisoformat(line) for line in note.read_text("ascii").splitlines()]
        return [at if at.tzinfo else at.replace(tzinfo=UTC) for at in noted]
    except ValueError:
        raise InputError(
            "This is no note of what was erased.",
            where=str(note),
            remedy="Give a file that `cds-service db erase --note` wrote.",
        ) from None


def _all_lines(file: Path) -> list[bytes]:
    with file.open("rb") as opened:
        fcntl.flock(opened, fcntl.LOCK_SH)  # waits for a run that is writing a line
        return opened.readlines()


def _print(lines: int, state: Sound | Broken, found: Comparison) -> None:
    from cds_service.store.ledger import Broken, Sound

    console = Output()
    match state:
        case Sound():
            console.print("Every line is as it was written.")
        case Broken(line, why):
            console.print(cell(f"Line {line}: {why}. What comes after it proves nothing."))
    console.print(f"Lines: {lines}, records in them: {found.records}.")
    if found.changed:
        table = table_of("changed, or come in since", "made at")
        for each in found.changed:
            table.add_row(cell(each.id), cell(each.at))
        console.print(table)
    if found.purged:
        newest = found.purged[-1].isoformat()
        console.print(f"Gone, and older than is kept: {len(found.purged)}, up to {newest}.")
    if found.erased:
        console.print(f"Gone, and noted as erased: {len(found.erased)}.")
    if found.missing:
        table = table_of("gone, and neither by age nor erased: made at")
        for at in found.missing:
            table.add_row(at.isoformat())
        console.print(table)
