"""What a card rests on: its sources, as they stand at the end of its detail and in its members.

It follows from the sources alone, so it is written once for each combination of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cds_service.core.citations import citation, links, url_of
from cds_service.core.disclaimer import disclaimer
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import SourceRow

_COMBINATIONS = 512
"""Of sources that are cited together: few ever are."""


@dataclass(frozen=True, slots=True)
class CardSources:
    """The constant end of one card, and the members that follow from what it cites."""

    closing: str
    """The numbered sources and the disclaimer, which close the detail."""
    source: Mapping[str, str]
    """Card.source: the primary source of what the card says, else the knowledge base itself."""
    links: tuple[Mapping[str, str], ...]
    members_json: str
    """Card.source, overrideReasons and links, as `json.dumps` writes them inside a card."""


@lru_cache(_COMBINATIONS)
def bibliography(knowledge: KnowledgeBase, cited: tuple[str, ...]) -> CardSources:
    """What follows from the ids of the sources, in the order in which they are cited."""
    sources = [knowledge.sources[name] for name in cited]
    lines = [f"{number}. {citation(source)}" for number, source in enumerate(sources, start=1)]
    listed = [f"**{knowledge.wording.headings['sources']}**", "\n".join(lines)] if lines else []
    source = _primary(sources, knowledge)
    linked = links(sources)
    reasons = knowledge.wording.override_reasons
    members = {
        "source": source,
        **({"overrideReasons": reasons} if reasons else {}),
        **({"links": linked} if linked else {}),
    }
    return CardSources(
        closing="\n\n".join([*listed, disclaimer(knowledge)]),
        source=source,
        links=linked,
        members_json=json.dumps(members)[1:-1],
    )


def _primary(sources: list[SourceRow], knowledge: KnowledgeBase) -> Mapping[str, str]:
    """The first, if it is a publication. The page of a laboratory would be taken, as "Source: …"
    below a result, for who measured it, or whose range it was held against.
    """
    for source in sources[:1]:
        if source.opened != "web page":
            url = url_of(source)
            return {"label": source.short, "url": url} if url else {"label": source.short}
    return {"label": f"{knowledge.identity.title} {knowledge.identity.version}"}
