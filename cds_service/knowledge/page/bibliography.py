"""The numbered bibliography: every source with all that was verified of it, and how it is cited."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.citations import published_in, pubmed_url, url_of
from cds_service.core.schema import SourceRow
from cds_service.knowledge.page.markdown import text


class Bibliography:
    """The sources of a knowledge base, numbered in the order of sources.toml."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._sources = knowledge.sources
        self._numbers = {name: number for number, name in enumerate(knowledge.sources, start=1)}

    def cite(self, names: Iterable[str]) -> str:
        """`Hayden 2017 [4]; Lin 2017 [3]`."""
        return "; ".join(
            f"{text(self._sources[name].short)} \\[{self._numbers[name]}\\]" for name in names
        )

    def entries(self) -> str:
        """The bibliography as a numbered list."""
        return "\n".join(
            f"{self._numbers[name]}. {full_citation(source)}"
            for name, source in self._sources.items()
        )


def full_citation(source: SourceRow) -> str:
    """Everything verified of one publication: all authors, title, place, DOI and PubMed id, what of
    it was opened and when, and whom it studied. A field that is not verified is not there.
    """
    said = [source.authors or source.short, source.title, published_in(source)]
    line = ". ".join(text(part.rstrip(".")) for part in said if part)
    read = f"Read: {source.opened}, {source.checked.isoformat()}"
    closing = [_identifiers(source), read, source.population and f"Population: {source.population}"]
    notes = [*closing, source.note]
    return f"{line}. " + " ".join(f"{part.rstrip('.')}." for part in notes if part)


def _identifiers(source: SourceRow) -> str:
    found = []
    if source.doi:
        found.append(f"[doi:{source.doi}]({url_of(source)})")
    if source.pmid:
        found.append(f"PMID [{source.pmid}]({pubmed_url(source)})")
    return ", ".join(found) or "No DOI or PubMed id verified"
