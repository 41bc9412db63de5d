"""A laboratory's own factor: for limits of studies only, found by name or place, and said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import NoteKind
from cds_service.core.schema import AssayFactor
from cds_service.core.verdict import Answer
from tests import toy
from tests.records import answer_to, notes, result, within

TOY = toy.knowledge()


def with_factor(laboratory: str = "Laboratory A", family: str = "points") -> KnowledgeBase:
    """The toy at a site whose letter gives 0.4 for the assay of this laboratory."""
    factor = AssayFactor(laboratory=laboratory, family=family, factor="0.4", source="Letter")
    return replace(TOY, assays={laboratory: factor})


def above_its_range(base: KnowledgeBase) -> Answer:
    return answer_to(result("250 pt/mL", ranges=(within("20", "240"),)), base)


@pytest.mark.parametrize(
    ("laboratory", "reference", "applies"),
    [
        ("Central laboratory", "Organization/7", True),
        ("Organization/7", "https://ehr.example.org/fhir/Organization/7", True),
        ("", "Organization/7", True),
        ("Central laboratory", "Organization/17", False),
        ("Central laboratory", "", False),
    ],
)
def test_a_factor_is_found_by_where_the_laboratory_stands_whatever_its_name(
    laboratory: str, reference: str, *, applies: bool
) -> None:
    """Two laboratories may bear one name; an organisation has one address."""
    given = result("250 pt/mL", laboratory=laboratory, laboratory_reference=reference)
    told = notes(answer_to(given, with_factor("Organization/7")))
    assert (NoteKind.ASSAY_FACTOR in told) is applies


@pytest.mark.parametrize(
    ("named", "reference", "applies"),
    [
        ("Laboratory A", "", True),
        ("LABORATORY  a ", "", True),
        ("Laboratory\u00a0A", "Organization/1", True),
        ("Laboratory B", "", False),
        ("LaboratoryA", "", False),
        ("", "", False),
    ],
)
def test_a_factor_is_found_by_a_name_whatever_its_capitals_and_spaces_and_else_the_card_says_so(
    named: str, reference: str, *, applies: bool
) -> None:
    """The site file says "Laboratory A"; each feed writes the name in its own way."""
    given = result("250 pt/mL", laboratory=named, laboratory_reference=reference)
    told = notes(answer_to(given, with_factor()))
    if applies:
        assert told[NoteKind.ASSAY_FACTOR]["laboratory"] == "Laboratory A"
        assert NoteKind.FACTOR_OF_ANOTHER not in told
    else:
        assert told[NoteKind.FACTOR_OF_ANOTHER] == {"laboratory": "Laboratory A", "own": named}
        assert NoteKind.ASSAY_FACTOR not in told


def test_capitals_tell_two_references_apart_as_they_do_not_two_names() -> None:
    """An id may differ in capitals alone; a laboratory without a name is shown by its reference."""
    other = "https://ehr.example.org/fhir/Organization/A"
    given = result("250 pt/mL", laboratory="Organization/A", laboratory_reference=other)
    assert NoteKind.FACTOR_OF_ANOTHER in notes(answer_to(given, with_factor("Organization/a")))


@pytest.mark.parametrize(
    ("value", "loinc"),
    [
        pytest.param("250 pt/mL", toy.SAP_MASS, id="unit and code contradict each other"),
        pytest.param("250 pg/mL", toy.SAP_MASS, id="no limit of sap is in pg/mL"),
    ],
)
@pytest.mark.parametrize("laboratory", ["Laboratory A", "Laboratory B"])
def test_where_no_limit_of_a_study_is_held_against_the_value_no_factor_is_spoken_of(
    value: str, loinc: str, laboratory: str
) -> None:
    """Nothing was multiplied, and nothing left out."""
    family = "points" if "pt" in value else "mass"
    told = notes(answer_to(result(value, loinc), with_factor(laboratory, family)))
    assert told.keys() & {NoteKind.ASSAY_FACTOR, NoteKind.FACTOR_OF_ANOTHER} == set()


def test_a_laboratorys_own_factor_is_for_limits_of_studies_and_is_said() -> None:
    answer = above_its_range(with_factor())
    assert answer.facts["limit.sap-100"].value == "met"
    assert answer.facts["limit.sap-1000"].value == "not-met"
    assert notes(answer)[NoteKind.ASSAY_FACTOR] == {
        "factor": "0.4",
        "laboratory": "Laboratory A",
        "source": "Letter",
        "scaled": "100 pt/mL",
    }
    assert "factor 0.4" in answer.facts["limit.sap-100"].because


def test_the_laboratorys_own_range_and_the_value_shown_are_never_scaled() -> None:
    answer = above_its_range(with_factor())
    assert answer.facts["laboratory-range"].value == "above"
    assert answer.value.text == "250"


def test_a_factor_is_for_its_own_unit_family_only() -> None:
    assert NoteKind.ASSAY_FACTOR not in notes(above_its_range(with_factor(family="mass")))


def test_a_factor_is_exact_whatever_the_number_of_digits() -> None:
    """250 times 0.4 is 100 and met; a hair less is not, also forty digits behind the point."""
    hair = answer_to(result(f"249.{'9' * 40} pt/mL"), with_factor())
    assert hair.facts["limit.sap-100"].value == "not-met"
