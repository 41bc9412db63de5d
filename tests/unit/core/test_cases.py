"""The worked cases of every packaged analyte, and of the toy: they are the specification.

The id of a test is the analyte and the id of its case in `cases.toml`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from cds_service.core.cases import DAY, differences, record_of, with_case_codes
from cds_service.core.concepts import ConceptIndex
from cds_service.core.dates import whole_day
from cds_service.core.elements import (
    Bound,
    Coding,
    Comparator,
    Measured,
    NoValue,
    Number,
    OpenEnd,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
)
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import Availability, LabResult, Patient, RecordKind, Subject
from cds_service.core.quantity import UCUM
from cds_service.core.render import render
from cds_service.core.results.selection import Looking
from cds_service.core.schema import CaseRow, ConceptCode, Expect, Given
from cds_service.core.verdict import Evaluation
from cds_service.evaluate import evaluate
from tests import toy
from tests.packaged import LIBRARY

TOY = toy.knowledge()
FINE_MOULD = ConceptCode(
    system="urn:oid:2.999.1",
    code="fine-mould",
    display="fine-mould",
    match="exact",
    sources=["site file"],
)
BASES = [with_case_codes(base) for base in (*LIBRARY.bases.values(), toy.knowledge())]
CASES = [
    pytest.param(base, case, id=f"{base.identity.id}: {case.id}")
    for base in BASES
    for case in base.cases
]
every_case = pytest.mark.parametrize(("base", "case"), CASES)


def outcome(base: KnowledgeBase, case: CaseRow) -> Evaluation:
    return evaluate(record_of(case.given, base), base, DAY, looking=Looking.RESULT_ARRIVED)


@every_case
def test_a_worked_case_ends_as_it_says(base: KnowledgeBase, case: CaseRow) -> None:
    evaluation = outcome(base, case)
    cards = render(evaluation, base, scope="case")
    assert differences(case, evaluation, cards, base) == []
    assert bool(cards) is (case.expect.outcome != "no-card")


def test_what_a_case_does_not_give_was_looked_for_and_not_found() -> None:
    """Nothing is unknown by accident, as it would be if nobody had looked."""
    parts = {"labs", "conditions", "medications"}
    record = record_of(CASE.given, TOY)
    for given, unknown in ((record, set()), (replace(record, availability={}), parts)):
        (answer,) = evaluate(given, TOY, DAY, looking=Looking.RESULT_ARRIVED).answers
        assert parts & set(answer.missing) == unknown


# ------------------------------------------------------------------ what a case stands for


def test_a_case_is_a_result_of_its_day_with_its_range_and_a_patient_of_its_age() -> None:
    given = Given(loinc=toy.SAP_POINTS, value="<60", unit="pt/mL", age="12", low="20")
    record = record_of(given, TOY)
    points = UnitGiven("pt/mL", "pt/mL", UCUM)
    low = Bound(Number("20", Decimal(20)), points)
    (result,) = record.results
    assert record.patient_id == "case"
    assert result == LabResult(
        ResourceRef("Observation/case", "1"),
        (Coding(LOINC, toy.SAP_POINTS),),
        Status.FINAL,
        Measured(Comparator.LESS, Number("60", Decimal(60)), points),
        Subject.THIS_PATIENT,
        collected=whole_day(DAY),
        issued=whole_day(DAY),
        ranges=(ReferenceRange(low, OpenEnd()),),
        laboratory="Laboratory of the case",
    )
    twelve_since_a_month = whole_day(date(2014, 10, 2))
    assert record.patient == Patient(ResourceRef("Patient/case"), twelve_since_a_month)
    assert record.availability == {
        "patient": Availability.GIVEN,
        **dict.fromkeys(("toy", "labs", "conditions", "medications"), Availability.EMPTY),
    }
    unknown = record_of(Given(loinc=toy.SAP_POINTS), TOY)
    assert unknown.patient == Patient(ResourceRef("Patient/case"))
    (result,) = unknown.results
    assert isinstance(result, LabResult)
    assert (result.value, result.ranges) == (NoValue(), ())


def test_a_unit_that_is_no_ucum_code_is_given_in_words_and_a_range_may_have_its_own() -> None:
    words, own = "points/mL", "dpt/mL"
    given = Given(loinc=toy.SAP_POINTS, value="9", unit=words, high="90", range_unit=own)
    (result,) = record_of(given, TOY).results
    assert isinstance(result, LabResult)
    assert isinstance(result.value, Measured)
    assert result.value.unit == UnitGiven(words)
    (range_,) = result.ranges
    bound = Bound(Number("90", Decimal(90)), UnitGiven(own, own, UCUM))
    assert (range_.low, range_.high) == (OpenEnd(), bound)


@pytest.mark.parametrize(
    ("kind", "specimen"),
    [
        ("", SpecimenGiven()),
        ("dew", SpecimenGiven(SpecimenLink.RESOLVED, (Coding(toy.SPECIMENS, "DEW"),))),
        ("not-covered", SpecimenGiven(SpecimenLink.RESOLVED, (Coding(toy.SPECIMENS, "RESIN"),))),
        ("rain", SpecimenGiven(SpecimenLink.RESOLVED, (Coding("", "rain"),))),
    ],
)
def test_the_specimen_of_a_case_has_a_code_of_its_kind(kind: str, specimen: SpecimenGiven) -> None:
    (result,) = record_of(Given(loinc=toy.SAP_POINTS, specimen=kind), TOY).results
    assert isinstance(result, LabResult)
    assert result.specimen == specimen


@pytest.mark.parametrize(
    ("text", "loinc"),
    [("600 ng/mL", "9000021-7"), ("9 pmol/L", "9000022-5"), ("9 fathoms per day", "9000021-7")],
)
def test_a_companion_has_the_code_of_its_unit_else_the_first(text: str, loinc: str) -> None:
    (found,) = record_of(Given(companions={"ferritin": text}), TOY).companions
    assert isinstance(found, LabResult)
    assert found.ref == ResourceRef("Observation/ferritin", "1")
    assert found.codings == (Coding(LOINC, loinc),)
    assert (found.status, found.subject) == (Status.FINAL, Subject.THIS_PATIENT)
    assert found.collected == whole_day(DAY)
    assert isinstance(found.value, Measured)
    assert (found.value.number.text, found.value.unit.text) == tuple(text.split(" ", 1))


def test_the_other_result_of_a_pair_is_of_the_other_specimen_and_says_so() -> None:
    given = Given(loinc=toy.DEW_MASS, value="51", unit="pg/mL", pair="300 ng/mL")
    (paired,) = record_of(given, TOY).history
    assert paired.ref == ResourceRef("Observation/pair", "1")
    assert paired.codings == (Coding(LOINC, toy.SAP_MASS),)
    assert paired.specimen == SpecimenGiven(SpecimenLink.RESOLVED, (Coding(toy.SPECIMENS, "SAP"),))
    assert isinstance(paired.value, Measured)
    assert (paired.value.number.text, paired.value.unit.text) == ("300", "ng/mL")


def test_a_concept_without_a_code_gets_one_of_the_site_and_only_such_a_concept() -> None:
    prepared, before = with_case_codes(TOY), TOY.conditions.concepts
    assert {name: concept.code for name, concept in prepared.conditions.concepts.items()} == {
        "mould": before["mould"].code,
        "fine-mould": (FINE_MOULD,),
        "blight": (),
    }
    assert prepared.medications.concepts == TOY.medications.concepts
    moonlight = TOY.medications.concepts["moonlight"].model_copy(update={"code": ()})
    uncoded = with_case_codes(replace(TOY, medications=ConceptIndex([moonlight])))
    (local,) = uncoded.medications.concepts["moonlight"].code
    assert (local.system, local.code) == ("urn:oid:2.999.1", "moonlight")
    given = Given(conditions=("mould", "fine-mould"), medications=("sunlight",))
    assert [(entry.kind, entry.codings) for entry in record_of(given, prepared).entries] == [
        (RecordKind.CONDITION, (Coding(toy.CONCEPTS, "M10"),)),
        (RecordKind.CONDITION, (Coding("urn:oid:2.999.1", "fine-mould"),)),
        (RecordKind.MEDICATION, (Coding(toy.CONCEPTS, "SUN"),)),
    ]
    assert record_of(given, TOY).entries == record_of(given, prepared).entries


# ------------------------------------------------------------------ cases can fail

CASE = TOY.cases[0]
EVALUATION = outcome(TOY, CASE)
CARDS = render(EVALUATION, TOY, scope="case")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"outcome": "not-interpretable", "reason": "unit-missing"},
            "interpreted , expected not-interpretable unit-missing",
        ),
        ({"outcome": "no-card"}, "a card where none was expected"),
        (
            {"findings": [*CASE.expect.findings, "dew-high"]},
            "not expected: [], absent: ['dew-high']",
        ),
        (
            {"findings": CASE.expect.findings[1:]},
            f"not expected: ['{CASE.expect.findings[0]}'], absent: []",
        ),
        ({"missing": ["unit"]}, "expected at least ['unit']"),
        ({"items": {"cytopenia": "met"}}, "item cytopenia unknown, expected met"),
        ({"notes": ("items-met",)}, "notes [], expected at least ['items-met']"),
        ({"indicator": "info"}, "indicator warning, expected info"),
    ],
)
def test_an_expectation_that_is_not_met_is_told(changes: dict[str, object], told: str) -> None:
    wrong = CASE.model_copy(update={"expect": CASE.expect.model_copy(update=changes)})
    (said,) = differences(wrong, EVALUATION, CARDS, TOY)
    assert told in said


def test_of_a_result_that_is_not_read_every_item_is_unknown() -> None:
    given = CASE.given.model_copy(update={"unit": ""})
    expect = Expect(outcome="not-interpretable", reason="unit-missing", items={"ferritin": "met"})
    case = CASE.model_copy(update={"given": given, "expect": expect})
    evaluation = outcome(TOY, case)
    said = differences(case, evaluation, render(evaluation, TOY, scope="case"), TOY)
    assert said == ["item ferritin unknown, expected met"]


def test_a_card_that_was_expected_and_did_not_come_is_told() -> None:
    said = differences(CASE, replace(EVALUATION, answers=()), (), TOY)
    assert said == ["no card, expected interpreted"]
