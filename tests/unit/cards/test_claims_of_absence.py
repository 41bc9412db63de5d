"""What was not found is said not to have been found, never not to exist; and what holds for one
specimen is not said of the other.
"""

from __future__ import annotations

import re

from tests.packaged import SIL2R
from tests.unit.cards.given import CSF_MASS, card, recorded
from tests.unit.cards.wording import everything_said

DENIES = re.compile(
    r"\b(no|none|nothing|without|never)\b[^.;:]*\b(exists?|is known to|published limits)\b",
    re.IGNORECASE,
)
UNLESS = re.compile(r"more data may exist|No published limit in ")
"""Of data that may be there; and of the limits that stand in the knowledge itself."""


def test_nothing_is_said_not_to_exist_because_it_was_not_found() -> None:
    claims = [(row.id, row.claim) for row in SIL2R.findings]
    claims += [(row.id, row.claim) for row in SIL2R.contexts]
    said = [(where, UNLESS.sub("", text)) for where, text in (*everything_said(), *claims)]
    assert [(where, found[0]) for where, text in said if (found := DENIES.search(text))] == []


def test_a_value_below_the_range_is_not_said_to_mean_nothing() -> None:
    below = "".join(SIL2R.templates["below-laboratory-limit"]["says"].parts)
    assert below.endswith("No study of such low values was found.")


def test_on_a_card_about_csf_the_criterion_of_hlh_is_one_in_blood() -> None:
    told = card("340 pg/mL", CSF_MASS, **recorded("condition.hlh"))
    assert "sIL-2R in blood is one criterion of several" in told.detail


def test_a_series_of_which_some_lay_above_the_floor_is_not_said_to_lie_at_it() -> None:
    """4 of 23 with multiple sclerosis were above the floor of the assay (Ott 1993)."""
    told = card("340 pg/mL", CSF_MASS, **recorded("condition.multiple-sclerosis"))
    assert "mostly at the assay's floor in two more" in told.detail
