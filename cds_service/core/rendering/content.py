"""What a card says, before it has its ids: they are made from it.

The same evaluation gives the same ids: version 5 UUIDs of the JSON text of knowledge, scope and
contents, and of that text followed by the number of the card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cds_service.core.card import Card, Indicator, Selection
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.name_uuid import Names
from cds_service.core.rendering.bibliography import CardSources

_NAMESPACE = "6f2a52b4-5a0e-5d0c-9d39-3f8e6d1c7a11"


@dataclass(frozen=True, slots=True)
class CardContent:
    """What is particular to one card; its other members follow from the sources it cites."""

    summary: str
    detail: str
    indicator: Indicator
    cited: CardSources
    extension: Mapping[str, Any]
    selection: Selection = Selection.ANY


def identified(
    contents: Sequence[CardContent], knowledge: KnowledgeBase, scope: str
) -> tuple[Card, ...]:
    """The cards of one evaluation with their ids: the same content gives the same ids."""
    written = ", ".join([_written(content) for content in contents])
    names = Names(_NAMESPACE, f"[{quoted(knowledge.tag)}, {quoted(scope)}, [{written}]]")
    evaluation_id = names.uuid()
    return tuple(
        [
            Card(
                uuid=names.uuid(str(number)),
                summary=content.summary,
                detail=content.detail,
                indicator=content.indicator,
                source=content.cited.source,
                links=content.cited.links,
                override_reasons=knowledge.wording.override_reasons,
                extension={"id": evaluation_id, **content.extension},
                selection=content.selection,
            )
            for number, content in enumerate(contents)
        ]
    )


def _written(content: CardContent) -> str:
    """The card without its ids, as `json.dumps` writes it."""
    return (
        f'{{"uuid": "", "summary": {quoted(content.summary)}, "detail": {quoted(content.detail)}'
        f', "indicator": "{content.indicator.value}", {content.cited.members_json}'
        f', "extension": {{"org.sil2r-cds.evaluation": {json.dumps(content.extension)}}}}}'
    )


def quoted(text: str) -> str:
    """The text as `json.dumps` writes it."""
    if text.isascii() and "\x7f" not in text:
        return orjson.dumps(text).decode()  # the same, several times faster
    return json.dumps(text)
