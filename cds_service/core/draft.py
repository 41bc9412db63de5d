"""A card before it has its ids: the ids are made from what it says.

The same evaluation gives the same ids: version 5 UUIDs of the JSON text of knowledge, scope and
drafts, and of that text followed by the number of the card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cds_service.core.boilerplate import Boilerplate, Cited, Origin, boilerplate
from cds_service.core.card import Card, Indicator, Selection
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.name_uuid import Names

_NAMESPACE = "6f2a52b4-5a0e-5d0c-9d39-3f8e6d1c7a11"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is particular to one card; the rest follows from the sources it cites."""

    summary: str
    detail: str
    indicator: Indicator
    cited: tuple[Cited, ...]
    extension: Mapping[str, Any]
    selection: Selection = Selection.ANY


def identified(drafts: Sequence[Draft], knowledge: KnowledgeBase, scope: str) -> tuple[Card, ...]:
    """The cards of one evaluation with their ids: the same content gives the same ids."""
    constant = boilerplate(knowledge)
    written = ", ".join([_written(draft, constant) for draft in drafts])
    names = Names(_NAMESPACE, f"[{quoted(knowledge.tag)}, {quoted(scope)}, [{written}]]")
    evaluation_id = names.uuid()
    return tuple(
        [
            Card(
                uuid=names.uuid(str(number)),
                summary=draft.summary,
                detail=draft.detail,
                indicator=draft.indicator,
                source=_origin(draft, constant).member,
                links=tuple([link for source in draft.cited for link in source.links]),
                override_reasons=knowledge.wording.override_reasons,
                extension={"id": evaluation_id, **draft.extension},
                selection=draft.selection,
            )
            for number, draft in enumerate(drafts)
        ]
    )


def _origin(draft: Draft, constant: Boilerplate) -> Origin:
    """The primary source of what the card says, else the knowledge base itself."""
    return draft.cited[0].origin if draft.cited else constant.origin


def _written(draft: Draft, constant: Boilerplate) -> str:
    """What `json.dumps` makes of the card without its ids; constant parts are there already."""
    reasons = constant.override_reasons_json
    links = ", ".join([link for source in draft.cited for link in source.links_json])
    return (
        f'{{"uuid": "", "summary": {quoted(draft.summary)}, "detail": {quoted(draft.detail)}'
        f', "indicator": "{draft.indicator.value}", "source": {_origin(draft, constant).json}'
        + (f', "overrideReasons": {reasons}' if reasons != "[]" else "")
        + (f', "links": [{links}]' if links else "")
        + f', "extension": {{"org.sil2r-cds.evaluation": {json.dumps(draft.extension)}}}}}'
    )


def quoted(text: str) -> str:
    """The text as `json.dumps` writes it."""
    if text.isascii() and "\x7f" not in text:
        return orjson.dumps(text).decode()  # the same, several times faster
    return json.dumps(text)
