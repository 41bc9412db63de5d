"""Companion results: other laboratory tests near enough in time to be read beside this one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter

from cds_service.core.dates import furthest_apart, is_ahead, named_date, when_taken, within_days
from cds_service.core.elements import (
    FINAL,
    FINAL_OR_PRELIMINARY,
    Comparator,
    Measured,
    Moment,
    NoMoment,
    NotNumeric,
    ResourceRef,
    Status,
)
from cds_service.core.interval import Interval
from cds_service.core.knowledge import LOINC, CompanionTest, KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord, Subject
from cds_service.core.quantity import Quantity, UnitUnderstood, quantity
from cds_service.core.results.ranking import Time, in_doubt, own_id, rank_of
from cds_service.core.results.reading import DOUBTS, as_received, shown, specimens_named
from cds_service.core.verdict import NO_VALUE, Value


@dataclass(frozen=True, slots=True)
class CompanionValue:
    """A companion result that can be used: final, of this patient, in a unit of its test."""

    result: LabResult
    value: Value
    quantity: Quantity
    time: Time
    """Collection and issue; of two results with the same ones, neither is known to be newer."""


Companions = Mapping[str, tuple[CompanionValue, ...]]
"""Usable companion results by name of the test, the nearest first."""


def companion_values(
    knowledge: KnowledgeBase, record: PatientRecord, when: Moment | NoMoment, at: date
) -> Companions:
    """Usable companion results by name within the companion window of a moment.

    The nearest first; of two as near the newer, then by id, whatever the order of arrival. Results
    of the same time as the first count beside it (`at_one_time`), and so do other versions of it,
    of which nothing tells which is the newest.
    """
    found: dict[str, list[CompanionValue]] = defaultdict(list)
    for time, companion in _ranked(knowledge, record, when, at):
        for name, test in knowledge.companions.items():
            usable = _usable(companion, test, time)
            found[name] += [one for one in usable if not _is_doubtful(companion, test, knowledge)]
    return {name: tuple(values) for name, values in found.items() if values}


def _ranked(
    knowledge: KnowledgeBase,
    record: PatientRecord,
    when: Moment | NoMoment,
    at: date,
    statuses: Collection[Status] = FINAL,
) -> Sequence[tuple[Time, LabResult]]:
    """Companion results within the window of a moment, the nearest first, each with its time.
    Versions of one result that contradict each other are there together, at the time of the first.
    """
    days = knowledge.identity.companion_within_days
    counting = [companion for companion in record.companions if _counts(companion, statuses)]
    near = [each for each in counting if within_days(when_taken(each, at), when, days)]
    if not near:
        return ()
    doubtful = in_doubt((companion, "") for companion in counting)
    if versions := doubtful & {each.ref.name for each in near}:
        there = {id(each) for each in near}
        near = [each for each in counting if id(each) in there or each.ref.name in versions]
    ranked = [(rank_of(each, at), each) for each in near]
    ranked.sort(key=itemgetter(0), reverse=True)
    ranked.sort(key=lambda found: furthest_apart(when_taken(found[1], at), when))
    timed = [(rank[:2], companion) for rank, companion in ranked]
    if not versions:  # the usual case
        return timed
    first = {each.ref.name: time for time, each in reversed(timed) if each.ref.name in versions}
    return [(first.get(each.ref.name, time), each) for time, each in timed]


def at_one_time(nearest_first: Sequence[CompanionValue]) -> Sequence[CompanionValue]:
    """The first, and those of the same time, which only their ids put in order."""
    if len(nearest_first) < 2:  # the usual case
        return nearest_first
    return [found for found in nearest_first if found.time == nearest_first[0].time]


def differing_at_one_time(nearest_first: Sequence[CompanionValue]) -> Sequence[CompanionValue]:
    """The first, and of the others of the same time one for each different value."""
    told: dict[Interval, CompanionValue] = {}
    for found in at_one_time(nearest_first):
        told.setdefault(found.quantity.interval, found)
    return tuple(told.values())


_Named = Mapping[str, tuple[Value, ResourceRef]]
"""Name of the test -> the value as received, and the result that holds it."""


@dataclass(frozen=True, slots=True)
class CompanionsLeft:
    """Results of other tests that are there and are not counted, by the reason why."""

    for_their_unit: _Named = field(default_factory=dict)
    not_final: _Named = field(default_factory=dict)
    in_words: _Named = field(default_factory=dict)
    of_doubtful_samples: _Named = field(default_factory=dict)

    @property
    def tests(self) -> frozenset[str]:
        """The names of their tests."""
        left = (self.for_their_unit, self.not_final, self.in_words, self.of_doubtful_samples)
        return frozenset().union(*left)


def companions_left(
    knowledge: KnowledgeBase,
    record: PatientRecord,
    when: Moment | NoMoment,
    at: date,
    *,
    asked: Collection[str],
    counted: Collection[str],
) -> CompanionsLeft:
    """Results of the tests `asked` for that lie near a moment and are not counted.

    For its unit: of each test the nearest final result, if none of the test is `counted`; else the
    nearest whose unit is not understood. Not final: a preliminary result that is nearer than all
    final ones, or newer than those as near. In words: a final result whose value is no number with
    a unit, nearer than every result that has one. Of doubtful samples: the nearest such final
    result of each test, whatever else there is.
    """
    tests = {name: test for name, test in knowledge.companions.items() if name in asked}
    finals = _ranked(knowledge, record, when, at)
    return CompanionsLeft(
        _left_for_their_unit(finals, tests, counted, knowledge),
        _not_final(_awaited(_ranked(knowledge, record, when, at, FINAL_OR_PRELIMINARY)), tests),
        _in_words(finals, tests),
        _of_doubtful_samples(finals, tests, knowledge),
    )


def _awaited(ranked: Sequence[tuple[Time, LabResult]]) -> Sequence[tuple[Time, LabResult]]:
    """The results without the earlier states of those that are final by now."""
    final = {own_id(each) for _, each in ranked if each.status in FINAL} - {""}
    return [
        (time, each) for time, each in ranked if each.status in FINAL or own_id(each) not in final
    ]


def _left_for_their_unit(
    ranked: Sequence[tuple[Time, LabResult]],
    tests: Mapping[str, CompanionTest],
    counted: Collection[str],
    knowledge: KnowledgeBase,
) -> _Named:
    found: dict[str, tuple[Value, ResourceRef]] = {}
    for name, companion, measured in _measured(ranked, tests):
        test = tests[name]
        is_read = isinstance(test.units.read(measured.unit), UnitUnderstood)
        if not ((name in counted and is_read) or _is_doubtful(companion, test, knowledge)):
            found.setdefault(name, (as_received(measured), companion.ref))
    return found


def _of_doubtful_samples(
    ranked: Sequence[tuple[Time, LabResult]],
    tests: Mapping[str, CompanionTest],
    knowledge: KnowledgeBase,
) -> _Named:
    found: dict[str, tuple[Value, ResourceRef]] = {}
    for name, companion, measured in _measured(ranked, tests):
        if _is_doubtful(companion, tests[name], knowledge):
            found.setdefault(name, (as_received(measured), companion.ref))
    return found


def _not_final(
    ranked: Sequence[tuple[Time, LabResult]], tests: Mapping[str, CompanionTest]
) -> _Named:
    nearest: dict[str, tuple[LabResult, Measured]] = {}
    for name, companion, measured in _measured(ranked, tests):
        nearest.setdefault(name, (companion, measured))
    return {
        name: (as_received(measured), companion.ref)
        for name, (companion, measured) in nearest.items()
        if companion.status is Status.PRELIMINARY
    }


def _in_words(
    ranked: Sequence[tuple[Time, LabResult]], tests: Mapping[str, CompanionTest]
) -> _Named:
    """The nearest result of each test, if it came in words. Words of the same time as a number are
    taken for a remark of the laboratory on it, and left out.
    """
    if not any(isinstance(companion.value, NotNumeric) for _, companion in ranked):
        return {}
    told: dict[str, tuple[Value, ResourceRef]] = {}
    for name, test in tests.items():
        said = [
            (time, companion)
            for time, companion in ranked
            if _is_of(companion, test) and isinstance(companion.value, Measured | NotNumeric)
        ]
        nearest = [companion for time, companion in said if time == said[0][0]]
        if nearest and all(isinstance(companion.value, NotNumeric) for companion in nearest):
            told[name] = (NO_VALUE, nearest[0].ref)
    return told


def _measured(
    ranked: Sequence[tuple[Time, LabResult]], tests: Mapping[str, CompanionTest]
) -> Iterator[tuple[str, LabResult, Measured]]:
    """Each result with a possible value, once for every test that its codes name."""
    for _, companion in ranked:
        measured = companion.value
        if isinstance(measured, Measured) and _is_possible(measured):
            for name, test in tests.items():
                if _is_of(companion, test):
                    yield name, companion, measured


def _is_of(result: LabResult, test: CompanionTest) -> bool:
    return any(c.system == LOINC and c.code in test.families for c in result.codings)


def companions_ahead(
    knowledge: KnowledgeBase, record: PatientRecord, at: date
) -> Iterator[tuple[str, CompanionValue]]:
    """Companion results that are left aside because they are dated ahead, with the test's title;
    the furthest ahead first.
    """
    ahead = [
        companion
        for companion in record.companions
        if is_ahead(named_date(companion), at) and _counts(companion)
    ]
    ahead.sort(key=lambda companion: rank_of(companion, date.max), reverse=True)
    for companion in ahead:
        for test in knowledge.companions.values():
            for found in _usable(companion, test, rank_of(companion, at)[:2]):
                yield test.row.title, found


def _counts(companion: LabResult, statuses: Collection[Status] = FINAL) -> bool:
    return companion.status in statuses and companion.subject is not Subject.ANOTHER_PATIENT


def _is_doubtful(result: LabResult, test: CompanionTest, knowledge: KnowledgeBase) -> bool:
    """Whether the result may not be one of this test in this patient: its codes name another test
    too, its specimen is of another kind than the test, or is not to be relied on.
    """
    specimen = result.specimen
    if specimen.link in DOUBTS:
        return True
    if specimen.codings and not specimens_named(specimen, knowledge) <= {test.row.specimen}:
        return True
    known = knowledge.companion_codes
    return any(
        (coding.system, coding.code) in known and coding.code not in test.families
        for coding in result.codings
    )


def _usable(result: LabResult, test: CompanionTest, time: Time) -> list[CompanionValue]:
    """The value, if the codes name this test and the unit is of the code's family."""
    families = {
        test.families[coding.code]
        for coding in result.codings
        if coding.system == LOINC and coding.code in test.families
    }
    measured = result.value
    if len(families) != 1 or not isinstance(measured, Measured) or not _is_possible(measured):
        return []
    match test.units.read(measured.unit):
        case UnitUnderstood(unit) as understood if unit.family in families:
            found = quantity(measured, understood)
            return [CompanionValue(result, shown(measured, understood), found, time)]
        case _:
            return []


def _is_possible(measured: Measured) -> bool:
    """Whether the value is neither negative nor `<0`: nothing can be measured below zero."""
    lowest = measured.number.value
    return lowest > 0 or (lowest == 0 and measured.comparator is not Comparator.LESS)
