"""What a setting may look like: one reader for each shape, from TOML or the text of a variable.

A reader takes the value and the folder that relative paths are relative to. It raises Unusable,
which says what is wanted and never what was given: that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cds_service.origins import FhirBase, PlainHttp, UrlRefusedError


class Unusable(ValueError):  # noqa: N818 - says what a setting must look like
    """What a setting must look like; never what it looked like, as it may be a secret."""


Reader = Callable[[object, Path], object]

HOOKS_TAKEN = frozenset({"patient-view", "order-select", "order-sign"})
"""Hooks with services of their own: the service for results cannot take one of their names."""


def a_text(value: object, _base: Path) -> str:
    """A text that is not blank, without blanks around it."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise Unusable("a text that is not empty")


def a_path(value: object, base: Path) -> Path:
    """A path, as seen from `base`."""
    text = a_text(value, base)
    if "\0" in text:
        raise Unusable("a path of the file system")
    return base / text


def texts(value: object, base: Path) -> tuple[str, ...]:
    """A TOML list, or one text with commas or spaces between."""
    if isinstance(value, list):
        return tuple(a_text(entry, base) for entry in value)
    if isinstance(value, str):
        return tuple(re.split(r"[\s,]+", value.strip())) if value.strip() else ()
    raise Unusable("a list of texts")


def origins(value: object, base: Path) -> tuple[str, ...]:
    """Origins of web pages (RFC 6454, section 6.2), each exact: no `*`."""
    given = texts(value, base)
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?", origin) for origin in given):
        raise Unusable("exact origins in lower case, such as https://ehr.example.org, without *")
    return given


def fhir_servers(value: object, base: Path) -> tuple[FhirBase, ...]:
    """Base addresses of FHIR servers; plain http too."""
    try:
        return tuple(FhirBase.parse(text, PlainHttp.ALLOWED) for text in texts(value, base))
    except UrlRefusedError:
        raise Unusable("base addresses such as https://fhir.example.org/r4") from None


def an_url(value: object, base: Path) -> str:
    """An http or https address without query, user and slash at the end."""
    text = a_text(value, base).rstrip("/")
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or set(text) & set("?#"):
        raise Unusable("an address such as https://cds.example.org")
    if parts.username is not None or parts.password is not None:
        raise Unusable("an address without a user name or password")
    if parts.netloc.endswith(":"):
        raise Unusable("an address with a port after its colon, or without the colon")
    if not re.fullmatch("[!-~]+", text):  # no token could name such an address
        raise Unusable("an address without blanks and signs that must be encoded")
    return text


def a_redis_url(value: object, base: Path) -> str:
    """The address of a Redis, over TCP, TLS or a Unix socket."""
    text = a_text(value, base)
    if _split(text).scheme not in ("redis", "rediss", "unix"):
        raise Unusable("an address such as redis://127.0.0.1:6379/0")
    return text


def _split(text: str) -> SplitResult:
    """The parts of an address, its port a number."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # urlsplit checks the port only when it is asked for
    except ValueError:
        raise Unusable("an address whose host and port can be read") from None
    return parts


def a_hook_name(value: object, base: Path) -> str:
    """The name of a CDS hook: words with dots or hyphens between them."""
    text = a_text(value, base)
    if not re.fullmatch(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*", text):
        raise Unusable("a hook name such as org.example.lab-result-create")
    if text in HOOKS_TAKEN:
        raise Unusable("the name of another hook: this one has a service of its own")
    return text


def whole(low: int, high: int) -> Reader:
    """Reads whole numbers from `low` to `high`."""

    def read(value: object, _base: Path) -> int:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and re.fullmatch(r"\s*\d{1,10}\s*", text, re.ASCII):
            number = int(text)
            if low <= number <= high:
                return number
        raise Unusable(f"a whole number from {low} to {high}")

    return read


def one_of(*allowed: StrEnum) -> Reader:
    """Reads the value of one of these."""

    def read(value: object, _base: Path) -> StrEnum:
        for choice in allowed:
            if value == choice.value:
                return choice
        raise Unusable(" or ".join(choice.value for choice in allowed))

    return read


def a_switch(value: object, _base: Path) -> bool:
    """`on` or `off`; in TOML also true or false."""
    match value:
        case "on" | True:
            return True
        case "off" | False:
            return False
        case _:
            raise Unusable("on or off")
