"""Earlier results: a direction only where laboratory, unit family and assay stayed the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import NoValue, SpecimenGiven, Status
from cds_service.core.model import LabResult, Subject
from cds_service.core.selection import Candidate, Settled
from cds_service.core.series import series_of
from cds_service.core.verdict import Answer, Direction, NotInterpretable, SeriesPoint
from tests import toy
from tests.records import AT, answer_to, measured, moment, named, record, specimen


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
        ("100 pt/mL", ">=100 pt/mL", Direction.CANNOT_TELL),
        ("100 pt/mL", ">100 pt/mL", Direction.HIGHER),
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
        ({"method": "bead assay"}, ("method",)),
        ({"laboratory": "Laboratory B", "method": "bead assay"}, ("laboratory", "method")),
    ],
)
def test_a_change_of_laboratory_or_assay_breaks_the_series(
    changes: dict[str, str], breaks: tuple[str, ...]
) -> None:
    (point,) = points(
        at(20, "200 pt/mL", method="ELISA"), at(1, "100 pt/mL", **{"method": "ELISA", **changes})
    )
    assert (point.direction, point.breaks) == (Direction.BROKEN, breaks)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"laboratory": ""}, {}),
        ({}, {"laboratory": ""}),
        ({"laboratory": "", "laboratory_reference": "Organization/2"}, {}),
        ({"method": "ELISA"}, {}),
        ({}, {"method": "ELISA"}),
    ],
)
def test_what_one_of_two_results_leaves_unnamed_is_not_known_to_have_changed(
    before: dict[str, str], after: dict[str, str]
) -> None:
    """Unless said otherwise, a result is of "Laboratory A" and names no assay."""
    (point,) = points(at(20, "200 pt/mL", **after), at(1, "100 pt/mL", **before))
    assert (point.direction, point.breaks) == (Direction.CANNOT_TELL, ())


def test_a_result_without_laboratory_and_assay_between_two_that_name_theirs() -> None:
    """Laboratory A, a sheet without a sender, Laboratory A again: no card may say "changed"."""
    told = {"laboratory": "Laboratory A", "method": "ELISA"}
    series = points(
        at(20, "900 pt/mL", **told),
        at(15, "1900 pt/mL", laboratory=""),
        at(10, "2900 pt/mL", **told),
    )
    assert [(point.direction, point.breaks) for point in series] == [
        (Direction.CANNOT_TELL, ()),
        (Direction.CANNOT_TELL, ()),
    ]


def test_one_assay_that_both_results_name_allows_a_direction() -> None:
    (point,) = points(at(20, "200 pt/mL", method="ELISA"), at(1, "100 pt/mL", method="ELISA"))
    assert point.direction is Direction.HIGHER


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("Organization/1", "Organization/1", Direction.HIGHER),
        ("Organization/1", "https://e.org/fhir/Organization/1", Direction.HIGHER),
        ("Organization/1", "Organization/2", Direction.BROKEN),
        ("https://e.org/a/Organization/1", "https://e.org/b/Organization/1", Direction.BROKEN),
        ("Organization/1", "Organization/11", Direction.BROKEN),
        ("Organization/1", "", Direction.HIGHER),
        ("", "Organization/1", Direction.HIGHER),
    ],
)
def test_two_laboratories_of_one_name_are_told_apart_by_where_they_stand(
    before: str, after: str, direction: Direction
) -> None:
    """Both are called "Laboratory A"."""
    (point,) = points(
        at(20, "200 pt/mL", laboratory_reference=after),
        at(1, "100 pt/mL", laboratory_reference=before),
    )
    assert point.direction is direction


def test_one_laboratory_under_two_names_is_one() -> None:
    same = {"laboratory_reference": "Organization/1"}
    (point,) = points(
        at(20, "200 pt/mL", laboratory="Lab A", **same),
        at(1, "100 pt/mL", laboratory="Laboratory A", **same),
    )
    assert point.direction is Direction.HIGHER


@pytest.mark.parametrize("name", ["LABORATORY A", " laboratory  a", "Laboratory\u00a0A"])
def test_one_name_in_other_capitals_or_spaces_is_one_laboratory(name: str) -> None:
    (point,) = points(at(20, "200 pt/mL", laboratory=name), at(1, "100 pt/mL"))
    assert point.direction is Direction.HIGHER


def test_a_laboratory_that_has_only_a_reference_is_not_known_to_be_another_than_a_named_one() -> (
    None
):
    """Its reference is shown in place of a name, and is none."""
    only = {"laboratory": "Organization/1", "laboratory_reference": "Organization/1"}
    (point,) = points(at(20, "200 pt/mL", **only), at(1, "100 pt/mL"))
    assert (point.direction, point.breaks) == (Direction.CANNOT_TELL, ())


SERUM, PLASMA = specimen("SER", system="urn:tubes"), specimen("PLAS", system="urn:tubes")


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (SERUM, SERUM, Direction.HIGHER),
        (SERUM, PLASMA, Direction.BROKEN),
        (SpecimenGiven(), SpecimenGiven(), Direction.HIGHER),
        (SERUM, SpecimenGiven(), Direction.CANNOT_TELL),
        (SpecimenGiven(), SERUM, Direction.CANNOT_TELL),
        (SERUM, specimen("119361006", system="urn:other"), Direction.CANNOT_TELL),
    ],
)
def test_serum_and_plasma_are_never_joined(
    before: SpecimenGiven, after: SpecimenGiven, direction: Direction
) -> None:
    """One laboratory reports another range for each: 214 to 1910 and 325 to 1785 pg/mL."""
    knowledge = toy.knowledge()
    settled = Settled(knowledge.accepted[toy.SAP_POINTS], "sap")
    earlier, head = (
        Candidate(found, settled, knowledge, AT)
        for found in (at(1, "100 pt/mL", specimen=before), at(20, "200 pt/mL", specimen=after))
    )
    (point,) = series_of(head, [earlier])
    assert point.direction is direction
    assert point.breaks == (("specimen",) if direction is Direction.BROKEN else ())


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


def test_two_hours_of_one_day_are_a_course() -> None:
    (point,) = points(
        named("a", "200 pt/mL", collected=moment("2026-01-20T10:00:00Z")),
        named("z", "100 pt/mL", collected=moment("2026-01-20T08:00:00Z")),
    )
    assert point.direction is Direction.HIGHER


def test_a_change_of_unit_family_breaks_the_series() -> None:
    (point,) = points(at(20, "200 pt/mL"), at(1, "100 pg/mL", loinc=toy.SAP_MASS))
    assert (point.direction, point.breaks) == (Direction.BROKEN, ("unit-family",))


@pytest.mark.parametrize(("before", "after"), [("100 pt/mL", "100 mg"), ("100 mg", "100 pt/mL")])
def test_beside_a_unit_that_is_not_understood_nobody_knows_that_the_unit_changed(
    before: str, after: str
) -> None:
    point = only(after, before)
    assert (point.direction, point.breaks) == (Direction.BROKEN, ("unusable",))


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
