"""The sources of a card, as they stand at the end of its detail and in its members.

All of it follows from the sources alone, so it is written once for each combination of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.citations import citation, links, url_of
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.schema import SourceRow

_COMBINATIONS = 512
"""Most combinations of sources that are kept: far fewer are ever cited together."""


@dataclass(frozen=True, slots=True)
class CardSources:
    """The end of a card's detail, and its members, as far as they follow from its sources."""

    closing: str
    """The numbered sources and the disclaimer, which close the detail."""
    source: Mapping[str, str]
    """Card.source: the primary source of what the card says, else the knowledge base itself."""
    links: tuple[Mapping[str, str], ...]
    members_json: str
    """Card.source, overrideReasons and links, as `json.dumps` writes them inside a card."""


@lru_cache(_COMBINATIONS)
def bibliography(knowledge: KnowledgeBase, cited: tuple[str, ...]) -> CardSources:
    """The end and the members for sources of these ids, in the order in which they are cited."""
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
    """The first source, if it is a publication, else the knowledge itself. The web page of a
    laboratory as "Source: …" below a result would be taken for the laboratory that measured it.
    """
    if sources and sources[0].opened != "web page":
        label, url = sources[0].short, url_of(sources[0])
        return {"label": label, "url": url} if url else {"label": label}
    return {"label": f"{knowledge.identity.title} {knowledge.identity.version}"}
