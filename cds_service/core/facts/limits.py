"""Facts `limit.<id>`: a value held against a published limit, in one unit family or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from cds_service.core.dates import (
    Days,
    birth_of,
    day_of,
    missing_for_age,
    named_date,
    patient_inputs,
    younger_than,
)
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.fact import (
    DISPUTED,
    MET,
    NOT_APPLICABLE,
    NOT_MET,
    PROVISIONAL,
    STRADDLES,
    UNKNOWN,
    Fact,
)
from cds_service.core.facts.companions import CompanionValue, at_one_time
from cds_service.core.facts.situation import WHY_BARRED, Literature
from cds_service.core.interval import Comparison, Interval
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import PatientRecord
from cds_service.core.quantity import Quantity, scale
from cds_service.core.schema import LimitRow, MetWhen, RowUnit, YoungerLimit

_MEETS: dict[MetWhen, Callable[[Interval, Decimal], Comparison]] = {
    MetWhen.AT_OR_ABOVE: Interval.at_or_above,
    MetWhen.ABOVE: Interval.above,
    MetWhen.AT_OR_BELOW: Interval.at_or_below,
    MetWhen.BELOW: Interval.below,
}
_BY_COMPARISON = {Comparison.YES: MET, Comparison.NO: NOT_MET, Comparison.CANNOT_TELL: STRADDLES}


class Limit:
    """A limit of the knowledge, ready to be compared with values of its own unit family."""

    __slots__ = ("_bound", "_meets", "family", "name", "row", "words", "younger")

    def __init__(self, row: LimitRow, unit: RowUnit, whose: str = "") -> None:
        self.row = row
        self.name = f"limit.{row.id}"
        self.family = unit.family
        self.words = f"'{row.words}'{whose}"
        self.younger = tuple(
            (younger.below_days, Limit(_for_younger(row, younger), unit, f" ({younger.title})"))
            for younger in row.younger
        )
        self._bound = scale(row.value, unit)
        self._meets = _MEETS[row.met_when]

    def against(self, value: Quantity, shown: str) -> tuple[str, str]:
        """Value of the fact for a quantity of this family, and the words for why."""
        meets = self._meets(value.interval, self._bound)
        return _BY_COMPARISON[meets], f"{shown} against {self.words}"


def _for_younger(row: LimitRow, younger: YoungerLimit) -> LimitRow:
    return row.model_copy(update={"value": younger.value, "younger": ()})


@lru_cache(maxsize=8)
def own_limits(knowledge: KnowledgeBase) -> tuple[Limit, ...]:
    """The limits of the analyte itself."""
    own = knowledge.identity.id
    return tuple(
        Limit(row, knowledge.units[row.unit]) for row in knowledge.limits.values() if row.of == own
    )


@lru_cache(maxsize=8)
def companion_limits(knowledge: KnowledgeBase) -> tuple[Limit, ...]:
    """The limits of companion tests."""
    return tuple(
        Limit(row, knowledge.companions[row.of].units[row.unit])
        for row in knowledge.limits.values()
        if row.of in knowledge.companions
    )


@lru_cache(maxsize=64)
def has_own_limit(knowledge: KnowledgeBase, specimen: str, family: str) -> bool:
    """Whether the analyte itself has a limit for this specimen and unit family."""
    own = own_limits(knowledge)
    return any((limit.row.specimen, limit.family) == (specimen, family) for limit in own)


def not_applicable(limit: Limit, specimen: str, family: str, literature: Literature) -> str:
    """Why an own limit may not be held against such a value; empty when it may."""
    if limit.row.specimen != specimen:
        return f"the limit is for {limit.row.specimen}, the specimen is not"
    if limit.family != family:
        return f"the limit is in {limit.row.unit}, and families are never converted"
    if literature is Literature.BARRED:
        return WHY_BARRED
    return ""


def companion_fact(
    limit: Limit,
    knowledge: KnowledgeBase,
    values: tuple[CompanionValue, ...],
    record: PatientRecord,
    gone: tuple[str, ...],
) -> Fact:
    """Fact `limit.<id>` of a companion test, by the nearest of its usable results and any others of
    the same time.

    `gone` holds the word for the part of the record that such results come from, where the part
    could not be had, else nothing.
    """
    test = limit.row.of
    if alike := [found for found in values if found.quantity.unit.family == limit.family]:
        together = at_one_time(alike)
        return _agreed([_held_against(limit, knowledge, found, record) for found in together])
    others = companion_limits(knowledge)
    covered = {other.family for other in others if other.row.of == test}
    if any(found.quantity.unit.family in covered for found in values):
        return Fact(limit.name, NOT_APPLICABLE, f"{test} came in another unit family")
    return no_companion(limit, knowledge, gone)


def _agreed(facts: Sequence[Fact]) -> Fact:
    """The facts of several results of one time as one. If they differ, the limit is disputed where
    one of them meets it, else unknown; but met and provisionally met together are met.
    """
    by_value = {fact.value: fact for fact in reversed(facts)}
    if by_value.keys() <= {MET, PROVISIONAL}:
        return by_value.get(MET, facts[0])
    if len(by_value) == 1:
        return facts[0]
    because = " and ".join(dict.fromkeys(fact.because for fact in facts))
    shown = " and ".join(dict.fromkeys(fact.told for fact in facts))
    missing = tuple(dict.fromkeys(word for fact in facts for word in fact.missing))
    inputs = tuple(dict.fromkeys(ref for fact in facts for ref in fact.inputs))
    value = DISPUTED if MET in by_value else UNKNOWN
    return Fact(facts[0].name, value, because, missing, inputs, shown)


def no_companion(limit: Limit, knowledge: KnowledgeBase, gone: tuple[str, ...]) -> Fact:
    """Fact `limit.<id>` of a companion test without a usable result."""
    test, days = limit.row.of, knowledge.identity.companion_within_days
    return Fact(limit.name, UNKNOWN, f"no usable {test} within {days} days", (test, *gone))


def _held_against(
    limit: Limit, knowledge: KnowledgeBase, found: CompanionValue, record: PatientRecord
) -> Fact:
    """One result against the limit for the patient's age on the day of that result. If the age
    leaves open which of two numbers applies, and they give different answers, it is unknown. The
    Patient is an input where the number for younger patients applies. A number that depends on the
    age is told on the card beside the result.
    """
    shown, birth = f"{limit.row.of} {value_and_day(found)}", birth_of(record)
    at_the_age = _at_the_age(limit, found, birth)
    by_age = () if limit in at_the_age else patient_inputs(record)
    used = (found.result.ref, *by_age)
    (value, because), *others = [one.against(found.quantity, shown) for one in at_the_age]
    if any(other != value for other, _ in others):
        because = f"{shown} against {' or '.join(one.words for one in at_the_age)}"
        missing = missing_for_age(record, _drawn(found))
        return Fact(limit.name, UNKNOWN, because, missing, used)
    if value == MET and not _is_as_presumed(limit, knowledge, found):
        value = PROVISIONAL
    return Fact(limit.name, value, because, (), used, "" if limit.younger else shown)


def _at_the_age(limit: Limit, found: CompanionValue, birth: Moment | NoMoment) -> tuple[Limit, ...]:
    """The limit, or the one for younger patients; both where the dates leave the age open."""
    for below_days, younger in limit.younger:
        match younger_than(below_days, birth, _drawn(found)):
            case Comparison.YES:
                return (younger,)
            case Comparison.CANNOT_TELL:
                return (limit, younger)
            case Comparison.NO:
                pass
    return (limit,)


def _is_as_presumed(limit: Limit, knowledge: KnowledgeBase, found: CompanionValue) -> bool:
    """Whether the limit presumes nothing of the sample, or a code of the result states it."""
    if not limit.row.presumes:
        return True
    test = knowledge.companions[limit.row.of]
    return any(
        test.states(coding.code) == limit.row.presumes
        for coding in found.result.codings
        if coding.system == LOINC
    )


def _drawn(found: CompanionValue) -> Days:
    """The days on which the sample may have been drawn: a usable result names a date."""
    match named_date(found.result):
        case Moment(first_day=first, last_day=last) as taken:
            return Days(first, last, taken)
        case NoMoment():
            raise ValueError("a companion result without a date")


def value_and_day(found: CompanionValue) -> str:
    """Value and day as the trace says them."""
    when = named_date(found.result)
    dated = f" of {day_of(when.text)}" if isinstance(when, Moment) else ""
    return f"{found.value.words}{dated}"
