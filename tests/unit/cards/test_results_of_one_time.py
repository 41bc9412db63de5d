"""Two results of sIL-2R that bear one time, or two versions of one: no id decides between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import ResourceRef, Status
from tests import records
from tests.safety.results import NO_SPECIMEN
from tests.unit.cards.given import (
    CSF_MASS,
    SERUM_MASS,
    SERUM_U,
    URGENT,
    card,
    card_of,
    named,
    result,
)


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize(
    ("graver", "other", "loinc"),
    [
        ("5230 U/mL", "520 U/mL", SERUM_U),
        ("2400 U/mL", "<3000 U/mL", SERUM_U),
        ("0.2 ng/mL", "140 pg/mL", CSF_MASS),
    ],
    ids=["high and low", "met and open", "the smaller number in the larger unit"],
)
def test_of_two_results_of_one_time_the_card_is_about_the_one_that_warns_whatever_their_ids(
    names: str, graver: str, other: str, loinc: str
) -> None:
    """Two feeds send one sample with two values, and no id says which of them stands."""
    one, two = (
        named(name, value, loinc) for name, value in zip(names, (graver, other), strict=True)
    )
    two = replace(two, ref=replace(two.ref, version="7"))  # versions of two ids order nothing
    found = card_of(records.record(one, two))
    assert found.summary.startswith(f"sIL-2R {graver} (")
    assert found.indicator.value == "warning"
    beside = other.replace("<", "&lt;")
    assert f"A final result of the same specimen, {beside} (date: 2026-03-01)" in found.detail
    assert f"- 2026-03-01: {beside}, Laboratory A; direction cannot be told" in found.detail


@pytest.mark.parametrize(
    ("first", "last"), [("5230", "2600"), ("2600", "5230"), ("300", "320"), ("320", "300")]
)
def test_of_two_results_that_both_warn_or_do_not_the_choice_stays(first: str, last: str) -> None:
    given = records.record(named("a", f"{first} U/mL"), named("b", f"{last} U/mL"))
    assert card_of(given).summary.startswith(f"sIL-2R {last} U/mL")


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_where_one_was_issued_later_the_card_is_about_it_and_says_that_the_first_would_warn(
    names: str,
) -> None:
    """A sample measured again: the later report speaks, even where the earlier one is higher."""
    first, again = (
        named(name, f"{value} U/mL", issued=records.moment(f"2026-03-01T{hour}:00:00Z"))
        for name, value, hour in zip(names, ("5230", "520"), ("09", "11"), strict=True)
    )
    for arrived in ((first, again), (again, first)):
        found = card_of(records.record(*arrived))
        assert found.summary.startswith("sIL-2R 520 U/mL")
        assert found.summary.endswith(": another result, perhaps newer, may be urgent")
        assert "5230 U/mL (date: 2026-03-01), may be the newer one" in found.detail


def test_of_a_flood_of_results_of_one_time_the_highest_are_judged() -> None:
    """An import that gives a whole history one date: no id hides the one that warns."""
    low = [named(f"b{n:02}", f"{300 + n} U/mL") for n in range(40)]
    unread = named("c", "5 pg")
    found = card_of(records.record(named("a", "5230 U/mL"), *low, unread))
    assert found.summary.startswith("sIL-2R 5230 U/mL")
    assert found.indicator.value == "warning"


def test_two_equal_results_beside_the_first_are_one_line() -> None:
    """Sent twice under two ids, as interfaces do: a reader learns nothing from a second line."""
    twice = (named("a", "520 U/mL"), named("b", "520 U/mL"))
    found = card_of(records.record(*twice, named("c", "5230 U/mL")))
    assert found.detail.count("A final result of the same specimen, 520 U/mL") == 1
    assert {"Observation/a", "Observation/b"} <= {
        used["resource"] for used in found.extension["inputs"]
    }


@pytest.mark.parametrize("on", ["2026-03-01", "2026-02-20"])
def test_a_result_without_an_id_hides_no_other_without_one(on: str) -> None:
    """A message whose results have no id and no specimen: the lower value is on the card, too."""
    bare: dict[str, Any] = {"ref": ResourceRef("Observation"), "specimen": NO_SPECIMEN}
    high = result("5230 U/mL", **bare)
    low = result("520 U/mL", on=on, **bare)
    found = card_of(records.record(low, high, high))
    assert found.summary.startswith("sIL-2R 5230 U/mL")
    told = "then rose" if on < "2026-03-01" else "direction cannot be told"
    assert f"- {on}: 520 U/mL, Laboratory A; {told}" in found.detail
    assert found.detail.count("5230 U/mL, Laboratory A") == 0


def test_a_result_that_would_warn_is_not_hidden_behind_one_that_only_says_when_to_call() -> None:
    """One sample in pg/mL, for which there is no limit, and the next one, not final, in U/mL."""
    final = named("a", "1240 pg/mL", SERUM_MASS)
    newer = named("b", "12000 U/mL", on="2026-03-02", status=Status.PRELIMINARY)
    found = card_of(records.record(final, newer))
    assert found.summary.endswith(": a newer result, not final, may be urgent")
    assert "12000 U/mL" in found.detail
    assert found.detail.count(URGENT) == 1


@pytest.mark.parametrize("values", [("520", "5230"), ("5230", "520")])
def test_beside_csf_every_blood_value_of_one_time_is_shown(values: tuple[str, str]) -> None:
    """The CSF has arrived, the blood is in the chart: 520 alone would reassure by its id."""
    blood = tuple(named(f"b{n}", f"{value} U/mL") for n, value in enumerate(values))
    found = card("100 pg/mL", CSF_MASS, history=blood)
    later, earlier = values[::-1]
    shown = f"within 7 days: {later} U/mL or {earlier} U/mL (serum/plasma, 2026-03-01)"
    assert shown in found.detail
    assert {"Observation/b0", "Observation/b1"} <= {
        each["resource"] for each in found.extension["inputs"]
    }


def test_of_two_versions_the_card_says_that_they_are_in_no_order_not_that_nothing_tells() -> None:
    """One of them may bear a version or a time of its own; alone that orders nothing."""
    other = result("300 U/mL", ref=ResourceRef("Observation/r"))
    said = card("3000 U/mL", history=(other,)).detail
    assert "Another version of this result says 300 U/mL" in said
    assert "does not say which is newer: ask the laboratory which stands" in said
    assert "nothing tells" not in said
