"""Another version of a result, where nothing tells which is newer: none hides an urgent one."""

from __future__ import annotations

import pytest

from cds_service.core.card import Card, Indicator
from tests import records
from tests.unit.cards.given import SERUM_MASS, SERUM_U, card_of, named

URGENT = "another version of it may be urgent"


def card_on(value: str, *known: tuple[str, str]) -> Card:
    """The card on a result that arrived, where the record holds it otherwise."""
    versions = tuple(named("o1", other, code) for other, code in known)
    return card_of(records.record(named("o1", value), history=versions))


def test_a_graver_version_leads_and_says_what_to_do_for_an_ill_patient() -> None:
    """The record says 5230 U/mL, what arrived says 250, and neither carries a version."""
    card = card_on("250 U/mL", ("5230 U/mL", SERUM_U))
    assert card.summary == f"sIL-2R 250 U/mL (serum/plasma): {URGENT}"
    assert card.indicator is Indicator.INFO
    _, _, said = card.detail.partition("**What it says**\n\n")
    assert said.startswith("- Another version of this result says 5230 U/mL (specimen serum/plasma")
    assert "discuss the patient urgently with a specialist. Ask the laboratory" in said
    assert "- Below 2400 U/mL" in said


def test_what_cannot_be_interpreted_tells_a_graver_version_beside_the_reason() -> None:
    card = card_on("250 mmol/L", ("5230 U/mL", SERUM_U))
    assert card.summary == (
        f"sIL-2R 250 mmol/L (serum/plasma): unit not recognised, so not interpreted; {URGENT}"
    )


@pytest.mark.parametrize(
    ("own", "other"),
    [("250 U/mL", "300 U/mL"), ("5230 U/mL", "250 U/mL"), ("5230 U/mL", "90000 U/mL")],
    ids=["both calm", "a calmer one", "both grave"],
)
def test_a_version_that_presses_no_more_is_named_and_does_not_lead(own: str, other: str) -> None:
    card = card_on(own, (other, SERUM_U))
    assert URGENT not in card.summary
    _, _, context = card.detail.partition("**Context**")
    assert f"- Another version of this result says {other} (specimen serum/plasma, " in context


def test_a_graver_version_is_not_among_those_that_are_left_out() -> None:
    """Its number is the lowest, and its unit has no published limit."""
    calm = [(f"{number} U/mL", SERUM_U) for number in (300, 400, 500)]
    card = card_on("250 U/mL", *calm, ("10 pg/mL", SERUM_MASS))
    assert card.summary.endswith(URGENT)
    named_ones = [value for value, _ in (*calm, ("10 pg/mL", "")) if f"says {value}" in card.detail]
    assert named_ones == ["400 U/mL", "500 U/mL", "10 pg/mL"]
