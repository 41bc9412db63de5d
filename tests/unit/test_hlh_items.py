"""Signs of HLH in the same request as the result: they are told, whatever the number says.

Read as the ward reads them, with the packaged knowledge. All patients are invented.
"""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord, ReferenceRange
from cds_service.core.render import render
from cds_service.hooks.suggestions import with_suggestions
from tests import records
from tests.safety.walk import CSF, SERUM, entries

SERUM_U, SERUM_MASS, CSF_MASS, CSF_U = "9654-5", "76039-7", "99768-4", "38352-1"
CODES = {
    "ferritin": "2276-4",
    "triglycerides": "2571-8",
    "fasting triglycerides": "47210-0",
    "fibrinogen": "3255-7",
    "haemoglobin": "718-7",
    "platelets": "777-3",
    "neutrophils": "751-8",
}
URGENT = "discuss the patient urgently with a specialist"
LEADS = "other HLH-2004 items are met, discuss urgently"
FERRITIN, FIBRINOGEN = "ferritin 50000 ng/mL", "fibrinogen 0.8 g/L"
CYTOPENIA = ("haemoglobin 70 g/L", "platelets 20 10*9/L")


def labs(*values: str) -> tuple[LabResult, ...]:
    """`ferritin 50000 ng/mL`, drawn with the result."""
    told = (value.rsplit(" ", 2) for value in values)
    return tuple(
        records.named(name.replace(" ", "-"), f"{amount} {unit}", CODES[name])
        for name, amount, unit in told
    )


def given(
    value: str,
    *beside: str,
    loinc: str = SERUM_U,
    ranges: tuple[ReferenceRange, ...] = (),
    **changes: Any,
) -> PatientRecord:
    """An adult's result and what was drawn with it; `changes` are to the record around it."""
    fluid = CSF if loinc in {CSF_MASS, CSF_U} else SERUM
    result = records.result(value, loinc, specimen=fluid, ranges=ranges)
    return records.record(result, companions=labs(*beside), **changes)


def card(knowledge: KnowledgeBase, record: PatientRecord) -> Card:
    """The one card, with its drafts."""
    evaluation = records.evaluated(record, knowledge)
    cards = render(evaluation, knowledge, scope="s")
    (only,) = with_suggestions(cards, evaluation, knowledge, "p")
    return only


def drafts(told: Card) -> list[str]:
    return [suggestion["label"] for suggestion in told.suggestions]


# ------------------------------------------------------------------ never only a reassuring card


@pytest.mark.parametrize(
    ("value", "loinc", "range_"),
    [
        ("600 U/mL", SERUM_U, ("223", "710", "U/mL")),
        ("1600 U/mL", SERUM_U, ("223", "710", "U/mL")),
        (">2000 U/mL", SERUM_U, ("223", "710", "U/mL")),
        ("700 pg/mL", SERUM_MASS, ("175.3", "858.2", "pg/mL")),
        ("70000 pg/mL", SERUM_MASS, ("175.3", "858.2", "pg/mL")),
        ("100 pg/mL", CSF_MASS, ("", "120", "pg/mL")),
        ("30 U/mL", CSF_U, ("", "57.6", "U/mL")),
    ],
)
def test_two_other_items_met_are_urgent_in_every_unit_and_specimen(
    sil2r: KnowledgeBase, value: str, loinc: str, range_: tuple[str, str, str]
) -> None:
    ranges = (records.within(*range_),)
    told = card(sil2r, given(value, FERRITIN, *CYTOPENIA, loinc=loinc, ranges=ranges))
    assert told.summary.endswith(f": {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "(ferritin 50000 ng/mL, haemoglobin 70 g/L, platelets 20 10\\*9/L)" in told.detail
    assert "Henter J-I" in told.detail
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin"} & set(drafts(told))
    assert told.indicator.value == "info"


def test_an_ill_infant_whose_value_lies_within_the_range_for_the_age_is_urgent(
    sil2r: KnowledgeBase,
) -> None:
    range_ = (records.within("398", "1940", "U/mL"),)
    infant = {"patient": records.born("2025-08-01")}
    told = card(sil2r, given("1500 U/mL", FERRITIN, FIBRINOGEN, ranges=range_, **infant))
    assert told.summary == f"sIL-2R 1500 U/mL (serum/plasma): {LEADS}"


def test_under_basiliximab_the_blocked_sentence_leaves_no_quiet_card(sil2r: KnowledgeBase) -> None:
    drug = (entries(sil2r)["medication.anti-cd25-therapy"],)
    told = card(sil2r, given("1600 U/mL", FERRITIN, FIBRINOGEN, entries=drug))
    assert told.summary.endswith(LEADS)
    assert URGENT in told.detail


@pytest.mark.parametrize(
    "beside",
    [(FERRITIN,), CYTOPENIA, (FERRITIN, "haemoglobin 70 g/L"), (FERRITIN, "platelets 101 10*9/L")],
)
def test_one_item_alone_is_common_and_calls_for_no_alarm(
    sil2r: KnowledgeBase, beside: tuple[str, ...]
) -> None:
    told = card(sil2r, given("600 U/mL", *beside))
    assert "HLH less likely" in told.summary
    assert URGENT not in told.detail


def test_a_warning_says_by_itself_that_hours_count(sil2r: KnowledgeBase) -> None:
    for value in ("3000 U/mL", "12000 U/mL"):
        told = card(sil2r, given(value, FERRITIN, *CYTOPENIA))
        assert told.indicator.value == "warning"
        assert LEADS not in told.summary


def test_what_made_the_card_urgent_is_listed_as_used(sil2r: KnowledgeBase) -> None:
    told = card(sil2r, given("700 pg/mL", FERRITIN, *CYTOPENIA, loinc=SERUM_MASS))
    inputs = told.extension["inputs"]
    assert [item["resource"] for item in inputs] == [
        "Observation/r",
        "Observation/ferritin",
        "Observation/haemoglobin",
        "Observation/platelets",
    ]
