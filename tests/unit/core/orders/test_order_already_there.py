"""What is said about a draft order beside what is there already: results, and their laboratory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import NoValue, ResourceRef, Status
from cds_service.core.model import Availability, LabResult
from cds_service.core.orders.order import Performer
from tests.records import born, record
from tests.unit.core.orders.ordering import (
    CSF,
    IL2_MASS,
    SERUM,
    advice_on,
    advised,
    at_laboratory,
    card_on,
    ids,
    order,
    result,
    told,
)

# ------------------------------------------------------------------ what is there already


def test_a_result_in_the_window_is_shown_as_it_was_received() -> None:
    there = record(history=(result("5230.0 U/mL"),))
    advice = advice_on(order(SERUM), given_record=there)
    assert ids(advice) == ["order-result-present"]
    assert [ref.resource for ref in advice.inputs] == [
        "ServiceRequest/order-0",
        "Observation/before",
    ]
    detail = card_on(order(SERUM), given_record=there).detail
    assert "5230.0 U/mL, dated 2026-11-10, status final, laboratory Laboratory A" in detail
    assert "new series" in detail


@pytest.mark.parametrize(
    "before",
    [
        result("5230 U/mL", on="2026-08-22"),
        result("40 pg/mL", CSF),
        result("5230 U/mL", status=Status.ENTERED_IN_ERROR),
        result("5230 U/mL", status=Status.REGISTERED),
        result("5230 U/mL", on=""),
        result("9 pg/mL", IL2_MASS),
        replace(result("5230 U/mL"), value=NoValue("unknown")),
    ],
    ids=[
        *("91 days ago", "other specimen", "withdrawn", "registered", "no date", "interleukin 2"),
        "no value",
    ],
)
def test_what_is_no_usable_result_of_the_window_is_no_reason_to_wait(before: LabResult) -> None:
    assert advised(order(SERUM), given_record=record(history=(before,))).advice == ()


def test_the_last_day_of_the_window_counts_and_the_newest_result_is_shown() -> None:
    on_the_last_day = record(history=(result("1 U/mL", on="2026-08-23"),))
    assert told(order(SERUM), given_record=on_the_last_day) == ["order-result-present"]
    older = result("100 U/mL", on="2026-11-01", ref=ResourceRef("Observation/older"))
    both = record(history=(older, result("200 U/mL", on="2026-11-02")))
    assert "200 U/mL, dated 2026-11-02" in card_on(order(SERUM), given_record=both).detail


@pytest.mark.parametrize(("one", "other"), [("5230 U/mL", "520 U/mL"), ("520 U/mL", "5230 U/mL")])
def test_of_two_results_of_one_time_no_id_decides_which_is_already_there(
    one: str, other: str
) -> None:
    both = record(
        history=(
            result(one, ref=ResourceRef("Observation/a")),
            result(other, ref=ResourceRef("Observation/b"), laboratory="Laboratory B"),
        )
    )
    card = card_on(order(SERUM), given_record=both)
    assert f"{other} or {one}, dated 2026-11-10, status final, laboratory" in card.detail
    used = [found["resource"] for found in card.extension["inputs"]]
    assert {"Observation/a", "Observation/b"} <= set(used)
    for name in ("Laboratory A", "Laboratory B"):
        assert name in card.detail
        advice = advice_on(order(SERUM, performers=at_laboratory(name)), given_record=both)
        assert "order-laboratory-change" not in ids(advice)
    advice = advice_on(order(SERUM, performers=at_laboratory("Laboratory C")), given_record=both)
    assert "order-laboratory-change" in ids(advice)


def test_of_many_results_of_one_time_three_are_named() -> None:
    many = [result(f"{n} U/mL", ref=ResourceRef(f"Observation/{n}")) for n in range(700, 705)]
    for sent in (many, many[::-1]):
        detail = card_on(order(SERUM), given_record=record(history=tuple(sent))).detail
        assert "704 U/mL or 703 U/mL or 702 U/mL, dated" in detail


def test_a_result_of_one_time_that_names_no_laboratory_may_be_of_the_one_that_is_ordered() -> None:
    nameless = result("520 U/mL", ref=ResourceRef("Observation/nameless"), laboratory="")
    both = record(history=(result("5230 U/mL"), nameless))
    draft = order(SERUM, performers=at_laboratory("Laboratory B"))
    assert ids(advice_on(draft, given_record=both)) == ["order-result-present"]


def test_one_value_that_came_twice_is_shown_once() -> None:
    again = result("700 U/mL", ref=ResourceRef("Observation/again"))
    both = record(history=(result("700 U/mL"), again))
    detail = card_on(order(SERUM), given_record=both).detail
    assert ": 700 U/mL, dated 2026-11-10, status final, laboratory Laboratory A. A" in detail


def test_a_result_dated_ahead_of_today_hides_no_other() -> None:
    ahead = result("100 U/mL", on="2026-12-25", ref=ResourceRef("Observation/ahead"))
    both = record(history=(ahead, result("200 U/mL", on="2026-11-02")))
    assert "200 U/mL, dated 2026-11-02" in card_on(order(SERUM), given_record=both).detail
    assert advised(order(SERUM), given_record=record(history=(ahead,))).advice == ()


def test_results_that_could_not_be_had_are_named_only_beside_something_to_say() -> None:
    gone = {**record().availability, "sil2r": Availability.MISSING}
    child = record(patient=born("2016-01-01"), availability=gone)
    assert "sil2r" in advice_on(order(SERUM), given_record=child).missing
    assert advised(order(SERUM), given_record=record(availability=gone)).advice == ()


# ------------------------------------------------------------------ another laboratory

ONE, TWO = "Organization/1", "Organization/2"
ELSEWHERE = "https://ehr.example.org/fhir/Organization/1"


@pytest.mark.parametrize(
    ("performers", "name", "reference", "changed"),
    [
        (at_laboratory("Laboratory B"), "Laboratory A", "", True),
        (at_laboratory("laboratory  A"), "Laboratory A", "", False),
        (at_laboratory("laboratory  A"), "Laboratory A", ONE, False),
        (at_laboratory("Laboratory B"), "Laboratory A", ONE, True),
        (at_laboratory("Lab", TWO), ONE, ONE, True),
        (at_laboratory("", ELSEWHERE), ONE, ONE, False),
        (at_laboratory("", TWO), "Laboratory A", "", False),
        (at_laboratory("", TWO), "Laboratory A", ONE, True),
        (at_laboratory("Laboratory", TWO), "Laboratory", ONE, True),
        (at_laboratory("The laboratory", ONE), "Laboratory A", ELSEWHERE, False),
        (at_laboratory("Laboratory B"), ONE, ONE, False),
        (at_laboratory("Laboratory B"), ONE, ELSEWHERE, False),
        (at_laboratory("Laboratory B"), "", "", False),
        ((), "Laboratory A", ONE, False),
    ],
)
def test_a_change_of_laboratory_is_told_where_like_can_be_compared_with_like(
    performers: tuple[Performer, ...], name: str, reference: str, *, changed: bool
) -> None:
    """By reference where both have one: "Laboratory" is the name of many laboratories."""
    made_by = {"laboratory": name, "laboratory_reference": reference}
    old = record(history=(result("700 U/mL", on="2026-01-10", **made_by),))
    draft = order(SERUM, performers=performers)
    assert told(draft, given_record=old) == (["order-laboratory-change"] if changed else [])


def test_both_laboratories_are_named_on_the_card() -> None:
    old = record(history=(result("700 U/mL", on="2026-01-10"),))
    draft = order(SERUM, performers=at_laboratory("Laboratory *B*"))
    detail = card_on(draft, given_record=old).detail
    assert r"names Laboratory \*B\*" in detail
    assert "(700 U/mL, dated 2026-01-10) is from Laboratory A" in detail
