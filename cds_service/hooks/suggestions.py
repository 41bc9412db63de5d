"""Suggestions on a card: draft orders that the findings call for and the record does not hold yet.

Each suggestion is one `create` (CDS Hooks 2.0.1, "Suggestion", "Action"); the clinician takes any
or none. A test of which a usable result lies near this one is not proposed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cds_service.core.card import Card
from cds_service.core.fact import NOT_APPLICABLE
from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.name_uuid import Names
from cds_service.core.schema import SuggestionRow, TableRow
from cds_service.core.verdict import (
    Answer,
    Evaluation,
    Interpreted,
    NotInterpretable,
    Outcome,
    PairedWith,
    Verdict,
    WrongAnalyte,
)
from cds_service.fhir.write.orders import draft_order, order_codings

MOST = 8
"""Most suggestions on one card, as many as one finding calls for; those after them are left out."""

_COMBINATIONS = 512
"""How many combinations of findings keep their suggestions. Few ever occur together."""


def with_suggestions(
    cards: Sequence[Card], evaluation: Evaluation, knowledge: KnowledgeBase, patient_id: str
) -> tuple[Card, ...]:
    """The cards with the suggestions of their findings. Without a patient there is no draft."""
    if not patient_id:
        return tuple(cards)
    return tuple(
        [
            replace(card, suggestions=_suggestions(card, answer, knowledge, patient_id))
            for card, answer in zip(cards, evaluation.answers, strict=True)
        ]
    )


def _suggestions(
    card: Card, answer: Answer, knowledge: KnowledgeBase, patient_id: str
) -> tuple[Mapping[str, Any], ...]:
    fired = tuple([finding.id for finding in answer.findings])
    panels = tuple([note.panel for note in answer.notes if note.panel])
    offers = _called_for(knowledge, _reason(answer.verdict), panels, fired)
    if panels or answer.companions or isinstance(answer.paired, PairedWith):
        offers = tuple([offer for offer in offers if not _is_known(offer, answer)])
    uuids = Names(card.uuid)
    subject = {"reference": f"Patient/{patient_id}"}
    return tuple(
        [
            {
                "label": offer.label,
                "uuid": uuids.uuid(offer.id),
                "actions": [
                    {
                        "type": "create",
                        "description": offer.text,
                        "resource": {**offer.order, "subject": subject},
                    }
                ],
            }
            for offer in offers[:MOST]
        ]
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """A suggestion as it is for every patient."""

    id: str
    label: str
    text: str
    order: JsonObject
    """The draft, but for its subject."""
    tests: frozenset[str]
    """The companion tests that it orders."""
    specimen: str
    """The specimen, if this orders the analyte itself; else empty."""


def _is_known(offer: _Offer, answer: Answer) -> bool:
    """Whether of each suggested test a result is near this one in time and can be read beside it,
    or is named on the card already.
    """
    if offer.tests:
        told = {test for note in answer.notes for test in note.tests}
        return offer.tests <= told.union(set(answer.companions).difference(answer.missing))
    match answer.paired:
        case PairedWith(specimen=other) if other == offer.specimen:
            return all(
                fact.value != NOT_APPLICABLE
                for name, fact in answer.facts.items()
                if name.startswith("ratio.")
            )
        case _:
            return False


def _reason(verdict: Verdict) -> str:
    """The id of the reason that calls for suggestions; empty for a result that was interpreted."""
    match verdict:
        case Interpreted():
            return ""
        case NotInterpretable(reason):
            return reason.value
        case WrongAnalyte():
            return Outcome.WRONG_ANALYTE.value


@lru_cache(_COMBINATIONS)
def _called_for(
    knowledge: KnowledgeBase, reason: str, panels: tuple[str, ...], fired: tuple[str, ...]
) -> tuple[_Offer, ...]:
    """Contacts first, then tests: those of urgent panels, of the reason, then of the findings from
    the highest rank down, and of contexts.
    """
    by_rank = sorted(knowledge.findings, key=lambda row: -row.rank)
    findings = [row for row in by_rank if row.id in fired]
    contexts = [row for row in knowledge.contexts if row.id in fired]
    first: tuple[TableRow, ...] = (*findings[:1], *contexts)
    rows: tuple[TableRow, ...] = (*findings, *contexts)
    ids = [name for panel in panels for name in knowledge.panels[panel].suggestions]
    ids += knowledge.reasons[reason].suggestions if reason else ()
    leading = [*ids, *(name for row in first for name in row.suggestions)]
    calls = [name for name in leading if knowledge.suggestions[name].kind == "contact"]
    ids = [*calls, *ids, *(name for row in rows for name in row.suggestions)]
    return tuple(_offer(knowledge.suggestions[name], knowledge) for name in dict.fromkeys(ids))


def _offer(row: SuggestionRow, knowledge: KnowledgeBase) -> _Offer:
    order = draft_order(
        codes=order_codings(row, knowledge.orders.get(row.id)),
        text=row.text,
        intent=knowledge.policy.order_intent,
    )
    own = knowledge.order_table.own.get(row.id)
    return _Offer(
        row.id,
        row.label,
        row.text,
        order,
        tests=frozenset(row.tests).union(
            name for name, test in knowledge.companions.items() if row.code in test.families
        ),
        specimen=own.specimen if own else "",
    )
