"""Which earlier results are in a series, in which order, and where its direction is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import NoMoment, NoValue, Status
from cds_service.core.model import Subject
from cds_service.core.verdict import Answer, Direction, NotInterpretable
from tests import toy
from tests.records import answer_to, measured, moment, named, record
from tests.unit.core.results.in_time import at, only, points


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
        ("100 pt/mL", ">=100 pt/mL", Direction.CANNOT_TELL),
        ("100 pt/mL", ">100 pt/mL", Direction.HIGHER),
    ],
)
def test_the_direction_is_told_where_the_intervals_prove_it(
    before: str, after: str, direction: Direction
) -> None:
    assert only(after, before).direction is direction


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-01-20T08:00:00Z", "2026-01-20T08:00:00Z"),
        ("2026-01-20", "2026-01-20T08:00:00Z"),
        ("2026-01", "2026-01-20"),
        ("", "2026-01-20"),
    ],
)
def test_no_direction_where_the_dates_do_not_tell_which_came_first(before: str, after: str) -> None:
    (point,) = points(
        named("z", "200 pt/mL", collected=moment(after)),
        named("a", "100 pt/mL", collected=moment(before)),
    )
    assert (point.direction, point.breaks) == (Direction.CANNOT_TELL, ())


def test_a_result_whose_day_of_issue_alone_is_known_is_told_with_that_day() -> None:
    issued = moment("2026-01-01T09:30:00Z")
    earlier = named("r1", "300 pt/mL", collected=NoMoment(), issued=issued)
    (point,) = points(at(20, "250 pt/mL"), earlier)
    assert point.dated == issued


def test_two_hours_of_one_day_are_a_course() -> None:
    (point,) = points(
        named("a", "200 pt/mL", collected=moment("2026-01-20T10:00:00Z")),
        named("z", "100 pt/mL", collected=moment("2026-01-20T08:00:00Z")),
    )
    assert point.direction is Direction.HIGHER


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


@pytest.mark.parametrize(
    "between",
    [{"loinc": toy.LOOK_ALIKE}, {"loinc": "718-7"}, {"subject": Subject.ANOTHER_PATIENT}],
    ids=["a look-alike", "another test", "another patient's"],
)
def test_what_is_not_of_the_series_hides_nothing_that_is(between: dict[str, Any]) -> None:
    """12,000 last week still stands behind whatever else the history holds."""
    other = at(15, "300 pt/mL", **between)
    series = points(at(20, "200 pt/mL"), other, at(10, "12000 pt/mL"))
    assert [point.value.text for point in series] == ["12000"]


def test_another_specimen_is_not_in_the_series() -> None:
    assert points(at(20, "200 pt/mL"), at(1, "60 pg/mL", loinc=toy.DEW_MASS)) == ()


def test_a_later_result_is_not_in_the_series_but_told_of() -> None:
    answer: Answer = answer_to(record(at(10, "200 pt/mL"), history=(at(20, "300 pt/mL"),)))
    assert answer.series == ()
    assert [(note.kind.value, note.values) for note in answer.notes] == [
        ("newer-exists", {"value": "300 pt/mL", "date": "2026-01-20", "status": "final"})
    ]


def test_another_version_of_the_same_result_is_no_earlier_result() -> None:
    assert points(at(20, "200 pt/mL"), at(20, "100 pt/mL")) == ()


@pytest.mark.parametrize(
    ("unreadable", "direction"),
    [
        ({"value": measured("300 mg")}, Direction.BROKEN),
        ({"value": measured("300")}, Direction.CANNOT_TELL),
        ({"value": NoValue()}, Direction.CANNOT_TELL),
        ({"status": Status.UNKNOWN}, Direction.CANNOT_TELL),
        ({"status": Status.PRELIMINARY}, Direction.CANNOT_TELL),
    ],
)
def test_a_newer_result_that_is_not_interpreted_does_not_hide_the_earlier_ones(
    unreadable: dict[str, Any], direction: Direction
) -> None:
    """12,000 yesterday is still to be read where today's unit is not understood."""
    newer = replace(at(20, "300 pt/mL"), **unreadable)
    answer = answer_to(record(newer, history=(at(19, "12000 pt/mL"),)))
    assert isinstance(answer.verdict, NotInterpretable)
    assert [(p.value.text, p.direction) for p in answer.series] == [("12000", direction)]


def test_a_withdrawn_result_has_no_series() -> None:
    withdrawn = at(20, "300 pt/mL", status=Status.ENTERED_IN_ERROR)
    given = record(
        withdrawn,
        history=(at(19, "12000 pt/mL"),),
        carded_before=frozenset({withdrawn.ref.resource}),
    )
    assert answer_to(given).series == ()


def test_an_earlier_value_that_cannot_be_understood_is_shown_without_a_direction() -> None:
    point = only("200 pt/mL", "100 mg")
    assert (point.value.text, point.direction) == ("100", Direction.BROKEN)


@pytest.mark.parametrize(
    ("before", "together", "direction"),
    [
        (("620",), ("520", "5230"), Direction.CANNOT_TELL),
        (("620",), ("820", "5230"), Direction.HIGHER),
        (("620", "5000"), ("820",), Direction.CANNOT_TELL),
        (("620",), ("520", "520"), Direction.LOWER),
    ],
)
def test_no_id_decides_the_way_from_or_to_several_results_of_one_time(
    before: tuple[str, ...], together: tuple[str, ...], direction: Direction
) -> None:
    """Of one sample came 520 and 5230: whether it rose or fell from 620 nobody can tell."""
    for first, last in ((before, together), (before[::-1], together[::-1])):
        results = [named(f"a{n}", f"{v} pt/mL", on="2026-01-20") for n, v in enumerate(last)]
        results += [named(f"b{n}", f"{v} pt/mL", on="2026-01-01") for n, v in enumerate(first)]
        told = [p.direction for p in points(*results)]
        between = told[len(last) - 1]
        assert between is direction
        assert {*told} <= {between, Direction.CANNOT_TELL}
