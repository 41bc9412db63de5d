"""Results of other tests that are there and cannot be used: they are named, and never counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import Coding, NotNumeric, NoValue, Status, UnitGiven
from cds_service.core.knowledge import LOINC
from cds_service.core.model import LabResult
from cds_service.core.quantity import UCUM
from tests import records
from tests.unit.cards.given import (
    CSF_MASS,
    FERRITIN,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card,
    drawn,
)

NANOGRAMS, MILLIGRAMS = UnitGiven("ng/mL", "ng/mL", UCUM), UnitGiven("mg/L")
MILLIGRAMS_CODED_AS_NANOGRAMS = UnitGiven("mg/L", "ng/mL", UCUM)
LEFT = "could not be used, because of their unit: "


def ferritin(value: str, unit: UnitGiven, name: str = "f", **changes: Any) -> LabResult:
    received = records.named(name, value, FERRITIN, **changes)
    return replace(received, value=replace(records.measured(value), unit=unit))


@pytest.mark.parametrize(
    ("unit", "is_missing"), [(NANOGRAMS, False), (MILLIGRAMS_CODED_AS_NANOGRAMS, True)]
)
def test_a_companion_whose_unit_text_is_another_unit_than_its_code_is_missing(
    unit: UnitGiven, is_missing: bool
) -> None:
    told = card("5230 U/mL", companions=(ferritin("5200", unit),))
    assert ("ferritin" in told.extension["missing"]) is is_missing


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        (MILLIGRAMS, "ferritin 12 mg/L"),
        (MILLIGRAMS_CODED_AS_NANOGRAMS, "ferritin 12 mg/L or ng/mL"),
        (UnitGiven(), "ferritin 12"),
        (UnitGiven("pmol/L"), "ferritin 12 pmol/L"),
        (UnitGiven("pmol/l", "pmol/L", UCUM), "ferritin 12 pmol/l"),
    ],
    ids=[
        *("a slip or a thousand times", "two units", "no unit", "moles under the code of a mass"),
        "one unit with the litre in two letters",
    ],
)
@pytest.mark.parametrize(
    ("value", "loinc"),
    [
        ("1800 U/mL", SERUM_U),
        ("1800", SERUM_U),
        ("1800 U/mL", SERUM_MASS),
        ("90 pg/mL", CSF_MASS),
    ],
)
def test_another_result_whose_unit_is_not_understood_is_named_and_not_only_called_missing(
    unit: UnitGiven, told: str, value: str, loinc: str
) -> None:
    """Ferritin of 12 mg/L, which would be 12,000 ng/mL: "missing" alone hides that it was done."""
    said = card(value, loinc, companions=(ferritin("12", unit),))
    assert f"{LEFT}{told}. They are not counted" in said.detail
    assert {"resource": "Observation/f", "version": "1"} in said.extension["inputs"]


@pytest.mark.parametrize(
    ("platelets", "neutrophils", "calls"),
    [("40 10*9/L", "0.4 10*9/L", True), ("240 10*9/L", "4.0 10*9/L", False)],
    ids=["fallen", "normal"],
)
def test_beside_an_item_that_is_met_one_that_cannot_be_read_says_when_to_call(
    platelets: str, neutrophils: str, calls: bool
) -> None:
    """Ferritin of 12 mg/L may be the second item; beside normal counts it would be the first."""
    counts = drawn(f"platelets {platelets}", f"neutrophils {neutrophils}")
    labs = (*counts, ferritin("12", MILLIGRAMS))
    told = card("300 U/mL", ranges=LABCORP, companions=labs).detail
    assert (URGENT in told) is calls
    assert URGENT not in card("300 U/mL", ranges=LABCORP, companions=counts).detail


@pytest.mark.parametrize(("value", "loinc"), [("300 umol/L", "14682-9"), ("900 mg/mL", "2571-8")])
def test_one_that_cannot_be_the_second_item_does_not_call(value: str, loinc: str) -> None:
    """Creatinine is no item of HLH-2004, and triglycerides are the same item as the fibrinogen."""
    labs = (*drawn("fibrinogen 0.9 g/L"), records.named("left", value, loinc))
    told = card("300 U/mL", ranges=LABCORP, companions=labs).detail
    assert LEFT in told
    assert URGENT not in told


def test_one_that_can_be_read_does_not_hide_one_that_cannot() -> None:
    """Ferritin of 480 ng/mL and of 5.2 mg/L in one sample, beside fibrinogen of 0.9 g/L."""
    both = (ferritin("480", NANOGRAMS), ferritin("5.2", MILLIGRAMS, "g"))
    labs = (*both, *drawn("fibrinogen 0.9 g/L"))
    told = card("300 U/mL", ranges=LABCORP, companions=labs).detail
    assert f"{LEFT}ferritin 5.2 mg/L. " in told
    assert URGENT in told


def test_of_a_week_of_such_results_the_nearest_is_named() -> None:
    week = tuple(
        ferritin(f"1{day}", MILLIGRAMS, str(day), on=f"2026-03-0{day}") for day in range(1, 7)
    )
    for companions in (week, week[::-1]):
        assert f"{LEFT}ferritin 11 mg/L. " in card("1800 U/mL", companions=companions).detail


def test_a_result_in_moles_is_named_where_it_is_called_missing() -> None:
    """Creatinine is asked for in blood, where kidneys raise the value, and not in CSF."""
    moles = (records.named("c", "300 umol/L", "14682-9"),)
    blood = card("1800 U/mL", companions=moles)
    assert f"{LEFT}creatinine 300 umol/L. " in blood.detail
    assert "creatinine" in blood.extension["missing"]
    assert LEFT not in card("90 pg/mL", CSF_MASS, companions=moles).detail


@pytest.mark.parametrize(
    "companions",
    [
        (ferritin("12", UnitGiven("pmol/L", "pmol/L", UCUM)), ferritin("9", NANOGRAMS, "g")),
        (ferritin("12", MILLIGRAMS, status=Status.PRELIMINARY),),
        (ferritin("12", MILLIGRAMS, on="2026-01-01"),),
        drawn("albumin-serum 55 %"),
        (ferritin("-5", NANOGRAMS),),
        (ferritin("<0", NANOGRAMS),),
    ],
    ids=[
        "beside one that is read",
        "not final",
        "too long ago",
        "albumin, which no limit is for",
        "in its unit, below zero",
        "in its unit, no value at all",
    ],
)
def test_what_is_read_or_is_of_no_use_is_not_named_so(companions: tuple[LabResult, ...]) -> None:
    assert LEFT not in card("1800 U/mL", companions=companions).detail


# ------------------------------------------------------------------ there, and not final yet

AWAITED = "Results of other tests are there that are not final: "
FALLEN = drawn("platelets 20 10*9/L", "neutrophils 0.4 10*9/L")


def assert_named_and_not_counted(said: Card, name: str) -> None:
    """Beside fallen counts the card rests on the result too, and says what to do if it is grave."""
    assert {"resource": name, "version": "1"} in said.extension["inputs"]
    assert "items are met" not in said.summary  # nothing is decided by it
    assert URGENT in said.detail


@pytest.mark.parametrize(
    ("value", "loinc"),
    [("900 U/mL", SERUM_U), ("900", SERUM_U), ("900 U/mL", SERUM_MASS), ("90 pg/mL", CSF_MASS)],
)
def test_a_companion_that_is_not_final_is_named_and_not_only_called_missing(
    value: str, loinc: str
) -> None:
    """Ferritin of 12,000 ng/mL: the card said "HLH less likely" and that ferritin was missing."""
    early = ferritin("12000", NANOGRAMS, status=Status.PRELIMINARY)
    said = card(value, loinc, companions=(*FALLEN, early))
    assert f"{AWAITED}ferritin 12000 ng/mL. They may still change" in said.detail
    assert_named_and_not_counted(said, "Observation/f")


@pytest.mark.parametrize(
    ("on", "is_named"), [("2026-03-01", True), ("2026-02-26", True), ("2026-02-23", False)]
)
def test_it_is_named_where_it_is_nearer_than_a_final_one(on: str, *, is_named: bool) -> None:
    """Final: 300 ng/mL, five days before the sample."""
    final = ferritin("300", NANOGRAMS, "final", on="2026-02-24")
    early = ferritin("12000", NANOGRAMS, on=on, status=Status.PRELIMINARY)
    said = card("900 U/mL", companions=(final, early)).detail
    assert (AWAITED in said) is is_named


def test_one_without_a_value_or_of_a_test_that_no_limit_is_for_is_not_named() -> None:
    empty = replace(ferritin("1", NANOGRAMS, status=Status.PRELIMINARY), value=NoValue("pending"))
    albumin = replace(drawn("albumin-serum 40 g/L")[0], status=Status.PRELIMINARY)
    assert AWAITED not in card("900 U/mL", companions=(empty, albumin)).detail


def test_an_earlier_state_of_a_final_one_is_not_awaited() -> None:
    """Of one id, and nothing tells the versions apart but that one of them is final."""
    final = ferritin("300", NANOGRAMS)
    early = ferritin("12000", NANOGRAMS, status=Status.PRELIMINARY)
    for versions in ((final, early), (early, final)):
        assert AWAITED not in card("900 U/mL", companions=versions).detail


# ------------------------------------------------------------------ counts on other scales


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (("platelets 9.9 10*4/uL", "neutrophils 0.9 /nL"), "met"),
        (("platelets 10.0 10*4/uL", "neutrophils 0.9 /nL"), "not met"),
        (("platelets 9.9 10^4/uL", "neutrophils 1.0 /nL"), "not met"),
        (("platelets 99 /nL", "neutrophils 0.9 10*9/L"), "met"),
    ],
)
def test_a_count_in_ten_thousands_or_by_the_nanolitre_is_held_against_its_limit(
    counts: tuple[str, ...], state: str
) -> None:
    """Platelets of 9.9 ten thousands are 99 x 10*9/L, with the limit at 100."""
    haemoglobin = "haemoglobin 120 g/L"
    said = card("5200 U/mL", companions=drawn(haemoglobin, *counts)).detail
    (items,) = [line for line in said.splitlines() if "Two of three: haemoglobin" in line]
    assert f"neutrophils below 1.0 x 10^9/L: {state} (" in items


# ------------------------------------------------------------------ there, and in words

WORDED = "in another form that is not one number with a unit: "


def in_words(name: str = "w", kind: str = "valueString", **changes: Any) -> LabResult:
    """As `>40000` comes through many interfaces: a text, its unit gone."""
    return replace(ferritin("40000", NANOGRAMS, name, **changes), value=NotNumeric(kind))


@pytest.mark.parametrize("kind", ["valueString", "valueCodeableConcept", "valueInteger"])
@pytest.mark.parametrize(
    ("value", "loinc"), [("900 U/mL", SERUM_U), ("900", SERUM_U), ("90 pg/mL", CSF_MASS)]
)
def test_a_companion_in_words_is_named_and_not_only_called_missing(
    value: str, loinc: str, kind: str
) -> None:
    """The highest ferritins come so; the card said that ferritin was missing."""
    said = card(value, loinc, companions=(*FALLEN, in_words(kind=kind)))
    assert f"{WORDED}ferritin. They are not counted" in said.detail
    assert_named_and_not_counted(said, "Observation/w")


@pytest.mark.parametrize(
    ("on", "is_named"), [("2026-03-01", True), ("2026-02-26", True), ("2026-02-23", False)]
)
def test_it_is_named_where_it_is_nearer_than_a_number(on: str, *, is_named: bool) -> None:
    number = ferritin("300", NANOGRAMS, "number", on="2026-02-24")
    said = card("900 U/mL", companions=(number, in_words(on=on))).detail
    assert (WORDED in said) is is_named


def test_a_code_of_another_system_that_reads_as_one_of_a_test_names_no_test() -> None:
    ours = in_words()
    local = tuple(Coding("urn:oid:2.999.2", coding.code) for coding in ours.codings)
    other = replace(ours, codings=(*local, Coding(LOINC, "718-7")))
    said = card("900 U/mL", companions=(other,)).detail
    assert f"{WORDED}haemoglobin. " in said


def test_a_nearer_result_that_holds_nothing_at_all_hides_no_words() -> None:
    nothing = replace(ferritin("300", NANOGRAMS, "nothing"), value=NoValue("not-performed"))
    said = card("900 U/mL", companions=(nothing, in_words(on="2026-02-26"))).detail
    assert f"{WORDED}ferritin" in said


@pytest.mark.parametrize("name", ["a", "z"])
def test_a_remark_beside_a_number_of_the_same_time_is_not_named(name: str) -> None:
    number = ferritin("300", NANOGRAMS, "number")
    assert WORDED not in card("900 U/mL", companions=(number, in_words(name))).detail


@pytest.mark.parametrize(
    "changes", [{"status": Status.PRELIMINARY}, {"on": "2026-01-01"}], ids=["not final", "long ago"]
)
def test_words_that_are_of_no_use_are_not_named(changes: dict[str, Any]) -> None:
    assert WORDED not in card("900 U/mL", companions=(in_words(**changes),)).detail
