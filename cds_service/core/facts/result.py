"""Named facts about one result: the only clinical Python.

Every fact has a name, a value from a closed domain, and the words for why. The decision table in
`cards/` meets these values by equality and nothing else. A fact that the data do not settle is
`unknown` and says what is missing; it is never guessed.

| fact                | values                                                    |
|---------------------|-----------------------------------------------------------|
| `specimen`          | the specimen kinds of the knowledge                       |
| `unit-family`       | the interpreted unit families                             |
| `laboratory-range`  | above, within, below, straddles, none                     |
| `limit.<id>`        | met, provisional, not-met, straddles, disputed,           |
|                     | not-applicable, unknown                                   |
| `age.<id>`          | yes, no, unknown                                          |
| `condition.<name>`  | recorded, not-recorded, unknown (so too `medication.…`)   |
| `panel.<id>`        | counted, not-applicable, unknown                          |
| `ratio.<id>`        | computed, not-applicable, unknown                         |
| `pair`              | paired, alone                                             |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from cds_service.core.dates import (
    Age,
    Days,
    age_in_years,
    birth_of,
    collection_days,
    patient_inputs,
    when_taken,
)
from cds_service.core.elements import AgeBand, ResourceRef
from cds_service.core.fact import (
    DISPUTED,
    MET,
    NOT_APPLICABLE,
    NOT_MET,
    PROVISIONAL,
    STRADDLES,
    UNKNOWN,
    Fact,
    UsualFacts,
)
from cds_service.core.facts.companions import Companions, companion_values
from cds_service.core.facts.context import PARTS, age_fact, coded, concept_facts
from cds_service.core.facts.limits import (
    companion_fact,
    companion_limits,
    no_companion,
    not_applicable,
    own_limits,
)
from cds_service.core.facts.missing import unavailable
from cds_service.core.facts.panels import items_beside, panel_item
from cds_service.core.facts.ranges import read_range
from cds_service.core.facts.ratio import ratio_fact, without_pair
from cds_service.core.facts.situation import WHY_BARRED, Literature, Situation, on_study_scale
from cds_service.core.interval import Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import PatientRecord
from cds_service.core.schema import PanelRow
from cds_service.core.verdict import PairedWith, Place, RangeReading

_LIMIT = (MET, PROVISIONAL, NOT_MET, STRADDLES, DISPUTED, NOT_APPLICABLE, UNKNOWN)
_ANSWER = ("yes", "no", UNKNOWN)
_RECORDED = ("recorded", "not-recorded", UNKNOWN)
_COUNTED = ("counted", NOT_APPLICABLE, UNKNOWN)
_COMPUTED = ("computed", NOT_APPLICABLE, UNKNOWN)


def fact_domains(knowledge: KnowledgeBase) -> dict[str, tuple[str, ...]]:
    """Every fact a gate may ask for, with every value it can have."""
    return {
        "specimen": tuple(knowledge.specimens),
        "unit-family": knowledge.interpreted_families,
        "laboratory-range": tuple(place.value for place in Place),
        "pair": ("paired", "alone"),
        **{f"limit.{name}": _LIMIT for name in knowledge.limits},
        **{f"age.{name}": _ANSWER for name in knowledge.ages},
        **{f"condition.{name}": _RECORDED for name in knowledge.conditions.concepts},
        **{f"medication.{name}": _RECORDED for name in knowledge.medications.concepts},
        **{f"panel.{name}": _COUNTED for name in knowledge.panels},
        **{f"ratio.{name}": _COMPUTED for name in knowledge.ratios},
    }


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of a situation by name, and the readings that the card shows beside them."""

    by_name: Mapping[str, Fact]
    usual: UsualFacts
    settled: Mapping[str, Fact]
    """The facts that this result and its record settle; all others are the usual ones."""
    laboratory: RangeReading
    companions: Companions


def facts_of(situation: Situation) -> Facts:
    """Settle every fact the knowledge can ask for."""
    knowledge, record, result = situation.knowledge, situation.record, situation.result
    taken = when_taken(result, situation.at)
    when = collection_days(taken, situation.at, knowledge.policy.look_back_days)
    age = age_in_years(birth_of(record), when)
    laboratory = read_range(result, situation.quantity, age, knowledge.units)
    companions = companion_values(knowledge, record, taken, situation.at)
    kind = _kind(situation)
    usual = _usual(knowledge, kind)
    settled = {
        "unit-family": _unit_family(situation),
        "laboratory-range": _laboratory(laboratory, situation, age),
    }
    quantity, shown = on_study_scale(situation)
    for limit in own_limits(knowledge):
        if usual.by_name[limit.name] is _OPEN:
            settled[limit.name] = Fact(limit.name, *limit.against(quantity, shown), shown=shown)
    for row in knowledge.ages.values():
        settled[f"age.{row.id}"] = age_fact(row, record, age, when, "at collection")
    settled.update(_from_record(situation, kind, companions, when))
    if isinstance(situation.pair, PairedWith):
        settled["pair"] = _paired(situation.pair)
        for ratio in knowledge.ratios.values():
            settled[f"ratio.{ratio.id}"] = ratio_fact(ratio, situation, situation.pair, companions)
    if companions:
        facts = {**usual.by_name, **settled}
        for panel in knowledge.panels.values():
            settled[f"panel.{panel.id}"] = _panel(panel, kind, facts, knowledge)
    return Facts({**usual.by_name, **settled}, usual, settled, laboratory, companions)


# ------------------------------------------------------------------ what is the same for everybody


