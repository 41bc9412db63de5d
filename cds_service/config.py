"""The settings: one frozen object, read once from the environment or from one TOML file.

A setting is `CDS_<NAME>` in the environment, or `<name>` in lower case in the file; the environment
wins. Relative paths in the file are relative to the file. An unknown name is refused, so that a
misspelt setting cannot silently leave its default in force. Outside sandbox mode the service does
not start unless it would be safe to: every refusal names the setting and what to do.
"""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.errors import ConfigurationError
from cds_service.origins import FhirBase
from cds_service.setting_shapes import (
    Reader,
    Unusable,
    a_hook_name,
    a_path,
    a_redis_url,
    a_switch,
    a_text,
    an_url,
    fhir_servers,
    one_of,
    origins,
    whole,
)

PREFIX = "CDS_"
DATA_KEY_BYTES = 32
MEBIBYTE = 1024 * 1024


class Mode(StrEnum):
    """Whether callers must prove who they are."""

    SANDBOX = "sandbox"
    """For trying out, with synthetic patients: no tokens needed; discovery says so."""
    PRODUCTION = "production"


class Tls(StrEnum):
    """Who ends TLS."""

    NONE = "none"
    """Nobody: sandbox mode only."""
    PROXY = "proxy"
    """A proxy in front; requests must carry `X-Forwarded-Proto: https`."""
    DIRECT = "direct"
    """This service, with `tls_cert` and `tls_key`."""


class DiscoveryToken(StrEnum):
    """Whether discovery asks for a token too; it holds no patient data."""

    OPEN = "open"
    REQUIRED = "required"


class Review(StrEnum):
    """Which knowledge the service may answer from."""

    ANY = "any"
    """Knowledge that is pending review too; every card then says so."""
    SIGNED = "signed"
    """Only what a named reviewer has signed, exactly as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting; the defaults are those of sandbox mode. Raises ConfigurationError."""

    mode: Mode = Mode.SANDBOX
    public_url: str = "http://127.0.0.1:8000"
    """The address clients call, without a slash at the end."""
    clients: Path | None = None
    """The client registry; in sandbox mode there may be none."""
    site: Path | None = None
    """The site file; None: the knowledge as it is."""
    knowledge: Path | None = None
    """A folder of knowledge; None: the packaged one."""
    approval: Path | None = None
    """The file that says who has signed which content of the knowledge; None: nobody has."""
    review: Review = Review.ANY
    snomed: bool = True
    """Whether the SNOMED CT codes are matched too: the site must hold a licence for them."""
    database_url: str = field(default="sqlite:///cds-service.sqlite3", repr=False)
    """May hold a password, so it is never shown."""
    queue_url: str = field(default="", repr=False)
    """`redis://…` for workers on several machines: their queue, and the count of calls. Empty: the
    queue is a file, in `folder`, and each worker counts calls by itself."""
    data_key: str = field(default="", repr=False)
    """Base64 of 32 random bytes; empty in sandbox mode: made at the first start."""
    tls: Tls = Tls.NONE
    tls_cert: Path | None = None
    tls_key: Path | None = None
    cors_origins: tuple[str, ...] = ()
    """Exact origins; in sandbox mode any origin may call, without credentials."""
    fhir_servers: tuple[FhirBase, ...] = ()
    """Sandbox mode only: FHIR servers beside those on the loopback address."""
    deadline_ms: int = 400
    """For all fetching of one call together, in milliseconds."""
    max_body: int = 10 * MEBIBYTE
    """Bytes of a request body."""
    rate_limit: int = 600
    """Calls a minute for one registered client; sandbox mode has no limit."""
    token_lifetime: int = 900
    """Longest `exp - iat` of a token, in seconds."""
    token_leeway: int = 60
    """By how many seconds clocks may differ."""
    discovery_token: DiscoveryToken = DiscoveryToken.OPEN
    management_port: int = 0
    """Where `/metrics` answers outside sandbox mode; 0: nowhere."""
    management_host: str = "127.0.0.1"
    lab_result_hook: str = "org.sil2r-cds.lab-result-create"
    """The name of the hook that fires when a laboratory result has arrived."""

    def __post_init__(self) -> None:
        _check_data_key(self.data_key)
        if self.tls is Tls.DIRECT:
            _require_files(tls_cert=self.tls_cert, tls_key=self.tls_key)
        if self.mode is Mode.PRODUCTION:
            _refuse_insecure(self)

    @property
    def terminologies(self) -> frozenset[str]:
        """The optional code files of the knowledge that are switched on."""
        return frozenset({"snomed"} if self.snomed else ())

    @property
    def folder(self) -> Path:
        """Where our own files are: beside an SQLite database, else where the service started."""
        parts = urlsplit(self.database_url)
        return Path(parts.path[1:]).parent if parts.scheme == "sqlite" else Path()


