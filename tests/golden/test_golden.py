"""Cards as they are read: one file each, changed only on purpose and read by a person then.

`pytest tests/golden --update-golden` writes them anew; git shows what changed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fhir_fixtures
from cds_service.commands.documents import evaluate_document
from cds_service.config import Settings
from cds_service.knowledge.files import Library
from cds_service.strict_json import parse_object

CARDS = Path(__file__).parent / "cards"
CHOSEN = (
    "serum_adult_above_2400",
    "serum_adult_exactly_2400",
    "serum_adult_above_10000",
    "serum_adult_less_than_3000",
    "serum_child",
    "serum_over_65",
    "serum_pg_above_laboratory_range",
    "serum_international_units_text",
    "serum_unit_missing",
    "serum_unit_mole",
    "serum_unit_code_conflict",
    "csf_above_150",
    "csf_exactly_150",
    "csf_units_above_laboratory_limit",
    "csf_less_than_200",
    "specimen_missing",
    "specimen_conflict",
    "specimen_urine",
    "specimen_of_the_mother",
    "collected_before_birth",
    "status_preliminary",
    "status_corrected",
    "value_text_with_unit",
    "panel_component",
    "report_without_its_result",
    "codings_contradict",
    "il2_in_csf",
    "hlh_panel_partial",
    "hlh_panel_two_ferritins_of_one_time",
    "hlh_panel_ferritin_in_milligrams",
    "ohi_positive",
    "atl_subtype_unknown",
    "sarcoidosis_above_laboratory_limit",
    "csf_serum_pair_with_albumins",
    "context_multiple_sclerosis_csf",
    "context_sle_low_dose_il2",
    "context_transplant_basiliximab",
    "one_order_code_two_laboratories",
    "two_finals_of_one_time",
    "preliminary_newer_than_final",
    "patient_view_drugs_by_reference",
    "lab_result_blood_count_in_one",
    "lab_result_graver_version_known",
    "lab_result_two_patients",
    "lab_result_of_another_patient",
    "broken_status_banana",
    "order_select_il2",
    "order_sign_il2_beside_sil2r",
    "order_sign_csf_without_serum",
    "order_sign_two_creatinines",
)


def written(name: str, library: Library) -> str:
    """The cards of a fixture as one page: words first, then what machines read."""
    document = parse_object(fhir_fixtures.text(name).encode())
    at = fhir_fixtures.manifest().evaluated_on
    outcomes = evaluate_document(document, library, at, Settings().lab_result_hook)
    pages = [f"# {fhir_fixtures.story(name).purpose}"]
    for card in (card.as_json() for outcome in outcomes for card in outcome.cards):
        machine = {k: v for k, v in card.items() if k not in {"summary", "detail"}}
        pages.append(f"## {card['summary']}")
        pages.append(str(card["detail"]))
        pages.append(f"```json\n{json.dumps(machine, indent=1, ensure_ascii=False)}\n```")
    return "\n\n".join(pages) + "\n"


@pytest.mark.parametrize("name", CHOSEN)
def test_the_card_is_the_one_that_was_read(
    name: str, library: Library, request: pytest.FixtureRequest
) -> None:
    file = CARDS / f"{name}.md"
    page = written(name, library)
    if request.config.getoption("--update-golden"):
        CARDS.mkdir(exist_ok=True)
        file.write_text(page, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == page


def test_no_golden_card_is_left_over() -> None:
    assert {file.stem for file in CARDS.glob("*.md")} == set(CHOSEN)
