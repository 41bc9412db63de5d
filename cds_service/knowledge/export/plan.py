"""The decision table as one PlanDefinition, and each suggestion as an ActivityDefinition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.core.finding import THRESHOLD_INDETERMINATE
from cds_service.core.rendering.gate_words import alternatives_in_words
from cds_service.core.schema import AdviceRow, ContextRow, FindingRow, ReasonRow, SuggestionRow
from cds_service.fhir.canonical import DECISION_TABLE
from cds_service.fhir.write.orders import order_codings
from cds_service.knowledge.export.artifact import Artifacts, Resource
from cds_service.knowledge.export.citing import cited
from cds_service.knowledge.page.subject import by_id, merged

_TYPE = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
_STRADDLED = "a limit lies inside the interval of the value and no other gate fails"

Row = FindingRow | ContextRow | AdviceRow


def plan(artifacts: Artifacts) -> Resource:
    """One action per finding, context, advice and reason; conditions are in words."""
    knowledge = artifacts.knowledge
    return {
        **artifacts.frame(
            "PlanDefinition",
            (DECISION_TABLE,),
            title=f"{knowledge.identity.title}: decision table",
            description=f"{knowledge.identity.intended_use} Conditions are in words, not "
            "executable.",
        ),
        "type": {"coding": [{"system": _TYPE, "code": "eca-rule"}]},
        "library": [artifacts.canonical("Library")],
        "relatedArtifact": cited(artifacts, knowledge.sources),
        "action": [
            *_actions(artifacts, knowledge.findings),
            _straddled(artifacts),
            *_actions(artifacts, knowledge.contexts),
            *_actions(artifacts, knowledge.order_table.advice),
            *(_reason(artifacts, row) for row in knowledge.reasons.values()),
        ],
    }


def _actions(artifacts: Artifacts, rows: Iterable[Row]) -> Iterator[Resource]:
    """Alternatives are one action."""
    for name, alternatives in by_id(rows).items():
        words = alternatives_in_words((row.when for row in alternatives), artifacts.knowledge)
        claims = dict.fromkeys(row.claim for row in alternatives)
        sources = merged(_sources(row) for row in alternatives)
        action: Resource = {
            "id": name,
            "title": name,
            "description": " ".join(claims),
            "textEquivalent": _says(artifacts, name),
            "documentation": cited(artifacts, sources),
            "condition": [_condition(" \u2014 or: ".join(words))],
        }
        yield action | _offered(artifacts, merged(map(_suggested, alternatives)))


def _says(artifacts: Artifacts, name: str) -> str:
    """The wording at full strength, placeholders in braces."""
    return artifacts.knowledge.templates[name]["says"].source


def _condition(words: str) -> Resource:
    return {
        "kind": "applicability",
        "expression": {"description": words, "language": "text/plain", "expression": words},
    }


def _straddled(artifacts: Artifacts) -> Resource:
    row = artifacts.knowledge.notes.get(THRESHOLD_INDETERMINATE)
    documentation = {"documentation": cited(artifacts, row.all_sources)} if row else {}
    return {
        "id": THRESHOLD_INDETERMINATE,
        "title": THRESHOLD_INDETERMINATE,
        "description": "Nobody can tell on which side of the limit the value lies.",
        "condition": [_condition(_STRADDLED)],
        **documentation,
    }


def _reason(artifacts: Artifacts, row: ReasonRow) -> Resource:
    action: Resource = {
        "id": f"reason-{row.id}",
        "title": row.id,
        "description": row.claim,
        "documentation": cited(artifacts, row.sources),
        "condition": [_condition(f"the result is not interpreted: {row.id}")],
    }
    return action | _offered(artifacts, row.suggestions)


def _sources(row: Row) -> Sequence[str]:
    match row:
        case FindingRow() | ContextRow():
            return row.all_sources
        case AdviceRow():
            return row.sources


def _suggested(row: Row) -> Sequence[str]:
    match row:
        case FindingRow() | ContextRow():
            return row.suggestions
        case AdviceRow():
            return ()


def _offered(artifacts: Artifacts, names: Sequence[str]) -> Resource:
    """Drafts of which the clinician takes any or none."""
    if not names:
        return {}
    offered = [
        {
            "title": artifacts.knowledge.suggestions[name].label,
            "precheckBehavior": "no",
            "definitionCanonical": artifacts.canonical("ActivityDefinition", name),
        }
        for name in names
    ]
    return {"selectionBehavior": "any", "action": offered}


def activities(artifacts: Artifacts) -> list[Resource]:
    """One ActivityDefinition for each suggestion: a draft order or a contact, never a therapy."""
    return [_activity(artifacts, row) for row in artifacts.knowledge.suggestions.values()]


def _activity(artifacts: Artifacts, row: SuggestionRow) -> Resource:
    knowledge = artifacts.knowledge
    codings = order_codings(row, knowledge.orders.get(row.id))
    code: Resource = {"text": row.text} | ({"coding": codings} if codings else {})
    return {
        **artifacts.frame(
            "ActivityDefinition",
            (row.id,),
            title=row.label,
            description=row.text,
            systems=(coding["system"] for coding in codings),
        ),
        "library": [artifacts.canonical("Library")],
        "relatedArtifact": cited(artifacts, row.sources),
        "kind": "ServiceRequest",
        "intent": knowledge.policy.order_intent,
        "code": code,
    }
