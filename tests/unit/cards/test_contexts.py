"""What the record holds beside the result: what it explains, and what it takes no weight from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import Coding, NoMoment, ResourceRef
from cds_service.core.model import CodedEntry, RecordKind
from cds_service.core.render import render
from tests import records
from tests.packaged import SIL2R
from tests.unit.cards.given import (
    CSF_MASS,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    card,
    drawn,
    named,
    recorded,
    up_to,
)

# ------------------------------------------------------------------ children


def test_a_child_s_card_tells_how_the_criterion_performed_in_children() -> None:
    in_children = "In children the sIL-2R criterion of HLH-2004 had a sensitivity of 93%"
    for birth, is_child in (("2020-01-01", True), ("1980-01-01", False), ("", False)):
        said = card("5230 U/mL", patient=records.born(birth)).detail
        assert (in_children in said) is is_child
    in_mass = card("5230 pg/mL", SERUM_MASS, patient=records.born("2020-01-01")).detail
    assert in_children not in in_mass


# ------------------------------------------------------------------ what the record explains


def test_with_hlh_recorded_a_low_value_is_not_called_an_argument_against_it() -> None:
    said = card("300 U/mL", ranges=LABCORP, **recorded("condition.hlh"))
    assert "less likely" not in said.summary + said.detail
    assert "where HLH is recorded, a low value is no argument against it" in said.detail


def test_the_csf_study_of_hlh_is_told_as_what_it_was() -> None:
    said = card("212 pg/mL", CSF_MASS, **recorded("condition.hlh")).detail
    assert "In 36 children with HLH, 13 of them with CNS disease, 154.64 pg/mL" in said


@pytest.mark.parametrize("code", ["N18.6", "Z99.2", "Z49.31"])
def test_end_stage_renal_disease_is_not_called_dialysis(code: str) -> None:
    """ICD-10-CM has dialysis as one of two terms of N18.6: the patient may have none yet."""
    coding = Coding("http://hl7.org/fhir/sid/icd-10-cm", code)
    entry = CodedEntry(ResourceRef("Condition/c"), RecordKind.CONDITION, (coding,))
    told = card("5230 U/mL", ranges=LABCORP, entries=(entry,))
    assert "context-dialysis" in told.extension["findings"]
    assert "- Dialysis, or end-stage renal disease, is recorded. " in told.detail


@pytest.mark.parametrize("condition", ["infection", "hiv", "dialysis", "car-t"])
def test_hours_still_count_where_the_record_explains_a_part_of_the_value(condition: str) -> None:
    said = card("5230 U/mL", ranges=LABCORP, **recorded(f"condition.{condition}")).detail
    assert "weighs less here" in said
    assert "hours count: check the other criteria now and discuss the patient" in said


@pytest.mark.parametrize("value", ["300 U/mL", "8000 U/mL"])
def test_after_car_t_cells_no_value_is_said_to_be_that_of_a_toxicity(value: str) -> None:
    """No source gives sIL-2R values for either, and 300 U/mL lies within the range."""
    said = card(value, ranges=LABCORP, **recorded("condition.car-t")).detail
    assert "share such values" not in said
    assert "think of cytokine release and of an HLH-like state (IEC-HS), whatever the value" in said


def test_after_a_haemorrhage_the_card_says_what_its_drafts_are_for() -> None:
    context = recorded("condition.subarachnoid-haemorrhage")
    said = card("212 pg/mL", CSF_MASS, **context).detail
    assert "by itself calls for no action" in said
    assert "are meant for a value that the bleeding does not explain" in said


def test_what_is_known_of_childrens_blood_is_not_said_of_their_csf() -> None:
    child = records.born("2020-01-01")
    about_blood = "Values are higher in children and fall with age"
    assert about_blood in card("900 U/mL", patient=child).detail
    in_csf = card("212 pg/mL", CSF_MASS, patient=child).detail
    assert about_blood not in in_csf
    assert "not applied" not in in_csf


def test_beside_a_warning_a_missing_range_does_not_call_the_value_neither_high_nor_low() -> None:
    for value, loinc in (("12000 U/mL", SERUM_U), ("212 pg/mL", CSF_MASS)):
        said = card(value, loinc).detail
        assert "neither high nor low" not in said
        assert "this service cannot tell how far the value is from this laboratory's" in said


# ------------------------------------------------------------------ before and after the sample

SAMPLE_DAY, TEN_DAYS_BEFORE, TEN_DAYS_LATER = records.DAY, "2026-02-19", "2026-03-11"


def treated(
    fact: str, on: str, kind: RecordKind = RecordKind.MEDICATION
) -> dict[str, tuple[CodedEntry, ...]]:
    """A treatment that is dated so."""
    (what,) = recorded(fact)["entries"]
    return {"entries": (replace(what, kind=kind, since=records.moment(on)),)}


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        ("medication.t-cell-depleting-therapy", RecordKind.MEDICATION),
        ("condition.car-t", RecordKind.PROCEDURE),
    ],
)
def test_a_treatment_after_the_sample_does_not_take_weight_from_a_warning(
    fact: str, kind: RecordKind
) -> None:
    later = treated(fact, TEN_DAYS_LATER, kind)
    said = card("12000 U/mL", SERUM_U, LABCORP, **later).detail
    assert "weighs less here" not in said
    assert "**Context**" not in said
    before = treated(fact, TEN_DAYS_BEFORE, kind)
    assert "weighs less here" in card("12000 U/mL", SERUM_U, LABCORP, **before).detail


def test_basiliximab_ordered_after_the_sample_did_not_lower_its_value() -> None:
    drug = "medication.anti-cd25-therapy"
    later = card("600 U/mL", SERUM_U, LABCORP, **treated(drug, TEN_DAYS_LATER))
    assert "HLH less likely" in later.summary
    same_day = card("600 U/mL", SERUM_U, LABCORP, **treated(drug, SAMPLE_DAY))
    assert "HLH less likely" not in same_day.summary


def test_car_t_cells_count_although_their_request_is_completed() -> None:
    infused = treated("medication.car-t", TEN_DAYS_BEFORE, RecordKind.COURSE)
    said = card("12000 U/mL", SERUM_U, LABCORP, **infused).detail
    assert "The local cell-therapy protocol comes first" in said


@pytest.mark.parametrize(
    ("last", "weakens"),
    [
        ("", True),
        ("2026-02-19", True),
        ("2025-12-01", True),
        ("2025-11-30", False),
        ("1990", False),
    ],
)
def test_dialysis_that_was_over_before_the_look_back_window_takes_no_weight(
    last: str, weakens: bool
) -> None:
    """One session years ago, for kidneys that have recovered since."""
    (session,) = recorded("condition.dialysis")["entries"]
    over = records.moment(last) if last else NoMoment()
    done = replace(session, kind=RecordKind.PROCEDURE, until=over)
    said = card("12000 U/mL", SERUM_U, LABCORP, entries=(done,)).detail
    assert ("weighs less here" in said) is weakens
    assert ("Dialysis, or end-stage renal disease, is recorded" in said) is weakens


def test_dialysis_that_goes_on_takes_weight_however_long_ago_it_began() -> None:
    (session,) = recorded("condition.dialysis")["entries"]
    begun = replace(session, kind=RecordKind.PROCEDURE, since=records.moment("2019-05-01"))
    assert "weighs less here" in card("12000 U/mL", SERUM_U, LABCORP, entries=(begun,)).detail


@pytest.mark.parametrize("condition", ["transplant", "car-t"])
def test_a_transplant_and_car_t_cells_stay_however_long_ago_they_were_given(condition: str) -> None:
    (what,) = recorded(f"condition.{condition}")["entries"]
    done = replace(what, kind=RecordKind.PROCEDURE, until=records.moment("1990"))
    assert "**Context**" in card("12000 U/mL", SERUM_U, LABCORP, entries=(done,)).detail


# ------------------------------------------------------------------ one context, all its findings


@pytest.mark.parametrize("condition", ["hiv", "infection", "dialysis"])
def test_what_raises_the_value_takes_weight_from_each_finding_on_the_card(condition: str) -> None:
    given = recorded(f"condition.{condition}", "condition.haematological-malignancy")
    ferritin = drawn("ferritin 5000 ng/mL")
    said = card("12000 U/mL", SERUM_U, LABCORP, companions=ferritin, **given).detail
    for weakly in (
        "so this figure may not hold here",
        "so the index weighs less here",
        "so this criterion weighs less here",
        "so this says less here",
    ):
        assert weakly in said


# ------------------------------------------------------------------ what a context rests on


def test_what_corticosteroids_do_is_said_of_the_specimen_in_which_it_was_seen() -> None:
    under = recorded("medication.corticosteroids")
    blood = card("300 U/mL", SERUM_U, up_to("710", "U/mL"), **under).detail
    csf = card("100 pg/mL", CSF_MASS, **under).detail
    assert "This was seen in sarcoidosis." in blood
    assert "This was seen in neurosarcoidosis." in csf
    assert ("380 U/mL" in blood, "380 U/mL" in csf) == (True, False)
    assert ("Chest 1990" in blood, "Chest 1990" in csf) == (True, False)


def test_a_transplant_is_not_said_to_raise_the_value_by_itself() -> None:
    """Rejection and infection do; beside basiliximab nothing on the card would raise it."""
    both = ("condition.transplant", "medication.anti-cd25-therapy")
    said = card("900 U/mL", SERUM_U, up_to("710", "U/mL"), **recorded(*both)).detail
    assert "The record names something that can explain a raised value (see Context)" in said
    assert "may raise sIL-2R by itself" not in said


def test_of_two_results_a_drug_may_have_been_over_for_the_one_and_not_for_the_other() -> None:
    """CSF of January under corticosteroids, blood of March without them."""
    (drug,) = recorded("medication.corticosteroids")["entries"]
    until_february = replace(drug, until=records.moment("2026-02-15"))
    csf = named("csf", "120 pg/mL", CSF_MASS, on="2026-01-10")
    both = records.record(csf, named("blood", "600 U/mL"), entries=(until_february,))
    told = {
        card.observation: "context-corticosteroids" in card.extension["findings"]
        for card in render(records.evaluated(both, SIL2R), SIL2R, scope="s")
    }
    assert told == {"Observation/csf": True, "Observation/blood": False}
