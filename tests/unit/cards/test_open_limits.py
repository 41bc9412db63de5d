"""Limits that cannot be told: they are named, and never reassure instead."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.core.elements import ReferenceRange, Status
from tests import records
from tests.unit.cards.given import (
    ARUP,
    CSF_MASS,
    CSF_U,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card,
    card_of,
    drawn,
    named,
    recorded,
    result,
)

HLH_2004_OPEN = (
    "the sIL-2R criterion of HLH-2004, which is in U/mL, is neither met nor not met here"
)


# ------------------------------------------------------------------ a unit without a limit


@pytest.mark.parametrize(
    ("value", "ranges"),
    [("9000 pg/mL", ARUP), ("2400 pg/mL", ARUP), ("90000 pg/mL", ()), ("30 ng/mL", ())],
)
def test_a_high_result_in_mass_units_says_that_the_hlh_criterion_is_open(
    value: str, ranges: tuple[ReferenceRange, ...]
) -> None:
    said = card(value, SERUM_MASS, ranges).detail
    assert HLH_2004_OPEN in said
    assert URGENT in said
    assert "2400 U/mL" not in said


def test_a_result_in_mass_units_within_the_range_is_told_the_same_without_alarm() -> None:
    said = card("400 pg/mL", SERUM_MASS, ARUP).detail
    assert HLH_2004_OPEN in said
    assert URGENT not in said


def test_a_value_above_the_range_names_hlh_among_its_causes() -> None:
    for value, loinc, ranges in (("9000 pg/mL", SERUM_MASS, ARUP), ("900 U/mL", SERUM_U, LABCORP)):
        assert "infection, malignancy, HLH," in card(value, loinc, ranges).detail


def test_csf_in_units_without_a_range_names_what_is_open_and_is_urgent_if_ill() -> None:
    said = card("8000 U/mL", CSF_U).detail
    assert "infection (also tuberculosis), lymphoma, CNS-HLH and neurosarcoidosis" in said
    assert URGENT in said
    assert "HLH-2004" not in said


@pytest.mark.parametrize(("creatinine", "told"), [("2.1", True), ("<3.0", False), ("2.0", False)])
def test_creatinine_that_may_be_above_its_limit_is_no_caveat_and_no_open_limit_of_the_result(
    creatinine: str, *, told: bool
) -> None:
    labs = drawn(f"creatinine {creatinine} mg/dL")
    findings = card("1400 U/mL", companions=labs).extension["findings"]
    assert ("context-renal-impairment" in findings) is told
    assert "threshold-indeterminate" not in findings


OTHER_FIGURES = {"pg/mL": r"[0-9] U/mL", "U/mL": r"[0-9] pg/mL"}


@pytest.mark.parametrize("loinc", [SERUM_MASS, CSF_U, SERUM_U, CSF_MASS])
@pytest.mark.parametrize(
    "condition", ["dialysis", "hiv", "infection", "hlh", "sarcoidosis", "transplant", "sle"]
)
def test_no_figure_of_a_study_stands_on_a_card_in_another_unit(loinc: str, condition: str) -> None:
    unit = "pg/mL" if loinc in {SERUM_MASS, CSF_MASS} else "U/mL"
    child, ranges = records.born("2020-01-01"), (records.within("10", "2000", unit),)
    context = recorded(f"condition.{condition}")
    for value in ("60", "1900", "9000"):
        said = card(f"{value} {unit}", loinc, ranges, patient=child, **context).detail
        assert re.findall(OTHER_FIGURES[unit], said.partition("**Sources**")[0]) == []


def test_the_figures_of_a_study_stand_on_a_card_in_its_unit() -> None:
    assert "median 1268 U/mL" in card("900 U/mL", **recorded("condition.dialysis")).detail
    in_mass = card("900 pg/mL", SERUM_MASS, **recorded("condition.dialysis")).detail
    assert (
        "97.38% of 382 patients on haemodialysis exceeded their laboratory's upper limit."
        in in_mass
    )


@pytest.mark.parametrize("condition", ["dialysis", "renal-impairment"])
def test_what_exceeded_the_range_of_a_study_is_not_said_to_exceed_that_of_this_laboratory(
    condition: str,
) -> None:
    """Their upper limits differ ten-fold in mass units."""
    said = card("900 pg/mL", SERUM_MASS, **recorded(f"condition.{condition}")).detail
    assert re.findall(r"exceeded the (?:upper limit|range)\b", said) == []
    assert re.search(r"exceeded (?:their laboratory's upper limit|the study's own range)", said)


IN_CSF = "New neurological signs are as urgent."


def test_a_card_about_csf_that_cannot_tell_names_the_signs_that_bring_patients_there() -> None:
    for value in ("<200 pg/mL", "212"):
        assert f"do not wait for this result. {IN_CSF}" in card(value, CSF_MASS).detail
    assert IN_CSF not in card("212").detail
    newer = named("new", "212 pg/mL", CSF_MASS, on="2026-03-02", status=Status.PRELIMINARY)
    assert IN_CSF in card_of(records.record(result("90 pg/mL", CSF_MASS), newer)).detail


def test_a_result_that_a_limit_is_for_gets_no_such_note() -> None:
    for value, loinc in (("300 U/mL", SERUM_U), ("100 pg/mL", CSF_MASS), ("5230 U/mL", SERUM_U)):
        said = card(value, loinc).detail
        assert "limits in other units" not in said
        assert URGENT not in said


# ------------------------------------------------------------------ a limit inside the interval

HLH_2004 = "2400 U/mL (sIL-2R criterion of HLH-2004)"
NEUROSARCOIDOSIS = "150 pg/mL (limit described for untreated neurosarcoidosis)"
OWN = "223 to 710 U/mL (the laboratory's own range)"


@pytest.mark.parametrize(
    ("given", "headline", "named"),
    [
        (("<200 pg/mL", CSF_MASS), "150 pg/mL", NEUROSARCOIDOSIS),
        ((">=150 pg/mL", CSF_MASS), "150 pg/mL", NEUROSARCOIDOSIS),
        (("<3000 U/mL",), "2400 U/mL", HLH_2004),
        (
            ("<3000 U/mL", SERUM_U, LABCORP),
            "2400 U/mL or the laboratory's own range",
            f"{HLH_2004} or {OWN}",
        ),
        (
            (">2000 U/mL", SERUM_U, LABCORP),
            "2400 U/mL or 10000 U/mL",
            f"{HLH_2004} or 10000 U/mL (HLH study of 78 adults)",
        ),
    ],
)
def test_a_limit_that_is_left_open_speaks_first_is_named_and_is_urgent_if_ill(
    given: tuple[Any, ...], headline: str, named: str
) -> None:
    said = card(*given)
    assert said.summary.endswith(f": may lie on either side of {headline}")
    assert f"it may lie on either side of {named}" in said.detail
    assert URGENT in said.detail


def test_a_limit_that_is_met_speaks_before_one_that_is_left_open() -> None:
    said = card(">5000 U/mL", ranges=LABCORP)
    assert "meets one HLH-2004 criterion" in said.summary
    assert "either side of 10000 U/mL (HLH study of 78 adults)" in said.detail
    assert URGENT not in said.detail  # the criterion says it: hours count


@pytest.mark.parametrize(
    ("value", "ferritin"), [(">2000 U/mL", "900"), ("<3000 U/mL", "900"), ("<3000 U/mL", "5000")]
)
@pytest.mark.parametrize("ranges", [(), LABCORP])
def test_a_limit_behind_a_warning_that_is_left_open_speaks_before_a_negative_index(
    value: str, ferritin: str, ranges: tuple[ReferenceRange, ...]
) -> None:
    """Of >2000 U/mL the criterion may be met many times over, whatever the ferritin says."""
    of_lymphoma = recorded("condition.haematological-malignancy")
    near = drawn(f"ferritin {ferritin} ng/mL")
    said = card(value, SERUM_U, ranges, companions=near, **of_lymphoma)
    assert ": may lie on either side of 2400 U/mL" in said.summary
    assert said.detail.index("either side of 2400") < said.detail.index("OHI index is not met")


def test_an_open_bound_of_the_laboratory_alone_is_not_urgent() -> None:
    said = card("<600 U/mL", ranges=LABCORP)
    assert "HLH less likely" in said.summary
    assert f"either side of {OWN}" in said.detail
    assert URGENT not in said.detail


def test_a_sentence_about_the_multiple_begins_with_a_capital() -> None:
    for value in (">2000 U/mL", "710.1 U/mL", "5230 U/mL"):
        lines = card(value, ranges=LABCORP).detail.splitlines()
        assert [line for line in lines if line.startswith("- ") and line[2].islower()] == []


@pytest.mark.parametrize("value", ["<3000 U/mL", ">2000 U/mL"])
def test_dilution_is_spoken_of_for_what_lies_above_the_assay_and_not_for_what_lies_below(
    value: str,
) -> None:
    said = card(value, SERUM_U).detail
    assert "for a value above what its assay measures, after dilution" in said


# ------------------------------------------------------------------ what may be falsely low


def test_a_quiet_card_names_what_can_make_a_value_falsely_low() -> None:
    without_a_range = card("300 U/mL").detail
    assert "Very high biotin levels make the value falsely low in some assays." in without_a_range
    within = card("400 pg/mL", SERUM_MASS, ARUP).detail
    assert "Heterophile antibodies, asfotase alfa or biotin can make a value false" in within
