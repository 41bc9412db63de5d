"""The commands for the knowledge base."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from cds_service.commands.input import CONFIG, FILE, library_of, settings_of
from cds_service.commands.output import AS_JSON, Output, print_json, print_lines
from cds_service.fhir.canonical import OUR_BASE
from cds_service.setting_shapes import Unusable, an_url

FILE_TO_WRITE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def knowledge() -> None:
    """Prove, show, export or approve the knowledge base."""


@knowledge.command()
@click.option(
    "--folder", type=FOLDER, help="The folder (default: the configured, or the packaged)."
)
@click.option("--site", type=FILE, help="A site file to prove with it (default: the configured).")
@AS_JSON
@CONFIG
def check(*, folder: Path | None, site: Path | None, as_json: bool, config: Path | None) -> None:
    """Prove references, words, decision table, worked cases.

    What is wrong is one line each, with file, row and remedy; then the exit code is 1.
    """
    from cds_service.knowledge.check import check_knowledge

    settings = settings_of(config)
    report = check_knowledge(
        folder or settings.knowledge,
        site or settings.site,
        settings.approval,
        terminologies=settings.terminologies,
    )
    if as_json:
        print_json(report.as_json())
    else:
        print_lines(report.lines())
    if report.faults:
        raise SystemExit(1)


@knowledge.command()
@AS_JSON
@CONFIG
def show(*, as_json: bool, config: Path | None) -> None:
    """Print the knowledge as a page to read, check and sign."""
    from rich.markdown import Markdown

    from cds_service.knowledge import show as page

    library = library_of(settings_of(config))
    console = Output()
    if as_json:
        print_json(page.as_json(library))
    elif console.is_terminal:
        console.print(Markdown(page.pages(library)))
    else:
        click.echo(page.pages(library), nl=False)


def _canonical_base(_context: click.Context, _option: click.Parameter, text: str) -> str:
    try:
        return an_url(text, Path())
    except Unusable as wanted:
        raise click.BadParameter(f"give {wanted}") from None


@knowledge.command("export-fhir")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--base",
    metavar="URL",
    default=OUR_BASE,
    callback=_canonical_base,
    help="Start of all canonical URLs, instead of our own.",
)
@CONFIG
def export_fhir(*, folder: Path, base: str, config: Path | None) -> None:
    """Write the knowledge as FHIR R4 resources, one file each.

    Evidence and Citation, which need FHIR R4B, go to the folder DIR/r4b.
    """
    from cds_service.knowledge.export.write import export_fhir as export

    count = export(library_of(settings_of(config)), folder, base)
    click.echo(f"{count} resources written to {folder}.")


@knowledge.command()
@click.option("--reviewer", required=True, help="The name of the clinician who signs.")
@click.option("--role", default="", help="In what capacity.")
@click.option("--file", required=True, type=FILE_TO_WRITE, help="The approval file to add to.")
@click.option("--analyte", default="", help="Which knowledge, where there are several.")
@CONFIG
def approve(*, reviewer: str, role: str, file: Path, analyte: str, config: Path | None) -> None:
    """Record that a named reviewer has signed exactly this content."""
    from cds_service.knowledge.approve import approve_content

    # Without the site file, since what a site adds or mutes is not signed; and without approvals,
    # since their file may be the one to be made.
    library = library_of(replace(settings_of(config), site=None, approval=None))
    today = datetime.now(UTC).date()
    said = approve_content(library, analyte, file, reviewer=reviewer, role=role, on=today)
    click.echo(said)
