"""Synthetic FHIR fixtures, named by story.

Every document here is invented: no patient, clinician, laboratory or hospital in it exists, and
every FHIR resource carries the tag HTEST ("test health data"). What each one is for, and what a
service reading it should answer, stands in `manifest.toml`, one row per fixture.

    >>> import fhir_fixtures
    >>> observation = fhir_fixtures.load("csf_above_150")
    >>> observation["valueQuantity"]["unit"]
    'pg/mL'
    >>> fhir_fixtures.story("csf_above_150").cards[0].findings
    ('csf-above-150', 'no-laboratory-limit')

The fixtures need nothing but the standard library and can be used by any project.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn

from fhir_fixtures.story import (
    Answer,
    CardOutcome,
    ExpectedCard,
    Indicator,
    Kind,
    Manifest,
    Story,
    read_manifest,
)

__all__ = [
    "SITE_FILE",
    "Answer",
    "CardOutcome",
    "ExpectedCard",
    "Indicator",
    "Kind",
    "Manifest",
    "Story",
    "UnknownFixture",
    "load",
    "manifest",
    "names",
    "path",
    "site_path",
    "story",
    "text",
]

SITE_FILE: Final = "site.toml"
"""The site file that the stories with `site` need: it maps their local codes."""


class UnknownFixture(KeyError):  # noqa: N818 - reads better without "Error"
    """No fixture has this name. The message names the nearest ones."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        near = difflib.get_close_matches(self.name, names(), n=3, cutoff=0.5)
        hint = f"Did you mean {', '.join(near)}?" if near else "See fhir_fixtures.names()."
        return f"There is no fixture {self.name!r}. {hint}"


@cache
def manifest() -> Manifest:
    """The whole manifest. Raises ValueError if it is not what `fhir_fixtures.story` describes."""
    return read_manifest(files(__name__).joinpath("manifest.toml").read_text(encoding="utf-8"))


@cache
def _by_name() -> Mapping[str, Story]:
    return MappingProxyType({story.id: story for story in manifest().stories})


def names() -> tuple[str, ...]:
    """The names of all fixtures, in the order of the manifest."""
    return tuple(_by_name())


def story(name: str) -> Story:
    """What the fixture is for and what it should give. Raises UnknownFixture."""
    try:
        return _by_name()[name]
    except KeyError:
        raise UnknownFixture(name) from None


def text(name: str) -> str:
    """The document as it stands, numbers as written (`150.10`). Raises UnknownFixture.

    This is what to post to a service: it also works for fixtures that are no JSON at all.
    """
    return files(__name__).joinpath(story(name).file).read_text(encoding="utf-8")


def path(name: str) -> Path:
    """Where the document lies, to hand to a program. Raises UnknownFixture."""
    return Path(str(files(__name__).joinpath(story(name).file)))


def site_path() -> Path:
    """Where the site file lies that the stories with `site` need."""
    return Path(str(files(__name__).joinpath(SITE_FILE)))


def load(name: str) -> dict[str, Any]:
    """The document parsed, a fresh object at each call.

    Numbers with a fraction or an exponent become `decimal.Decimal`, so that `150.10` stays
    `150.10`; whole numbers become `int`. Raises UnknownFixture, and ValueError for those `broken`
    fixtures that are no JSON object to a strict reader: cut off, with NaN, with a member twice.
    """
    document: object = json.loads(
        text(name),
        parse_float=Decimal,
        parse_constant=_refuse_constant,
        object_pairs_hook=_object_without_duplicates,
    )
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is at fault, not a type
    return document


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON (RFC 8259, section 6)")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in one object (RFC 8259, section 4)")
    return members
