"""The gates of a table row in words: what must hold before it fires, as a clinician would say it.

Generated from the same rows that decide, so that the page and the FHIR export cannot say anything
other than what the table does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cds_service.core.fact import DISPUTED, PROVISIONAL, STRADDLES, UNKNOWN
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import Gates, LimitRow, MetWhen
from cds_service.core.table import wanted

MET_IN_WORDS: Mapping[MetWhen, str] = {
    MetWhen.AT_OR_ABOVE: "at or above",
    MetWhen.ABOVE: "above",
    MetWhen.AT_OR_BELOW: "at or below",
    MetWhen.BELOW: "below",
}
_NOT_MET: Mapping[MetWhen, str] = {
    MetWhen.AT_OR_ABOVE: "below",
    MetWhen.ABOVE: "at or below",
    MetWhen.AT_OR_BELOW: "above",
    MetWhen.BELOW: "at or above",
}
_RANGE = {
    "above": "the value lies above the reporting laboratory's own range",
    "within": "the value lies within the reporting laboratory's own range",
    "below": "the value lies below the reporting laboratory's own range",
    "none": "no range of the reporting laboratory can be applied",
    STRADDLES: "a bound of the laboratory's own range lies inside the interval of the value",
}
_NO_KIND = {
    "not-named": "not named",
    "unreadable": "named in a way that cannot be read",
    "conflict": "named differently by the code and by the specimen",
    "not-covered": "of a kind that is not covered",
}
_ANY_VALUE = frozenset({"met", "not-met", STRADDLES})
_WHETHER_OR_NOT = frozenset({"computed", "not-applicable", UNKNOWN})

_Say = Callable[[KnowledgeBase, str, tuple[str, ...]], str]


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


def limit_in_words(limit: LimitRow) -> str:
    """`at or above 2400 U/mL`."""
    return f"{MET_IN_WORDS[limit.met_when]} {limit.value} {limit.unit}"


def _gate(fact: str, values: tuple[str, ...], knowledge: KnowledgeBase) -> str:
    kind, _, name = fact.partition(".")
    say = _SAY.get(kind, _as_written)
    return say(knowledge, name or fact, values)


def _as_written(_knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    """A fact without words of its own: its name and values, which is still the truth."""
    return f"{_spaced(name)} is {' or '.join(_spaced(value) for value in values)}"


def _spaced(name: str) -> str:
    return name.replace("-", " ")


def _spoken(words: Mapping[str, str], values: tuple[str, ...], fact: str) -> str:
    """The words of each value; where it has none, the value as it is written."""
    return ", or ".join(
        words.get(value, f"{_spaced(fact)} is {_spaced(value)}") for value in values
    )


def _order(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    words = {
        "analyte": f"the draft order is for {knowledge.identity.short_name}",
        "look-alike": f"the draft order is for a test that is mistaken for "
        f"{knowledge.identity.short_name}",
        "codes-conflict": "the codes of the draft order name two different tests",
        "of-another-patient": "the draft order is of another patient",
        "invalid": "the draft order is not valid FHIR R4, or holds a modifier that is not known",
    }
    return _spoken(words, values, name)


def _earlier_result(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    days = knowledge.policy.look_back_days
    words = {
        "present": f"a result of the same specimen is there from the last {days} days",
        "none": f"no result of the same specimen is there from the last {days} days",
    }
    return _spoken(words, values, name)


def _laboratory(_knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    words = {
        "changed": "the order names another laboratory than the result before",
        "same": "the order names the laboratory of the result before",
    }
    return _spoken(words, values, name)


def _specimen(knowledge: KnowledgeBase, _name: str, values: tuple[str, ...]) -> str:
    words = {kind.id: kind.words for kind in knowledge.specimens.values()} | _NO_KIND
    return f"the specimen is {' or '.join(words.get(value, _spaced(value)) for value in values)}"


def _family(knowledge: KnowledgeBase, _name: str, values: tuple[str, ...]) -> str:
    families = (knowledge.families[value] for value in values)
    return "the unit family is " + " or ".join(f"{row.title} ({row.canonical})" for row in families)


def _laboratory_range(_knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    return _spoken(_RANGE, values, name)


def _pair(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    days = knowledge.identity.pair_within_days
    words = {
        "paired": f"a result of another specimen lies within {days} days",
        "alone": f"no result of another specimen lies within {days} days",
        "incomplete": "something that belongs beside the order is neither drafted nor there",
        "complete": "everything that belongs beside the order is drafted or there",
    }
    return _spoken(words, values, name)


def _limit(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    limit = knowledge.limits[name]
    measured = _measured(limit, knowledge)
    if set(values) >= _ANY_VALUE:
        return f"{measured} is known, whatever its value"
    against = f"{limit.value} {limit.unit}"
    words = {
        "met": f"is {MET_IN_WORDS[limit.met_when]} {against}",
        PROVISIONAL: f"is {MET_IN_WORDS[limit.met_when]} {against}, if {limit.presumes}",
        "not-met": f"is {_NOT_MET[limit.met_when]} {against}",
        STRADDLES: f"is an interval with {against} inside it",
        DISPUTED: f"is {MET_IN_WORDS[limit.met_when]} {against} in one of several results "
        "of one time and not in another",
        "not-applicable": f"cannot be held against {against}",
        UNKNOWN: "is unknown",
    }
    return f"{measured} " + " or ".join(words[value] for value in values)


def _measured(limit: LimitRow, knowledge: KnowledgeBase) -> str:
    if limit.of == knowledge.identity.id:
        return "the value"
    title = knowledge.companions[limit.of].row.title
    return f"{title} (within {knowledge.identity.companion_within_days} days)"


def _age(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    title = knowledge.ages[name].title
    words = {
        "yes": f"the patient is {title}",
        "no": f"the patient is not {title}",
        UNKNOWN: f"it cannot be told whether the patient is {title}",
    }
    return _spoken(words, values, name)


def _condition(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    return _recorded(knowledge.conditions.concepts[name].title, "conditions", values)


def _medication(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    return _recorded(knowledge.medications.concepts[name].title, "medications", values)


def _recorded(title: str, part: str, values: tuple[str, ...]) -> str:
    words = {
        "recorded": f"the record names {title} among the {part}",
        "not-recorded": f"the record does not name {title} among the {part}",
        UNKNOWN: f"it cannot be told whether the record names {title} among the {part}",
    }
    return _spoken(words, values, title)


def _panel(knowledge: KnowledgeBase, name: str, _values: tuple[str, ...]) -> str:
    days = knowledge.identity.companion_within_days
    title = knowledge.panels[name].title
    return f"at least one other result of “{title}” lies within {days} days"


def _ratio(knowledge: KnowledgeBase, name: str, values: tuple[str, ...]) -> str:
    title = knowledge.ratios[name].title
    if set(values) >= _WHETHER_OR_NOT:
        return f"whether or not this can be computed: {title}"
    words = {
        "computed": f"this can be computed: {title}",
        "not-applicable": f"this does not apply: {title}",
        UNKNOWN: f"this cannot be computed: {title}",
    }
    return _spoken(words, values, name)


_SAY: Mapping[str, _Say] = {
    "specimen": _specimen,
    "unit-family": _family,
    "laboratory-range": _laboratory_range,
    "pair": _pair,
    "limit": _limit,
    "age": _age,
    "condition": _condition,
    "medication": _medication,
    "panel": _panel,
    "ratio": _ratio,
    "order": _order,
    "earlier-result": _earlier_result,
    "laboratory": _laboratory,
}
