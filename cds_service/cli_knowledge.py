"""The commands for the knowledge base."""
# ruff: noqa: PLC0415 - a command imports only what it needs: `--help` is instant

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from cds_service.cli_output import AS_JSON, print_json
from cds_service.setting_shapes import Unusable, an_url

if TYPE_CHECKING:
    from cds_service.config import Settings
    from cds_service.knowledge_files import Library

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE_TO_WRITE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def knowledge() -> None:
    """Prove, show, export or approve the knowledge base."""


@knowledge.command()
@click.option("--folder", type=FOLDER, help="The folder (default: CDS_KNOWLEDGE, or the packaged).")
@click.option("--site", type=FILE, help="A site file to prove with it (default: CDS_SITE).")
@AS_JSON
def check(*, folder: Path | None, site: Path | None, as_json: bool) -> None:
    """Prove the knowledge base: references, words, decision table, worked cases."""
    from cds_service.knowledge_check import check_knowledge

    report = check_knowledge(
        folder or _path_from_environment("CDS_KNOWLEDGE"),
        site or _path_from_environment("CDS_SITE"),
        _path_from_environment("CDS_APPROVAL"),
    )
    if as_json:
        print_json(report.as_json())
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
        print_json(knowledge_show.as_json(library))
    elif console.is_terminal:
        console.print(Markdown(knowledge_show.pages(library)))
    else:
        click.echo(knowledge_show.pages(library), nl=False)


def _canonical_base(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> str | None:
    try:
        return None if text is None else an_url(text, Path())
    except Unusable as wanted:
        raise click.BadParameter(f"give {wanted}") from None


@knowledge.command("export-fhir")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--base",
    metavar="URL",
    callback=_canonical_base,
    help="Start of all canonical URLs, instead of our own.",
)
def export_fhir(*, folder: Path, base: str | None) -> None:
    """Write the knowledge as FHIR R4 resources, one file each.

    Evidence and Citation, which need FHIR R4B, go to the folder DIR/r4b.
    """
    from cds_service.fhir.canonical import OUR_BASE
    from cds_service.knowledge_export.write import export_fhir as export

    count = export(_library(), folder, base or OUR_BASE)
    click.echo(f"{count} resources written to {folder}.")


@knowledge.command()
@click.option("--reviewer", required=True, help="The name of the clinician who signs.")
@click.option("--role", default="", help="In what capacity.")
@click.option("--file", required=True, type=FILE_TO_WRITE, help="The approval file to add to.")
@click.option("--analyte", default="", help="Which knowledge, where there are several.")
def approve(*, reviewer: str, role: str, file: Path, analyte: str) -> None:
    """Record that a named reviewer has signed exactly this content."""
    from cds_service.knowledge_approve import approve_content
    from cds_service.knowledge_files import load_configured

    # What a site adds or mutes is not what is signed.
    library = load_configured(replace(_settings(), site=None))
    today = datetime.now(UTC).date()
    click.echo(approve_content(library, analyte, file, reviewer=reviewer, role=role, on=today))


def _library() -> Library:
    """The knowledge as the environment configures it."""
    from cds_service.knowledge_files import load_configured

    return load_configured(_settings())


def _settings() -> Settings:
    from cds_service.config import Mode, load_settings

    return load_settings(Mode.SANDBOX, os.environ)


def _path_from_environment(name: str) -> Path | None:
    path = os.environ.get(name, "")
    return Path(path) if path else None