class _Kind(NamedTuple):
    """What a result is, and which parts of the record could not be had: few combinations, so the
    usual facts of each are kept.
    """

    specimen: str
    family: str
    literature: Literature
    labs_gone: tuple[str, ...]
    parts_gone: tuple[tuple[str, ...], ...]
    """For each of PARTS."""


def _kind(situation: Situation) -> _Kind:
    record = situation.record
    return _Kind(
        situation.specimen,
        situation.quantity.unit.family,
        situation.literature,
        unavailable(record, "labs"),
        tuple([unavailable(record, f"{part}s") for part in PARTS]),
    )


_OPEN = Fact("", UNKNOWN, "settled for each result")
_ALONE = Fact(
    "pair", "alone", "no result of the other specimen that can be paired lies within the window"
)


@lru_cache(maxsize=256)
def _usual(knowledge: KnowledgeBase, kind: _Kind) -> UsualFacts:
    """The facts of a result of this kind whose record says nothing, made once: most facts of most
    results are these. `_OPEN` stands for a fact that each result settles for itself, such as a
    limit that its value can be held against.
    """
    facts = dict.fromkeys(("specimen", "unit-family", "laboratory-range"), _OPEN)
    facts["specimen"] = Fact("specimen", kind.specimen, f"the specimen is {kind.specimen}")
    facts |= dict.fromkeys((f"limit.{name}" for name in knowledge.limits), _OPEN)
    for own in own_limits(knowledge):
        if why_not := not_applicable(own, kind.specimen, kind.family, kind.literature):
            facts[own.name] = Fact(own.name, NOT_APPLICABLE, why_not)
    for limit in companion_limits(knowledge):
        facts[limit.name] = no_companion(limit, knowledge, kind.labs_gone)
    facts |= dict.fromkeys((f"age.{name}" for name in knowledge.ages), _OPEN)
    for part, gone in zip(PARTS, kind.parts_gone, strict=True):
        facts |= {fact.name: fact for fact in concept_facts(part, knowledge, {}, gone)}
    facts["pair"] = _ALONE
    facts |= {
        f"panel.{panel.id}": _panel(panel, kind, facts, knowledge)
        for panel in knowledge.panels.values()
    }
    facts |= {f"ratio.{ratio.id}": without_pair(ratio) for ratio in knowledge.ratios.values()}
    return UsualFacts(facts)


# ------------------------------------------------------------------ what this result settles


def _unit_family(situation: Situation) -> Fact:
    family = situation.quantity.unit.family
    because = f"{situation.value.unit} is a unit of the {family} family"
    return Fact("unit-family", family, because)


def _laboratory(reading: RangeReading, situation: Situation, age: Age) -> Fact:
    inputs = _behind_the_range(situation, age)
    if reading.place is Place.NONE:
        because = "the result carries no reference range that can be applied"
        return Fact("laboratory-range", Place.NONE.value, because, ("laboratory-limit",), inputs)
    because = f"the laboratory's range is {reading.words}"
    return Fact("laboratory-range", reading.place.value, because, (), inputs)


def _behind_the_range(situation: Situation, age: Age) -> tuple[ResourceRef, ...]:
    """The Patient where an age was held against a band of ages."""
    bands = [row for row in situation.result.ranges if isinstance(row.age, AgeBand)]
    return patient_inputs(situation.record) if bands and isinstance(age, Interval) else ()


def _from_record(
    situation: Situation, kind: _Kind, companions: Companions, when: Days
) -> Iterator[tuple[str, Fact]]:
    """The facts that the record settles: by companion results, conditions and medications."""
    knowledge, record = situation.knowledge, situation.record
    if companions:
        yield from companion_facts(companions, record, knowledge).items()
    for part, gone in zip(PARTS, kind.parts_gone, strict=True):
        if recorded := coded(part, knowledge, record, when):
            for fact in concept_facts(part, knowledge, recorded, gone):
                yield fact.name, fact


def companion_facts(
    companions: Companions, record: PatientRecord, knowledge: KnowledgeBase
) -> dict[str, Fact]:
    """The facts about companion results, which do not depend on the result itself."""
    gone = unavailable(record, "labs")
    return {
        limit.name: companion_fact(limit, knowledge, companions.get(limit.row.of, ()), record, gone)
        for limit in companion_limits(knowledge)
    }


def _paired(pair: PairedWith) -> Fact:
    because = f"a {pair.specimen} result lies within the pair window"
    used = (pair.result.ref, *(ref for ref, _ in pair.of_one_time))
    return Fact("pair", "paired", because, (), used)


def _panel(
    panel: PanelRow, kind: _Kind, facts: Mapping[str, Fact], knowledge: KnowledgeBase
) -> Fact:
    """Fact `panel.<id>`: counted as soon as one companion result is known. Items without a result
    stay unknown, and are named as missing.
    """
    name = f"panel.{panel.id}"
    if (kind.specimen, kind.family) != (panel.specimen, panel.family):
        return Fact(name, NOT_APPLICABLE, "the panel is for another specimen or unit family")
    if kind.literature is Literature.BARRED:
        return Fact(name, NOT_APPLICABLE, WHY_BARRED)
    others = [
        facts[f"limit.{limit}"] for item in items_beside(panel, knowledge) for limit in item.limits
    ]
    missing = tuple(dict.fromkeys(word for fact in others for word in fact.missing))
    known = [fact for fact in others if fact.inputs]
    if not known:
        return Fact(name, UNKNOWN, "no companion result is known", missing)
    because = ", ".join(f"{item.id} {panel_item(item, facts)}" for item in panel.item)
    inputs = tuple(ref for fact in known for ref in fact.inputs)
    return Fact(name, "counted", because, missing, inputs)
