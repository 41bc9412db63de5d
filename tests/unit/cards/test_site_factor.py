"""Names of laboratories, and the factor that a site holds for the assay of one of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.results.comparable import laboratory_name
from cds_service.core.schema import AssayFactor
from tests import records
from tests.packaged import SIL2R
from tests.unit.cards.given import card_of, drawn, result


def test_a_name_that_is_like_an_id_is_a_name_and_a_reference_in_its_place_is_none() -> None:
    named = records.result(laboratory="LabA", laboratory_reference="Organization/LabA")
    assert laboratory_name(named) == "LabA"
    assert laboratory_name(replace(named, laboratory="Organization/LabA")) == ""


def at_a_site(
    factor: str, laboratory: str = "Laboratory A", source: str = "Letter"
) -> KnowledgeBase:
    """The knowledge of a site that holds a factor for the assay of one laboratory."""
    row = AssayFactor(laboratory=laboratory, family="U", factor=factor, source=source)
    return replace(SIL2R, assays={laboratory: row})


@pytest.mark.parametrize(
    ("value", "factor", "scaled", "leads"),
    [
        ("2600 U/mL", "0.9", "2340 U/mL", "below the HLH-2004 criterion"),
        ("2300 U/mL", "1.10", "2530 U/mL", "meets one HLH-2004 criterion"),
        (">=2300 U/mL", "1.1", ">=2530 U/mL", "meets one HLH-2004 criterion"),
        ("<2600 kU/L", "0.9", "<2340 kU/L", "below the HLH-2004 criterion"),
        ("<2400 U/mL", "1.1", "<2640 U/mL", "may lie on either side of 2400 U/mL"),
    ],
)
def test_a_card_never_calls_a_value_below_a_limit_that_it_shows_to_be_above(
    value: str, factor: str, scaled: str, leads: str
) -> None:
    """What is held against the limits of studies stands beside what the laboratory reported."""
    given = result(value, ranges=(records.within("200", "3000", "U/mL"),))
    found = card_of(records.record(given), at_a_site(factor))
    told = f"sIL-2R {value} (serum/plasma): {scaled} by the site's factor, {leads}"
    assert found.summary.startswith(told)
    assert len(found.summary) < 140
    said, made = (text.replace("<", "&lt;").replace(">", "&gt;") for text in (value, scaled))
    assert f"(Letter), which gives {made}." in found.detail
    if "meets" in leads:
        assert (
            f"- {said} ({made} by the site's factor) reaches the sIL-2R criterion" in found.detail
        )


def test_the_multiple_of_the_laboratory_s_limit_is_not_said_of_what_a_factor_gives() -> None:
    """900 U/mL is above the range to 850 U/mL; 810 U/mL would not be."""
    given = result("900 U/mL", ranges=(records.within("223", "850", "U/mL"),))
    found = card_of(records.record(given), at_a_site("0.9"))
    assert found.summary == (
        "sIL-2R 900 U/mL (serum/plasma): 1.1 times the laboratory's upper limit"
    )
    assert "(Letter), which gives 810 U/mL." in found.detail


def test_an_item_of_a_panel_tells_the_factor_that_its_value_was_multiplied_by() -> None:
    ferritin = drawn("ferritin 900 ng/mL")
    found = card_of(records.record(result("2700 U/mL"), companions=ferritin), at_a_site("0.9"))
    told = "  - sIL-2R at or above 2400 U/mL: met (2700 U/mL times the laboratory's own factor 0.9)"
    assert told in found.detail.splitlines()


@pytest.mark.parametrize("value", ["5230 U/mL", "5230.12345678901234567890 U/mL"])
def test_what_a_factor_gives_drives_nothing_from_the_summary_that_must_not_be_overlooked(
    value: str,
) -> None:
    given = records.record(result(value), patient=records.born("2026-03-05"))
    found = card_of(given, at_a_site("0.9"))
    assert found.summary.startswith(f"sIL-2R {value} (serum/plasma): meets one HLH-2004 criterion")
    assert found.summary.endswith("; dated before the patient was born")
    assert "(Letter), which gives 4707" in found.detail


CENTRAL = at_a_site("0.5", "Central laboratory", "Letter of 2026-02-01")


@pytest.mark.parametrize(
    ("named", "used"),
    [("Central Laboratory", True), ("CENTRAL  LABORATORY", True), ("Laboratory *B*", False)],
)
def test_a_card_tells_whether_the_factor_of_the_site_was_used_and_whose_it_is(
    named: str, *, used: bool
) -> None:
    said = card_of(records.record(result("3000 U/mL", laboratory=named)), CENTRAL)
    assert ("was multiplied by 0.5" in said.detail) is used
    assert ("reaches the sIL-2R criterion" in said.detail) is not used
    not_used = (
        "This site holds a factor for the assay of Central laboratory. It was not used: the"
        " laboratory of this result is Laboratory \\*B\\*."
    )
    assert (not_used in said.detail) is not used


def test_a_result_that_names_no_laboratory_says_so_beside_the_factor() -> None:
    said = card_of(records.record(result("3000 U/mL", laboratory="")), CENTRAL)
    assert "It was not used: the laboratory of this result is unknown." in said.detail
