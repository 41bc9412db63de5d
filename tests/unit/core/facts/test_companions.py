"""Companion results: final, of this patient, provably near, in a unit of their own test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from cds_service.core.dates import when_taken
from cds_service.core.elements import Coding, NotNumeric, ResourceRef, Status
from cds_service.core.facts.companions import (
    Companions,
    CompanionValue,
    at_one_time,
    companion_values,
    companions_ahead,
)
from cds_service.core.knowledge import LOINC
from cds_service.core.model import LabResult, Subject
from tests import toy
from tests.records import companions, moment, named, record, result

TOY = toy.knowledge()
A_WEEK_LATER = date(2026, 3, 8)
"""When everything within seven days of 1 March can have been collected."""


def usable(*given: LabResult, main: LabResult | None = None) -> Companions:
    whole = main or result()
    when = when_taken(whole, A_WEEK_LATER)
    return companion_values(TOY, record(whole, companions=given), when, A_WEEK_LATER)


def shown(values: Iterable[CompanionValue]) -> list[str]:
    return [value.value.text for value in values]


def texts(*given: LabResult, main: LabResult | None = None) -> dict[str, list[str]]:
    """Companion name -> usable values as shown, nearest first."""
    return {name: shown(values) for name, values in usable(*given, main=main).items()}


def ferritin(on: str, value: str = "600") -> LabResult:
    (made,) = companions(f"ferritin {value} ng/mL", on=on)
    return replace(made, ref=ResourceRef(f"Observation/ferritin-{on}", "1"))


@pytest.mark.parametrize(
    ("on", "near"),
    [
        ("2026-03-01", True),
        ("2026-02-22", True),
        ("2026-03-08", True),
        ("2026-02-21", False),
        ("2026-03-09", False),
        ("2026-02", False),
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


def test_two_values_of_one_companion_with_nothing_to_tell_which_is_newer_are_of_one_time() -> None:
    one, other = ferritin("2026-03-01", "600"), ferritin("2026-03-01", "60")
    assert texts(one, other) == texts(other, one) == {"ferritin": ["600", "60"]}
    assert texts(one, one) == {"ferritin": ["600", "600"]}
    assert texts(one, replace(one, status=Status.AMENDED)) == {"ferritin": ["600", "600"]}


def test_so_are_those_of_which_one_is_dated_in_another_week() -> None:
    this, other = ferritin("2026-03-01", "600"), ferritin("2026-01-01", "50000")
    versions, later = (this, replace(other, ref=this.ref)), ferritin("2026-03-02", "700")
    for given in permutations(versions):
        found = usable(later, *given)["ferritin"]
        assert shown(found) == ["600", "700", "50000"]
        assert shown(at_one_time(found)) == ["600", "50000"]


def test_versions_in_doubt_bring_no_other_result_from_another_week() -> None:
    """Neither those of a near result a far one, nor those of a far result themselves."""
    near, far = ferritin("2026-03-01", "600"), ferritin("2026-01-01", "50000")
    another_near, another_far = ferritin("2026-03-01", "60"), ferritin("2026-01-01", "5000")
    assert texts(near, another_near, far) == {"ferritin": ["600", "60"]}
    assert texts(near, far, another_far) == {"ferritin": ["600"]}


def test_results_without_an_id_are_no_versions_of_one_beside_such_versions() -> None:
    early, late = (
        replace(ferritin(f"2026-03-0{day}", f"{day}00"), ref=ResourceRef("Observation"))
        for day in (2, 4)
    )
    versions = ferritin("2026-03-05", "600"), ferritin("2026-03-05", "60")
    found = usable(early, late, *versions)["ferritin"]
    assert shown(found) == ["200", "400", "600", "60"]
    assert shown(at_one_time(found)) == ["200"]


def test_the_number_of_a_version_puts_no_two_results_in_order() -> None:
    ninth, tenth = (
        replace(ferritin("2026-03-01", value), ref=ResourceRef(f"Observation/{value}", version))
        for value, version in (("600", "9"), ("60", "10"))
    )
    assert shown(at_one_time(usable(ninth, tenth)["ferritin"])) == ["60", "600"]


def test_a_preliminary_value_of_one_id_puts_the_final_one_in_no_doubt() -> None:
    final = ferritin("2026-03-01", "600")
    before = replace(ferritin("2026-03-01", "60"), status=Status.PRELIMINARY)
    for given in permutations((final, before)):
        assert texts(*given) == {"ferritin": ["600"]}


def test_of_results_dated_ahead_the_furthest_comes_first_however_they_came() -> None:
    """The card names some of them only."""
    days = ["2026-04-03", "2026-04-02", "2026-04-01"]
    for given in permutations(map(ferritin, days)):
        ahead = companions_ahead(TOY, record(result(), companions=given), A_WEEK_LATER)
        names = [found.result.ref.resource for _, found in ahead]
        assert names == [f"Observation/ferritin-{day}" for day in days]


def timed(name: str, value: str, at: str) -> LabResult:
    """Ferritin at an hour of 1 March."""
    when = moment(f"2026-03-01T{at}:00Z")
    return replace(named(name, f"{value} ng/mL", "9000021-7"), collected=when)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        pytest.param([("a", "200", "02:00"), ("b", "20000", "12:00")], "20000", id="4 h beat 6 h"),
        pytest.param([("a", "200", "12:00"), ("b", "20000", "02:00")], "200", id="either value"),
        pytest.param([("b", "200", "12:00"), ("a", "20000", "02:00")], "200", id="either name"),
        pytest.param([("a", "200", "06:00"), ("b", "300", "10:00")], "300", id="as near: newer"),
        pytest.param([("a", "200", "08:00"), ("b", "300", "08:00")], "300", id="together: by id"),
    ],
)
def test_within_a_day_the_nearest_in_time_comes_first_in_whatever_order_they_arrive(
    given: list[tuple[str, str, str]], nearest: str
) -> None:
    """Ferritin of 200 and of 20,000 ng/mL around one sample of 08:00."""
    main = replace(result(), collected=moment("2026-03-01T08:00:00Z"))
    for arrived in permutations(timed(*each) for each in given):
        assert texts(*arrived, main=main)["ferritin"][0] == nearest


def test_a_time_on_the_same_day_is_nearer_than_a_day_that_may_be_any_hour_of_it() -> None:
    main = replace(result(), collected=moment("2026-03-01T08:00:00Z"))
    given = (ferritin("2026-03-01", "700"), timed("z", "600", "20:00"))
    assert texts(*given, main=main) == {"ferritin": ["600", "700"]}


@pytest.mark.parametrize(("on", "used"), [("2026-03-09", True), ("2026-03-10", False)])
def test_a_companion_dated_more_than_a_day_ahead_of_today_is_not_used(
    on: str, *, used: bool
) -> None:
    main = result(on="2026-03-08")
    assert ("ferritin" in texts(ferritin(on), main=main)) is used
    assert texts(ferritin("2026-03-10"), main=result(on="2026-03-10")) == {}


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


def test_none_at_all_is_a_number_too() -> None:
    (none,) = companions("neutrophils 0 10*9/L")
    assert texts(none) == {"neutrophils": ["0"]}


def test_a_result_in_moles_is_kept_under_its_own_code() -> None:
    assert texts(named("f", "600 pmol/L", "9000022-5")) == {"ferritin": ["600"]}
