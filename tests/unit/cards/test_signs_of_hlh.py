"""Signs of HLH in the same request as the result: they are told, whatever the number says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import NoValue, Status
from cds_service.core.model import PatientRecord
from tests import records
from tests.safety.results import SPECIMENS
from tests.unit.cards.given import (
    CSF_MASS,
    CSF_U,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card_beside,
    card_of,
    drawn,
    recorded,
    result,
)

FERRITIN_HIGH, FIBRINOGEN_LOW = "ferritin 50000 ng/mL", "fibrinogen 0.8 g/L"
CYTOPENIA = ("haemoglobin 70 g/L", "platelets 20 10*9/L")
LEADS = "other HLH-2004 items are met, discuss urgently"


def drafts(told: Card) -> list[str]:
    return [suggestion["label"] for suggestion in told.suggestions]


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
    value: str, loinc: str, range_: tuple[str, str, str]
) -> None:
    ranges = (records.within(*range_),)
    told = card_beside(value, FERRITIN_HIGH, *CYTOPENIA, loinc=loinc, ranges=ranges)
    assert told.summary.endswith(f": {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "(ferritin 50000 ng/mL, haemoglobin 70 g/L, platelets 20 10\\*9/L)" in told.detail
    assert "Henter J-I" in told.detail
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin"} & set(drafts(told))
    assert told.indicator.value == "info"


def test_an_ill_infant_whose_value_lies_within_the_range_for_the_age_is_urgent() -> None:
    range_ = (records.within("398", "1940", "U/mL"),)
    infant = {"patient": records.born("2025-08-01")}
    told = card_beside("1500 U/mL", FERRITIN_HIGH, FIBRINOGEN_LOW, ranges=range_, **infant)
    assert told.summary == f"sIL-2R 1500 U/mL (serum/plasma): {LEADS}"


def test_under_basiliximab_the_blocked_sentence_leaves_no_quiet_card() -> None:
    drug = recorded("medication.anti-cd25-therapy")
    told = card_beside("1600 U/mL", FERRITIN_HIGH, FIBRINOGEN_LOW, **drug)
    assert told.summary.endswith(LEADS)
    assert URGENT in told.detail


@pytest.mark.parametrize(
    "beside",
    [
        (FERRITIN_HIGH,),
        CYTOPENIA,
        (FERRITIN_HIGH, "platelets 101 10*9/L"),
    ],
)
def test_one_item_alone_is_common_and_calls_for_no_alarm(beside: tuple[str, ...]) -> None:
    told = card_beside("600 U/mL", *beside)
    assert "HLH less likely" in told.summary
    assert URGENT not in told.detail


def test_a_warning_says_by_itself_that_hours_count() -> None:
    for value in ("3000 U/mL", "12000 U/mL"):
        told = card_beside(value, FERRITIN_HIGH, *CYTOPENIA)
        assert told.indicator.value == "warning"
        assert LEADS not in told.summary


def test_a_warning_about_csf_is_about_other_diseases_and_the_items_are_told_beside_it() -> None:
    """The higher value of the same ill child must not get the quieter card."""
    told = card_beside("400 pg/mL", FERRITIN_HIGH, FIBRINOGEN_LOW, *CYTOPENIA, loinc=CSF_MASS)
    assert told.indicator.value == "warning"
    infection = "above 150 pg/mL; not specific, infection first"
    assert told.summary == f"sIL-2R 400 pg/mL (CSF): {infection}; {LEADS}"
    assert told.detail.count(URGENT) == 1
    assert drafts(told)[:3] == [
        "Call haematology (HLH)",
        "Call neurology",
        "Blood count with differential",
    ]
    assert "CSF microbiology" in drafts(told)


NOTHING = "0" * 57


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (f"400.{NOTHING}1", "400.0000000000000000000…"),
        (f"4.{NOTHING}1e2", "4.0000000000000000000…e2"),
        (f"4.{NOTHING}1E2", "4.0000000000000000000…E2"),
    ],
)
def test_where_the_summary_has_no_room_it_is_the_number_that_is_shortened(
    number: str, shown: str
) -> None:
    """And what is urgent stays; the detail has the number whole."""
    told = card_beside(f"{number} pg/mL", FERRITIN_HIGH, FIBRINOGEN_LOW, loinc=CSF_MASS)
    infection = "above 150 pg/mL; not specific, infection first"
    assert told.summary == f"sIL-2R {shown} pg/mL (CSF): {infection}; {LEADS}"
    assert f": {number} pg/mL**; specimen CSF" in told.detail


def test_a_value_too_large_to_be_true_does_not_hide_that_other_items_are_met() -> None:
    told = card_beside(f"{'9' * 64} U/mL", FERRITIN_HIGH, FIBRINOGEN_LOW)
    assert "implausible value" in told.summary
    assert told.summary.endswith(f"; {LEADS}")


def test_without_such_items_a_warning_about_csf_says_nothing_of_them() -> None:
    told = card_beside("400 pg/mL", FERRITIN_HIGH, loinc=CSF_MASS)
    assert told.summary.endswith("infection first")
    assert URGENT not in told.detail


def test_what_made_the_card_urgent_is_listed_as_used() -> None:
    told = card_beside("700 pg/mL", FERRITIN_HIGH, *CYTOPENIA, loinc=SERUM_MASS)
    inputs = told.extension["inputs"]
    assert [item["resource"] for item in inputs] == [
        "Observation/r",
        "Observation/ferritin",
        "Observation/haemoglobin",
        "Observation/platelets",
    ]


# ------------------------------------------------------------------ a card without a reading

UNKNOWN_FLUID = records.specimen("no-such-code", system=SPECIMENS)
UNREADABLE: dict[str, dict[str, Any]] = {
    "unit and test code contradict each other": {"loinc": SERUM_MASS},
    "unit not recognised, so not interpreted": {"value": "600 banana"},
    "no unit, so not interpreted": {"value": "600"},
    "molar unit, for which no limits were found": {"value": "600 pmol/L"},
    "no value was sent": {"missing": NoValue("unknown")},
    "specimen not known, so not interpreted": {"specimen": UNKNOWN_FLUID},
    "not final yet, so not interpreted": {"status": Status.PRELIMINARY},
}


def unreadable(*beside: str, missing: NoValue | None = None, **more: Any) -> PatientRecord:
    """600 U/mL in serum, but for what keeps it from being read."""
    sent = result(**{"value": "600 U/mL", **more})
    sent = replace(sent, value=missing) if missing else sent
    return records.record(sent, companions=drawn(*beside))


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_cannot_be_read_hides_no_signs_of_hlh(reason: str) -> None:
    told = card_of(unreadable(FERRITIN_HIGH, FIBRINOGEN_LOW, *CYTOPENIA, **UNREADABLE[reason]))
    assert told.summary.endswith(f": {reason}; {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "(ferritin 50000 ng/mL, fibrinogen 0.8 g/L, haemoglobin 70 g/L" in told.detail
    assert "Henter J-I" in told.detail
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin", "Fibrinogen"} & set(drafts(told))
    used = [item["resource"] for item in told.extension["inputs"]]
    assert used[:3] == ["Observation/r", "Observation/ferritin", "Observation/fibrinogen"]


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_cannot_be_read_says_when_to_call_where_one_item_alone_is_met(reason: str) -> None:
    told = card_of(unreadable(FERRITIN_HIGH, "platelets 300 10*9/L", **UNREADABLE[reason]))
    assert told.summary.endswith(f": {reason}")
    assert "With fever, low or falling blood counts, or a large liver or spleen" in told.detail
    assert "Call haematology (HLH)" not in drafts(told)


def test_counts_of_another_month_say_nothing_about_a_result_that_cannot_be_read() -> None:
    of_another_month = drawn(FERRITIN_HIGH, *CYTOPENIA, on="2026-01-10")
    told = card_of(records.record(result("600"), companions=of_another_month))
    assert LEADS not in told.summary
    assert told.detail.count(URGENT) == 1


# ------------------------------------------------------------------ interleukin 2 itself

INTERLEUKIN_2 = ("33939-0", "4651-6", "70077-3")


def interleukin_2(loinc: str, *beside: str, on: str = records.DAY) -> PatientRecord:
    """A result of interleukin 2 itself; whoever ordered it may have meant the receptor."""
    return records.record(records.result("3.1 pg/mL", loinc), companions=drawn(*beside, on=on))


@pytest.mark.parametrize("loinc", INTERLEUKIN_2)
def test_a_result_of_the_wrong_analyte_hides_no_signs_of_hlh(loinc: str) -> None:
    told = card_of(interleukin_2(loinc, FERRITIN_HIGH, FIBRINOGEN_LOW, *CYTOPENIA))
    assert told.extension["outcome"] == "wrong-analyte"
    assert told.summary.endswith(f": not sIL-2R; check which test was meant; {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "leave this card aside" not in told.detail
    assert "other than sIL-2R are met (ferritin 50000 ng/mL, fibrinogen 0.8 g/L" in told.detail
    assert "Henter J-I" in told.detail
    assert told.indicator.value == "info"
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin", "Fibrinogen"} & set(drafts(told))
    used = [item["resource"] for item in told.extension["inputs"]]
    assert used[:3] == ["Observation/r", "Observation/ferritin", "Observation/fibrinogen"]


def test_a_result_of_the_wrong_analyte_raises_no_alarm_without_two_items_of_its_days() -> None:
    one_item = interleukin_2(INTERLEUKIN_2[0], FERRITIN_HIGH, "platelets 300 10*9/L")
    of_another_month = interleukin_2(INTERLEUKIN_2[0], FERRITIN_HIGH, *CYTOPENIA, on="2026-01-10")
    for given_ in (one_item, of_another_month):
        told = card_of(given_)
        assert told.summary.endswith(": not sIL-2R; check which test was meant")
        assert URGENT not in told.detail
        assert drafts(told) == []
