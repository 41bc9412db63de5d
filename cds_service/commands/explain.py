"""Why a card says what it says, and why it does not say more: the trace as plain data.

What a clinician and a developer read together: the facts, each row considered, what every gate
asked and found, the sources. `terminal` prints it, `--json` gives it to machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cds_service.core.card import Card
from cds_service.core.fact import Fact
from cds_service.core.finding import ConsideredRow
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.orders import card as order_card
from cds_service.core.orders.advice import Advice
from cds_service.core.render import sources_cited
from cds_service.core.rendering.citations import citation
from cds_service.core.rendering.result_words import in_words
from cds_service.core.schema import LimitRow
from cds_service.core.verdict import (
    Answer,
    Evaluation,
    Interpreted,
    NotInterpretable,
    OrderAdvised,
    Verdict,
    WrongAnalyte,
)


def explanation(
    evaluation: Evaluation,
    knowledge: KnowledgeBase,
    cards: Sequence[Card],
    advice: Sequence[Advice],
) -> dict[str, Any]:
    """The whole trace of one evaluation; `advice` on draft orders comes in place of answers."""
    return {
        "knowledge": evaluation.knowledge,
        "evaluatedOn": evaluation.at.isoformat(),
        "answers": [
            _answer(answer, card, knowledge)
            for answer, card in zip(evaluation.answers, cards, strict=bool(evaluation.answers))
        ],
        "advice": [
            _advice(item, card, knowledge)
            for item, card in zip(advice, cards, strict=not evaluation.answers)
        ],
        "skipped": [
            {"resource": item.ref.resource, "because": item.because} for item in evaluation.skipped
        ],
    }


def _answer(answer: Answer, card: Card, knowledge: KnowledgeBase) -> dict[str, Any]:
    return {
        **_told(answer.verdict),
        "value": in_words(answer.value),
        "unitFamily": answer.value.family,
        "specimen": answer.specimen,
        "facts": _facts(answer.facts),
        "rows": [_row(row, answer.facts) for row in answer.rows],
        "findings": [
            {
                "id": finding.id,
                "claim": _claim(finding.id, knowledge),
                "strength": finding.strength.value,
                "weakenedBy": list(finding.weakened_by),
            }
            for finding in answer.findings
        ],
        "limits": [
            {
                "id": limit.id,
                "value": limit.amount,
                "metWhen": limit.met_when.value,
                "population": limit.population,
                "performance": limit.performance,
                "weakness": limit.weakness,
            }
            for limit in _limits(answer, knowledge)
        ],
        "missing": list(answer.missing),
        "sources": [citation(knowledge.sources[name]) for name in sources_cited(answer, knowledge)],
        "card": card.as_json(),
    }


def _advice(advice: Advice, card: Card, knowledge: KnowledgeBase) -> dict[str, Any]:
    """What is said about one draft order, in the shape of an answer as far as it has its parts."""
    return {
        **_told(advice.verdict),
        "specimen": advice.specimen,
        "facts": _facts(advice.facts),
        "rows": [_row(row, advice.facts) for row in advice.considered],
        "limits": [],
        "missing": list(advice.missing),
        "sources": [citation(knowledge.sources[name]) for name in order_card.sources_cited(advice)],
        "card": card.as_json(),
    }


def _facts(facts: Mapping[str, Fact]) -> list[dict[str, Any]]:
    return [
        {
            "fact": fact.name,
            "value": fact.value,
            "because": fact.because,
            "missing": list(fact.missing),
        }
        for fact in facts.values()
    ]


def _told(verdict: Verdict | OrderAdvised) -> dict[str, str]:
    match verdict:
        case Interpreted() | OrderAdvised():
            reason = ""
        case NotInterpretable(code):
            reason = code.value
        case WrongAnalyte(loinc):
            reason = loinc
    return {"outcome": verdict.outcome.value, "reason": reason}


def _row(row: ConsideredRow, facts: Mapping[str, Fact]) -> dict[str, Any]:
    return {
        "finding": row.finding,
        "outcome": row.outcome.value,
        "note": row.note,
        "gates": [
            {
                "fact": gate.fact,
                "wanted": list(gate.wanted),
                "found": gate.found,
                "holds": gate.holds,
                "because": gate.because,
            }
            for gate in row.gates(facts)
        ],
    }


def _claim(finding: str, knowledge: KnowledgeBase) -> str:
    """The one-line ceiling of what the finding may say."""
    for row in knowledge.rows:
        if row.id == finding:
            return row.claim
    return "a limit lies inside the interval of the value, so nobody can tell"


def _limits(answer: Answer, knowledge: KnowledgeBase) -> list[LimitRow]:
    """Those that a finding asked for, and those that lie inside the interval of the value."""
    fired = {finding.id for finding in answer.findings}
    asked = {fact for row in answer.rows if row.finding in fired for fact, _ in row.asks}
    inside = {about for finding in answer.findings for about in finding.about}
    return [
        limit
        for limit in knowledge.limits.values()
        if f"limit.{limit.id}" in asked or limit.id in inside
    ]
