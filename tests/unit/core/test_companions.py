"""Companion results: final, of this patient, provably near, in a unit of their own test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.companions import companion_values
from cds_service.core.knowledge import LOINC
from cds_service.core.model import Coding, LabResult, NotNumeric, Status, Subject
from tests import toy
from tests.records import AT, companions, named, record, result

TOY = toy.knowledge()


def texts(*given: LabResult, main: LabResult | None = None) -> dict[str, list[str]]:
    """Companion name -> usable values as shown, nearest first."""
    whole = main or result()
    found = companion_values(TOY, record(whole, companions=given), whole, AT)
    return {name: [value.value.text for value in values] for name, values in found.items()}


def ferritin(on: str, value: str = "600") -> LabResult:
    (made,) = companions(f"ferritin {value} ng/mL", on=on)
    return made


@pytest.mark.parametrize(
    ("on", "near"),
    [
        ("2026-03-01", True),
        ("2026-02-22", True),
        ("2026-03-08", True),
        ("2026-02-21", False),
        ("2026-03-09", False),
        ("2026-03", False),
        ("", False),
    ],
)
def test_a_companion_counts_within_seven_days_if_the_dates_prove_it(on: str, *, near: bool) -> None:
    assert ("ferritin" in texts(ferritin(on))) is near


def test_nothing_is_near_a_result_without_a_date() -> None:
    assert texts(ferritin("2026-03-01"), main=result(on="")) == {}


def test_the_nearest_comes_first_and_of_two_as_near_the_later() -> None:
    given = [ferritin(f"2026-03-0{day}", f"60{day}") for day in (5, 2, 3)]
    before = ferritin("2026-02-28", "628")
    assert texts(before, *given) == {"ferritin": ["602", "628", "603", "605"]}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": Status.PRELIMINARY}, id="not final"),
        pytest.param({"status": Status.ENTERED_IN_ERROR}, id="withdrawn"),
        pytest.param({"subject": Subject.ANOTHER_PATIENT}, id="of another patient"),
        pytest.param({"value": NotNumeric("valueString")}, id="not a number"),
        pytest.param({"codings": (Coding("urn:oid:2.999", "9000021-7"),)}, id="not LOINC"),
        pytest.param(
            {"codings": (Coding(LOINC, "9000021-7"), Coding(LOINC, "9000022-5"))},
            id="codes of two families",
        ),
    ],
)
def test_a_result_that_may_not_be_used_is_unknown(change: dict[str, object]) -> None:
    assert texts(replace(ferritin("2026-03-01"), **change)) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["600", "600 mg", "600 NG/ML", "600 pmol/L", "-1 ng/mL", "<0 ng/mL"],
)
def test_an_unknown_or_foreign_unit_and_an_impossible_value_are_unknown(value: str) -> None:
    assert texts(named("f", value, "9000021-7")) == {}


def test_a_result_in_moles_is_kept_under_its_own_code() -> None:
    assert texts(named("f", "600 pmol/L", "9000022-5")) == {"ferritin": ["600"]}
