"""The whole page, in the order a reviewer reads it."""

from __future__ import annotations

from cds_service.core.knowledge import KnowledgeBase
from cds_service.knowledge.page.answers import notes, order_advice, reasons, suggestions
from cds_service.knowledge.page.cases import cases
from cds_service.knowledge.page.concepts import (
    companions,
    laboratory_codes,
    record_concepts,
    units,
)
from cds_service.knowledge.page.findings import contexts, findings
from cds_service.knowledge.page.identity import identity, sign_off, source_attributes
from cds_service.knowledge.page.limits import limits
from cds_service.knowledge.page.markdown import section, text
from cds_service.knowledge.page.statements import statements
from cds_service.knowledge.page.subject import Subject

_PARTS = (
    identity,
    source_attributes,
    laboratory_codes,
    units,
    companions,
    limits,
    findings,
    contexts,
    record_concepts,
    reasons,
    order_advice,
    notes,
    suggestions,
    statements,
    cases,
)


def page(knowledge: KnowledgeBase, digest: str) -> str:
    """The knowledge as one Markdown page; `digest` is the SHA-256 of its texts."""
    subject = Subject.of(knowledge, digest)
    parts = [part(subject) for part in _PARTS]
    bibliography = section(
        2,
        "Bibliography",
        "All that was verified of each source. What is not there was not verified.",
        subject.bibliography.entries(),
    )
    blocks = [f"# {text(knowledge.identity.title)}", *parts, bibliography, sign_off(subject)]
    return "\n\n".join(block for block in blocks if block) + "\n"
