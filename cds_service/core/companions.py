"""Companion results: other laboratory tests near enough in time to be read beside this one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.core.dates import Days, collection_days, distance, within_days
from cds_service.core.knowledge import LOINC, CompanionTest, KnowledgeBase
from cds_service.core.model import LabResult, Measured, PatientRecord, Status, Subject
from cds_service.core.quantity import Quantity, UnitUnderstood, quantity
from cds_service.core.reading import shown
from cds_service.core.verdict import Value

FINAL = frozenset({Status.FINAL, Status.AMENDED, Status.CORRECTED})


@dataclass(frozen=True, slots=True)
class CompanionValue:
    """A companion result that can be used: final, of this patient, in a unit of its test."""

    result: LabResult
    value: Value
    quantity: Quantity
    days: Days


def companion_values(
    knowledge: KnowledgeBase, record: PatientRecord, result: LabResult, at: date
) -> Mapping[str, tuple[CompanionValue, ...]]:
    """Usable companion results by name, the nearest in time to `result` first."""
    when = collection_days(result, at, knowledge.policy.look_back_days)
    return companions_near(knowledge, record, when, at)


def companions_near(
    knowledge: KnowledgeBase, record: PatientRecord, when: Days, at: date
) -> Mapping[str, tuple[CompanionValue, ...]]:
    """Usable companion results by name within the companion window of some days, nearest first."""
    found: dict[str, list[CompanionValue]] = defaultdict(list)
    for companion in record.companions:
        days = collection_days(companion, at, knowledge.policy.look_back_days)
        near = within_days(days, when, knowledge.identity.companion_within_days)
        if near and companion.status in FINAL and companion.subject is not Subject.ANOTHER_PATIENT:
            for name, test in knowledge.companions.items():
                for value in _usable(companion, test, days):
                    found[name].append(value)
    return {
        name: tuple(sorted(values, key=lambda v: (distance(v.days, when), _newest_first(v))))
        for name, values in found.items()
    }


def _newest_first(value: CompanionValue) -> int:
    return -value.days.last.toordinal()


def _usable(result: LabResult, test: CompanionTest, days: Days) -> list[CompanionValue]:
    """The value, if the codes name this test alone and the unit is of the code's family."""
    families = {
        test.families[coding.code]
        for coding in result.codings
        if coding.system == LOINC and coding.code in test.families
    }
    if len(families) != 1 or not isinstance(result.value, Measured):
        return []
    match test.units.read(result.value.unit):
        case UnitUnderstood(unit) as understood if unit.family in families:
            if result.value.number.value < 0:
                return []
            try:
                found = quantity(result.value, understood)
            except ValueError:
                return []
            return [CompanionValue(result, shown(result.value, unit.family), found, days)]
        case _:
            return []
