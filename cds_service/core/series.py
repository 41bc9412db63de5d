"""Earlier results of the same specimen, with a visible break where they cannot be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from cds_service.core.comparable import same_laboratory, same_method, same_specimen_type
from cds_service.core.dates import when_taken, wholly_before
from cds_service.core.interval import Comparison, Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult
from cds_service.core.quantity import Quantity
from cds_service.core.reading import NotUnderstood, Understood, value_of
from cds_service.core.selection import FINAL
from cds_service.core.verdict import Direction, SeriesPoint


def series_of(
    head: LabResult, earlier: Sequence[LabResult], knowledge: KnowledgeBase, at: date
) -> tuple[SeriesPoint, ...]:
    """Earlier results, newest first, each with the way from it to the result after it.

    Laboratory, unit family, assay or type of specimen changing between two neighbours breaks the
    series there, and so does a value that cannot be used: whether its unit changed, nobody knows.
    Where one of them names no laboratory, or alone names its assay, nobody can tell whether it
    changed, and where the dates overlap, which of the two came first: values and dates, but no
    direction.
    """
    points = []
    after = head
    for result in earlier:
        points.append(_point(result, after, knowledge, at))
        after = result
    return tuple(points)


def _point(result: LabResult, after: LabResult, knowledge: KnowledgeBase, at: date) -> SeriesPoint:
    here, there = value_of(result, knowledge), value_of(after, knowledge)
    breaks = tuple(_breaks(result, after, here, there))
    match here, there:
        case _ if breaks:
            direction = Direction.BROKEN
        case Understood(quantity=one), Understood(quantity=other) if _proved(result, after, at):
            direction = _direction(one, other)
        case _:
            direction = Direction.CANNOT_TELL
    return SeriesPoint(
        result.ref, result.collected, here.value, result.laboratory, direction, breaks
    )


def _breaks(
    result: LabResult,
    after: LabResult,
    here: Understood | NotUnderstood,
    there: Understood | NotUnderstood,
) -> Iterator[str]:
    if same_laboratory(result, after) is Comparison.NO:
        yield "laboratory"
    if here.value.unit and there.value.unit and here.value.family != there.value.family:
        match here, there:
            case Understood(), Understood():
                yield "unit-family"
            case _:
                yield "unusable"
    if same_method(result, after) is Comparison.NO:
        yield "method"
    if same_specimen_type(result, after) is Comparison.NO:
        yield "specimen"


def _proved(result: LabResult, after: LabResult, at: date) -> bool:
    """Whether the later value stands, and one laboratory made both, from one type of specimen, one
    surely before the other: otherwise the way between them says nothing about the patient. An assay
    that neither names is the laboratory's; one that a single result names may be another.
    """
    return (
        after.status in FINAL
        and same_laboratory(result, after) is Comparison.YES
        and result.method == after.method
        and same_specimen_type(result, after) is Comparison.YES
        and wholly_before(when_taken(result, at), when_taken(after, at))
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
