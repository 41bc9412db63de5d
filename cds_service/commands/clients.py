"""The commands for the client registry."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import click

from cds_service.commands.input import CONFIG, FILE, settings_of
from cds_service.commands.output import AS_JSON, print_json, print_lines
from cds_service.errors import InputError


@click.group()
def clients() -> None:
    """Check who may call: the client registry, and a token."""


@clients.command()
@click.argument("file", type=FILE)
@click.option("--sandbox", is_flag=True, help="Allow what only sandbox mode allows.")
@click.option("--token", "token_file", type=FILE, help="Say why this token would be refused.")
@click.option("--audience", default="", help="CDS_PUBLIC_URL and the path called; for --token.")
@click.option("--fetch", is_flag=True, help="Fetch the key sets that are only at an address.")
@CONFIG
@AS_JSON
def check(
    *,
    file: Path,
    sandbox: bool,
    token_file: Path | None,
    audience: str,
    fetch: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Validate a client registry, and judge a token by it.

    All that the registry names is looked at, and all that is wrong with the token is said. Nothing
    is fetched without --fetch. The services are those of CDS_KNOWLEDGE. A token is judged by
    CDS_TOKEN_LIFETIME and CDS_TOKEN_LEEWAY, and is not used up.
    """
    from cds_service.access.check import Offline, check_token
    from cds_service.access.registry import read_registry
    from cds_service.access.tokens import Times
    from cds_service.callers import key_fetch
    from cds_service.commands.clients_check import check_registry, services_of
    from cds_service.config import Mode

    if token_file is not None and not audience:
        raise click.UsageError(
            "--token needs --audience: CDS_PUBLIC_URL and the path that was called."
        )
    mode = Mode.SANDBOX if sandbox else Mode.PRODUCTION
    registry = read_registry(file, mode)
    outward = key_fetch(mode) if fetch else Offline()
    report = check_registry(registry, mode, outward, services_of(config))
    if token_file is not None:
        # Only two of the settings are asked for, so the rest need not be fit for production.
        settings = settings_of(config)
        token = check_token(
            _token_in(token_file),
            audience,
            registry,
            times=Times(settings.token_lifetime, settings.token_leeway),
            now=time.time,
            fetch=outward,
        )
        report = replace(report, tokens=(token,))
    if as_json:
        print_json(report.as_json())
    else:
        print_lines(report.lines())
    if not report.is_acceptable:
        raise SystemExit(1)


def _token_in(file: Path) -> str:
    """What stands in the file. Raises InputError if that is nothing: whoever wrote it failed."""
    token = file.read_text(encoding="utf-8", errors="replace")
    if not token.strip():
        raise InputError("The file is empty.", where=str(file), remedy="Write the token into it.")
    return token
