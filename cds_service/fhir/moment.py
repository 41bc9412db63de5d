"""FHIR date, dateTime, instant and Period as `Moment`: the days they can mean, and an order.

Grammar: https://hl7.org/fhir/R4/datatypes.html#dateTime. A time always has its zone; days are
those of the zone as written, so no clock change can move them (T-65).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime

from cds_service.core.dates import OPEN_END, wholly_before
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.json_object import JsonObject
from cds_service.fhir.shape import Refusal, an_object

_DATE_TIME = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?"
)
"""The shape alone: impossible days and times are left to `fromisoformat`. The hour 24, which R4
does not have, is refused here, since some versions of Python accept it."""
_YEAR, _MONTH, _DAY, _SECOND = 4, 7, 10, 17
"""Positions in the text: the ends of year, month and day, and the start of the seconds."""


def moment(value: object, where: str) -> Moment:
    """A date or dateTime, possibly partial. Raises Refusal if there is no such day or time."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise Refusal(where)
    try:
        if len(value) > _DAY:
            return _timed(value)
        first, last = _days(value)
    except ValueError:
        raise Refusal(where) from None
    return Moment(value, first, last, datetime(first.year, first.month, first.day, tzinfo=UTC))


def instant(value: object, where: str) -> Moment:
    """An instant: a dateTime to the second. Raises Refusal for anything less."""
    found = moment(value, where)
    if "T" not in found.text:
        raise Refusal(where)
    return found


def moment_in(element: JsonObject, name: str, where: str) -> Moment | NoMoment:
    """The date or dateTime under a name that need not be there. Raises as `moment`."""
    return moment(element[name], f"{where}.{name}") if name in element else NoMoment()


def instant_in(element: JsonObject, name: str, where: str) -> Moment | NoMoment:
    """The instant under a name that need not be there. Raises as `instant`."""
    return instant(element[name], f"{where}.{name}") if name in element else NoMoment()


def moment_or_period(element: JsonObject, stem: str, where: str) -> Moment | NoMoment:
    """The `{stem}DateTime`, else the `{stem}Period`, of a choice of types
    (https://hl7.org/fhir/R4/formats.html#choice). Raises as `moment` and `period`.
    """
    if f"{stem}DateTime" in element:
        return moment(element[f"{stem}DateTime"], f"{where}.{stem}DateTime")
    return period(an_object(element.get(f"{stem}Period")), f"{where}.{stem}Period")


def period(value: JsonObject, where: str) -> Moment | NoMoment:
    """A Period as one Moment, from the first day of its start to the last day of its end.

    Two times of two zones may be in order and their days as written not: then it is of both days.
    An open end reaches as far as the calendar does: nothing is proved about that side. The order is
    that of the start, else of the end. Raises Refusal if the end lies before the start (per-1).
    """
    start, end = moment_in(value, "start", where), moment_in(value, "end", where)
    match start, end:
        case Moment(), Moment():
            if wholly_before(end, start):
                raise Refusal(where)
            first, last = sorted((start.first_day, end.last_day))
            return Moment(f"{start.text}/{end.text}", first, last, start.order)
        case Moment(), NoMoment():
            return Moment(f"{start.text}/{OPEN_END}", start.first_day, date.max, start.order)
        case NoMoment(), Moment():
            return Moment(f"{OPEN_END}/{end.text}", date.min, end.last_day, end.order)
        case _:
            return NoMoment()


def _days(text: str) -> tuple[date, date]:
    if len(text) == _DAY:
        day = date.fromisoformat(text)
        return day, day
    year = int(text[:_YEAR])
    if len(text) == _YEAR:
        return date(year, 1, 1), date(year, 12, 31)
    first = date(year, int(text[_YEAR + 1 : _MONTH]), 1)
    return first, first.replace(day=monthrange(year, first.month)[1])


def _timed(text: str) -> Moment:
    """A dateTime with a time; a leap second counts as the second before it."""
    is_leap = text.startswith("60", _SECOND)
    local = datetime.fromisoformat(f"{text[:_SECOND]}59{text[_SECOND + 2 :]}" if is_leap else text)
    day = local.date()
    try:
        return Moment(text, day, day, local.astimezone(UTC), timed=True)
    except OverflowError:  # the first or last day of the calendar, seen from another zone
        return Moment(text, day, day, local.replace(tzinfo=UTC), timed=True)
