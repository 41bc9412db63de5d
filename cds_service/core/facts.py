"""Named facts about one result: the only clinical Python.

Every fact has a name, a value from a closed domain, and the words for why. The decision table in
`cards/` meets these values by equality and nothing else. A fact that the data do not settle is
`unknown` and says what is missing; it is never guessed.

| fact                | values                                                    |
|---------------------|-----------------------------------------------------------|
| `specimen`          | the specimen kinds of the knowledge                       |
| `unit-family`       | the interpreted unit families                             |
| `laboratory-range`  | above, within, below, straddles, none                     |
| `limit.<id>`        | met, not-met, straddles, not-applicable, unknown          |
| `age.<id>`          | yes, no, unknown                                          |
| `condition.<name>`  | recorded, not-recorded, unknown (so too `medication.…`)   |
| `panel.<id>`        | counted, not-applicable, unknown                          |
| `ratio.<id>`        | computed, not-applicable, unknown                         |
| `pair`              | paired, alone                                             |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cds_service.core.companions import CompanionValue, companion_values
from cds_service.core.dates import Age, AgeUnknown, Days, age_in_years, collection_days
from cds_service.core.interval import Answer, Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import (
    Availability,
    CodedEntry,
    Moment,
    NoMoment,
    NoPatient,
    Patient,
    PatientRecord,
    RecordKind,
    ResourceRef,
)
from cds_service.core.quantity import Quantity, Unit, scale
from cds_service.core.ranges import read_range
from cds_service.core.ratio import ratio_fact
from cds_service.core.schema import AgeRow, Concept, LimitRow, MetWhen, PanelItem, PanelRow
from cds_service.core.situation import (
    NOT_APPLICABLE,
    Literature,
    NoPair,
    Pair,
    Situation,
    on_study_scale,
)
from cds_service.core.verdict import STRADDLES, UNKNOWN, Fact, Place, RangeReading


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of a situation by name, and the readings that the card shows beside them."""

    by_name: Mapping[str, Fact]
    laboratory: RangeReading
    companions: Mapping[str, tuple[CompanionValue, ...]]


def facts_of(situation: Situation) -> Facts:
    """Settle every fact the knowledge can ask for."""
    age = _age(situation)
    laboratory = read_range(situation.result, situation.quantity, age, situation.knowledge.units)
    companions = companion_values(
        situation.knowledge, situation.record, situation.result, situation.at
    )
    facts = {fact.name: fact for fact in _settled(situation, age, laboratory, companions)}
    for panel in situation.knowledge.panels.values():
        facts[f"panel.{panel.id}"] = _panel(panel, situation, facts)
    for ratio in situation.knowledge.ratios.values():
        facts[f"ratio.{ratio.id}"] = ratio_fact(ratio, situation, companions)
    return Facts(facts, laboratory, companions)


def _settled(
    situation: Situation,
    age: Age,
    laboratory: RangeReading,
    companions: Mapping[str, tuple[CompanionValue, ...]],
) -> Iterator[Fact]:
    knowledge = situation.knowledge
    yield Fact("specimen", situation.specimen, f"the specimen is {situation.specimen}")
    yield Fact(
        "unit-family",
        situation.quantity.unit.family,
        f"{situation.value.unit} is a unit of the {situation.quantity.unit.family} family",
    )
    yield _laboratory(laboratory)
    for limit in knowledge.limits.values():
        if limit.of == knowledge.identity.id:
            yield _own_limit(limit, situation)
        else:
            values = companions.get(limit.of, ())
            yield companion_limit_fact(limit, knowledge, situation.record, values)
    for row in knowledge.ages.values():
        yield age_fact(row, situation.record, age)
    when = collection_days(situation.result, situation.at, knowledge.policy.look_back_days)
    yield from concept_facts("condition", knowledge, situation.record, when)
    yield from concept_facts("medication", knowledge, situation.record, when)
    yield _pair(situation.pair)


def _age(situation: Situation) -> Age:
    days = collection_days(
        situation.result, situation.at, situation.knowledge.policy.look_back_days
    )
    match situation.record.patient:
        case Patient(birth=birth):
            return age_in_years(birth, days)
        case NoPatient():
            return AgeUnknown()


