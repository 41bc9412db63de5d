"""Days and ages as far as partial dates prove them.

A FHIR date may be a year only. Whatever is asked of it, the answer is an interval of days or years,
and a claim holds only if it holds for the whole interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cds_service.core.interval import Interval
from cds_service.core.model import LabResult, Moment, NoMoment, PatientRecord


@dataclass(frozen=True, slots=True)
class Days:
    """All days from `first` to `last`; `assumed` when the result itself names no date."""

    first: date
    last: date
    assumed: bool = False


def collection_days(result: LabResult, at: date, look_back_days: int) -> Days:
    """The days on which the specimen can have been taken.

    Collection, else issue; a result that names neither is taken as drawn within the look-back
    window, and the card says so.
    """
    for moment in (result.collected, result.issued):
        match moment:
            case Moment():
                return Days(moment.first_day, moment.last_day)
            case NoMoment():
                continue
    return Days(at - timedelta(days=look_back_days), at, assumed=True)


@dataclass(frozen=True, slots=True)
class AgeUnknown:
    """The dates prove no age: none was given, or birth may lie after collection."""


Age = Interval | AgeUnknown
"""Completed years at collection, as an interval."""


def age_in_years(birth: Moment | NoMoment, on: Days) -> Age:
    """Completed years between birth and the days `on`."""
    if isinstance(birth, NoMoment) or birth.last_day > on.first:
        return AgeUnknown()
    youngest = _completed(birth.last_day, on.first)
    oldest = _completed(birth.first_day, on.last)
    return Interval(Decimal(youngest), Decimal(oldest))


def _completed(birth: date, day: date) -> int:
    before_birthday = (day.month, day.day) < (birth.month, birth.day)
    return day.year - birth.year - before_birthday


def within_days(one: Days, other: Days, days: int) -> bool:
    """Whether two days are provably no more than `days` apart, whatever they exactly are."""
    if one.assumed or other.assumed:
        return False
    furthest = max(abs(one.last - other.first), abs(other.last - one.first))
    return furthest <= timedelta(days=days)


def as_received(record: PatientRecord) -> dict[str, str]:
    """Collection dates of results and onset dates of entries as they were sent, by resource."""
    dated = [
        (result.ref.resource, result.collected)
        for result in (*record.results, *record.history, *record.companions)
        if isinstance(result, LabResult)
    ]
    dated += [(entry.ref.resource, entry.since) for entry in record.entries]
    return {resource: when.text for resource, when in dated if isinstance(when, Moment)}


def distance(one: Days, other: Days) -> timedelta:
    """The largest distance the two can have; used to choose the nearest."""
    return max(abs(one.last - other.first), abs(other.last - one.first))
