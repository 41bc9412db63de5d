"""What all commands share in what they are given: files, settings and the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cds_service.config import Settings
    from cds_service.store.database import Database

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CONFIG = click.option("--config", type=FILE, help="Settings as TOML; the environment wins.")


def settings_of(config: Path | None) -> Settings:
    """The settings for a command that only reads or looks after data. Raises ConfigurationError.

    As for sandbox mode: such a command needs files, database and key, not a fit service.
    """
    from cds_service.config import Mode, load_settings

    return load_settings(Mode.SANDBOX, os.environ, config)


def database_of(settings: Settings) -> Database:
    """The database that the settings name. Raises ConfigurationError."""
    from cds_service.store.database import Database

    return Database.open(settings.database_url)
