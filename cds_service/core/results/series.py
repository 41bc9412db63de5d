"""The series: earlier results of the same specimen, with a break where they are not comparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter

from cds_service.core.dates import named_date, wholly_before
from cds_service.core.interval import Comparison, Interval
from cds_service.core.quantity import Quantity
from cds_service.core.results.comparable import (
    joined_exactly,
    same_laboratory,
    same_method,
    same_specimen_type,
)
from cds_service.core.results.reading import Understood
from cds_service.core.results.selection import Candidate
from cds_service.core.verdict import Break, Direction, SeriesPoint


def series_of(head: Candidate, beside: Iterable[Candidate]) -> tuple[SeriesPoint, ...]:
    """The earlier ones of the results `beside` the head, newest first, each with the direction to
    the result after it. They are shown even if the head cannot be read.

    A change of laboratory, unit (other than by an exact factor), assay or type of specimen between
    two neighbours breaks the series there. So does a value that cannot be used, since its unit may
    have changed too.

    No direction is given, only values and dates, where nobody can tell whether the two are
    comparable (one names no laboratory, or only one names its assay) or which came first (their
    dates overlap, or several results have the same time).
    """
    earlier = [item for item in beside if item.time <= head.time]
    if not earlier:  # the usual case
        return ()
    shown = (head, *earlier)
    of_one_time = {time: tuple(items) for time, items in groupby(shown, key=attrgetter("time"))}
    return tuple(
        [
            _point(item, after, of_one_time[item.time], of_one_time[after.time])
            for after, item in pairwise(shown)
        ]
    )


def _point(
    item: Candidate,
    after: Candidate,
    beside: Sequence[Candidate],
    beside_after: Sequence[Candidate],
) -> SeriesPoint:
    """The earlier of two neighbours. Where several results have the same time, only their ids make
    one of them the neighbour, so a direction is given only if it is the same for all of them.
    """
    result, breaks = item.result, tuple(_breaks(item, after))
    if breaks:
        direction = Direction.BROKEN
    elif item.time == after.time:
        direction = Direction.CANNOT_TELL
    else:
        found = {_direction(item, other) for other in beside_after}
        found |= {_direction(one, after) for one in beside}
        direction = found.pop() if len(found) == 1 else Direction.CANNOT_TELL
    return SeriesPoint(
        result.ref, named_date(result), item.reading.value, result.laboratory, direction, breaks
    )


def _direction(item: Candidate, after: Candidate) -> Direction:
    """From a result to a later one, as far as the two are comparable."""
    match item.reading, after.reading:
        case Understood(quantity=one), Understood(quantity=other) if _comparable(item, after):
            return _change(one, other)
        case _:
            return Direction.CANNOT_TELL


def _breaks(item: Candidate, after: Candidate) -> Iterator[Break]:
    if same_laboratory(item.result, after.result) is Comparison.NO:
        yield Break.LABORATORY
    here, there = item.reading.value, after.reading.value
    match item.reading, after.reading:
        case Understood(quantity=one), Understood(quantity=other):
            if not joined_exactly(one, other):
                yield Break.UNIT_FAMILY
        case _ if here.unit and there.unit and here.family != there.family:
            yield Break.UNUSABLE
        case _:
            pass
    if same_method(item.result, after.result) is Comparison.NO:
        yield Break.METHOD
    if same_specimen_type(item.result, after.result) is Comparison.NO:
        yield Break.SPECIMEN


def _comparable(item: Candidate, after: Candidate) -> bool:
    """Whether the later value is final, one laboratory made both from one type of specimen, and one
    is surely earlier: otherwise their difference says nothing about the patient. Where neither
    names its assay, the laboratory's is taken to be the same; where only one does, it is not.
    """
    return (
        after.is_final
        and same_laboratory(item.result, after.result) is Comparison.YES
        and item.result.method == after.result.method
        and same_specimen_type(item.result, after.result) is Comparison.YES
        and wholly_before(item.taken, after.taken)
    )


def _change(one: Quantity, other: Quantity) -> Direction:
    """From `one` to the later `other`: certain only if the intervals do not overlap."""
    if one.exact and other.exact and one.interval.low == other.interval.low:
        return Direction.SAME
    if _wholly_above(other.interval, one.interval):
        return Direction.HIGHER
    if _wholly_above(one.interval, other.interval):
        return Direction.LOWER
    return Direction.CANNOT_TELL


def _wholly_above(upper: Interval, lower: Interval) -> bool:
    if upper.low == lower.high:
        return upper.low_open or lower.high_open
    return upper.low > lower.high