def _laboratory(reading: RangeReading) -> Fact:
    if reading.place is Place.NONE:
        because = "the result carries no reference range that can be applied"
        return Fact("laboratory-range", Place.NONE.value, because, ("laboratory-limit",))
    because = f"the laboratory's range is {reading.words}"
    return Fact("laboratory-range", reading.place.value, because)


def _meets(limit: LimitRow, value: Interval, bound: Decimal) -> Answer:
    match limit.met_when:
        case MetWhen.AT_OR_ABOVE:
            return value.at_or_above(bound)
        case MetWhen.ABOVE:
            return value.above(bound)
        case MetWhen.AT_OR_BELOW:
            return value.at_or_below(bound)
        case MetWhen.BELOW:
            return value.below(bound)


_MET = {Answer.YES: "met", Answer.NO: "not-met", Answer.CANNOT_TELL: STRADDLES}


def _held_against(limit: LimitRow, value: Quantity, unit: Unit, shown: str) -> tuple[str, str]:
    """Value of the limit fact, and the words for it."""
    found = _MET[_meets(limit, value.interval, scale(limit.value, unit))]
    side = limit.met_when.value.replace("-", " ")
    return found, f"{shown} against '{side} {limit.value} {limit.unit}'"


def _own_limit(limit: LimitRow, situation: Situation) -> Fact:
    name = f"limit.{limit.id}"
    unit = situation.knowledge.units[limit.unit]

    def not_applicable(because: str) -> Fact:
        return Fact(name, NOT_APPLICABLE, because)

    if limit.specimen != situation.specimen:
        return not_applicable(f"the limit is for {limit.specimen}, the specimen is not")
    if unit.family != situation.quantity.unit.family:
        return not_applicable(f"the limit is in {limit.unit}, and families are never converted")
    if situation.literature is Literature.BARRED:
        return not_applicable("unit and LOINC code contradict each other")
    quantity, shown = on_study_scale(situation)
    return Fact(name, *_held_against(limit, quantity, unit, shown))


def companion_limit_fact(
    limit: LimitRow,
    knowledge: KnowledgeBase,
    record: PatientRecord,
    values: tuple[CompanionValue, ...],
) -> Fact:
    """Fact `limit.<id>` of a companion test, by the nearest of its usable results."""
    name = f"limit.{limit.id}"
    unit = knowledge.companions[limit.of].units[limit.unit]
    for found in values:
        if found.quantity.unit.family == unit.family:
            when = found.result.collected
            dated = f" of {when.text[:10]}" if isinstance(when, Moment) else ""
            shown = f"{limit.of} {found.value.text} {found.value.unit}{dated}"
            value, because = _held_against(limit, found.quantity, unit, shown)
            return Fact(name, value, because, (), (found.result.ref,))
    covered = {
        knowledge.companions[limit.of].units[other.unit].family
        for other in knowledge.limits.values()
        if other.of == limit.of
    }
    if any(found.quantity.unit.family in covered for found in values):
        return Fact(name, NOT_APPLICABLE, f"{limit.of} came in another unit family")
    missing = (limit.of, *unavailable(record, "labs"))
    days = knowledge.identity.companion_within_days
    return Fact(name, UNKNOWN, f"no usable {limit.of} within {days} days", missing)


def unavailable(record: PatientRecord, part: str) -> tuple[str, ...]:
    """The part's `missing` word, when the part itself could not be had."""
    gone = {Availability.MISSING, Availability.FAILED}
    return (part,) if record.availability.get(part, Availability.MISSING) in gone else ()


def age_fact(row: AgeRow, record: PatientRecord, age: Age) -> Fact:
    """Fact `age.<id>`: yes, no, or unknown where the birth date does not prove it."""
    name = f"age.{row.id}"
    match age:
        case AgeUnknown():
            missing = "patient" if isinstance(record.patient, NoPatient) else "birth-date"
            return Fact(name, UNKNOWN, "the age at collection is not known", (missing,))
        case Interval(low, high):
            answer = age.at_or_above(Decimal(row.at_least_years))
            years = f"{low}" if low == high else f"{low} to {high}"
            because = f"{years} completed years at collection"
            if answer is Answer.CANNOT_TELL:
                return Fact(name, UNKNOWN, because, ("birth-date",))
            return Fact(name, answer.value, because)


