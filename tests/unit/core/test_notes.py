"""What stands beside the findings: what is odd about a result, its dates, and its unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cds_service.core.elements import (
    Coding,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
    ValueForm,
)
from cds_service.core.model import Availability, LabResult, PatientRecord
from cds_service.core.note import NoteKind
from cds_service.core.quantity import UCUM
from tests import toy
from tests.records import (
    LOOKED_FOR,
    NOBODY,
    answer_to,
    evaluated,
    measured,
    named,
    notes,
    record,
    result,
    specimen,
    text_only,
)

TOY = toy.knowledge()


def of(given: LabResult | PatientRecord) -> dict[NoteKind, dict[str, str | tuple[str, ...]]]:
    return notes(answer_to(given))


def test_a_plain_coded_final_dated_result_needs_no_note() -> None:
    assert of(result()) == {}


def test_a_unit_read_by_assumption_is_told_with_the_assumption() -> None:
    value = replace(measured("250 pt/mL"), unit=text_only("points/mL"))
    told = of(replace(result(), value=value))
    assert told[NoteKind.UNIT_ASSUMED] == {
        "unit": "points/mL",
        "sentence": "Written out; read as pt/mL.",
    }


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("banana", "apple", {"unit": "banana", "code": "apple"}),
        ("ng/mL", "apple", {"unit": "ng/mL", "code": "apple"}),
        ("banana", "banana", {}),
        ("banana", "", {}),
        ("", "apple", {}),
    ],
)
def test_a_unit_that_is_not_understood_is_told_twice_where_text_and_code_differ(
    text: str, code: str, told: dict[str, str]
) -> None:
    value = replace(measured("250 pt/mL"), unit=UnitGiven(text, code, UCUM))
    assert of(replace(result(), value=value)).get(NoteKind.UNIT_TEXT_AND_CODE, {}) == told


def test_a_specimen_whose_codes_are_unknown_is_told_whatever_the_test_code_says() -> None:
    unknown = SpecimenGiven(
        SpecimenLink.RESOLVED, (Coding("urn:a", "LIQ", "Liquor"), Coding("urn:b", "7"))
    )
    for value, code in (("250 pt/mL", toy.SAP_POINTS), ("250 pg/mL", toy.ANY_MASS)):
        told = of(named("r", value, code, specimen=unknown))
        assert told[NoteKind.SPECIMEN_CODE_UNKNOWN] == {"codes": ("LIQ (Liquor)", "7")}
    for link in (SpecimenLink.NONE, SpecimenLink.UNRESOLVED):
        given = named("r", "250 pg/mL", toy.ANY_MASS, specimen=SpecimenGiven(link))
        assert NoteKind.SPECIMEN_CODE_UNKNOWN not in of(given)


def test_an_invalid_specimen_is_told_where_it_leaves_the_specimen_open() -> None:
    invalid = SpecimenGiven(SpecimenLink.INVALID, where="Specimen.status")
    told = {NoteKind.SPECIMEN_INVALID: {"where": "Specimen.status"}}
    assert of(named("r", "250 pg/mL", toy.ANY_MASS, specimen=invalid)).items() >= told.items()
    dew = replace(specimen("DEW"), link=SpecimenLink.INVALID, where="Specimen.status")
    assert of(named("r", "250 pt/mL", toy.SAP_POINTS, specimen=dew)).items() >= told.items()
    for settled in (invalid, replace(dew, codings=())):
        given = named("r", "250 pt/mL", toy.SAP_POINTS, specimen=settled)
        assert NoteKind.SPECIMEN_INVALID not in of(given)


def test_a_specimen_that_may_not_be_meant_is_told_where_it_leaves_the_specimen_open() -> None:
    dew = replace(specimen("DEW"), link=SpecimenLink.UNCERTAIN)
    for value, code in (("250 pg/mL", toy.ANY_MASS), ("250 pt/mL", toy.SAP_POINTS)):
        assert NoteKind.SPECIMEN_UNCERTAIN in of(named("r", value, code, specimen=dew))
    sap = replace(specimen("SAP"), link=SpecimenLink.UNCERTAIN)
    settled = of(named("r", "250 pt/mL", toy.SAP_POINTS, specimen=sap))
    assert NoteKind.SPECIMEN_UNCERTAIN not in settled


def test_a_month_to_come_is_a_date_that_cannot_be_right_and_no_open_day() -> None:
    told = {"value": "250 pt/mL", "date": "2026-12"}
    assert of(result(on="2026-12")) == {NoteKind.DATE_AHEAD: told}


def test_a_unit_without_a_code_is_told() -> None:
    value = replace(measured("250 pt/mL"), unit=text_only("pt/mL"))
    assert of(replace(result(), value=value)) == {NoteKind.UNIT_FROM_TEXT: {"unit": "pt/mL"}}


def test_a_value_that_came_as_text_is_told_once_not_twice() -> None:
    value = replace(measured("<50 pt/mL", ValueForm.TEXT), unit=text_only("pt/mL"))
    assert of(replace(result(), value=value)) == {NoteKind.VALUE_FROM_TEXT: {"value": "<50 pt/mL"}}


def test_a_code_whose_name_lacks_the_decisive_word_is_told() -> None:
    told = of(named("r", "250 pg/mL", toy.ANY_MASS, specimen=specimen("SAP")))
    assert told[NoteKind.NAME_NOT_SOLUBLE]["loinc"] == toy.ANY_MASS


def test_a_result_without_any_date_is_told() -> None:
    assert NoteKind.COLLECTION_UNKNOWN in of(result(on=""))


def test_knowledge_past_its_review_is_never_served_silently() -> None:
    due = TOY.identity.review_by
    for day, overdue in ((due, False), (date(due.year, due.month, due.day + 1), True)):
        (answer,) = evaluated(record(result()), at=day).answers
        assert (NoteKind.REVIEW_OVERDUE in notes(answer)) is overdue


def test_knowledge_past_its_review_says_so_beside_all_else() -> None:
    given, due = record(result("250 pt/mL", status=Status.CORRECTED)), TOY.identity.review_by
    usual = notes(answer_to(given, at=due))
    assert NoteKind.CORRECTED in usual
    assert usual.items() <= notes(answer_to(given, at=due + timedelta(days=1))).items()


def test_a_patient_of_another_id_is_told() -> None:
    availability = {**LOOKED_FOR, "patient": Availability.OF_ANOTHER_PATIENT}
    told = of(record(result(), patient=NOBODY, availability=availability))
    assert NoteKind.PATIENT_OF_ANOTHER in told


def test_parts_of_which_only_one_page_was_had_are_told_by_name() -> None:
    availability = {**LOOKED_FOR, **dict.fromkeys(("labs", "conditions"), Availability.PARTIAL)}
    told = of(record(result(), availability=availability))
    assert told[NoteKind.MORE_MAY_EXIST] == {"part": ("labs", "conditions")}


def test_a_part_that_failed_is_told_by_name() -> None:
    availability = {**LOOKED_FOR, "conditions": Availability.FAILED}
    told = of(record(result(), availability=availability))
    assert told[NoteKind.DATA_FAILED] == {"part": "conditions"}


@pytest.mark.parametrize(
    "given",
    [
        result("250"),
        result("250 mg"),
        named("r", "250 pg/mL", toy.ANY_MASS),
        result("250 pt/mL", toy.SAP_MASS),
    ],
)
def test_a_card_that_cannot_interpret_says_what_to_do_for_an_ill_patient(given: LabResult) -> None:
    assert NoteKind.URGENT_IF_ILL in of(given)
