"""What is kept of the cards of one evaluation: codes and ids, never a text or a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, TypedDict

from cds_service.core.card import Card
from cds_service.store.records import SentCard


class KeptWords(TypedDict):
    """What the cards said, in the public words of an evaluation record."""

    outcomes: tuple[str, ...]
    findings: tuple[str, ...]
    reasons: tuple[str, ...]
    missing: tuple[str, ...]


def kept_words(cards: Iterable[Card]) -> KeptWords:
    """Outcomes and reasons card by card; findings, and what was missing, each once."""
    said = [card.extension for card in cards]
    return {
        "outcomes": tuple([about["outcome"] for about in said]),
        "findings": _each_once(said, "findings"),
        "reasons": tuple([about["reason"] for about in said if "reason" in about]),
        "missing": _each_once(said, "missing"),
    }


def inputs_of(cards: Iterable[Card]) -> tuple[str, ...]:
    """The resources that any card rests on, `Observation/123`, each once."""
    used = (each["resource"] for card in cards for each in card.extension.get("inputs", ()))
    return tuple(dict.fromkeys(used))


def kept_card(card: Card, results: tuple[str, ...]) -> SentCard:
    """The card as it is kept; `results` are the pseudonyms of the Observations it is about."""
    return SentCard(
        uuid=card.uuid,
        findings=tuple(card.extension.get("findings", ())),
        suggestions=tuple([suggestion["uuid"] for suggestion in card.suggestions]),
        override_reasons=tuple([reason["code"] for reason in card.override_reasons]),
        results=results,
    )


def _each_once(said: Iterable[Mapping[str, Any]], member: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable([about.get(member, ()) for about in said])))
