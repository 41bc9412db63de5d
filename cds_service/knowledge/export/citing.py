"""Sources as FHIR: a related artifact of type `citation` (R4), and a Citation resource (R4B)."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.rendering.citations import url_of
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.schema import SourceRow
from cds_service.knowledge.export.artifact import Artifacts, Resource, narrative
from cds_service.knowledge.page.bibliography import full_citation

DOI = "https://doi.org"
PUBMED = "http://www.ncbi.nlm.nih.gov/pubmed"


def cited(artifacts: Artifacts, names: Iterable[str]) -> list[Resource]:
    """Related artifacts for the sources of these names."""
    sources = artifacts.knowledge.sources
    return [_related(sources[name]) for name in dict.fromkeys(names)]


def _related(source: SourceRow) -> Resource:
    related: Resource = {
        "type": "citation",
        "label": source.short,
        "display": source.title,
        "citation": full_citation(source),
    }
    url = url_of(source)
    return {**related, "url": url} if url else related


def citations(artifacts: Artifacts) -> list[Resource]:
    """One Citation for each source of the bibliography, with what of it was verified."""
    return [_citation(artifacts, source) for source in artifacts.knowledge.sources.values()]


def _citation(artifacts: Artifacts, source: SourceRow) -> Resource:
    about = artifacts.knowledge.identity
    said = disclaimer(artifacts.knowledge)
    return {
        "resourceType": "Citation",
        "id": artifacts.id("source", source.id),
        "text": narrative(source.short, full_citation(source), said),
        "url": artifacts.url("Citation", "source", source.id),
        "version": about.version,
        "title": source.short,
        "status": "active",
        "experimental": False,
        "date": source.checked.isoformat(),
        "publisher": about.publisher,
        "description": full_citation(source),
        "note": [{"text": said}],
        "citedArtifact": _artifact(source),
    }


def _artifact(source: SourceRow) -> Resource:
    identifiers = [
        {"system": system, "value": value}
        for system, value in ((DOI, source.doi), (PUBMED, source.pmid))
        if value
    ]
    form: Resource = {}
    if source.journal:
        form["publishedIn"] = {"title": source.journal}
    if source.year:
        form["articleDate"] = str(source.year)
    read = [f"Read: {source.opened}, {source.checked.isoformat()}.", source.population, source.note]
    parts: Resource = {
        "identifier": identifiers,
        "title": [] if _is_described(source) else [{"text": source.title}],
        "publicationForm": [form] if form else [],
        "webLocation": [{"url": url_of(source)}] if url_of(source) else [],
        "note": [{"text": text} for text in read if text],
    }
    artifact = {name: value for name, value in parts.items() if value}
    if source.authors:
        artifact["contributorship"] = {"summary": [{"value": source.authors}]}
    return artifact


def _is_described(source: SourceRow) -> bool:
    """A title in parentheses is our description: the true title was not verified."""
    return source.title.startswith("(")
