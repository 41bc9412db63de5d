"""The command line: `cds-service`.

Exit codes: 0 done; 1 the input was read and is not acceptable; 2 wrong usage. An error is one line
that says what, where and what to do.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from cds_service import __version__
from cds_service.cli_clients import clients
from cds_service.cli_database import db
from cds_service.cli_events import EVENT_COMMANDS
from cds_service.errors import CdsError

if TYPE_CHECKING:
    from cds_service.documents import Outcome
    from cds_service.knowledge_files import Library

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE_TO_WRITE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")
ON = click.option(
    "--on", "on", metavar="DATE", default="", help="Evaluate as on this day (default: today)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cds-service")
def cli() -> None:
    """CDS Hooks decision support for soluble IL-2 receptor (sIL-2R) results."""


@cli.command()
@click.option("--sandbox", is_flag=True, help="No tokens, synthetic patients only.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--config", type=FILE, help="Settings as TOML; the environment wins.")
def serve(*, sandbox: bool, host: str, port: int, workers: int, config: Path | None) -> None:
    """Start the HTTP service."""
    from cds_service import collector

    # Here, not in each worker: they are forked from this process and share what it has loaded.
    with collector.at_rest():
        from cds_service.config import Mode, load_settings
        from cds_service.event_worker import worker_beside
        from cds_service.web.serve import serve as run
        from cds_service.wiring import make_app, prepared

        mode = Mode.SANDBOX if sandbox else Mode.PRODUCTION
        settings = load_settings(mode, os.environ, config)
        library = prepared(settings)
    if sandbox:
        click.echo(_WELCOME.format(host=host, port=port), err=True)
    with worker_beside(settings):
        app = partial(make_app, settings, library)
        run(app, settings, host=host, port=port, workers=workers)


_WELCOME = """\
sil2r-cds in sandbox mode on http://{host}:{port} (no tokens asked for; synthetic patients only).
Try next, from the folder of the project:
  curl -s -H 'Content-Type: application/json' \\
    -d @fhir_fixtures/hook-request/lab_result_minimal.json \\
    http://{host}:{port}/cds-services/sil2r-lab-result
  .venv/bin/cds-service explain fhir_fixtures/observation/csf_above_150.json
"""


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@AS_JSON
@ON
def evaluate(*, files: Sequence[Path], as_json: bool, on: str) -> None:
    """Print the cards for an Observation, a Bundle or a CDS Hooks request."""
    from cds_service.terminal import print_cards

    console = Console()
    for file in files:
        cards = [card.as_json() for outcome in _outcomes(file, on) for card in outcome.cards]
        if as_json:
            _print_json({"cards": cards})
        else:
            print_cards(console, cards)


@cli.command()
@click.argument("file", metavar="FILE", type=FILE)
@AS_JSON
@ON
def explain(*, file: Path, as_json: bool, on: str) -> None:
    """Say why: the facts read, every row considered, the sources."""
    from cds_service.explain import explanation
    from cds_service.terminal import print_explanation

    traces = [
        explanation(outcome.evaluation, outcome.knowledge, outcome.cards, outcome.advice)
        for outcome in _outcomes(file, on)
    ]
    if as_json:
        _print_json({"explanations": traces})
    else:
        for trace in traces:
            print_explanation(Console(), trace)


@cli.group()
def knowledge() -> None:
    """Prove, show, export or approve the knowledge base."""


@knowledge.command()
@click.option("--folder", type=FOLDER, help="Another folder than the packaged one.")
@click.option("--site", type=FILE, help="A site file to prove with it.")
@AS_JSON
def check(*, folder: Path | None, site: Path | None, as_json: bool) -> None:
    """Prove the knowledge base: references, words, decision table, worked cases."""
    from cds_service.knowledge_check import check_knowledge

    site = site or _path_from_environment("CDS_SITE")
    report = check_knowledge(folder, site, _path_from_environment("CDS_APPROVAL"))
    if as_json:
        _print_json(report.as_json())
    else:
        for line in report.lines():
            click.echo(line)
    if report.faults:
        raise SystemExit(1)


@knowledge.command()
@AS_JSON
def show(*, as_json: bool) -> None:
    """Print the knowledge for a clinician: a page to read, check and sign off."""
    from rich.markdown import Markdown

    from cds_service import knowledge_show

    library = _library()
    console = Console()
    if as_json:
        _print_json(knowledge_show.as_json(library))
    elif console.is_terminal:
        console.print(Markdown(knowledge_show.pages(library)))
    else:
        click.echo(knowledge_show.pages(library), nl=False)


@knowledge.command("export-fhir")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--base", metavar="URL", help="Start of all canonical URLs, instead of our own.")
def export_fhir(*, folder: Path, base: str | None) -> None:
    """Write the knowledge as FHIR R4 resources, one file each.

    Evidence and Citation, which need FHIR R4B, go to the folder DIR/r4b.
    """
    from cds_service.knowledge_export.artifact import OUR_BASE
    from cds_service.knowledge_export.write import export_fhir as export

    count = export(_library(), folder, (base or OUR_BASE).rstrip("/"))
    click.echo(f"{count} resources written to {folder}.")


@knowledge.command()
@click.option("--reviewer", required=True, help="The name of the clinician who signs.")
@click.option("--role", default="", help="In what capacity.")
@click.option("--file", required=True, type=FILE_TO_WRITE, help="The approval file to add to.")
@click.option("--analyte", default="", help="Which knowledge, where there are several.")
def approve(*, reviewer: str, role: str, file: Path, analyte: str) -> None:
    """Record that a named reviewer has signed exactly this content."""
    from cds_service.knowledge_approve import approve_content

    today = datetime.now(UTC).date()
    said = approve_content(_library(), analyte, file, reviewer=reviewer, role=role, on=today)
    click.echo(said)


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@AS_JSON
def codes(*, files: Sequence[Path], as_json: bool) -> None:
    """List the laboratory codes in FHIR files, and which of them are not mapped."""
    from cds_service.code_report import seen_codes
    from cds_service.config import Mode, load_settings
    from cds_service.documents import read_document
    from cds_service.knowledge_files import load_configured
    from cds_service.terminal import print_codes

    library = load_configured(load_settings(Mode.SANDBOX, os.environ))
    found = seen_codes([read_document(file) for file in files], library)
    if as_json:
        _print_json({"codes": [asdict(code) for code in found]})
    else:
        print_codes(Console(), found)


def _outcomes(file: Path, on: str) -> Sequence[Outcome]:
    """The evaluation of a file by every knowledge base of the library."""
    from cds_service.config import Mode, load_settings
    from cds_service.documents import evaluate_document, read_document
    from cds_service.knowledge_files import load_configured

    settings = load_settings(Mode.SANDBOX, os.environ)
    library = load_configured(settings)
    return evaluate_document(read_document(file), library, _day(on), settings.lab_result_hook)


def _library() -> Library:
    """The knowledge as the environment configures it."""
    from cds_service.config import Mode, load_settings
    from cds_service.knowledge_files import load_configured

    return load_configured(load_settings(Mode.SANDBOX, os.environ))


def _path_from_environment(name: str) -> Path | None:
    path = os.environ.get(name, "")
    return Path(path) if path else None


def _day(text: str) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it as 2026-11-21", param_hint="--on") from None


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


for command in (clients, db, *EVENT_COMMANDS):
    cli.add_command(command)


def main() -> None:
    """Run the command line; a designed error becomes one line on stderr and exit code 1."""
    try:
        cli()
    except CdsError as error:
        click.echo(error.one_line(), err=True)
        sys.exit(1)
