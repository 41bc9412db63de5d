"""A result that went to another laboratory and back: shown, and never drawn as a trend."""

from __future__ import annotations

import re

import pytest

import fhir_fixtures
from cds_service.commands.documents import evaluate_document
from cds_service.core.card import Card
from cds_service.knowledge.files import Library
from cds_service.strict_json import parse_object

HOOK = "org.sil2r-cds.lab-result-create"
BROKEN = "not comparable with the next (laboratory changed, unit changed)"
CLOCK = "08:15 UTC+01:00"
DIRECTION = re.compile(r"\b(rose|fell|unchanged|rises|rising|falls|trend\w*|increas\w*)\b")


def card(story: str, library: Library) -> Card:
    """The one card of a story of the fixtures."""
    document = parse_object(fhir_fixtures.text(story).encode())
    day = fhir_fixtures.manifest().evaluated_on
    (outcome,) = evaluate_document(document, library, day, HOOK)
    (found,) = outcome.cards
    return found


def earlier(story: str, library: Library) -> list[str]:
    """The lines about earlier results, newest first."""
    section = card(story, library).detail.partition("**Other results of this test**\n\n")[2]
    return section.partition("\n\n")[0].splitlines()


def test_s3_one_order_code_in_two_laboratories_breaks_where_the_laboratory_changes(
    library: Library,
) -> None:
    """U/mL at A, pg/mL and then ng/mL at B, U/mL at A again.

    Between the two results of B only the multiple of the unit changes, so they can be compared.
    """
    assert earlier("one_order_code_two_laboratories", library) == [
        f"- 2026-08-05 {CLOCK}: 1.62 ng/mL, Synthetic Laboratory B; {BROKEN}",
        f"- 2026-04-10 {CLOCK}: 1894.0 pg/mL, Synthetic Laboratory B; then fell",
        f"- 2025-12-01 {CLOCK}: 1310 U/mL, Synthetic Laboratory A; {BROKEN}",
    ]


def test_s3_a_test_sent_out_and_back_shows_no_direction_at_all(library: Library) -> None:
    lines = earlier("patient_view_send_out_changed_twice", library)
    assert lines == [
        f"- 2026-10-05 {CLOCK}: 1894.0 pg/mL, Synthetic Laboratory C (bead assay); {BROKEN}",
        f"- 2026-09-14 {CLOCK}: 1310 U/mL, Synthetic Laboratory A; {BROKEN}",
    ]
    assert not [line for line in lines if DIRECTION.search(line)]


@pytest.mark.parametrize(
    "story", ["one_order_code_two_laboratories", "patient_view_send_out_changed_twice"]
)
def test_s3_only_the_newest_value_speaks_and_against_its_own_laboratorys_range(
    story: str, library: Library
) -> None:
    found = card(story, library)
    said = found.detail.partition("**Other results of this test**")[0]
    assert (
        found.summary == "sIL-2R 1480 U/mL (serum/plasma): 1.8 times the laboratory's upper limit"
    )
    assert "137 to 838 U/mL" in said
    for other in ("1894", "1.62", "1310", "858.2", "0.8582", "pg/mL", "ng/mL"):
        assert other not in said
    assert not DIRECTION.search(said)
    assert "neither the value nor the multiple can be compared between laboratories" in said
