"""Earlier results of one patient, and the series that they are in."""

from __future__ import annotations

from typing import Any

from cds_service.core.model import LabResult
from cds_service.core.verdict import SeriesPoint
from tests.records import answer_to, named, record


def at(number: int, value: str, **changes: Any) -> LabResult:
    """A result of one day in January; the head of the series is on the 20th."""
    return named(f"r{number}", value, on=f"2026-01-{number:02}", **changes)


def points(head: LabResult, *earlier: LabResult) -> tuple[SeriesPoint, ...]:
    """The series of a result, from the newest earlier one to the oldest."""
    return answer_to(record(head, history=earlier)).series


def only(head: str, before: str, **changes: Any) -> SeriesPoint:
    """The one earlier result of a series, as it is told."""
    (point,) = points(at(20, head), at(1, before, **changes))
    return point
