"""What is the same on all cards of one knowledge base, put in order once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import TableRow

_BASES = 16
"""More knowledge bases than one installation serves."""


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """The constant parts of every card of one knowledge base."""

    rows: tuple[TableRow, ...]
    """The row that speaks for each id: findings by rank, then contexts."""
    places: Mapping[str, int]
    """Where the row of an id stands in `rows`."""
    headings: Mapping[str, str]
    """Each with what sets it off from the text below it."""
    limits: Mapping[str, str]
    """Number and unit of each limit."""
    limits_by_name: Mapping[str, str]
    """The same, with whose limit it is."""


@lru_cache(_BASES)
def boilerplate(knowledge: KnowledgeBase) -> Boilerplate:
    """What is constant on the cards of this knowledge base."""
    rows: dict[str, TableRow] = {}
    for finding in sorted(knowledge.findings, key=lambda row: -row.rank):
        rows.setdefault(finding.id, finding)
    for context in knowledge.contexts:
        rows.setdefault(context.id, context)
    return Boilerplate(
        rows=tuple(rows.values()),
        places={name: place for place, name in enumerate(rows)},
        headings={name: f"**{text}**\n\n" for name, text in knowledge.wording.headings.items()},
        limits={name: f"{row.value} {row.unit}" for name, row in knowledge.limits.items()},
        limits_by_name={
            name: f"{row.value} {row.unit} ({row.title})" for name, row in knowledge.limits.items()
        },
    )
