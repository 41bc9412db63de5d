"""The gates of a table row in words: what must hold before it fires, as a clinician would say it.

Generated from the same rows that decide, so that the page and the FHIR export cannot say anything
other than what the table does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cds_service.core.fact import (
    DISPUTED,
    MET,
    NOT_APPLICABLE,
    NOT_MET,
    PROVISIONAL,
    STRADDLES,
    UNKNOWN,
)
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import Gates, LimitRow, MetWhen
from cds_service.core.table import wanted

_RECORDED: Final = {
    "recorded": "the record names {title} among the {kind}s",
    "not-recorded": "the record does not name {title} among the {kind}s",
    UNKNOWN: "it cannot be told whether the record names {title} among the {kind}s",
}
_PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    "laboratory-range": {
        "above": "the value lies above the reporting laboratory's own range",
        "within": "the value lies within the reporting laboratory's own range",
        "below": "the value lies below the reporting laboratory's own range",
        "none": "no range of the reporting laboratory can be applied",
        STRADDLES: "a bound of the laboratory's own range lies inside the interval of the value",
    },
    "pair": {
        "paired": "a result of another specimen lies within {pair_days} days",
        "alone": "no result of another specimen lies within {pair_days} days",
        "incomplete": "something that belongs beside the order is neither drafted nor there",
        "complete": "everything that belongs beside the order is drafted or there",
    },
    "age": {
        "yes": "the patient is {title}",
        "no": "the patient is not {title}",
        UNKNOWN: "it cannot be told whether the patient is {title}",
    },
    "condition": _RECORDED,
    "medication": _RECORDED,
    "panel": {
        "counted": "at least one other result of “{title}” lies within {companion_days} days",
        NOT_APPLICABLE: "this does not apply: {title}",
        UNKNOWN: "no other result of “{title}” is known within {companion_days} days",
    },
    "ratio": {
        "computed": "this can be computed: {title}",
        NOT_APPLICABLE: "this does not apply: {title}",
        UNKNOWN: "this cannot be computed: {title}",
    },
    "order": {
        "analyte": "the draft order is for {analyte}",
        "look-alike": "the draft order is for a test that is mistaken for {analyte}",
        "codes-conflict": "the codes of the draft order name two different tests",
        "of-another-patient": "the draft order is of another patient",
        "invalid": "the draft order is not valid FHIR R4, or holds a modifier that is not known",
    },
    "earlier-result": {
        "present": "a result of the same specimen is there from the last {look_back_days} days",
        "none": "no result of the same specimen is there from the last {look_back_days} days",
    },
    "laboratory": {
        "changed": "the order names another laboratory than the result before",
        "same": "the order names the laboratory of the result before",
    },
}
"""By kind of fact and by value; a value without words here is given as it is written."""
_NO_KIND: Final = {
    "not-named": "not named",
    "unreadable": "named in a way that cannot be read",
    "conflict": "named differently by the code and by the specimen",
    "not-covered": "of a kind that is not covered",
}
_OTHERWISE: Final = {
    MetWhen.AT_OR_ABOVE: MetWhen.BELOW,
    MetWhen.ABOVE: MetWhen.AT_OR_BELOW,
    MetWhen.AT_OR_BELOW: MetWhen.ABOVE,
    MetWhen.BELOW: MetWhen.AT_OR_ABOVE,
}
_ANY_VALUE = frozenset({MET, NOT_MET, STRADDLES})


def conditions_in_words(gates: Gates, knowledge: KnowledgeBase) -> tuple[str, ...]:
    """One phrase per gate; all of them must hold. Empty for a row that asks nothing."""
    return tuple(_gate(fact, wanted(gates, fact), knowledge) for fact in gates)


def alternatives_in_words(
    alternatives: Iterable[Gates], knowledge: KnowledgeBase
) -> tuple[str, ...]:
    """One sentence per row of the same id; any one of them is enough."""
    return tuple(
        "; ".join(conditions_in_words(gates, knowledge)) or "always" for gates in alternatives
    )


def _gate(fact: str, values: tuple[str, ...], knowledge: KnowledgeBase) -> str:
    kind, _, name = fact.partition(".")
    match kind:
        case "specimen":
            kinds = {row.id: row.words for row in knowledge.specimens.values()} | _NO_KIND
            said = [kinds.get(value, _spaced(value)) for value in values]
            return f"the specimen is {' or '.join(said)}"
        case "unit-family":
            families = [knowledge.families[value] for value in values]
            said = [f"{row.title} ({row.canonical})" for row in families]
            return f"the unit family is {' or '.join(said)}"
        case "limit":
            return _limit(knowledge.limits[name], values, knowledge)
        case "ratio" if set(values) >= set(_PHRASES["ratio"]):
            return f"whether or not this can be computed: {knowledge.ratios[name].title}"
        case _ if kind in _PHRASES:
            return _phrases(kind, name, values, knowledge)
        case _:  # without words: name and values as they are written
            return f"{_spaced(fact)} is {' or '.join(map(_spaced, values))}"


def _phrases(kind: str, name: str, values: Iterable[str], knowledge: KnowledgeBase) -> str:
    """The phrase of each value, each once."""
    blanks = {
        "kind": kind,
        "title": _title(kind, name, knowledge),
        "analyte": knowledge.identity.short_name,
        "pair_days": knowledge.identity.pair_within_days,
        "companion_days": knowledge.identity.companion_within_days,
        "look_back_days": knowledge.policy.look_back_days,
    }
    phrases = [
        _PHRASES[kind].get(value, f"{_spaced(kind)} is {_spaced(value)}") for value in values
    ]
    return ", or ".join(phrase.format(**blanks) for phrase in dict.fromkeys(phrases))


def _title(kind: str, name: str, knowledge: KnowledgeBase) -> str:
    """The title of the row that a fact is about; empty for a kind of which there is one fact."""
    match kind:
        case "age":
            return knowledge.ages[name].title
        case "condition":
            return knowledge.conditions.concepts[name].title
        case "medication":
            return knowledge.medications.concepts[name].title
        case "panel":
            return knowledge.panels[name].title
        case "ratio":
            return knowledge.ratios[name].title
        case _:
            return ""


def _limit(limit: LimitRow, values: Iterable[str], knowledge: KnowledgeBase) -> str:
    measured = "the value"
    if limit.of != knowledge.identity.id:
        days = knowledge.identity.companion_within_days
        measured = f"{knowledge.companions[limit.of].row.title} (within {days} days)"
    if set(values) >= _ANY_VALUE:
        return f"{measured} is known, whatever its value"
    words = {
        MET: f"is {limit.words}",
        PROVISIONAL: f"is {limit.words}, if {limit.presumes}",
        NOT_MET: f"is {_OTHERWISE[limit.met_when].words} {limit.amount}",
        STRADDLES: f"is an interval with {limit.amount} inside it",
        DISPUTED: f"is {limit.words} in one of several results of one time and not in another",
        NOT_APPLICABLE: f"cannot be held against {limit.amount}",
        UNKNOWN: "is unknown",
    }
    return f"{measured} " + " or ".join(words[value] for value in values)


def _spaced(name: str) -> str:
    return name.replace("-", " ")
