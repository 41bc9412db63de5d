"""Units read as U/mL by assumption: the card says so, and nothing is built on it unsaid."""

from __future__ import annotations

import pytest

from tests import records
from tests.unit.cards.given import CSF_U, SERUM_U, card, card_of, drawn, named

EARLIER = records.moment("2026-02-20")
ASSUMED = "The laboratory sent international units; they are read as the assay's U/mL."
NO_FACTOR = "no exact factor leads from the unit of one result to that of the other."
ALBUMINS = drawn("albumin-csf 20 mg/dL", "albumin-serum 40 g/L")


def detail_of_a_rise(before: str, after: str) -> str:
    """The card on 800 in the one unit, after 500 of the same laboratory in the other."""
    results = named("b", f"800 {after}"), named("a", f"500 {before}", collected=EARLIER)
    return card_of(records.record(*results)).detail.replace("\\", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [("U/mL", "[IU]/mL"), ("[IU]/mL", "U/mL"), ("IU/mL", "kU/L"), ("[arb'U]/mL", "k[IU]/L")],
)
def test_no_direction_is_told_from_one_unit_to_another_that_is_only_taken_for_the_same(
    before: str, after: str
) -> None:
    told = detail_of_a_rise(before, after)
    assert f"- 2026-02-20: 500 {before}, Laboratory A; not comparable with the next" in told
    assert "(unit changed)" in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[IU]/mL", "k[IU]/L"),
        ("kU/L", "U/mL"),
        ("IU/mL", "[IU]/mL"),
        ("[iU]/mL", "k[IU]/L"),
    ],
)
def test_a_direction_is_told_between_units_that_are_the_same_by_definition(
    before: str, after: str
) -> None:
    told = detail_of_a_rise(before, after)
    assert f"- 2026-02-20: 500 {before}, Laboratory A; then rose" in told


@pytest.mark.parametrize(
    ("fluid", "blood", "index"),
    [
        ("U/mL", "kU/L", "24.00."),
        ("[IU]/mL", "[IU]/mL", "24.00."),
        ("[IU]/mL", "U/mL", NO_FACTOR),
        ("U/mL", "[IU]/mL", NO_FACTOR),
    ],
)
@pytest.mark.parametrize("head", [SERUM_U, CSF_U])
def test_the_index_is_not_computed_from_units_that_are_only_taken_for_the_same(
    fluid: str, blood: str, index: str, head: str
) -> None:
    results = {
        CSF_U: named("csf", f"60 {fluid}", CSF_U),
        SERUM_U: named("blood", f"500 {blood}", SERUM_U),
    }
    given = records.record(results.pop(head), history=tuple(results.values()), companions=ALBUMINS)
    assert f"(CSF/blood sIL-2R over CSF/serum albumin): {index}" in card_of(given).detail


@pytest.mark.parametrize(
    ("unit", "ranges", "times"),
    [
        ("U/mL", [("158", "623", "[IU]/mL")], 1),
        ("[IU]/mL", [("158", "623", "U/mL")], 1),
        ("[IU]/mL", [("158", "623", "k[IU]/L")], 1),
        ("U/mL", [("158", "623", "kU/L")], 0),
        ("U/mL", [("158", "623", "[IU]/mL"), ("10", "90", "[IU]/mL")], 0),
    ],
    ids=["range", "value", "both alike", "neither", "not applied"],
)
def test_the_assumption_is_told_once_whether_value_or_range_needs_it(
    unit: str, ranges: list[tuple[str, str, str]], times: int
) -> None:
    sent = tuple(records.within(*one) for one in ranges)
    assert card(f"700 {unit}", SERUM_U, sent).detail.count(ASSUMED) == times
