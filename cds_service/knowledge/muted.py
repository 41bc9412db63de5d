"""What a site has muted and what its cards then lack, for those who check or sign the knowledge."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.core.knowledge import KnowledgeBase


def what_is_muted(base: KnowledgeBase) -> Iterator[str]:
    """A line for each id: a warning, a caveat or any other finding."""
    return (f"{name} is muted{_lacking(name, base)}" for name in base.policy.muted_findings)


def _lacking(name: str, base: KnowledgeBase) -> str:
    if name in base.warnings:
        return ": no card gives this warning, one that would have had it only names it"
    rows = [row for row in base.contexts if row.id == name]
    if any(row.weakens or row.blocks for row in rows):
        return ": a card that says less because of this caveat only names it"
    return ": no card tells this caveat" if rows else ""