_KINDS = {
    "condition": frozenset({RecordKind.CONDITION, RecordKind.PROCEDURE}),
    "medication": frozenset({RecordKind.MEDICATION, RecordKind.DOSE}),
}


def concept_facts(
    part: Literal["condition", "medication"],
    knowledge: KnowledgeBase,
    record: PatientRecord,
    when: Days,
) -> Iterator[Fact]:
    """One fact per concept: recorded where an entry of the record switches it on at that time."""
    index = knowledge.conditions if part == "condition" else knowledge.medications
    recorded: dict[str, ResourceRef] = {}
    for entry in record.entries:
        if entry.kind in _KINDS[part] and not _is_over(entry, when, knowledge):
            for coding in entry.codings:
                for name in index.of(coding):
                    recorded.setdefault(name, entry.ref)
    gone = unavailable(record, f"{part}s")
    for concept in index.concepts.values():
        yield _concept(f"{part}.{concept.name}", concept, recorded, gone)


def _is_over(entry: CodedEntry, when: Days, knowledge: KnowledgeBase) -> bool:
    """A dose given before the look-back window is no longer context of this result."""
    if entry.kind is not RecordKind.DOSE or isinstance(entry.since, NoMoment):
        return False
    window = knowledge.policy.look_back_days
    return (when.first - entry.since.last_day).days > window


def _concept(
    name: str, concept: Concept, recorded: Mapping[str, ResourceRef], gone: tuple[str, ...]
) -> Fact:
    if concept.name in recorded:
        because = f"{concept.title} is coded in the record"
        return Fact(name, "recorded", because, (), (recorded[concept.name],))
    for coarse in concept.undetermined_by:
        if coarse in recorded:
            because = f"'{coarse}' is coded, which does not tell {concept.title}"
            return Fact(name, UNKNOWN, because, tuple(concept.missing), (recorded[coarse],))
    if gone:
        return Fact(name, UNKNOWN, f"the {gone[0]} were not available", gone)
    return Fact(name, "not-recorded", f"{concept.title} is not coded in the record")


def _pair(pair: Pair | NoPair) -> Fact:
    match pair:
        case Pair(result, specimen):
            because = f"a {specimen} result lies within the pair window"
            return Fact("pair", "paired", because, (), (result.ref,))
        case NoPair():
            return Fact("pair", "alone", "no result of the other specimen lies within the window")


def _panel(panel: PanelRow, situation: Situation, facts: Mapping[str, Fact]) -> Fact:
    """Counted as soon as one companion is known; what is unknown stays unknown, and is named."""
    name = f"panel.{panel.id}"
    if (situation.specimen, situation.quantity.unit.family) != (panel.specimen, panel.family):
        return Fact(name, NOT_APPLICABLE, "the panel is for another specimen or unit family")
    if situation.literature is Literature.BARRED:
        return Fact(name, NOT_APPLICABLE, "unit and LOINC code contradict each other")
    own = situation.knowledge.identity.id
    others = [
        facts[f"limit.{limit}"]
        for item in panel.item
        for limit in item.limits
        if situation.knowledge.limits[limit].of != own
    ]
    missing = tuple(dict.fromkeys(word for fact in others for word in fact.missing))
    known = [fact for fact in others if fact.inputs]
    if not known:
        return Fact(name, UNKNOWN, "no companion result is known", missing)
    because = ", ".join(f"{item.id} {panel_item(item, facts)}" for item in panel.item)
    inputs = tuple(ref for fact in known for ref in fact.inputs)
    return Fact(name, "counted", because, missing, inputs)


def panel_item(item: PanelItem, facts: Mapping[str, Fact]) -> str:
    """Whether one item of a panel is met, not-met or unknown."""
    values = [facts[f"limit.{limit}"].value for limit in item.limits]
    met = values.count("met")
    open_ones = values.count(UNKNOWN) + values.count(STRADDLES)
    if met >= item.at_least:
        return "met"
    return UNKNOWN if met + open_ones >= item.at_least else "not-met"
