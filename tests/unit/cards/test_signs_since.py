"""Signs of HLH that are newer than the sample: it may be weeks old when its result is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import NoMoment, ResourceRef
from cds_service.core.model import InvalidResource, LabResult
from tests import records
from tests.unit.cards.given import (
    CSF_MASS,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card_of,
    drawn,
    result,
)

SENT_AWAY = "2026-02-05"
"""The day of the sample. What is newer is of 1 March, and the records are evaluated a day later."""
NEWER = ("ferritin 50000 ng/mL", "haemoglobin 70 g/L", "platelets 20 10*9/L")
TOLD = (
    "are met (ferritin 50000 ng/mL of 2026-03-01, haemoglobin 70 g/L of 2026-03-01, "
    "platelets 20 10\\*9/L of 2026-03-01)"
)
NOT_MET = ("ferritin 300 ng/mL", "haemoglobin 130 g/L", "platelets 210 10*9/L")
LEADS = "other HLH-2004 items are met, discuss urgently"


def labels(told: Card) -> set[str]:
    return {suggestion["label"] for suggestion in told.suggestions}


def of_the_day(on: str, *values: str) -> tuple[LabResult, ...]:
    """The same tests on another day, under ids of their own."""
    there = [(each, each.ref) for each in drawn(*values)]
    return tuple(
        replace(
            each, ref=replace(ref, resource=f"{ref.resource}-{on}"), collected=records.moment(on)
        )
        for each, ref in there
    )


def sent_away(value: str, *newer: str, with_it: tuple[LabResult, ...] = (), **sample: Any) -> Card:
    """The card about an older sample of a patient who has newer results of other tests."""
    sent = result(value, **{"on": SENT_AWAY, **sample})
    return card_of(records.record(sent, companions=(*drawn(*newer), *with_it)))


@pytest.mark.parametrize(
    ("value", "loinc"),
    [("600 U/mL", SERUM_U), ("700 pg/mL", SERUM_MASS), ("100 pg/mL", CSF_MASS), ("600", SERUM_U)],
)
def test_who_fell_ill_after_the_sample_gets_no_reassuring_card(value: str, loinc: str) -> None:
    told = sent_away(value, *NEWER, loinc=loinc)
    assert told.summary.endswith(LEADS)
    assert told.detail.count(URGENT) == 1
    assert TOLD in told.detail
    assert "Henter J-I" in told.detail
    assert told.suggestions[0]["label"] == "Call haematology (HLH)"


@pytest.mark.parametrize("day", [SENT_AWAY, "2026-02-25"])
def test_newer_signs_are_told_though_nearer_results_meet_no_item(day: str) -> None:
    """Also within the days in which results count: there the nearest speaks for its test."""
    told = sent_away("600 U/mL", *NEWER, on=day, with_it=of_the_day(day, *NOT_MET))
    assert told.summary.endswith(LEADS)
    assert f"500 ng/mL: not met (ferritin 300 ng/mL of {day}" in told.detail
    assert TOLD in told.detail


def test_a_sample_without_a_date_hides_no_signs() -> None:
    told = sent_away("600 U/mL", *NEWER, on="")
    assert told.summary.endswith(LEADS)
    assert TOLD in told.detail


def test_the_day_is_told_where_it_is_not_that_of_the_sample() -> None:
    told = sent_away(
        "600 U/mL",
        "platelets 20 10*9/L",
        "haemoglobin 70 g/L",
        on="2026-03-01",
        with_it=of_the_day("2026-02-27", "ferritin 50000 ng/mL"),
    )
    assert "(ferritin 50000 ng/mL of 2026-02-27, haemoglobin 70 g/L, platelets 20 " in told.detail


def test_where_the_day_of_issue_alone_is_known_it_is_told() -> None:
    issued = records.moment("2026-03-01T09:30:00+01:00")
    newer = [replace(each, collected=NoMoment(), issued=issued) for each in drawn(*NEWER)]
    told = card_of(records.record(result("600 U/mL", on=SENT_AWAY), companions=tuple(newer)))
    assert TOLD in told.detail
    assert "Observation/ferritin (version 1, 2026-03-01)" in told.detail


def test_a_newer_result_that_made_the_card_urgent_is_used_and_not_ordered_again() -> None:
    told = sent_away("600 U/mL", "ferritin 50000 ng/mL", "fibrinogen 0.8 g/L")
    assert "Triglycerides (fasting)" in labels(told)
    assert labels(told).isdisjoint({"Ferritin", "Fibrinogen"})
    used = {item["resource"] for item in told.extension["inputs"]}
    assert {"Observation/ferritin", "Observation/fibrinogen"} <= used


def test_one_newer_item_alone_and_signs_of_weeks_before_the_sample_raise_no_alarm() -> None:
    one = sent_away("600 U/mL", "ferritin 50000 ng/mL")
    earlier = sent_away("600 U/mL", on="2026-03-01", with_it=of_the_day("2026-02-10", *NEWER))
    for told in (one, earlier):
        assert "HLH less likely" in told.summary
        assert URGENT not in told.detail


def test_a_warning_about_an_older_sample_says_by_itself_that_hours_count() -> None:
    told = sent_away("3000 U/mL", *NEWER)
    assert told.indicator.value == "warning"
    assert LEADS not in told.summary


def test_a_result_that_is_not_valid_hides_no_signs() -> None:
    broken = InvalidResource(ResourceRef("Observation/b"), "Observation.status")
    told = card_of(records.record(broken, companions=drawn(*NEWER)))
    assert told.summary.endswith(f"a result could not be read; {LEADS}")
    assert TOLD in told.detail
