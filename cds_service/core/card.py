"""A CDS Hooks card and its closed vocabularies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cds_service.core.json_object import JsonObject

_OBSERVATION: Final = "Observation/"


class Indicator(StrEnum):
    """Card.indicator as far as this product uses it: never `critical`."""

    INFO = "info"
    WARNING = "warning"


class Selection(StrEnum):
    """Card.selectionBehavior: how many of a card's suggestions make sense together (C-01)."""

    ANY = "any"
    AT_MOST_ONE = "at-most-one"


@dataclass(frozen=True, slots=True)
class SmartApp:
    """A SMART app that the EHR can launch, offered on a card as a link of type `smart`."""

    label: str
    url: str
    """Its launch address; the EHR adds `iss` and `launch` to it."""


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

    @property
    def observation(self) -> str:
        """The Observation that the card is about (`Observation/123`), which is the first of its
        inputs. Empty where it is about none.
        """
        inputs = self.extension.get("inputs", ())
        first = str(inputs[0]["resource"]) if inputs else ""
        return first if first.startswith(_OBSERVATION) else ""

    def as_json(self, apps: Iterable[SmartApp] = ()) -> JsonObject:
        """The card as CDS Hooks JSON: optional members without a value are left out (J-04).

        `apps` are linked to before the sources. The object must not be changed, since it shares
        parts with other cards.
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
        links = [*map(self._launching, apps), *self.links]
        if links:
            card["links"] = links
        card["extension"] = {"org.sil2r-cds.evaluation": self.extension}
        return card

    def _launching(self, app: SmartApp) -> Mapping[str, str]:
        """The link to an app. From `appContext` the app learns which card it was launched from, and
        nothing that is not on the card; the EHR passes it beside the token, never in an address.
        """
        context = {
            "card": self.uuid,
            "evaluation": self.extension["id"],
            "observation": self.observation,
        }
        return {
            "label": app.label,
            "url": app.url,
            "type": "smart",
            "appContext": json.dumps({name: said for name, said in context.items() if said}),
        }
