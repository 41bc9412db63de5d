"""Earlier results: a direction only where laboratory, unit family and assay stayed the same."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.model import LabResult, Status, Subject
from cds_service.core.verdict import Answer, Direction, SeriesPoint
from tests import toy
from tests.records import answer_to, named, record


def at(number: int, value: str, **changes: Any) -> LabResult:
    """A result of one day in January; the head of the series is on the 20th."""
    return named(f"r{number}", value, on=f"2026-01-{number:02}", **changes)


def points(head: LabResult, *earlier: LabResult) -> tuple[SeriesPoint, ...]:
    return answer_to(record(head, history=earlier)).series


def only(head: str, before: str, **changes: Any) -> SeriesPoint:
    (point,) = points(at(20, head), at(1, before, **changes))
    return point


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("100 pt/mL", "200 pt/mL", Direction.HIGHER),
        ("200 pt/mL", "100 pt/mL", Direction.LOWER),
        ("100 pt/mL", "100.0 pt/mL", Direction.SAME),
        ("1000 dpt/mL", "100 pt/mL", Direction.SAME),
        ("<100 pt/mL", "100 pt/mL", Direction.HIGHER),
        ("<=100 pt/mL", "100 pt/mL", Direction.CANNOT_TELL),
        ("<100 pt/mL", "50 pt/mL", Direction.CANNOT_TELL),
        ("<100 pt/mL", "<100 pt/mL", Direction.CANNOT_TELL),
        (">100 pt/mL", "100 pt/mL", Direction.LOWER),
        (">=100 pt/mL", "100 pt/mL", Direction.CANNOT_TELL),
    ],
)
def test_the_direction_is_told_where_the_intervals_prove_it(
    before: str, after: str, direction: Direction
) -> None:
    assert only(after, before).direction is direction


@pytest.mark.parametrize(
    ("changes", "breaks"),
    [
        ({"laboratory": "Laboratory B"}, ("laboratory",)),
        ({"laboratory": ""}, ("laboratory",)),
        ({"method": "another assay"}, ("method",)),
        ({"laboratory": "Laboratory B", "method": "other"}, ("laboratory", "method")),
    ],
)
def test_a_change_of_laboratory_or_assay_breaks_the_series(
    changes: dict[str, str], breaks: tuple[str, ...]
) -> None:
    point = only("200 pt/mL", "100 pt/mL", **changes)
    assert (point.direction, point.breaks) == (Direction.BROKEN, breaks)


def test_a_change_of_unit_family_breaks_the_series() -> None:
    (point,) = points(at(20, "200 pt/mL"), at(1, "100 pg/mL", loinc=toy.SAP_MASS))
    assert (point.direction, point.breaks) == (Direction.BROKEN, ("unit-family",))


def test_where_no_laboratory_is_named_nobody_can_tell_whether_it_changed() -> None:
    (point,) = points(at(20, "200 pt/mL", laboratory=""), at(1, "100 pt/mL", laboratory=""))
    assert (point.direction, point.breaks) == (Direction.CANNOT_TELL, ())


def test_a_break_concerns_its_two_neighbours_only() -> None:
    series = points(
        at(20, "400 pt/mL"),
        at(15, "300 pt/mL"),
        at(10, "200 pt/mL", laboratory="Laboratory B"),
        at(5, "100 pt/mL", laboratory="Laboratory B"),
    )
    assert [point.direction for point in series] == [
        Direction.HIGHER,
        Direction.BROKEN,
        Direction.HIGHER,
    ]


def test_the_series_runs_from_the_newest_to_the_oldest_whatever_the_order_given() -> None:
    series = points(at(20, "4 pt/mL"), at(5, "1 pt/mL"), at(15, "3 pt/mL"), at(10, "2 pt/mL"))
    assert [point.ref.resource for point in series] == [
        "Observation/r15",
        "Observation/r10",
        "Observation/r5",
    ]


@pytest.mark.parametrize(
    "left_out",
    [
        {"status": Status.PRELIMINARY},
        {"status": Status.ENTERED_IN_ERROR},
        {"subject": Subject.ANOTHER_PATIENT},
    ],
)
def test_only_final_results_of_this_patient_are_in_a_series(left_out: dict[str, object]) -> None:
    assert points(at(20, "200 pt/mL"), at(1, "100 pt/mL", **left_out)) == ()


def test_another_specimen_is_not_in_the_series() -> None:
    assert points(at(20, "200 pt/mL"), at(1, "60 pg/mL", loinc=toy.DEW_MASS)) == ()


def test_a_later_result_is_not_in_the_series_but_told_of() -> None:
    answer: Answer = answer_to(record(at(10, "200 pt/mL"), history=(at(20, "300 pt/mL"),)))
    assert answer.series == ()
    assert [(note.kind.value, note.values) for note in answer.notes] == [
        ("newer-exists", {"date": "2026-01-20"})
    ]


def test_another_version_of_the_same_result_is_no_earlier_result() -> None:
    assert points(at(20, "200 pt/mL"), at(20, "100 pt/mL")) == ()


def test_an_earlier_value_that_cannot_be_understood_is_shown_without_a_direction() -> None:
    point = only("200 pt/mL", "100 mg")
    assert (point.value.text, point.direction) == ("100", Direction.BROKEN)
