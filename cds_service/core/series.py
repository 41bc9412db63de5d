"""Earlier results of the same specimen, with a visible break where they cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.core.interval import Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult
from cds_service.core.quantity import Quantity
from cds_service.core.reading import NotUnderstood, Understood, value_of
from cds_service.core.verdict import Direction, SeriesPoint


def series_of(
    head: LabResult, earlier: Sequence[LabResult], knowledge: KnowledgeBase
) -> tuple[SeriesPoint, ...]:
    """Earlier results, newest first, each with the way from it to the result after it.

    Laboratory, unit family or assay changing between two neighbours breaks the series there. Where
    no laboratory is named, nobody can tell whether it changed: values and dates, but no direction.
    """
    points = []
    after = head
    for result in earlier:
        points.append(_point(result, after, knowledge))
        after = result
    return tuple(points)


def _point(result: LabResult, after: LabResult, knowledge: KnowledgeBase) -> SeriesPoint:
    here, there = value_of(result, knowledge), value_of(after, knowledge)
    breaks = _breaks(result, after, here, there)
    same_laboratory_named = bool(result.laboratory) and not breaks
    match here, there:
        case Understood(quantity=one), Understood(quantity=other) if same_laboratory_named:
            direction = _direction(one, other)
        case _:
            direction = Direction.BROKEN if breaks else Direction.CANNOT_TELL
    return SeriesPoint(
        result.ref, result.collected, here.value, result.laboratory, direction, breaks
    )


def _breaks(
    result: LabResult,
    after: LabResult,
    here: Understood | NotUnderstood,
    there: Understood | NotUnderstood,
) -> tuple[str, ...]:
    changed = {
        "laboratory": result.laboratory != after.laboratory,
        "unit-family": here.value.family != there.value.family,
        "method": result.method != after.method,
    }
    return tuple(name for name, is_so in changed.items() if is_so)


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
