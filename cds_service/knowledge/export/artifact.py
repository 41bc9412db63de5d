"""What every exported artifact carries: canonical URL, version, state, disclaimer, narrative."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.disclaimer import disclaimer, review_status
from cds_service.core.review import Approved, Pending
from cds_service.fhir.canonical import artifact_id, canonical_url, of_version
from cds_service.knowledge.page.notices import notices

Resource = dict[str, Any]

_PROFILE = "http://hl7.org/fhir/uv/crmi/StructureDefinition/crmi-shareable"
_CAPABILITY = "http://hl7.org/fhir/StructureDefinition/cqf-knowledgeCapability"
_WITH_USAGE = frozenset({"Library", "PlanDefinition", "ActivityDefinition"})
"""Artifacts that have `usage`, `effectivePeriod` and, once approved, `approvalDate`."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Makes the frame of every artifact of one knowledge base. Nothing in it depends on the day."""

    knowledge: KnowledgeBase
    digest: str
    base: str

    def id(self, *parts: str) -> str:
        """`sil2r-condition-sarcoidosis`: the analyte, then what tells the artifact apart."""
        return artifact_id(self.knowledge.identity.id, *parts)

    def url(self, kind: str, *parts: str) -> str:
        """The canonical URL."""
        return canonical_url(kind, self.id(*parts), self.base)

    def canonical(self, kind: str, *parts: str) -> str:
        """The canonical URL with the version of the knowledge."""
        return of_version(self.url(kind, *parts), self.knowledge.identity.version)

    def frame(
        self,
        kind: str,
        parts: tuple[str, ...],
        *,
        title: str,
        description: str,
        systems: Iterable[str] = (),
    ) -> Resource:
        """An artifact without its content. `systems` are the code systems it holds codes of."""
        about = self.knowledge.identity
        said = disclaimer(self.knowledge)
        frame: Resource = {
            "resourceType": kind,
            "id": self.id(*parts),
            "meta": {"profile": [f"{_PROFILE}{kind.lower()}"]},
            "text": narrative(title, description, said),
            "extension": [{"url": _CAPABILITY, "valueCode": "shareable"}],
            "url": self.url(kind, *parts),
            "version": about.version,
            "name": _computable_name(self.id(*parts)),
            "title": title,
            **self._state(),
            "date": about.released.isoformat(),
            "publisher": about.publisher,
            "description": f"{description}\n\n{said}",
            "copyright": notices(about.copyright, systems),
        }
        if kind in _WITH_USAGE:
            frame |= self._governance(said)
        return frame

    def _state(self) -> Resource:
        """Draft and for trying out until a named reviewer has signed this content."""
        match self.knowledge.review:
            case Pending():
                return {"status": "draft", "experimental": True}
            case Approved():
                return {"status": "active", "experimental": False}

    def _governance(self, said: str) -> Resource:
        about = self.knowledge.identity
        governance: Resource = {
            "purpose": f"State of review: {review_status(self.knowledge)}.",
            "usage": said,
            "effectivePeriod": {
                "start": about.released.isoformat(),
                "end": about.review_by.isoformat(),
            },
            "author": [{"name": about.publisher}],
        }
        match self.knowledge.review:
            case Approved(reviewer, on):
                governance["approvalDate"] = on.isoformat()
                governance["lastReviewDate"] = on.isoformat()
                governance["reviewer"] = [{"name": reviewer}]
            case Pending():
                pass
        return governance


def _computable_name(name: str) -> str:
    """`Sil2rConditionSarcoidosis`: the form that FHIR asks of a name for machines."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("-"))


def narrative(*paragraphs: str) -> Resource:
    """The human-readable text of a resource: paragraphs, nothing cleverer."""
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs if paragraph)
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'
    return {"status": "generated", "div": div}
