"""What all commands share in what they are given: files, settings, database and knowledge."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cds_service.config import Settings
    from cds_service.knowledge.files import Library
    from cds_service.store.database import Database
    from cds_service.store.pseudonym import DataKey

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FIRST_YEAR = 1900
"""The first year that may be given: no result is older, and days are counted back from a day."""
CONFIG = click.option("--config", type=FILE, help="Settings as TOML; the environment wins.")

FORMER_KEYS = click.option(
    "--former-key", "former_keys", type=FILE, multiple=True, help="A data key used before."
)


def settings_options(command: F) -> F:
    """The options by which a command finds the settings of `serve`."""
    sandbox = click.option("--sandbox", is_flag=True, help="As `serve --sandbox`.")
    return sandbox(CONFIG(command))


def settings_of(config: Path | None, *, sandbox: bool = True) -> Settings:
    """The settings. By default they are read as for sandbox mode: a command that only reads or
    looks after data needs files, database and key, and no settings that are fit for production.
    Raises ConfigurationError.
    """
    from cds_service.config import Mode, load_settings

    mode = Mode.SANDBOX if sandbox else Mode.PRODUCTION
    return load_settings(mode, os.environ, config)


def database_of(settings: Settings) -> Database:
    """The database that the settings name. Raises ConfigurationError."""
    from cds_service.store.database import Database

    return Database.open(settings.database_url)


def former_data_keys(files: Sequence[Path]) -> tuple[DataKey, ...]:
    """The data keys in these files. Raises ConfigurationError."""
    from cds_service.store.pseudonym import DataKey

    return tuple(
        DataKey.from_base64(file.read_text(encoding="ascii", errors="replace"), where=str(file))
        for file in files
    )


def library_of(settings: Settings) -> Library:
    """The knowledge as it is configured: what a reviewer sees and signs is what would serve."""
    from cds_service.knowledge.files import load_configured

    return load_configured(settings)
