"""Samples that may be of somebody else, were taken back or are unfit, or date from before birth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import SpecimenGiven, SpecimenLink
from tests import records
from tests.packaged import SIL2R
from tests.unit.cards.given import (
    CSF_MASS,
    LABCORP,
    SERUM_MASS,
    card,
    card_of,
    drawn,
    named,
    result,
)

ELSES = SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT)
RECORDED_FOR_ANOTHER = "its specimen is recorded for another patient"


def test_a_sample_that_is_recorded_for_another_patient_leads_a_quiet_card() -> None:
    """The mother's tube under the newborn's result, which lies within the range for the age."""
    sample = result("1700 U/mL", ranges=(records.within("398", "1940", "U/mL"),), specimen=ELSES)
    found = card_of(records.record(sample, patient=records.born("2026-02-28")))
    assert found.summary.endswith(f": {RECORDED_FOR_ANOTHER}")
    assert "Whose sample was measured is not certain" in found.detail


@pytest.mark.parametrize(
    ("value", "labs", "leads"),
    [
        ("3000 U/mL", (), "meets one HLH-2004 criterion"),
        ("300 U/mL", ("ferritin 5200 ng/mL", "fibrinogen 0.8 g/L"), "discuss urgently"),
        ("300", (), "no unit, so not interpreted"),
    ],
)
def test_behind_what_is_urgent_or_unreadable_it_stands_in_the_detail_at_least(
    value: str, labs: tuple[str, ...], leads: str
) -> None:
    found = card_of(records.record(result(value, specimen=ELSES), companions=drawn(*labs)))
    assert leads in found.summary
    assert "Whose sample was measured is not certain" in found.detail


def test_no_index_is_computed_across_a_specimen_that_is_recorded_for_another_patient() -> None:
    labs = drawn("albumin-csf 20 mg/dL", "albumin-serum 40 g/L")
    fluid = named("c", "400 pg/mL", CSF_MASS)
    own = named("s", "1000 pg/mL", SERUM_MASS)
    elses = replace(own, specimen=ELSES)
    for blood, value in ((own, "computed"), (elses, "not-applicable")):
        given = records.record(fluid, blood, companions=labs)
        answers = records.evaluated(given, SIL2R).answers
        assert {answer.facts["ratio.sil2r-index"].value for answer in answers} == {value}


@pytest.mark.parametrize(
    ("link", "leads", "says"),
    [
        (
            SpecimenLink.ENTERED_IN_ERROR,
            "its specimen was entered in error",
            "Whether the value stands is not certain",
        ),
        (
            SpecimenLink.UNSATISFACTORY,
            "its specimen is marked unsatisfactory",
            "Ask the laboratory whether the value stands",
        ),
    ],
)
def test_a_sample_that_was_taken_back_or_is_unfit_leads_a_quiet_card(
    link: SpecimenLink, leads: str, says: str
) -> None:
    """The code names serum; the tube was haemolysed, or recorded by mistake."""
    sample = result("500 U/mL", ranges=LABCORP, specimen=SpecimenGiven(link))
    found = card_of(records.record(sample))
    assert found.summary.endswith(f": {leads}")
    assert says in found.detail


@pytest.mark.parametrize(
    ("birth", "is_told"),
    [("2026-03-01", False), ("2026-03-02", False), ("2026-03-03", True), ("2026", False)],
    ids=["born that day", "a day that zones may make", "two days later", "born that year"],
)
@pytest.mark.parametrize("value", ["500 U/mL", "500"])
def test_a_sample_from_before_the_patient_was_born_leads_a_quiet_card(
    value: str, birth: str, is_told: bool
) -> None:
    """The mother's result in the chart of the newborn: an age is unknown, and not that alone."""
    found = card(value, ranges=LABCORP, patient=records.born(birth))
    assert found.summary.endswith("dated before the patient was born") is is_told
    assert ("The result is dated 2026-03-01, before the date of birth" in found.detail) is is_told
    assert not is_told or "Patient/p" in found.detail
