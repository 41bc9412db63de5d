"""Days and ages as far as partial dates prove them.

A FHIR date may be a year only. So it stands for an interval of days, an age is an interval of
years, and a claim holds only if it holds for the whole interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from cds_service.core.elements import Moment, NoMoment, ResourceRef
from cds_service.core.interval import Comparison, Interval
from cds_service.core.model import LabResult, NoPatient, Patient, PatientRecord

_DAY = timedelta(days=1)
_DAY_LENGTH = len("2026-11-21")
OPEN_END = ".."
"""How ISO 8601-2, and so our `Moment.text`, writes an open end of a period."""


def readable(written: str) -> str:
    """A date, time or period as people write it: of `2026-11-21T08:15:00Z/..` it is
    `from 2026-11-21 08:15 UTC`.
    """
    if "/" not in written:  # the usual case
        return _with_time(written)
    began, ended = map(_with_time, written.split("/"))
    if began == OPEN_END:
        return f"until {ended}"
    return f"from {began}" if ended == OPEN_END else f"{began} to {ended}"


def _with_time(written: str) -> str:
    """A date with the time of day, if it has one; with seconds unless they are zero."""
    day, is_timed, clock = written.partition("T")
    if not is_timed:
        return day
    time, zone = (clock[:-1], "") if clock.endswith("Z") else (clock[:-6], clock[-6:])
    minutes, seconds = time[:5], time[5:]
    shown = time if seconds.strip(":0.") else minutes
    return f"{day} {shown} UTC{zone}"


def day_of(written: str) -> str:
    """The day of a date, time or period as written, without the time of day.

    Of a period it is the day on which it began; where that is open, `until` the day on which it
    ended.
    """
    if "/" not in written:  # the usual case
        return written[:_DAY_LENGTH]
    began, _, ended = written.partition("/")
    return f"until {ended[:_DAY_LENGTH]}" if began == OPEN_END else began[:_DAY_LENGTH]


def is_ahead(moment: Moment | NoMoment, at: date) -> bool:
    """Whether all of a moment lies more than a day ahead of `at`: no specimen was taken then. A
    date up to a day ahead may be today's in another time zone.
    """
    return isinstance(moment, Moment) and moment.first_day - at > _DAY


def is_before_birth(moment: Moment | NoMoment, birth: Moment | NoMoment) -> bool:
    """Whether all of a moment lies more than a day before birth: no specimen was taken then."""
    if isinstance(moment, Moment) and isinstance(birth, Moment):
        return birth.first_day - moment.last_day > _DAY
    return False


def named_date(result: LabResult) -> Moment | NoMoment:
    """The date of collection, else of issue, as it was sent."""
    return result.issued if isinstance(result.collected, NoMoment) else result.collected


def when_taken(result: LabResult, at: date) -> Moment | NoMoment:
    """When the specimen was taken: the date of collection, else of issue. One ahead of day `at`
    cannot be right, and counts as no date; of a longer time what lies ahead does not count.
    """
    named = named_date(result)
    if is_ahead(named, at):
        return NoMoment()
    if isinstance(named, Moment) and named.last_day - at > _DAY:
        return replace(named, last_day=at + _DAY)
    return named


def wholly_before(one: Moment | NoMoment, other: Moment | NoMoment) -> bool:
    """Whether one is provably earlier: by the instant where both carry a time, else by the day."""
    match one, other:
        case Moment(timed=True), Moment(timed=True):
            return one.order < other.order
        case Moment(), Moment():
            return one.last_day < other.first_day
        case _:
            return False


def furthest_apart(one: Moment | NoMoment, other: Moment | NoMoment) -> timedelta:
    """The largest distance that two moments can have: exact between two times, else in whole days;
    `timedelta.max` where one is not known.
    """
    match one, other:
        case Moment(timed=True), Moment(timed=True):
            return abs(one.order - other.order)
        case Moment(), Moment():
            return max(one.last_day - other.first_day, other.last_day - one.first_day) + _DAY
        case _:
            return timedelta.max


def whole_day(on: date) -> Moment:
    """A day without a time."""
    return Moment(on.isoformat(), on, on, datetime(on.year, on.month, on.day, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Days:
    """All days from `first` to `last`."""

    first: date
    last: date
    taken: Moment | NoMoment = field(default_factory=NoMoment, compare=False)
    """The moment whose days they are, where it is known."""

    def are_before(self, other: Moment) -> bool:
        """Whether they are over when it begins, by the days as written; of two times in two zones
        by the times as well.
        """
        return other.first_day > self.last and _is_in_order(self.taken, other)

    def are_after(self, other: Moment) -> bool:
        """The same the other way round."""
        return other.last_day < self.first and _is_in_order(other, self.taken)


def _is_in_order(one: Moment | NoMoment, other: Moment | NoMoment) -> bool:
    """Whether one of two times is before the other. Of what is no time nothing is known."""
    match one, other:
        case Moment(timed=True), Moment(timed=True):
            return one.order < other.order
        case _:
            return True


def collection_days(taken: Moment | NoMoment, at: date, look_back_days: int) -> Days:
    """The days on which a specimen can have been taken (see `when_taken`). If that is not known,
    all days of the look-back window, which the card says.
    """
    match taken:
        case Moment(first_day=first, last_day=last):
            return Days(first, last, taken)
        case NoMoment():
            return Days(at - timedelta(days=look_back_days), at)


@dataclass(frozen=True, slots=True)
class AgeUnknown:
    """The dates prove no age: none was given, or birth may lie after collection."""


Age = Interval | AgeUnknown
"""Completed years at collection, as an interval."""


def age_in_years(birth: Moment | NoMoment, on: Days) -> Age:
    """Completed years between birth and the days `on`."""
    if isinstance(birth, NoMoment) or birth.last_day - on.first > _leeway(on):
        return AgeUnknown()
    youngest = max(0, _completed(birth.last_day, on.first))
    oldest = max(0, _completed(birth.first_day, on.last))
    return Interval(Decimal(youngest), Decimal(oldest))


def _leeway(on: Days) -> timedelta:
    """How long before birth these days may seem to be: nobody can tell whether the zone of a time,
    or that of our own day, is the one of the place of birth. A day that was sent has no zone.
    """
    match on.taken:
        case Moment(timed=False):
            return timedelta(0)
        case _:
            return _DAY


def _completed(birth: date, day: date) -> int:
    before_birthday = (day.month, day.day) < (birth.month, birth.day)
    return day.year - birth.year - before_birthday


def birth_of(record: PatientRecord) -> Moment | NoMoment:
    """The date of birth, if there is a patient and it was given."""
    match record.patient:
        case Patient(birth=birth):
            return birth
        case NoPatient():
            return NoMoment()


def patient_inputs(record: PatientRecord) -> tuple[ResourceRef, ...]:
    """The inputs of a statement that rests on the date of birth: the Patient, if there is one."""
    match record.patient:
        case Patient(ref):
            return (ref,)
        case NoPatient():
            return ()


def missing_for_age(record: PatientRecord, on: Days) -> tuple[str, ...]:
    """The public words for what is missing to tell an age on the days `on`. None where the day of
    birth is known and that of the sample is not: there is no word for that, but a note.
    """
    match record.patient:
        case NoPatient():
            return ("patient",)
        case Patient(birth=Moment(first_day=first, last_day=last)) if first == last:
            return ("birth-date",) if on.first == on.last else ()
        case _:
            return ("birth-date",)


def younger_than(days: int, birth: Moment | NoMoment, on: Days) -> Comparison:
    """Whether fewer than `days` days lay between birth and the days `on`."""
    match birth:
        case Moment(first_day=first, last_day=last):
            if (on.first - last).days >= days:
                return Comparison.NO
            if -_leeway(on) <= on.last - first < timedelta(days):
                return Comparison.YES
        case NoMoment():
            pass
    return Comparison.CANNOT_TELL


def within_days(one: Moment | NoMoment, other: Moment | NoMoment, days: int) -> bool:
    """Whether two moments are provably no more than `days` days apart."""
    match one, other:
        case Moment(), Moment():
            furthest = max(one.last_day - other.first_day, other.last_day - one.first_day)
            return furthest <= timedelta(days=days)
        case _:
            return False


def dates_as_received(record: PatientRecord) -> dict[ResourceRef, str]:
    """Dates of results (see `named_date`) and onset dates of entries as they were sent, by resource
    and version; empty where two with the same resource and version are dated differently.
    """
    dated = [
        (result.ref, named_date(result))
        for result in (*record.results, *record.history, *record.companions)
        if isinstance(result, LabResult)
    ]
    dated += [(entry.ref, entry.since) for entry in record.entries]
    found: dict[ResourceRef, str] = {}
    for ref, when in dated:
        if isinstance(when, Moment) and found.setdefault(ref, when.text) != when.text:
            found[ref] = ""
    return found
