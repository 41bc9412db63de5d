"""FHIR date, dateTime, instant and Period as `Moment`: the days they can mean, and an order.

Grammar: https://hl7.org/fhir/R4/datatypes.html#dateTime. A time always has its zone; days are
those of the zone as written, so no clock change can move them (T-65).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone

from cds_service.core.card import JsonObject
from cds_service.core.model import Moment, NoMoment
from cds_service.fhir.shape import Refusal

_DATE_TIME = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?P<time>T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?:Z|(?P<sign>[+-])(?P<zone_h>[0-9]{2}):(?P<zone_m>[0-9]{2})))?"
    r")?)?"
)
_LARGEST_OFFSET = timedelta(hours=14)
_OPEN = ".."
"""How ISO 8601-2 writes an open end of an interval."""


def moment(value: object, where: str) -> Moment:
    """A date or dateTime, possibly partial. Raises Refusal if there is no such day or time."""
    written = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if not written:
        raise Refusal(where)
    try:
        first, last = _days(written)
        order = _instant(written, first) if written["time"] else _midnight(first)
    except ValueError:
        raise Refusal(where) from None
    return Moment(written[0], first, last, order)


def instant(value: object, where: str) -> Moment:
    """An instant: a dateTime to the second. Raises Refusal for anything less."""
    found = moment(value, where)
    if "T" not in found.text:
        raise Refusal(where)
    return found


def period(value: JsonObject, where: str) -> Moment | NoMoment:
    """A Period as one Moment, from the first day of its start to the last day of its end.

    An open end reaches as far as the calendar does: nothing is proved about that side. The order is
    that of the start, else of the end. Raises Refusal if the end lies before the start (per-1).
    """
    start = moment(value["start"], f"{where}.start") if "start" in value else NoMoment()
    end = moment(value["end"], f"{where}.end") if "end" in value else NoMoment()
    match start, end:
        case Moment(), Moment():
            if end.last_day < start.first_day:
                raise Refusal(where)
            text = f"{start.text}/{end.text}"
            return Moment(text, start.first_day, end.last_day, start.order)
        case Moment(), NoMoment():
            return Moment(f"{start.text}/{_OPEN}", start.first_day, date.max, start.order)
        case NoMoment(), Moment():
            return Moment(f"{_OPEN}/{end.text}", date.min, end.last_day, end.order)
        case _:
            return NoMoment()


def _days(written: re.Match[str]) -> tuple[date, date]:
    year = int(written["year"])
    if not written["month"]:
        return date(year, 1, 1), date(year, 12, 31)
    month = int(written["month"])
    if not written["day"]:
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    day = date(year, month, int(written["day"]))
    return day, day


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _instant(written: re.Match[str], day: date) -> datetime:
    """The instant in UTC; a leap second counts as the second before it."""
    hour, minute, second = (int(written[part]) for part in ("hour", "minute", "second"))
    if second > 60:
        raise ValueError("no such second")
    micro = int((written["fraction"] or "")[:6].ljust(6, "0"))
    local = _midnight(day).replace(
        hour=hour, minute=minute, second=min(second, 59), microsecond=micro
    )
    try:
        return local.replace(tzinfo=_zone(written)).astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, seen from another zone
        return local


def _zone(written: re.Match[str]) -> timezone:
    if not written["sign"]:
        return UTC
    hours, minutes = int(written["zone_h"]), int(written["zone_m"])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _LARGEST_OFFSET:
        raise ValueError("no such zone")
    return timezone(-offset if written["sign"] == "-" else offset)
