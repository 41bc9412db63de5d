"""A CDS Hooks card, and the words of the wire that stand on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Indicator(StrEnum):
    """Card.indicator as far as this product uses it: never `critical`."""

    INFO = "info"
    WARNING = "warning"


class Selection(StrEnum):
    """Card.selectionBehavior: how many of a card's suggestions make sense together (C-01)."""

    ANY = "any"
    AT_MOST_ONE = "at-most-one"


JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """A CDS Hooks card (2.0.1, "Card attributes"), ready to be written as JSON by `as_json`."""

    uuid: str
    summary: str
    detail: str
    indicator: Indicator
    source: Mapping[str, str]
    links: tuple[Mapping[str, str], ...]
    override_reasons: tuple[Mapping[str, str], ...]
    extension: Mapping[str, Any]
    suggestions: tuple[Mapping[str, Any], ...] = ()
    selection: Selection = Selection.ANY

    def as_json(self) -> JsonObject:
        """The card as the wire wants it: optional members without a value are left out (J-04).

        To be written, not to be changed: its parts are those of other cards too.
        """
        card: JsonObject = {
            "uuid": self.uuid,
            "summary": self.summary,
            "detail": self.detail,
            "indicator": self.indicator.value,
            "source": self.source,
        }
        if self.suggestions:
            card["suggestions"] = list(self.suggestions)
            card["selectionBehavior"] = self.selection.value
        if self.override_reasons:
            card["overrideReasons"] = list(self.override_reasons)
        if self.links:
            card["links"] = list(self.links)
        card["extension"] = {"org.sil2r-cds.evaluation": self.extension}
        return card
