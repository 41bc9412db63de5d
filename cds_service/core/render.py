"""From an evaluation to CDS Hooks cards. Words come from `cards/`; here stands their order.

A card never exceeds its limits: a summary of at most 139 characters that names value, unit and
specimen; Markdown without HTML; `info` or `warning`, never more; every finding with its sources;
the disclaimer last. The same evaluation gives the same bytes, uuids included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from cds_service.core.citations import citation, links, url_of
from cds_service.core.escape import plain
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import ContextRow, FindingRow, SourceRow
from cds_service.core.sections import Sections, analyte_name, sections_of
from cds_service.core.verdict import (
    Answer,
    Card,
    Evaluation,
    Indicator,
    Interpreted,
    NotInterpretable,
    Outcome,
    WrongAnalyte,
)

LONGEST_SUMMARY = 139
"""CDS Hooks 2.0.1, Card.summary: "<140-character"."""

_NAMESPACE = UUID("6f2a52b4-5a0e-5d0c-9d39-3f8e6d1c7a11")


def render(evaluation: Evaluation, knowledge: KnowledgeBase, *, scope: str) -> tuple[Card, ...]:
    """One card per answer.

    `scope` (caller, service, patient) goes into the uuids, so that two patients never share one.
    """
    drafts = [_draft(answer, knowledge) for answer in evaluation.answers]
    seed = json.dumps([evaluation.knowledge, scope, [draft.as_json() for draft in drafts]])
    evaluation_id = str(uuid5(_NAMESPACE, seed))
    return tuple(
        _identified(draft, evaluation_id, f"{seed}{number}") for number, draft in enumerate(drafts)
    )


def _identified(draft: Card, evaluation_id: str, seed: str) -> Card:
    return Card(
        uuid=str(uuid5(_NAMESPACE, seed)),
        summary=draft.summary,
        detail=draft.detail,
        indicator=draft.indicator,
        source=draft.source,
        links=draft.links,
        override_reasons=draft.override_reasons,
        extension={"id": evaluation_id, **draft.extension},
        suggestions=draft.suggestions,
    )


def _draft(answer: Answer, knowledge: KnowledgeBase) -> Card:
    rows = _rows(answer, knowledge)
    cited = _cited(answer, rows, knowledge)
    sections = sections_of(answer, knowledge, rows)
    return Card(
        uuid="",
        summary=_summary(answer, sections.headline, knowledge),
        detail=_detail(sections, cited, knowledge),
        indicator=_indicator(rows),
        source=_source(cited, knowledge),
        links=links(cited),
        override_reasons=knowledge.wording.override_reasons,
        extension=_extension(answer, knowledge),
    )


Rows = Mapping[str, FindingRow | ContextRow]


def _rows(answer: Answer, knowledge: KnowledgeBase) -> Rows:
    """The table row of each finding that fired, findings by rank first, then contexts."""
    fired = {finding.id for finding in answer.findings}
    findings = sorted(
        (row for row in knowledge.findings if row.id in fired), key=lambda row: -row.rank
    )
    contexts = (row for row in knowledge.contexts if row.id in fired)
    rows: dict[str, FindingRow | ContextRow] = {}
    for finding in findings:
        rows.setdefault(finding.id, finding)
    for context in contexts:
        rows.setdefault(context.id, context)
    return rows


def _cited(answer: Answer, rows: Rows, knowledge: KnowledgeBase) -> tuple[SourceRow, ...]:
    """Every source behind what the card says, in the order it is said."""
    limits = [
        knowledge.limits[about]
        for finding in answer.findings
        for about in finding.about
        if about in knowledge.limits
    ]
    ids: Iterable[str]
    match answer.verdict:
        case Interpreted():
            ids = [s for row in (*rows.values(), *limits) for s in row.sources]
        case NotInterpretable(reason):
            own = [s for row in rows.values() for s in row.sources]
            ids = [*own, *knowledge.reasons[reason.value].sources]
        case WrongAnalyte():
            ids = knowledge.reasons[Outcome.WRONG_ANALYTE.value].sources
    return tuple(knowledge.sources[name] for name in dict.fromkeys(ids))


def _summary(answer: Answer, headline: str, knowledge: KnowledgeBase) -> str:
    """Value, unit and specimen first, then the modest claim; cut if a text from outside is long."""
    words = knowledge.specimens[answer.specimen].words if answer.specimen else ""
    value = plain(answer.value.text, 40)
    unit = plain(answer.value.unit, 20)
    name = analyte_name(answer, knowledge, knowledge.identity.short_name)
    measured = " ".join(part for part in (name, value, unit) if part)
    specimen = f" ({words})" if words else ""
    return plain(f"{measured}{specimen}: {plain(headline, LONGEST_SUMMARY)}", LONGEST_SUMMARY)


def _indicator(rows: Rows) -> Indicator:
    warns = any(isinstance(row, FindingRow) and row.indicator == "warning" for row in rows.values())
    return Indicator.WARNING if warns else Indicator.INFO


def _source(cited: tuple[SourceRow, ...], knowledge: KnowledgeBase) -> Mapping[str, str]:
    """The primary source of what the card says, else the knowledge base itself."""
    for source in cited[:1]:
        url = url_of(source)
        return {"label": source.short, "url": url} if url else {"label": source.short}
    return {"label": f"{knowledge.identity.title} {knowledge.identity.version}"}


def _detail(sections: Sections, cited: tuple[SourceRow, ...], knowledge: KnowledgeBase) -> str:
    """The sections in reading order; sources and disclaimer close every card."""
    headings = knowledge.wording.headings
    blocks = [sections.result]
    for name in ("supports", "not", "context", "next", "series", "used", "missing"):
        body = sections.named.get(name, "")
        if body:
            blocks.append(f"**{headings[name]}**\n\n{body}")
    if cited:
        numbered = "\n".join(
            f"{number}. {citation(source)}" for number, source in enumerate(cited, start=1)
        )
        blocks.append(f"**{headings['sources']}**\n\n{numbered}")
    blocks.append(knowledge.wording.disclaimer.fill({"knowledge": knowledge.tag}))
    return "\n\n".join(blocks)


def _extension(answer: Answer, knowledge: KnowledgeBase) -> dict[str, Any]:
    """`org.sil2r-cds.evaluation` (interfaces, section 4) without its id. No empty members."""
    extension: dict[str, Any] = {"knowledge": knowledge.tag}
    match answer.verdict:
        case Interpreted():
            extension["outcome"] = Outcome.INTERPRETED.value
        case NotInterpretable(reason):
            extension["outcome"] = Outcome.NOT_INTERPRETABLE.value
            extension["reason"] = reason.value
        case WrongAnalyte():
            extension["outcome"] = Outcome.WRONG_ANALYTE.value
    if answer.findings:
        extension["findings"] = [finding.id for finding in answer.findings]
    if answer.inputs:
        extension["inputs"] = [
            {"resource": ref.resource, **({"version": ref.version} if ref.version else {})}
            for ref in answer.inputs
        ]
    if answer.missing:
        extension["missing"] = list(answer.missing)
    return extension
