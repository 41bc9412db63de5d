"""What stands on the cards of one knowledge base word for word, written once.

A card is filled into this: rows in the order in which they speak, sources as they are cited,
headings, limits and the disclaimer. JSON texts are what `json.dumps` makes of the parts; the ids
of cards are made from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cds_service.core.citations import citation, links
from cds_service.core.disclaimer import disclaimer
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import ContextRow, FindingRow, SourceRow

_BASES = 16
"""More knowledge bases than one installation serves."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Card.source, and the same as JSON."""

    member: Mapping[str, str]
    json: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A source as a card shows it: in the list of sources, among the links, as Card.source."""

    line: str
    links: tuple[Mapping[str, str], ...]
    """The link, where the source has a verified identifier."""
    links_json: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """The constant parts of every card of one knowledge base."""

    rows: tuple[FindingRow | ContextRow, ...]
    """The row that speaks for each id: findings by rank, then contexts."""
    places: Mapping[str, int]
    """Where the row of an id stands in `rows`."""
    sources: Mapping[str, Cited]
    headings: Mapping[str, str]
    limits: Mapping[str, str]
    """Number and unit of each limit."""
    disclaimer: str
    override_reasons_json: str
    origin: Origin
    """What a card that cites nothing rests on: the knowledge base itself."""


@lru_cache(_BASES)
def boilerplate(knowledge: KnowledgeBase) -> Boilerplate:
    """What is constant on the cards of this knowledge base."""
    rows: dict[str, FindingRow | ContextRow] = {}
    for finding in sorted(knowledge.findings, key=lambda row: -row.rank):
        rows.setdefault(finding.id, finding)
    for context in knowledge.contexts:
        rows.setdefault(context.id, context)
    identity = knowledge.identity
    return Boilerplate(
        rows=tuple(rows.values()),
        places={name: place for place, name in enumerate(rows)},
        sources={name: _cited(source) for name, source in knowledge.sources.items()},
        headings={name: f"**{text}**\n\n" for name, text in knowledge.wording.headings.items()},
        limits={name: f"{row.value} {row.unit}" for name, row in knowledge.limits.items()},
        disclaimer=disclaimer(knowledge),
        override_reasons_json=json.dumps(knowledge.wording.override_reasons),
        origin=_origin({"label": f"{identity.title} {identity.version}"}),
    )


def _cited(source: SourceRow) -> Cited:
    link = links([source])
    url = {"url": link[0]["url"]} if link else {}
    return Cited(
        line=citation(source),
        links=link,
        links_json=tuple(map(json.dumps, link)),
        origin=_origin({"label": source.short, **url}),
    )


def _origin(member: Mapping[str, str]) -> Origin:
    return Origin(member, json.dumps(member))
