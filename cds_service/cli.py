"""The command line: `cds-service`.

Exit codes: 0 done; 1 the input was read and is not acceptable; 2 wrong usage. An error is one line
that says what, where and what to do.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service import __version__
from cds_service.commands.clients import clients
from cds_service.commands.database import db
from cds_service.commands.event_work import events
from cds_service.commands.events import EVENT_COMMANDS
from cds_service.commands.input import CONFIG, FILE, FIRST_YEAR, library_of, settings_of
from cds_service.commands.knowledge import knowledge
from cds_service.commands.output import (
    AS_JSON,
    Output,
    cell,
    members,
    print_json,
    show_what_can_be_shown,
    usage_line,
)
from cds_service.commands.records import records
from cds_service.commands.rehearse import rehearse
from cds_service.errors import CdsError, InputError

if TYPE_CHECKING:
    from cds_service.commands.documents import DocumentAnswer
    from cds_service.config import Settings

ON = click.option(
    "--on", "on", metavar="DATE", default="", help="Evaluate as on this day (default: today)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cds-service")
def cli() -> None:
    """CDS Hooks decision support for soluble IL-2 receptor (sIL-2R) results.

    Exit codes: 0 done; 1 the input was read and is not acceptable; 2 wrong usage. An error is one
    line on standard error.
    """


@cli.command()
@click.option("--sandbox", is_flag=True, help="No tokens, synthetic patients only.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port to listen on.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes that answer side by side.",
)
@CONFIG
def serve(*, sandbox: bool, host: str, port: int, workers: int, config: Path | None) -> None:
    """Start the HTTP service.

    Without --sandbox it does not start unless callers, address, TLS and data key are configured.
    """
    from cds_service import collector

    # Here, not in each worker: they are forked from this process and share what it has loaded.
    with collector.at_rest():
        from cds_service.event_worker import worker_beside
        from cds_service.web.serve import require_addresses
        from cds_service.web.serve import serve as run
        from cds_service.wiring import make_app, prepared

        settings = settings_of(config, sandbox=sandbox)
        require_addresses(settings, host, port)  # before anything is started or printed
        library = prepared(settings)
    if sandbox:
        click.echo(_welcome(settings, host, port), err=True)
    with worker_beside(settings):
        app = partial(make_app, settings, library)
        run(app, settings, knowledge=library.tags, host=host, port=port, workers=workers)


_WELCOME = """\
sil2r-cds in sandbox mode on http://{address} ({tokens}; synthetic patients only).
Try next, from the folder of the project:
{call}  .venv/bin/cds-service explain fhir_fixtures/observation/csf_above_150.json
"""
_CALL = """\
  curl -s -H 'Content-Type: application/json' \\
    -d @fhir_fixtures/hook-request/lab_result_minimal.json \\
    http://{address}/cds-services/sil2r-lab-result
"""
_DISCOVERY = """\
  curl -s http://{address}/cds-services
"""


def _welcome(settings: Settings, host: str, port: int) -> str:
    """What to try first; with registered clients only discovery, since a call needs a token."""
    from cds_service.callers import registered_clients

    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if registered_clients(settings).clients:
        tokens, call = "tokens of the registered clients are asked for", _DISCOVERY
    else:
        tokens, call = "no tokens asked for", _CALL
    return _WELCOME.format(address=address, tokens=tokens, call=call.format(address=address))


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@AS_JSON
@ON
@CONFIG
def evaluate(*, files: Sequence[Path], as_json: bool, on: str, config: Path | None) -> None:
    """Print the cards for FHIR files and CDS Hooks requests.

    A file holds an Observation, a DiagnosticReport, any Bundle, or a whole CDS Hooks request; no
    server is needed. For one file --json is the CDS Hooks response, for several a list of files
    with their cards.
    """
    from cds_service.commands.terminal import print_cards

    console = Output()
    said = []
    for file, outcomes in _evaluated(files, on, config):
        cards = [card.as_json() for outcome in outcomes for card in outcome.cards]
        said.append({"file": str(file), "cards": cards})
        if not as_json:
            if len(files) > 1:
                console.rule(cell(str(file)))
            print_cards(console, cards)
    if as_json:
        print_json({"files": said} if len(files) > 1 else {"cards": said[0]["cards"]})


@cli.command()
@click.argument("file", metavar="FILE", type=FILE)
@AS_JSON
@ON
@CONFIG
def explain(*, file: Path, as_json: bool, on: str, config: Path | None) -> None:
    """Say why: the facts read, every row considered, the sources.

    FILE holds what `evaluate` takes.
    """
    from cds_service.commands.explain import explanation
    from cds_service.commands.terminal import print_explanation

    traces = [
        explanation(outcome.evaluation, outcome.knowledge, outcome.cards, outcome.advice)
        for _, outcomes in _evaluated([file], on, config)
        for outcome in outcomes
    ]
    if as_json:
        print_json({"explanations": traces})
    else:
        for trace in traces:
            print_explanation(Output(), trace)


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@AS_JSON
@CONFIG
def codes(*, files: Sequence[Path], as_json: bool, config: Path | None) -> None:
    """List the laboratory codes in FHIR files, mapped or not.

    A file holds one JSON object, or where its name ends in .ndjson one in each line. `look` marks
    what is not read and should be; `beside` a code that always comes with one that is mapped.
    """
    from cds_service.commands.code_report import seen_codes
    from cds_service.commands.documents import read_documents
    from cds_service.commands.terminal import print_codes

    library = library_of(settings_of(config))
    found = seen_codes(chain.from_iterable(map(read_documents, files)), library)
    if as_json:
        print_json({"codes": [members(code) for code in found]})
    else:
        print_codes(Output(), found)


def _evaluated(
    files: Sequence[Path], on: str, config: Path | None
) -> Iterator[tuple[Path, Sequence[DocumentAnswer]]]:
    """Each file with its evaluation by every knowledge base of the library, which is read once."""
    from cds_service.commands.documents import evaluate_file

    day, settings = _day(on), settings_of(config)
    library = library_of(settings)
    for file in files:
        yield file, evaluate_file(file, library, day, settings.lab_result_hook)


def _day(text: str) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it as 2026-11-21", param_hint="--on") from None
    if day.year < FIRST_YEAR:
        raise click.BadParameter(f"give a day from {FIRST_YEAR} on", param_hint="--on")
    return day


for command in (clients, db, knowledge, records, rehearse, *EVENT_COMMANDS, events):
    cli.add_command(command)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""The errors with which writing to a full or failing disk ends."""


def main() -> None:
    """Run the command line. What goes wrong by design is one line on stderr.

    Exit code 1 for an error of ours, for output that cannot be written and for an interruption; 2
    for wrong usage.
    """
    show_what_can_be_shown()
    try:
        cli(prog_name="cds-service", standalone_mode=False)
        if sys.stdout is not None:  # as it is where whoever started us has closed it
            sys.stdout.flush()
    except CdsError as error:
        _end(error.one_line(), 1)
    except click.exceptions.NoArgsIsHelpError as error:
        _end(error.format_message(), error.exit_code)
    except click.UsageError as error:
        _end(usage_line(error), error.exit_code)
    except click.Abort:
        _end("Interrupted.", 1)
    except OSError as lost:
        if lost.errno not in _NO_ROOM:
            raise
        # Else Python would write the rest of its buffer at exit, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        full = InputError("It cannot be written.", where="output", remedy="Is the disk full?")
        _end(full.one_line(), 1)


def _end(line: str, code: int) -> None:
    click.echo(line, err=True)
    sys.exit(code)
