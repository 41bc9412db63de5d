"""A result that is newer, or may be, and is not the one that the card is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import NoValue, ReferenceRange, Status
from cds_service.core.model import LabResult
from tests import records
from tests.unit.cards.given import (
    ARUP,
    CSF_MASS,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card,
    card_of,
    named,
    result,
)


def test_a_newer_result_is_told_with_its_date() -> None:
    newer = named("newer", "300 U/mL", on="2026-03-02")
    said = card("5230 U/mL", history=(newer,)).detail
    assert "a newer result of the same specimen, collected 2026-03-02" in said


# ------------------------------------------------------------------ a newer value that is not final


def beside_preliminary(
    final: str, newer: str, loinc: str, ranges: tuple[ReferenceRange, ...]
) -> Card:
    """A final result of 1 March, and a preliminary one of 2 March."""
    later: dict[str, Any] = {"on": "2026-03-02", "status": Status.PRELIMINARY}
    new = named("new", newer, loinc, ranges=ranges, **later)
    return card_of(records.record(result(final, loinc, ranges), new))


@pytest.mark.parametrize(
    ("final", "newer", "loinc", "ranges"),
    [
        ("300 U/mL", "50000 U/mL", SERUM_U, LABCORP),
        ("300 U/mL", ">2000 U/mL", SERUM_U, LABCORP),
        ("300 U/mL", "50000 furlong", SERUM_U, LABCORP),
        ("400 pg/mL", "9000 pg/mL", SERUM_MASS, ARUP),
        ("100 pg/mL", "212 pg/mL", CSF_MASS, ()),
    ],
)
def test_a_preliminary_value_that_would_be_urgent_is_not_hidden_behind_a_quiet_final_one(
    final: str, newer: str, loinc: str, ranges: tuple[ReferenceRange, ...]
) -> None:
    told = beside_preliminary(final, newer, loinc, ranges)
    assert told.summary.endswith("): a newer result, not final, may be urgent")
    assert f"status preliminary: {newer.replace('>', '&gt;')}, collected 2026-03-02" in told.detail
    assert told.detail.count(URGENT) == 1
    assert told.indicator.value == "info"  # nothing is decided by a value that may still change


@pytest.mark.parametrize("newer", ["310 U/mL", "900 U/mL", "2399 U/mL"])
def test_a_preliminary_value_that_would_not_be_urgent_is_told_without_alarm(newer: str) -> None:
    told = beside_preliminary("300 U/mL", newer, SERUM_U, LABCORP)
    assert "HLH less likely" in told.summary
    assert f"status preliminary: {newer}, collected 2026-03-02" in told.detail
    assert URGENT not in told.detail


def test_beside_a_warning_the_preliminary_value_is_told_and_the_warning_leads() -> None:
    told = beside_preliminary("3000 U/mL", "50000 U/mL", SERUM_U, LABCORP)
    assert "meets one HLH-2004 criterion" in told.summary
    assert "status preliminary: 50000 U/mL" in told.detail


# ------------------------------------------------------------------ wherever the newer one was sent


def arrived_before(*known: LabResult) -> Card:
    """A final 300 U/mL of 1 March, 8 in the morning, arrives; `known` are from the chart."""
    final = result("300 U/mL", ranges=LABCORP, on="2026-03-01T08:00:00Z")
    return card_of(records.record(final, history=known))


def known(value: str, on: str, status: Status, name: str = "known") -> LabResult:
    return named(name, value, status=status, on=on)


@pytest.mark.parametrize(
    ("on", "status", "headline"),
    [
        ("2026-03-02", Status.PRELIMINARY, "a newer result, not final, may be urgent"),
        ("2026-03-02", Status.FINAL, "a newer final result may be urgent"),
        ("2026-03-01", Status.PRELIMINARY, "another result, perhaps newer, may be urgent"),
        ("2026-03-01", Status.FINAL, "another result, perhaps newer, may be urgent"),
        ("", Status.PRELIMINARY, "another result, perhaps newer, may be urgent"),
    ],
)
def test_a_high_value_in_the_chart_that_may_be_newer_is_not_hidden_by_the_one_that_arrived(
    on: str, status: Status, headline: str
) -> None:
    told = arrived_before(known("50000 U/mL", on, status))
    assert told.summary.endswith(f"): {headline}")
    assert "50000 U/mL" in told.detail
    assert told.detail.count(URGENT) == 1
    assert told.indicator.value == "info"
    used = told.extension["inputs"]
    assert {"resource": "Observation/known", "version": "1"} in used
    assert "Observation/known (version 1" in told.detail


@pytest.mark.parametrize("on", ["2026-03-02", "2026-03-01", ""])
@pytest.mark.parametrize("status", [Status.PRELIMINARY, Status.FINAL])
def test_a_quiet_value_in_the_chart_that_may_be_newer_is_told_without_alarm(
    on: str, status: Status
) -> None:
    told = arrived_before(known("320 U/mL", on, status))
    assert "HLH less likely" in told.summary
    assert "320 U/mL" in told.detail.partition("**Context**")[2].partition("**Used**")[0]
    assert URGENT not in told.detail


def test_what_a_newer_final_result_has_replaced_is_not_told_again() -> None:
    """A preliminary 50,000 of 2 March, and the final 320 of 3 March."""
    replaced = known("50000 U/mL", "2026-03-02", Status.PRELIMINARY, "replaced")
    newest = known("320 U/mL", "2026-03-03", Status.FINAL, "newest")
    told = arrived_before(replaced, newest)
    assert "There is a newer result of the same specimen, collected 2026-03-03: 320" in told.detail
    assert "50000" not in told.detail


def test_a_value_of_the_other_specimen_is_not_called_a_newer_one() -> None:
    fluid = named("known", "400 pg/mL", CSF_MASS, on="2026-03-02", status=Status.PRELIMINARY)
    told = arrived_before(fluid)
    assert "400 pg/mL" not in told.detail


def test_of_many_newer_ones_the_urgent_one_is_never_the_one_left_out() -> None:
    """Four preliminary values since: 50,000 first, then three of 320."""
    high = known("50000 U/mL", "2026-03-02T00:00:00Z", Status.PRELIMINARY, "high")
    low = [
        known("320 U/mL", f"2026-03-02T0{hour}:00:00Z", Status.PRELIMINARY, f"low-{hour}")
        for hour in (1, 2, 3)
    ]
    told = arrived_before(high, *low)
    assert told.summary.endswith("): a newer result, not final, may be urgent")
    assert told.detail.count("320 U/mL") == 2


def test_beside_an_urgent_newer_one_the_others_are_told_too() -> None:
    results = (
        known("50000 U/mL", "2026-03-03", Status.PRELIMINARY, "high"),
        known("310 U/mL", "2026-03-02", Status.PRELIMINARY, "low"),
    )
    told = arrived_before(*results)
    assert told.summary.endswith("): a newer result, not final, may be urgent")
    assert "50000 U/mL" in told.detail
    assert "status preliminary: 310 U/mL, collected 2026-03-02" in told.detail


def test_where_none_that_arrived_is_final_a_final_one_of_the_chart_is_told_with_its_value() -> None:
    arrived = known("300 U/mL", "2026-03-01", Status.PRELIMINARY, "arrived")
    final = known("50000 U/mL", "2026-03-02", Status.FINAL)
    told = card_of(records.record(arrived, history=(final,)))
    assert "collected 2026-03-02: 50000 U/mL" in told.detail


def test_a_withdrawn_value_is_not_shown_as_one_that_may_be_newer() -> None:
    told = arrived_before(known("50000 U/mL", "", Status.ENTERED_IN_ERROR))
    assert "status entered-in-error" in told.detail
    assert "50000" not in told.detail
    assert URGENT not in told.detail


@pytest.mark.parametrize("status", [Status.PRELIMINARY, Status.FINAL])
def test_a_newer_result_without_a_value_is_told_without_alarm(status: Status) -> None:
    newer = replace(known("320 U/mL", "2026-03-02", status), value=NoValue())
    told = arrived_before(newer)
    assert "2026-03-02" in told.detail.partition("**Context**")[2]
    assert URGENT not in told.detail