def load_settings(mode: Mode, environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """The settings of this start. Raises ConfigurationError naming setting and remedy."""
    given: dict[str, Any] = {}
    if file is not None:
        for name, value in _toml(file).items():
            given[name] = _read(name, value, where=f"{file} {name}", base=file.parent)
    for variable, text in environment.items():
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX).lower()
            given[name] = _read(name, text, where=variable, base=Path())
    if mode is Mode.PRODUCTION and environment.get("FLASK_DEBUG", "0") not in ("", "0", "false"):
        raise ConfigurationError(
            "Debugging is switched on.", where="FLASK_DEBUG", remedy="Unset it."
        )
    return Settings(mode=mode, **given)


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigurationError(
            "The file cannot be read.", where=str(file), remedy="Check path and permissions."
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(
            "The file is not text in UTF-8.", where=str(file), remedy="Save it as UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"This is not TOML: {error}.", where=str(file), remedy='Write name = "value".'
        ) from None


def _read(name: str, value: object, *, where: str, base: Path) -> object:
    reader = _READERS.get(name)
    if reader is None:
        raise ConfigurationError(
            "There is no such setting.", where=where, remedy=_meant(name, value, where)
        )
    try:
        return reader(value, base)
    except Unusable as wanted:
        raise ConfigurationError(
            "The setting cannot be used.", where=where, remedy=f"Give {wanted}."
        ) from None


def _meant(name: str, value: object, where: str) -> str:
    """The remedy for an unknown name: the nearest one, spelt as in the environment or the file."""
    if isinstance(value, dict):
        return "Write the settings at the top of the file, under no [table]."
    near = get_close_matches(name.lower().removeprefix(PREFIX.lower()), _READERS, n=1)
    if not near:
        return "Remove it."
    in_environment = where == f"{PREFIX}{name.upper()}"
    return f"Did you mean {f'{PREFIX}{near[0].upper()}' if in_environment else near[0]}?"


_READERS: Mapping[str, Reader] = {
    "public_url": an_url,
    "clients": a_path,
    "site": a_path,
    "knowledge": a_path,
    "approval": a_path,
    "snomed": a_switch,
    "database_url": a_text,
    "data_key": a_text,
    "queue_url": a_redis_url,
    "review": one_of(*Review),
    "tls": one_of(Tls.PROXY, Tls.DIRECT),
    "tls_cert": a_path,
    "tls_key": a_path,
    "cors_origins": origins,
    "fhir_servers": fhir_servers,
    "deadline_ms": whole(1, 60_000),
    "max_body": whole(1024, 1024 * MEBIBYTE),
    "rate_limit": whole(1, 1_000_000),
    "token_lifetime": whole(1, 3600),
    "token_leeway": whole(0, 120),
    "discovery_token": one_of(*DiscoveryToken),
    "management_port": whole(1, 65_535),
    "management_host": a_text,
    "lab_result_hook": a_hook_name,
}

SETTING_NAMES = frozenset(_READERS)
"""The names as the TOML file writes them; `CDS_` and upper case in the environment."""


# ------------------------------------------------------------------ refusing to start


def looks_random(key: bytes) -> bool:
    """Whether these may be 32 random bytes: no passphrase, and not the same few bytes again and
    again. Of random keys fewer than one in a thousand million are refused.
    """
    distinct = len(set(key))
    typed = key.isascii() and key.decode().isprintable()
    return len(key) == DATA_KEY_BYTES and distinct > DATA_KEY_BYTES // 2 and not typed


def _check_data_key(text: str) -> None:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b"?"
    if text and not looks_random(key):
        raise ConfigurationError(
            "The data key is not base64 of 32 random bytes.",
            where="CDS_DATA_KEY",
            remedy="Make one with `openssl rand -base64 32`.",
        )


def _require_files(**paths: Path | None) -> None:
    for name, path in paths.items():
        if path is None or not path.is_file():
            raise ConfigurationError(
                "The file is not there.",
                where=f"{PREFIX}{name.upper()}",
                remedy="Give the path of a PEM file; CDS_TLS=direct needs it.",
            )


def _refuse_insecure(settings: Settings) -> None:
    """Raises ConfigurationError for settings that would let anybody in, or data out (T-70)."""
    if settings.clients is None:
        raise _insecure("CDS_CLIENTS", "No client is registered.", "Give a client registry")
    if not settings.public_url.startswith("https://"):
        raise _insecure("CDS_PUBLIC_URL", "It is not https.", "Give the https address clients call")
    if settings.tls is Tls.NONE:
        raise _insecure("CDS_TLS", "Nobody ends TLS.", "Give proxy or direct")
    if not settings.data_key:
        raise _insecure(
            "CDS_DATA_KEY", "There is no data key.", "Make one with `openssl rand -base64 32`"
        )
    if settings.fhir_servers:
        raise _insecure(
            "CDS_FHIR_SERVERS", "It is for sandbox mode.", "Register each client's fhir_servers"
        )


def _insecure(where: str, text: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        text, where=where, remedy=f"{remedy}, or start with --sandbox and synthetic patients."
    )
