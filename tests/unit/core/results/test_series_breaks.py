"""A series breaks where laboratory, assay, unit or kind of specimen changed or may have."""

from __future__ import annotations

import pytest

from cds_service.core.elements import SpecimenGiven
from cds_service.core.results.selection import Candidate, Settled
from cds_service.core.results.series import series_of
from cds_service.core.verdict import Direction
from tests import toy
from tests.records import AT, specimen
from tests.unit.core.results.in_time import at, only, points


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
