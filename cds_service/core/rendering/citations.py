"""Sources as they stand on a card: what was read of them, and where to read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.core.schema import SourceRow


def url_of(source: SourceRow) -> str:
    """Address of the publication by its verified identifier; empty when none was verified."""
    if source.doi:
        return f"https://doi.org/{source.doi}"
    return pubmed_url(source)


def pubmed_url(source: SourceRow) -> str:
    """Its page at PubMed; empty when its number there was not verified."""
    return f"https://pubmed.ncbi.nlm.nih.gov/{source.pmid}/" if source.pmid else ""


def published_in(source: SourceRow) -> str:
    """`Pediatr Blood Cancer 2007;48(2)`, as far as it was verified."""
    journal = " ".join(str(part) for part in (source.journal, source.year) if part)
    return f"{journal};{source.volume}" if journal and source.volume else journal


def citation(source: SourceRow) -> str:
    """One Markdown line: what was verified of the publication, its identifier, what was read."""
    who = _first_author(source.authors) or source.short
    line = ". ".join(part.rstrip(".") for part in (who, source.title, published_in(source)) if part)
    url = url_of(source)
    identifier = f"doi:{source.doi}" if source.doi else f"PMID {source.pmid}"
    link = f" [{identifier}]({url})." if url else ""
    population = f" {source.population.rstrip('.')}." if source.population else ""
    return f"{line}.{link}{population} Read: {source.opened}."


def _first_author(authors: str) -> str:
    """`Henter J-I, et al`: a card is read at night; `knowledge show` names all authors."""
    first, comma, _rest = authors.partition(", ")
    return f"{first}, et al" if comma else first


def links(sources: Iterable[SourceRow]) -> tuple[Mapping[str, str], ...]:
    """CDS Hooks links of type `absolute`, one per source that has a verified identifier."""
    return tuple(
        {"label": source.short, "url": url_of(source), "type": "absolute"}
        for source in sources
        if url_of(source)
    )
