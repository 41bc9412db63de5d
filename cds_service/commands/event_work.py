"""The commands for events that wait or were set aside: list, give another turn, remove."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from cds_service.commands.events import existing_workshop
from cds_service.commands.input import settings_options
from cds_service.commands.output import AS_JSON, Output, members, print_json, table_of
from cds_service.errors import InputError

if TYPE_CHECKING:
    from cds_service.store.event_backlog import Waiting
    from cds_service.store.events import EventStore


@click.group()
def events() -> None:
    """List events that wait or failed; try again or drop them."""


@events.command("list")
@click.option("--dead", is_flag=True, help="Only those that were set aside.")
@AS_JSON
@settings_options
def list_events(*, dead: bool, as_json: bool, sandbox: bool, config: Path | None) -> None:
    """List what waits; it holds no patient data."""
    store = existing_workshop(sandbox, config).room.store
    rows, total = store.waiting(dead_only=dead), store.count(dead_only=dead)
    if total > len(rows):
        click.echo(f"These are the oldest {len(rows):,} of {total:,}.", err=True)
    if as_json:
        print_json({"events": [members(row) for row in rows]})
        return
    nothing = "Nothing was set aside." if dead else "Nothing waits."
    Output().print(_table(rows) if rows else nothing)


@events.command()
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1, type=int)
@AS_JSON
@settings_options
def retry(*, numbers: Sequence[int], as_json: bool, sandbox: bool, config: Path | None) -> None:
    """Give events that were set aside another turn: those named, or all."""
    workshop = existing_workshop(sandbox, config)
    revived = workshop.room.store.revive(numbers, datetime.now(UTC))
    workshop.room.queue().wake()
    if as_json:
        print_json({"revived": revived})
    else:
        click.echo(f"{revived} event(s) will be tried again.")
    if revived < len(set(numbers)):
        raise InputError(
            "Not every number is of an event that was set aside.",
            where="NUMBER",
            remedy="`cds-service events list --dead` shows them.",
        )


@events.command()
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1, type=int)
@click.option(
    "--source", default="", metavar="NAME", help="All of this source that were set aside."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
@settings_options
def drop(
    *,
    numbers: Sequence[int],
    source: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    sandbox: bool,
    config: Path | None,
) -> None:
    """Remove events for good, after showing them.

    That is those named, or all of a source that were set aside. Their results are not looked at
    unless they are notified again, or found by `catch-up`. An event that is being worked on stays.
    Each removal is one line in the log.
    """
    if bool(numbers) == bool(source):
        raise click.UsageError("Give NUMBER or --source, and not both.")
    if as_json and not (dry_run or yes):
        raise click.UsageError("--json shows nothing first: give --dry-run or --yes with it.")
    store = existing_workshop(sandbox, config).room.store
    rows = store.set_aside_of(source) if source else store.named(numbers)
    _require_events(rows, numbers)
    if not as_json:
        Output().print(_table(rows))
    asks = not (dry_run or yes)
    if asks and not click.confirm(f"Remove {len(rows)} event(s) for good?", err=True):
        click.echo("Nothing was removed.", err=True)
        raise SystemExit(1)
    shown = rows if dry_run else _dropped(store, rows)
    if as_json:
        print_json({"dryRun": dry_run, "events": [members(row) for row in shown]})
    else:
        done = "would be removed" if dry_run else "removed"
        click.echo(f"{len(shown)} event(s) {done}.")
    if len(shown) < len(rows):
        raise InputError(
            "Events that are being worked on, or were notified again, were left.",
            where="events",
            remedy="Look with `cds-service events list`, and try again in five minutes.",
        )


def _table(rows: Iterable[Waiting]) -> Table:
    """Few columns, so that each is wide enough for its words on a narrow terminal."""
    table = table_of("number", "event", "state")
    table.add_column("received (UTC)", no_wrap=True)
    for row in rows:
        event, received = f"{row.source}: {row.kind}", f"{row.first_received:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(row.number), event, _state(row), received)
    return table


def _state(row: Waiting) -> str:
    how = "set aside" if row.dead else f"due {row.due:%Y-%m-%d %H:%M:%S}"
    told = (how, f"attempts {row.attempts}", row.cause)
    return ", ".join(word for word in told if word)


def _require_events(rows: Sequence[Waiting], numbers: Sequence[int]) -> None:
    """A mistyped number or name would look like success. Raises InputError."""
    if len(rows) < len(set(numbers)):
        raise InputError(
            "Not every number is of an event; none was removed.",
            where="NUMBER",
            remedy="`cds-service events list` shows them.",
        )
    if not rows:
        raise InputError(
            "Nothing of this source was set aside.",
            where="--source",
            remedy="`cds-service events list --dead` shows what was.",
        )


def _dropped(store: EventStore, rows: Sequence[Waiting]) -> list[Waiting]:
    """Remove rows, and give those that went. Each has a line in the log for whoever asks later."""
    from cds_service.logs import Event, log

    def tell(row: Waiting) -> None:
        log(
            Event.EVENT_DROPPED,
            number=row.number,
            source=row.source,
            kind=row.kind,
            way=row.way,
            cause=row.cause,
            attempts=row.attempts,
        )

    return list(store.drop(rows, datetime.now(UTC), tell))
