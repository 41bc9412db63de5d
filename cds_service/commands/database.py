"""The commands for the database: migrate it, and delete what need not be kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands.input import (
    CONFIG,
    FORMER_KEYS,
    database_of,
    former_data_keys,
    settings_of,
)
from cds_service.commands.output import AS_JSON, print_json, progress
from cds_service.errors import InputError

if TYPE_CHECKING:
    from cds_service.store.retention import Removed

DRY_RUN = click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")


@click.group()
def db() -> None:
    """Migrate the database, or delete what need not be kept."""


@db.command()
@CONFIG
def upgrade(*, config: Path | None) -> None:
    """Create or migrate the database named by CDS_DATABASE_URL."""
    database = database_of(settings_of(config))
    database.upgrade()
    click.echo(f"The database is at revision {database.revision()}.")


@db.command()
@click.option(
    "--older-than",
    "days",
    metavar="DAYS",
    required=True,
    type=click.IntRange(1, 36_500),
    help="How many days everything is kept.",
)
@DRY_RUN
@AS_JSON
@CONFIG
def purge(*, days: int, dry_run: bool, as_json: bool, config: Path | None) -> None:
    """Delete what is older than DAYS.

    That is records, cards, feedback and finished events. May be stopped and run again, beside the
    service. Work that waits or was set aside stays.
    """
    from cds_service.store.retention import Retention

    before = datetime.now(UTC) - timedelta(days=days)
    retention = Retention(database_of(settings_of(config)))
    rows = retention.count_older(before)
    if not dry_run:
        rows = _delete(retention.purge(before), rows)
    moment = before.isoformat(timespec="seconds")
    _show(rows, {"before": moment}, f"older than {moment}", dry_run=dry_run, as_json=as_json)


@db.command()
@click.option(
    "--client",
    metavar="NAME",
    required=True,
    help="As in the records: general-hospital, general-hospital/tenant, or events:source.",
)
@click.option(
    "--note",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add the times of the records to FILE, for `records verify --erased FILE`.",
)
@FORMER_KEYS
@DRY_RUN
@AS_JSON
@CONFIG
def erase(
    *,
    client: str,
    note: Path | None,
    former_keys: Sequence[Path],
    dry_run: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Delete all that is stored of one patient of one client.

    The patient's id is asked for, or read from standard input: on the command line it would stay
    in the history of the shell. It is neither stored nor shown. Needs the data key, and finds
    what was stored under it.
    """
    from cds_service.store.pseudonym import Pseudonymiser
    from cds_service.store.records import recorded_clients
    from cds_service.store.retention import Retention
    from cds_service.wiring import existing_data_key

    settings = settings_of(config)
    keys = (existing_data_key(settings), *former_data_keys(former_keys))
    database, patient = database_of(settings), _patient_id()
    retention = Retention(database)
    pseudonyms = {key.of(client, "Patient", patient) for key in map(Pseudonymiser, keys)}
    belongings = retention.belongings(client, *pseudonyms)
    rows = belongings.counts()
    if not any(rows.values()):
        _require_known(client, recorded_clients(database))
    if not dry_run:
        if note:
            _note(note, belongings.recorded)
        rows = _delete(retention.erase(belongings), rows)
    under = "these data keys" if former_keys else "this data key"
    what = f"of this patient of {client}, under {under}"
    _show(rows, {"client": client}, what, dry_run=dry_run, as_json=as_json)


def _patient_id() -> str:
    """The id without `Patient/` before it, as clients send it. Raises InputError."""
    if sys.stdin.isatty():
        text = str(click.prompt("Id of the patient (it is not shown)", hide_input=True, err=True))
    else:
        text = sys.stdin.read()
    identifier = text.strip().removeprefix("Patient/")
    if not identifier or len(identifier.split()) != 1:
        raise InputError(
            "This is not one patient's id.",
            where="standard input",
            remedy="Give one id, as the client sends it in context.patientId.",
        )
    return identifier


def _note(file: Path, times: Iterable[datetime]) -> None:
    """Adds the times before anything goes: if the process is killed here, one too many is noted at
    worst, and none too few. Raises InputError.
    """
    try:
        with file.open("a", encoding="ascii") as opened:
            opened.writelines(f"{at.isoformat()}\n" for at in sorted(times))
            opened.flush()
            os.fsync(opened.fileno())
    except OSError:
        raise InputError(
            "The note cannot be written, and nothing was deleted.",
            where=str(file),
            remedy="Check path and permissions.",
        ) from None


def _require_known(client: str, names: Sequence[str]) -> None:
    """A misspelt name would look like a patient of whom nothing is stored. Raises InputError."""
    if client not in names:
        raise InputError(
            "Nothing is stored of this client.",
            where="--client",
            remedy=f"Known: {', '.join(names) or 'none'}.",
        )


def _delete(lots: Iterable[Removed], expected: Mapping[str, int]) -> dict[str, int]:
    """Delete lot after lot, by reading them, and count the rows by table."""
    gone = dict.fromkeys(expected, 0)
    with progress() as bar:
        task = bar.add_task("Deleting", total=sum(expected.values()))
        for lot in lots:
            gone[lot.table] += lot.rows
            bar.update(task, description=lot.table, advance=lot.rows)
    return gone


def _show(
    rows: Mapping[str, int],
    about: Mapping[str, str],
    what: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    if as_json:
        print_json({"dryRun": dry_run, **about, "rows": dict(rows)})
        return
    for table, count in rows.items():
        click.echo(f"{table}: {count}")
    done = "would be deleted" if dry_run else "deleted"
    click.echo(f"{sum(rows.values())} rows {what}: {done}.")
