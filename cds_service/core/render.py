"""From an evaluation to CDS Hooks cards. The words come from `cards/`; their order is made here.

A card never exceeds its limits: a summary of at most 139 characters that names value, unit and
specimen; Markdown without HTML; `info` or `warning`, never more; every finding with its sources;
the disclaimer last. The same evaluation gives the same bytes, uuids included.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_service.core.card import Card
from cds_service.core.finding import THRESHOLD_INDETERMINATE, Finding
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.bibliography import bibliography
from cds_service.core.rendering.content import CardContent, identified
from cds_service.core.rendering.parts import denying, detail_of, extension_of, saying
from cds_service.core.rendering.sections import indicator_of, rests_on, sections_of
from cds_service.core.rendering.summary import summary_of
from cds_service.core.schema import TableRow
from cds_service.core.verdict import (
    Answer,
    Evaluation,
    Interpreted,
    NotInterpretable,
    Outcome,
    WrongAnalyte,
)


def render(evaluation: Evaluation, knowledge: KnowledgeBase, *, scope: str) -> tuple[Card, ...]:
    """One card per answer.

    `scope` (caller, service, patient) goes into the uuids, so that two patients never share one.
    """
    contents = [_content(answer, knowledge, evaluation.at) for answer in evaluation.answers]
    return identified(contents, knowledge, scope)


def _content(answer: Answer, knowledge: KnowledgeBase, at: date) -> CardContent:
    rows = _rows(answer, knowledge)
    cited = bibliography(knowledge, _cited(answer, rows, knowledge))
    found = [finding.id for finding in answer.findings]
    sections = sections_of(answer, knowledge, rows)
    return CardContent(
        summary=summary_of(answer, sections, knowledge, at),
        detail=detail_of(sections.result, sections.named, cited.closing, knowledge),
        indicator=indicator_of(rows),
        cited=cited,
        extension=extension_of(answer.verdict, found, rests_on(answer), answer.missing, knowledge),
    )


def sources_cited(answer: Answer, knowledge: KnowledgeBase) -> tuple[str, ...]:
    """The ids of the sources that the card of this answer cites, in its order."""
    return _cited(answer, _rows(answer, knowledge), knowledge)


def _rows(answer: Answer, knowledge: KnowledgeBase) -> Sequence[TableRow]:
    """The table row of each finding that fired, findings by rank first, then contexts."""
    speaking = knowledge.speaking
    found = [speaking[finding.id] for finding in answer.findings if finding.id in speaking]
    return [row for _, row in sorted(found)]


def _cited(answer: Answer, rows: Sequence[TableRow], knowledge: KnowledgeBase) -> tuple[str, ...]:
    """Ids of the sources behind what the card says, in the order in which it is said."""
    spoken = {finding.id: _spoken(finding, answer) for finding in answer.findings}
    ids = [source for row in rows for source in row.sources_of(spoken[row.id])]
    match answer.verdict:
        case Interpreted():
            ids += _behind_limits(answer, knowledge)
        case NotInterpretable(reason):
            ids += knowledge.reasons[reason.value].sources
        case WrongAnalyte():
            ids += knowledge.reasons[Outcome.WRONG_ANALYTE.value].sources
    ids += _behind_words(answer, knowledge)
    return tuple(dict.fromkeys(ids))


def _spoken(finding: Finding, answer: Answer) -> tuple[str, ...]:
    """The sections of its template that may stand on the card."""
    specimen, family = answer.specimen, answer.value.family
    return saying(specimen, family, finding.strength) + denying(specimen, family)


def _behind_limits(answer: Answer, knowledge: KnowledgeBase) -> list[str]:
    """Sources of the limits that lie inside the interval of the value. The laboratory's own range
    rests on no study.
    """
    return [
        source
        for finding in answer.findings
        for about in finding.about
        if about in knowledge.limits
        for source in knowledge.limits[about].sources
    ]


def _behind_words(answer: Answer, knowledge: KnowledgeBase) -> list[str]:
    """Sources of the notes that rest on studies, and of the words of `threshold-indeterminate`,
    which has no row in the table.
    """
    said = [finding.id for finding in answer.findings if finding.id == THRESHOLD_INDETERMINATE]
    said += [note.kind.value for note in answer.notes]
    sections = saying(answer.specimen)
    notes = [knowledge.notes[name] for name in said if name in knowledge.notes]
    return [source for note in notes for source in note.sources_of(sections)]
