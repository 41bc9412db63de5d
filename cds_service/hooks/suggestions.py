"""Suggestions on a card: draft orders that the findings call for and the record does not hold yet.

Each suggestion is one `create` (CDS Hooks 2.0.1, "Suggestion", "Action"); the clinician takes any
or none. A test whose result was just read beside the finding is not proposed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.verdict import Answer, Evaluation, NotInterpretable, WrongAnalyte
from cds_service.fhir.write import draft_order, order_codings

MOST = 6
"""A card with more buttons than this is not read."""


def with_suggestions(
    cards: Sequence[Card], evaluation: Evaluation, knowledge: KnowledgeBase, patient_id: str
) -> tuple[Card, ...]:
    """The cards with the suggestions of their findings. Without a patient there is no draft."""
    if not patient_id:
        return tuple(cards)
    return tuple(
        replace(card, suggestions=tuple(_suggestions(card, answer, knowledge, patient_id)))
        for card, answer in zip(cards, evaluation.answers, strict=True)
    )


def _suggestions(
    card: Card, answer: Answer, knowledge: KnowledgeBase, patient_id: str
) -> Iterator[Mapping[str, Any]]:
    known = _known_companions(answer, knowledge)
    rows = [knowledge.suggestions[name] for name in _called_for(answer, knowledge)]
    fresh = [row for row in rows if row.code not in known]
    for row in fresh[:MOST]:
        resource = draft_order(
            row,
            patient_id=patient_id,
            intent=knowledge.policy.order_intent,
            codes=order_codings(row, knowledge.orders.get(row.id)),
        )
        yield {
            "label": row.label,
            "uuid": str(uuid5(UUID(card.uuid), row.id)),
            "actions": [{"type": "create", "description": row.text, "resource": resource}],
        }


def _called_for(answer: Answer, knowledge: KnowledgeBase) -> list[str]:
    """Suggestion ids: those of the highest finding first, then contexts, or those of the reason."""
    fired = {finding.id for finding in answer.findings}
    ids: list[str] = []
    match answer.verdict:
        case NotInterpretable(reason):
            ids += knowledge.reasons[reason.value].suggestions
        case WrongAnalyte():
            ids += knowledge.reasons["wrong-analyte"].suggestions
        case _:
            pass
    for finding in sorted(knowledge.findings, key=lambda row: -row.rank):
        if finding.id in fired:
            ids += finding.suggestions
    for context in knowledge.contexts:
        if context.id in fired:
            ids += context.suggestions
    return list(dict.fromkeys(ids))


def _known_companions(answer: Answer, knowledge: KnowledgeBase) -> frozenset[str]:
    """LOINC codes of companion tests that already have a usable result near this one."""
    known = {
        limit.of
        for limit in knowledge.limits.values()
        if limit.of in knowledge.companions
        and (fact := answer.facts.get(f"limit.{limit.id}")) is not None
        and fact.inputs
    }
    return frozenset(code for name in known for code in knowledge.companions[name].families)
