"""From when to when an entry of the record holds, as far as it says so itself."""

from __future__ import annotations

from cds_service.core.elements import Moment, NoMoment
from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.moment import moment, moment_in, period
from cds_service.fhir.shape import an_object, objects

Span = tuple[Moment | NoMoment, Moment | NoMoment]
"""Start and end."""
_NONE = NoMoment()


def start_of(entry: Entry, stem: str) -> Moment | NoMoment:
    """The dateTime, or the start of the Period, of a choice element."""
    if f"{stem}DateTime" in entry.resource:
        return moment_in(entry.resource, f"{stem}DateTime", entry.kind)
    span = an_object(entry.resource.get(f"{stem}Period"))
    return moment_in(span, "start", f"{entry.kind}.{stem}Period")


def done(entry: Entry) -> Span:
    """When a procedure began, and its last known day if it is completed."""
    since = start_of(entry, "performed")
    span = an_object(entry.resource.get("performedPeriod"))
    _, end = _ends(span, f"{entry.kind}.performedPeriod")
    if entry.resource.get("status") != "completed":
        return since, _NONE
    return since, since if isinstance(end, NoMoment) else end


def span_of(entry: Entry) -> Span:
    """When a medication began, and its end where one is stated. One that was ordered, or stated,
    before the first of its doses began with that.
    """
    if entry.kind == "MedicationRequest":
        first, last = _doses(entry, "dosageInstruction")
        return _later(moment_in(entry.resource, "authoredOn", entry.kind), first), last
    first, last = _doses(entry, "dosage")
    span = an_object(entry.resource.get("effectivePeriod"))
    _, end = _ends(span, f"{entry.kind}.effectivePeriod")
    since = _later(start_of(entry, "effective"), first)
    return since, end if isinstance(end, Moment) else last


def _doses(entry: Entry, name: str) -> Span:
    """The earliest start of the dosages and the latest end, each if every one of them has it."""
    spans = [
        _dose(an_object(dosage.get("timing")), f"{entry.kind}.{name}.timing")
        for dosage in objects(entry.resource.get(name))
    ]
    starts = [start for start, _ in spans if isinstance(start, Moment)]
    ends = [end for _, end in spans if isinstance(end, Moment)]
    first = min(starts, key=lambda start: start.first_day, default=_NONE)
    last = max(ends, key=lambda end: end.last_day, default=_NONE)
    every = len(spans)
    return first if len(starts) == every else _NONE, last if len(ends) == every else _NONE


def _dose(timing: JsonObject, where: str) -> Span:
    """Start and end of one dosage: of its bounds, or of the times that it names alone."""
    times = [moment(each, f"{where}.event") for each in timing.get("event", ())]
    if "repeat" in timing or not times:
        bounds = an_object(an_object(timing.get("repeat")).get("boundsPeriod"))
        return _ends(bounds, f"{where}.repeat.boundsPeriod")
    return min(times, key=lambda one: one.first_day), max(times, key=lambda one: one.last_day)


def _ends(span: JsonObject, where: str) -> Span:
    period(span, where)  # refuses a period that ends before it starts
    return moment_in(span, "start", where), moment_in(span, "end", where)


def _later(one: Moment | NoMoment, other: Moment | NoMoment) -> Moment | NoMoment:
    match one, other:
        case Moment(), Moment():
            return max(one, other, key=lambda each: each.first_day)
        case Moment(), NoMoment():
            return one
        case _:
            return other
