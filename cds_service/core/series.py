"""Earlier results of the same specimen, with a visible break where they cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter

from cds_service.core.comparable import same_laboratory, same_method, same_specimen_type
from cds_service.core.dates import wholly_before
from cds_service.core.interval import Comparison, Interval
from cds_service.core.quantity import Quantity
from cds_service.core.reading import Understood
from cds_service.core.selection import Candidate
from cds_service.core.verdict import Direction, SeriesPoint


def series_of(head: Candidate, beside: Iterable[Candidate]) -> tuple[SeriesPoint, ...]:
    """Those of the results beside it, newest first, that are earlier, each with the way from it to
    the result after it. A head that cannot be read must not hide them.

    Laboratory, unit family, assay or type of specimen changing between two neighbours breaks the
    series there, and so does a value that cannot be used: whether its unit changed, nobody knows.
    Where one of them names no laboratory, or alone names its assay, nobody can tell whether it
    changed, and where the dates overlap, or one time bears several results, which of them came
    first: values and dates, but no direction.
    """
    earlier = [item for item in beside if item.time <= head.time]
    if not earlier:  # as mostly
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
    """The earlier of two neighbours. Where several results bear one time, only their ids make one
    of them the neighbour; so a direction is told only if it is the same with any of them.
    """
    result, breaks = item.result, tuple(_breaks(item, after))
    if breaks:
        direction = Direction.BROKEN
    elif item.time == after.time:
        direction = Direction.CANNOT_TELL
    else:
        ways = {_way(item, other) for other in beside_after} | {_way(one, after) for one in beside}
        direction = ways.pop() if len(ways) == 1 else Direction.CANNOT_TELL
    return SeriesPoint(
        result.ref, result.collected, item.reading.value, result.laboratory, direction, breaks
    )


def _way(item: Candidate, after: Candidate) -> Direction:
    """From a result to a later one, as far as the two can be compared."""
    match item.reading, after.reading:
        case Understood(quantity=one), Understood(quantity=other) if _proved(item, after):
            return _direction(one, other)
        case _:
            return Direction.CANNOT_TELL


def _breaks(item: Candidate, after: Candidate) -> Iterator[str]:
    if same_laboratory(item.result, after.result) is Comparison.NO:
        yield "laboratory"
    here, there = item.reading.value, after.reading.value
    if here.unit and there.unit and here.family != there.family:
        match item.reading, after.reading:
            case Understood(), Understood():
                yield "unit-family"
            case _:
                yield "unusable"
    if same_method(item.result, after.result) is Comparison.NO:
        yield "method"
    if same_specimen_type(item.result, after.result) is Comparison.NO:
        yield "specimen"


def _proved(item: Candidate, after: Candidate) -> bool:
    """Whether the later value stands, and one laboratory made both, from one type of specimen, one
    surely before the other: otherwise the way between them says nothing about the patient. An assay
    that neither names is the laboratory's; one that a single result names may be another.
    """
    return (
        after.is_final
        and same_laboratory(item.result, after.result) is Comparison.YES
        and item.result.method == after.result.method
        and same_specimen_type(item.result, after.result) is Comparison.YES
        and wholly_before(item.taken, after.taken)
    )


def _direction(one: Quantity, other: Quantity) -> Direction:
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
