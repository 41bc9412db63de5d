"""What a site has muted, and what its cards lack then: for whoever proves, reads or signs."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.core.knowledge import KnowledgeBase


def what_is_muted(base: KnowledgeBase) -> Iterator[str]:
    """A line for each id: a warning, a caveat or any other finding."""
    contexts = {row.id for row in base.contexts}
    changing = {row.id for row in base.contexts if row.weakens or row.blocks}
    for name in base.policy.muted_findings:
        match name:
            case _ if name in base.warnings:
                yield f"{name} is muted: no card gives this warning"
            case _ if name in changing:
                yield f"{name} is muted: a card that says less because of this caveat only names it"
            case _ if name in contexts:
                yield f"{name} is muted: no card tells this caveat"
            case _:
                yield f"{name} is muted"
