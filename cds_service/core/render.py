"""From an evaluation to CDS Hooks cards. Words come from `cards/`; here stands their order.

A card never exceeds its limits: a summary of at most 139 characters that names value, unit and
specimen; Markdown without HTML; `info` or `warning`, never more; every finding with its sources;
the disclaimer last. The same evaluation gives the same bytes, uuids included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.core.card import Card, Indicator
from cds_service.core.card_parts import (
    LONGEST_SUMMARY,
    detail_of,
    evaluation_members,
    identified,
    source_of,
)
from cds_service.core.citations import links
from cds_service.core.escape import plain
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import ContextRow, FindingRow, SourceRow
from cds_service.core.sections import analyte_name, sections_of
from cds_service.core.table import LABORATORY_GATES
from cds_service.core.verdict import (
    Answer,
    Evaluation,
    Interpreted,
    NotInterpretable,
    Outcome,
    RowOutcome,
    WrongAnalyte,
)


def render(evaluation: Evaluation, knowledge: KnowledgeBase, *, scope: str) -> tuple[Card, ...]:
    """One card per answer.

    `scope` (caller, service, patient) goes into the uuids, so that two patients never share one.
    """
    drafts = [_draft(answer, knowledge) for answer in evaluation.answers]
    return identified(drafts, evaluation.knowledge, scope)


def _draft(answer: Answer, knowledge: KnowledgeBase) -> Card:
    rows = _rows(answer, knowledge)
    cited = _cited(answer, rows, knowledge)
    sections = sections_of(answer, knowledge, rows)
    return Card(
        uuid="",
        summary=_summary(answer, sections.headline, knowledge),
        detail=detail_of(sections, cited, knowledge),
        indicator=_indicator(rows),
        source=source_of(cited, knowledge),
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
            said = (*rows.values(), *limits, *_left_open_by_the_range(answer, knowledge))
            ids = [s for row in said for s in row.sources]
        case NotInterpretable(reason):
            own = [s for row in rows.values() for s in row.sources]
            ids = [*own, *knowledge.reasons[reason.value].sources]
        case WrongAnalyte():
            ids = knowledge.reasons[Outcome.WRONG_ANALYTE.value].sources
    return tuple(knowledge.sources[name] for name in dict.fromkeys(ids))


def _left_open_by_the_range(answer: Answer, knowledge: KnowledgeBase) -> list[FindingRow]:
    """Rows about the laboratory's own range when the value straddles it: that range is no limit of
    the knowledge, so no limit brings sources along.
    """
    straddled = {row.finding for row in answer.rows if row.outcome is RowOutcome.STRADDLED}
    return [
        row
        for row in knowledge.findings
        if row.id in straddled and frozenset(row.when) <= LABORATORY_GATES
    ]


def _summary(answer: Answer, headline: str, knowledge: KnowledgeBase) -> str:
    """Value, unit and specimen first, then the modest claim; cut if a text from outside is long."""
    words = knowledge.specimens[answer.specimen].words if answer.specimen else ""
    value = plain(answer.value.text, 40)
    unit = plain(answer.value.unit, 20)
    name = analyte_name(answer, knowledge, knowledge.identity.short_name)
    measured = " ".join(part for part in (name, value, unit) if part)
    specimen = f" ({words})" if words else ""
    claim = f": {headline}" if headline else ""  # none where the site has muted every finding
    return plain(f"{measured}{specimen}{claim}", LONGEST_SUMMARY)


def _indicator(rows: Rows) -> Indicator:
    warns = any(isinstance(row, FindingRow) and row.indicator == "warning" for row in rows.values())
    return Indicator.WARNING if warns else Indicator.INFO


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
    return {**extension, **evaluation_members(answer.inputs, answer.missing)}
