"""What a reader in a hurry comes upon: in which order, how often, and in whose words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import LabValue, NotNumeric, NoValue, SpecimenLink, ValueForm
from tests import records
from tests.safety.results import SERUM
from tests.unit.cards.given import (
    CSF_MASS,
    CSF_U,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card,
    card_beside,
    card_of,
    drawn,
    recorded,
    result,
    up_to,
)

SIGNS = ("ferritin 5200 ng/mL", "fibrinogen 1.2 g/L", "platelets 40 10*9/L", "haemoglobin 70 g/L")
IF_ILL = "With fever, low or falling blood counts, or a large liver or spleen"


def lines(told: Card, heading: str) -> list[str]:
    """The list under a heading, each point in one line; empty if the heading is not there."""
    body = told.detail.partition(f"**{heading}**\n\n")[2].partition("\n\n")[0]
    return [line.removeprefix("- ") for line in body.splitlines() if line.startswith("- ")]


# ------------------------------------------------------------------ what presses comes first


def test_what_leads_the_summary_leads_the_detail() -> None:
    told = card_beside("600 U/mL", *SIGNS)
    assert told.summary.endswith("other HLH-2004 items are met, discuss urgently")
    first, second, *_ = lines(told, "What it says")
    assert first.startswith("Whatever this result says, discuss the patient urgently")
    assert second.startswith("Below 2400 U/mL")


def test_a_doubt_about_the_sample_leads_the_detail_too() -> None:
    mothers = replace(SERUM, link=SpecimenLink.OF_ANOTHER_PATIENT)
    told = card_of(records.record(result("300 U/mL", specimen=mothers, ranges=LABCORP)))
    assert told.summary.endswith("its specimen is recorded for another patient")
    assert "recorded for another patient" in lines(told, "What it says")[0]


def test_beside_a_warning_or_a_reason_it_comes_behind_what_speaks_first() -> None:
    warning = card_beside("400 pg/mL", *SIGNS, loinc=CSF_MASS)
    assert [URGENT in line for line in lines(warning, "What it says")] == [False, False, True]
    unread = card_beside("600", *SIGNS)
    said = lines(unread, "What it says")
    assert said[0].startswith("600 came without a unit")
    assert URGENT in said[1]


@pytest.mark.parametrize(
    ("value", "loinc"), [("900 pg/mL", SERUM_MASS), ("<3000 U/mL", SERUM_U), ("600", SERUM_U)]
)
def test_what_to_do_for_an_ill_patient_ends_what_the_card_says(value: str, loinc: str) -> None:
    assert lines(card(value, loinc), "What it says")[-1].startswith(IF_ILL)


def test_a_warning_and_a_quiet_card_name_the_same_signs() -> None:
    assert f"{IF_ILL}, hours count: check the other criteria now" in card("3000 U/mL").detail
    assert f"{IF_ILL}, discuss the patient urgently" in card("600").detail


# ------------------------------------------------------------------ once


def test_a_caution_that_several_findings_share_is_said_once() -> None:
    malignancy = recorded("condition.haematological-malignancy")
    told = card("12000 U/mL", companions=drawn("ferritin 5000 ng/mL"), **malignancy)
    assert len(lines(told, "What it does not mean")) > 4
    for shared in (
        "Not a diagnosis, and by itself no ground for treatment.",
        "The HScore is a separate score, without sIL-2R.",
    ):
        assert told.detail.count(shared) == 1


def test_where_one_finding_says_it_alone_it_is_said() -> None:
    low = card("600 U/mL", companions=drawn("ferritin 900 ng/mL"))
    assert low.detail.count("The HScore is a separate score, without sIL-2R.") == 1


# ------------------------------------------------------------------ what was found


def test_a_card_says_which_of_the_two_was_found_a_code_or_a_creatinine() -> None:
    coded, high = "Renal impairment is recorded.", "Renal function: creatinine 2.4 mg/dL of"
    renal, creatinine = recorded("condition.renal-impairment"), drawn("creatinine 2.4 mg/dL")
    by_code = card("3000 U/mL", **renal).detail
    assert (coded in by_code, high in by_code) == (True, False)
    by_value = card("3000 U/mL", companions=creatinine).detail
    assert (coded in by_value, high in by_value) == (False, True)
    assert f"{high} 2026-03-01, above 2.0 mg/dL. The value of sIL-2R may be raised" in by_value
    both = card("3000 U/mL", companions=creatinine, **renal).detail
    assert f"- {coded} {high}" in both


# ------------------------------------------------------------------ in words


def of(value: LabValue) -> Card:
    """The card about a result that came with such a value, or with none."""
    return card_of(records.record(replace(result("1 U/mL"), value=value)))


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("result-not-sent", "No value was sent (reason: its report came without it)."),
        ("not-performed", "No value was sent (reason: not-performed)."),
        ("", "No value was sent (reason: unknown)."),
    ],
)
def test_why_there_is_no_value_is_told_as_what_it_was(why: str, told: str) -> None:
    assert lines(of(NoValue(why)), "What it says")[0] == told


@pytest.mark.parametrize(
    ("form", "told"), [("component", "a component of a panel"), ("valueRange", "a range")]
)
def test_the_form_of_a_value_is_told_in_words(form: str, told: str) -> None:
    assert f"The value came as {told}, which cannot be read" in of(NotNumeric(form)).detail


def test_a_number_in_a_text_whose_unit_is_not_understood_came_as_text() -> None:
    fruit = records.measured("5230 bananas", ValueForm.TEXT)
    assert "The value came as text, which cannot be read" in of(fruit).detail


# ------------------------------------------------------------------ HIV and CAR-T cells


@pytest.mark.parametrize(("value", "loinc"), [("400 pg/mL", CSF_MASS), ("90 U/mL", CSF_U)])
def test_for_hiv_in_csf_the_card_asks_since_when_and_for_another_cause(
    value: str, loinc: str
) -> None:
    """Its one study found low values after one to two years: there are other causes to look for."""
    unit = value.partition(" ")[2]
    told = card(value, loinc, up_to("50", unit), **recorded("condition.hiv")).detail
    assert "ask since when HIV is known, and look for another cause" in told
    if loinc == CSF_MASS:
        assert "says less here" in told
        assert "infection comes first" in told


def test_that_car_t_cells_take_weight_is_said_to_rest_on_no_study() -> None:
    told = card("3000 U/mL", **recorded("condition.car-t")).detail
    assert "something that may raise sIL-2R by itself (see Context)" in told
    assert "that a raised value weighs less after them is our own caution" in told
    assert f"{IF_ILL}, hours count" in told
