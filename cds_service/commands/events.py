"""The commands for lab-result events: work, subscribe, catch up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands.input import FIRST_YEAR, settings_of, settings_options
from cds_service.commands.output import (
    AS_JSON,
    Output,
    cell,
    members,
    print_json,
    progress,
    table_of,
)
from cds_service.errors import DataUnavailable

if TYPE_CHECKING:
    from cds_service.event_wiring import Workshop
    from cds_service.events.subscribing import SubscriptionStanding
    from cds_service.store.event_backlog import Backlog


@click.command()
@click.option(
    "--threads",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Results worked on side by side.",
)
@settings_options
def worker(*, threads: int, sandbox: bool, config: Path | None) -> None:
    """Process received lab-result events, until it is stopped."""
    from cds_service.event_worker import run_worker

    run_worker(settings_of(config, sandbox=sandbox), threads)


@click.command()
@click.argument("source")
@AS_JSON
@settings_options
def subscribe(*, source: str, as_json: bool, sandbox: bool, config: Path | None) -> None:
    """Create the Subscription(s) on the FHIR server of SOURCE."""
    from cds_service.events import subscribing

    workshop = _workshop(sandbox, config)
    chosen = workshop.room.source(source)
    with _upstream():
        standing = subscribing.subscribe(
            chosen,
            workshop.caretaker.exchange(chosen),
            workshop.room.subscriptions,
            knowledge=workshop.knowledge,
            endpoint=workshop.room.endpoint(chosen),
            at=datetime.now(UTC),
        )
    _show_standing(standing, as_json)


@click.command()
@click.argument("source")
@AS_JSON
@settings_options
def unsubscribe(*, source: str, as_json: bool, sandbox: bool, config: Path | None) -> None:
    """End the Subscription(s) on the FHIR server of SOURCE."""
    from cds_service.events import subscribing

    workshop = existing_workshop(sandbox, config)
    chosen = workshop.room.source(source)
    with _upstream():
        exchange = workshop.caretaker.exchange(chosen)
        ended = subscribing.unsubscribe(chosen, exchange, workshop.room.subscriptions)
    if as_json:
        print_json({"ended": [members(each) for each in ended]})
    else:
        click.echo(f"Subscriptions ended: {len(ended)}.")


@click.command()
@click.argument("source")
@AS_JSON
@settings_options
def status(*, source: str, as_json: bool, sandbox: bool, config: Path | None) -> None:
    """Show the Subscription(s) and the backlog of SOURCE."""
    from cds_service.events import subscribing

    workshop = existing_workshop(sandbox, config)
    chosen = workshop.room.source(source)
    with _upstream():
        exchange = workshop.caretaker.exchange(chosen)
        standing = subscribing.standing(chosen, exchange, workshop.room.subscriptions)
    backlog = workshop.room.store.backlog(source)
    missing = workshop.room.subscriptions.missing(source)
    _show_standing(standing, as_json, **asdict(backlog), missing=missing)


def _moment(_context: click.Context, _option: click.Parameter, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter("write it as 2026-11-20T18:00:00, in UTC") from None
    if moment.year < FIRST_YEAR:
        raise click.BadParameter(f"give a time from {FIRST_YEAR} on")
    return moment


@click.command("catch-up")
@click.argument("source")
@click.option(
    "--since",
    metavar="TIME",
    required=True,
    callback=_moment,
    help="In UTC, such as 2026-11-20T18:00:00.",
)
@click.option(
    "--wait/--no-wait",
    default=True,
    show_default=True,
    help="Work it off here, or leave it to the worker.",
)
@AS_JSON
@settings_options
def catch_up(
    *, source: str, since: datetime, wait: bool, as_json: bool, sandbox: bool, config: Path | None
) -> None:
    """Process what changed at SOURCE since then."""
    from cds_service.fhir.calls.fetched import Partial

    workshop = _workshop(sandbox, config)
    chosen = workshop.room.source(source)
    with _upstream():
        found = workshop.caretaker.catch_up(chosen, since)
    count, moment = len(found.targets), since.isoformat(timespec="seconds")
    in_part = isinstance(found.extent, Partial)
    if not as_json:
        click.echo(f"{count} result(s) changed since {moment}.")
    if in_part:
        again = "The server says that this may not be all: it will be searched again."
        click.echo(again, err=True)
    if wait and found.targets:
        _work_off(workshop)
    backlog = workshop.room.store.backlog(source)
    if as_json:
        told = {"changed": count, "since": moment, "inPart": in_part}
        print_json(told | {"waiting": backlog.waiting, "dead": backlog.dead})
    else:
        _show_what_is_left(source, backlog)


EVENT_COMMANDS = (worker, subscribe, unsubscribe, status, catch_up)


@contextmanager
def _upstream() -> Iterator[None]:
    """A FHIR server that cannot be asked becomes one line and exit code 1."""
    from cds_service.events.faults import UpstreamFailed

    try:
        yield
    except UpstreamFailed as failed:
        raise DataUnavailable(
            f"The FHIR server did not do what was asked ({failed.cause}).",
            remedy="Check its address and our credentials in the registry.",
        ) from None


def _work_off(workshop: Workshop) -> None:
    """Each that is due is tried once: one that fails comes due again behind all of them."""
    store = workshop.room.store
    due = store.due(datetime.now(UTC))
    with progress() as bar:
        task = bar.add_task("Processing", total=due)
        tried = 0
        while tried < due and (some := workshop.worker.work_off_some()):
            tried += some
            bar.update(task, completed=min(tried, due))


def _show_what_is_left(source: str, backlog: Backlog) -> None:
    if backlog.waiting:
        click.echo(f"{backlog.waiting} event(s) of {source} wait for their turn.")
    if backlog.dead:
        click.echo(f"{backlog.dead} were set aside: see `cds-service events list --dead`.")
    if not (backlog.waiting or backlog.dead):
        click.echo("Done.")


def _show_standing(standing: Sequence[SubscriptionStanding], as_json: bool, **numbers: int) -> None:
    if as_json:
        print_json({"subscriptions": [members(each) for each in standing], **numbers})
        return
    if not standing:
        click.echo("There is no subscription; make one with `subscribe`.")
    for each in standing:
        table = table_of("subscription")
        table.add_column(cell(each.subscription), overflow="fold")
        table.add_row("here", cell(each.here))
        table.add_row("on its server", cell(each.there))
        table.add_row("last heard", cell(each.last_heard))
        table.add_row("criteria", cell(each.criteria))
        Output().print(table)
    if numbers:
        click.echo("  ".join(f"{name}: {count}" for name, count in numbers.items()))


def _workshop(sandbox: bool, config: Path | None) -> Workshop:
    from cds_service.wiring import open_events

    return open_events(settings_of(config, sandbox=sandbox))


def existing_workshop(sandbox: bool, config: Path | None) -> Workshop:
    """The workshop of a command that must not make a database.

    Raises ConfigurationError, StoreUnavailable.
    """
    from cds_service.wiring import existing_events

    return existing_events(settings_of(config, sandbox=sandbox))
