"""What the manifest says of a fixture: the frozen types of its rows, and how they are read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a document is; also the name of its folder."""

    OBSERVATION = "observation"
    BUNDLE = "bundle"
    DIAGNOSTIC_REPORT = "diagnostic-report"
    """A DiagnosticReport, alone or in a Bundle with its results."""
    HOOK_REQUEST = "hook-request"
    """The body of a CDS Hooks call."""
    BROKEN = "broken"
    """Not JSON, not a CDS Hooks request, or not valid FHIR R4."""


class Answer(StrEnum):
    """What a service answers."""

    CARDS = "cards"
    """200 with the cards of the story, and no other."""
    NO_CARD = "no-card"
    """200 with an empty list: there is nothing to say."""
    HTTP_400 = "http-400"
    """The request is malformed. From a file on a command line: an error and exit code 1."""
    HTTP_412 = "http-412"
    """Required data were neither sent nor reachable."""


class CardOutcome(StrEnum):
    """`outcome` in the evaluation extension of a card."""

    INTERPRETED = "interpreted"
    NOT_INTERPRETABLE = "not-interpretable"
    WRONG_ANALYTE = "wrong-analyte"
    ORDER_ADVICE = "order-advice"


class Indicator(StrEnum):
    """`indicator` of a card; `critical` is never expected."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class ExpectedCard:
    """What one card says, whatever its words.

    `findings` are all of them, in any order. `missing` are words that must be there; there may be
    more. `specimen` is `blood` or `csf`, empty where the specimen plays no part. `reason` is given
    exactly for cards that do not interpret.
    """

    outcome: CardOutcome
    indicator: Indicator
    specimen: str = ""
    reason: str = ""
    findings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """One row of the manifest.

    `service` is the id of the CDS service a document is to be posted to, empty for documents that
    are no hook request. `site` names the site file without which the expectation does not hold,
    empty for most. `requirements` are ids of the requirements that the story exercises.
    """

    id: str
    file: str
    kind: Kind
    purpose: str
    answer: Answer
    requirements: tuple[str, ...]
    service: str = ""
    site: str = ""
    cards: tuple[ExpectedCard, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """All stories, and the day on which their expectations hold (look-back windows, ages)."""

    evaluated_on: date
    stories: tuple[Story, ...]


def read_manifest(toml: str) -> Manifest:
    """Read the text of `manifest.toml`. Raises ValueError for an unknown key or word."""
    document = tomllib.loads(toml)
    return Manifest(document["evaluated_on"], tuple(_story(row) for row in document["fixture"]))


def _story(row: dict[str, Any]) -> Story:
    cards = tuple(_card(card) for card in row.pop("card", []))
    kind, answer = Kind(row.pop("kind")), Answer(row.pop("answer"))
    requirements = tuple(row.pop("requirements"))
    try:
        return Story(kind=kind, answer=answer, requirements=requirements, cards=cards, **row)
    except TypeError as error:
        raise ValueError(f"manifest row {row.get('id')!r}: {error}") from error


def _card(row: dict[str, Any]) -> ExpectedCard:
    outcome, indicator = CardOutcome(row.pop("outcome")), Indicator(row.pop("indicator"))
    findings, missing = tuple(row.pop("findings", [])), tuple(row.pop("missing", []))
    try:
        return ExpectedCard(outcome, indicator, findings=findings, missing=missing, **row)
    except TypeError as error:
        raise ValueError(f"manifest card: {error}") from error
