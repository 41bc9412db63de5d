"""What a result is: its analyte, specimen and value, each settled by codes or a named reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import (
    Coding,
    LabValue,
    Measured,
    NotNumeric,
    NoValue,
    SpecimenGiven,
    SpecimenLink,
    UnitGiven,
    ValueForm,
)
from cds_service.core.knowledge import LOINC
from cds_service.core.quantity import UCUM
from cds_service.core.results.reading import (
    CodesConflict,
    LookAlike,
    NotOurs,
    NotUnderstood,
    OurAnalyte,
    Understood,
    analyte_of,
    specimen_of,
    value_of,
)
from cds_service.core.verdict import NotInterpretable, Reason
from tests import toy
from tests.records import coded, measured, number, result, specimen, text_only

TOY = toy.knowledge()
LOCAL = Coding("urn:oid:2.999.2", "TOY-S")
WITH_LOCAL_CODE = replace(TOY, local_codes={(LOCAL.system, LOCAL.code): toy.SAP_POINTS})
FERRITIN = "9000021-7"


def loinc(code: str) -> Coding:
    return Coding(LOINC, code)


# ------------------------------------------------------------------ which analyte


def test_an_accepted_code_is_our_analyte() -> None:
    found = analyte_of([loinc(toy.DEW_MASS)], TOY)
    assert found == OurAnalyte(TOY.accepted[toy.DEW_MASS])


def test_codes_nobody_knows_beside_ours_do_no_harm() -> None:
    others = [Coding("urn:oid:2.999", "X"), loinc("718-7")]
    assert analyte_of([*others, loinc(toy.SAP_MASS)], TOY) == OurAnalyte(TOY.accepted[toy.SAP_MASS])


def test_a_code_of_another_system_is_not_loinc() -> None:
    assert analyte_of([Coding("urn:oid:2.999", toy.SAP_MASS)], TOY) == NotOurs()


def test_the_code_that_names_a_specimen_speaks_where_both_agree() -> None:
    found = analyte_of([loinc(toy.ANY_MASS), loinc(toy.SAP_MASS)], TOY)
    assert found == OurAnalyte(TOY.accepted[toy.SAP_MASS])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(toy.SAP_POINTS, toy.SAP_MASS, id="two properties"),
        pytest.param(toy.SAP_MASS, toy.DEW_MASS, id="two specimens"),
        pytest.param(toy.SAP_MASS, toy.LOOK_ALIKE, id="ours and a look-alike"),
        pytest.param(toy.SAP_MASS, FERRITIN, id="ours and a companion test"),
    ],
)
def test_two_codes_that_contradict_each_other_are_a_conflict(one: str, other: str) -> None:
    for codes in ((one, other), (other, one)):
        assert analyte_of(map(loinc, codes), TOY) == CodesConflict(codes)


def test_a_code_given_twice_does_not_contradict_itself() -> None:
    twice = [loinc(toy.SAP_MASS), loinc(toy.SAP_MASS)]
    assert analyte_of(twice, TOY) == OurAnalyte(TOY.accepted[toy.SAP_MASS])


def test_a_refused_code_is_a_look_alike() -> None:
    assert analyte_of([loinc(toy.LOOK_ALIKE)], TOY) == LookAlike(TOY.refused[toy.LOOK_ALIKE])


def test_of_two_refused_codes_the_one_worth_telling_speaks() -> None:
    both = [loinc(toy.LOOK_ALIKE_TO_IGNORE), loinc(toy.LOOK_ALIKE)]
    assert analyte_of(both, TOY) == LookAlike(TOY.refused[toy.LOOK_ALIKE])


def test_no_code_at_all_is_not_ours() -> None:
    assert analyte_of([], TOY) == NotOurs()


def test_a_local_code_means_what_the_site_says() -> None:
    assert analyte_of([LOCAL], TOY) == NotOurs()
    assert analyte_of([LOCAL], WITH_LOCAL_CODE) == OurAnalyte(TOY.accepted[toy.SAP_POINTS])


def test_a_local_code_can_contradict_a_loinc_code() -> None:
    found = analyte_of([LOCAL, loinc(toy.SAP_MASS)], WITH_LOCAL_CODE)
    assert found == CodesConflict((toy.SAP_POINTS, toy.SAP_MASS))


# ------------------------------------------------------------------ which specimen

UNRESOLVED = SpecimenGiven(SpecimenLink.UNRESOLVED)
UNKNOWN_CODE = specimen("WATER")
NONE = SpecimenGiven()
CONFLICT = Reason.SPECIMEN_CONFLICT
UNKNOWN = Reason.SPECIMEN_UNKNOWN


@pytest.mark.parametrize(
    ("code", "given", "kind"),
    [
        pytest.param(toy.SAP_MASS, NONE, "sap", id="the code names it, nothing else is said"),
        pytest.param(toy.SAP_MASS, UNRESOLVED, "sap", id="the code names it, the link is dead"),
        pytest.param(toy.SAP_MASS, specimen("SAP"), "sap", id="both agree"),
        pytest.param(toy.SAP_MASS, specimen("RISING-SAP", "SAP"), "sap", id="two codes, one kind"),
        pytest.param(toy.SAP_MASS, specimen("WATER", "SAP"), "sap", id="one known, one unknown"),
        pytest.param(toy.ANY_MASS, specimen("DEW"), "dew", id="only the specimen names it"),
        pytest.param(toy.SAP_MASS, specimen("DEW"), CONFLICT, id="code against specimen"),
        pytest.param(toy.SAP_MASS, specimen("RESIN"), CONFLICT, id="code against another fluid"),
        pytest.param(toy.ANY_MASS, specimen("SAP", "DEW"), CONFLICT, id="two kinds in one type"),
        pytest.param(toy.ANY_MASS, NONE, UNKNOWN, id="nobody names it"),
        pytest.param(toy.ANY_MASS, UNRESOLVED, UNKNOWN, id="the link is dead"),
        pytest.param(toy.ANY_MASS, UNKNOWN_CODE, UNKNOWN, id="an unknown type"),
        pytest.param(toy.SAP_MASS, UNKNOWN_CODE, UNKNOWN, id="an unknown type beside the code"),
        pytest.param(
            toy.ANY_MASS, specimen("RESIN"), Reason.SPECIMEN_NOT_COVERED, id="another fluid"
        ),
    ],
)
def test_the_specimen_is_what_code_and_type_agree_on(
    code: str, given: SpecimenGiven, kind: str | Reason
) -> None:
    found = specimen_of(result(specimen=given), TOY.accepted[code], TOY)
    assert (found.reason if isinstance(found, NotInterpretable) else found) == kind


def test_a_dead_link_is_told_apart_from_silence() -> None:
    dead = specimen_of(result(specimen=UNRESOLVED), TOY.accepted[toy.ANY_MASS], TOY)
    assert dead == NotInterpretable(UNKNOWN, "unresolved")


@pytest.mark.parametrize(
    ("code", "codes", "expected"),
    [
        pytest.param(toy.SAP_MASS, ["DEW"], CONFLICT, id="against the code"),
        pytest.param(toy.SAP_MASS, ["RESIN"], CONFLICT, id="another fluid"),
        pytest.param(toy.SAP_MASS, ["SAP"], "sap", id="both agree"),
        pytest.param(toy.SAP_MASS, [], "sap", id="only the code"),
        pytest.param(toy.SAP_MASS, ["WATER"], "not settled", id="an unknown code"),
        pytest.param(toy.ANY_MASS, ["DEW"], "not settled", id="only the specimen"),
    ],
)
@pytest.mark.parametrize("link", [SpecimenLink.INVALID, SpecimenLink.UNCERTAIN])
def test_a_specimen_that_is_invalid_or_may_not_be_meant_can_contradict_and_settles_nothing(
    link: SpecimenLink, code: str, codes: list[str], expected: str | Reason
) -> None:
    given = replace(specimen(*codes), link=link)
    match specimen_of(result(specimen=given), TOY.accepted[code], TOY):
        case NotInterpretable(Reason.SPECIMEN_UNKNOWN, detail):
            assert (expected, detail) == ("not settled", link.value)
        case NotInterpretable(reason):
            assert reason is expected
        case kind:
            assert kind == expected


def test_text_is_never_evidence_for_a_specimen() -> None:
    by_display = SpecimenGiven(SpecimenLink.RESOLVED, (Coding("", "", "sap"),))
    found = specimen_of(result(specimen=by_display), TOY.accepted[toy.ANY_MASS], TOY)
    assert found == NotInterpretable(UNKNOWN)


# ------------------------------------------------------------------ which value


def result_of(value: LabValue) -> Understood | NotUnderstood:
    return value_of(replace(result(), value=value), TOY)


@pytest.mark.parametrize(
    ("value", "because"),
    [
        pytest.param(NoValue("unknown"), Reason.VALUE_ABSENT, id="absent"),
        pytest.param(NotNumeric("valueRatio"), Reason.VALUE_NOT_NUMERIC, id="a ratio"),
        pytest.param(measured("150"), Reason.UNIT_MISSING, id="no unit"),
        pytest.param(measured("150 mg"), Reason.UNIT_UNKNOWN, id="a unit nobody knows"),
        pytest.param(
            measured("150 mg", ValueForm.TEXT), Reason.VALUE_NOT_NUMERIC, id="text, unit unknown"
        ),
        pytest.param(measured("150 pmol/L"), Reason.UNIT_MOLE, id="moles"),
        pytest.param(measured("-1 pg/mL"), Reason.IMPLAUSIBLE_VALUE, id="below zero"),
        pytest.param(measured("<0 pg/mL"), Reason.IMPLAUSIBLE_VALUE, id="less than zero"),
        pytest.param(measured("1e9 pg/mL"), Reason.IMPLAUSIBLE_VALUE, id="a thousand million"),
        pytest.param(measured("<1e9 pg/mL"), Reason.IMPLAUSIBLE_VALUE, id="less than that"),
    ],
)
def test_a_value_that_cannot_be_used_has_a_reason(value: LabValue, because: Reason) -> None:
    found = result_of(value)
    assert isinstance(found, NotUnderstood)
    assert found.because.reason is because


@pytest.mark.parametrize("text", ["0 pg/mL", "<=0 pg/mL", "999999999.9 ng/mL", ">0 pt/mL"])
def test_zero_and_just_under_a_thousand_million_are_values(text: str) -> None:
    found = result_of(measured(text))
    assert isinstance(found, Understood)
    assert f"{found.value.text} {found.value.unit}" == text


def test_a_value_is_shown_as_it_came_also_where_it_cannot_be_used() -> None:
    families = {"<150.10 pg/mL": "mass", "<150.10 mg": "", "<150.10 pmol/L": ""}
    for value, family in families.items():
        shown = result_of(measured(value)).value
        assert (shown.text, shown.family) == ("<150.10", family)


def test_the_unit_shown_is_the_text_else_the_code() -> None:
    by_text = Measured(measured("1").comparator, number("1"), text_only("points/mL"))
    only_code = replace(by_text, unit=replace(coded("pt/mL"), text=""))
    assert result_of(by_text).value.unit == "points/mL"
    assert result_of(only_code).value.unit == "pt/mL"


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        (UnitGiven("banana", "apple", UCUM), "banana or apple"),
        (UnitGiven("banana", "banana", UCUM), "banana"),
        (UnitGiven("banana", "", UCUM), "banana"),
        (UnitGiven("", "apple", UCUM), "apple"),
        (UnitGiven("banana", "apple", "urn:oid:2.999"), "banana"),
    ],
)
def test_of_a_unit_nobody_knows_both_are_shown_where_text_and_code_differ(
    unit: UnitGiven, shown: str
) -> None:
    assert result_of(replace(measured("150 mg"), unit=unit)).value.unit == shown


def test_an_absent_value_keeps_the_reason_the_laboratory_gave() -> None:
    found = result_of(NoValue("not-performed"))
    assert isinstance(found, NotUnderstood)
    assert found.because == NotInterpretable(Reason.VALUE_ABSENT, "not-performed")
