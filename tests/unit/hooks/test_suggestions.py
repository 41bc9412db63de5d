"""Suggested drafts: what the findings call for, what the record lacks, and never a therapy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import fhirkit
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhirpathpy import evaluate as fhirpath

import fhir_fixtures
from cds_service.commands.documents import evaluate_document
from cds_service.config import Settings
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from cds_service.core.render import render
from cds_service.core.schema import OrderCode
from cds_service.hooks.suggestions import MOST, with_suggestions
from cds_service.knowledge.files import Library
from tests.records import evaluated, named, record, result, within
from tests.safety.results import CSF, SERUM, entries
from tests.unit.cards.given import drawn

AT = date(2026, 11, 21)
HOOK = Settings().lab_result_hook

PRESENT = {
    "an intent": "intent.exists()",
    "a subject": "subject.exists()",
    "a code in words": "code.text.exists()",
    "prr-1, an order detail only with a code": "orderDetail.empty() or code.exists()",
    "no id, a create has none": "id.empty()",
}


def cards(name: str, library: Library) -> list[JsonObject]:
    document = fhir_fixtures.load(name)
    outcomes = evaluate_document(document, library, AT, HOOK)
    return [card.as_json() for outcome in outcomes for card in outcome.cards]


def drafts(found: list[JsonObject]) -> Iterator[JsonObject]:
    for card in found:
        for suggestion in card.get("suggestions", []):
            for action in suggestion["actions"]:
                assert action["type"] == "create"
                yield action["resource"]


def stories() -> list[str]:
    """Every story with a patient that gives cards."""
    return [
        name
        for name in fhir_fixtures.names()
        if fhir_fixtures.story(name).service.endswith("lab-result")
        and fhir_fixtures.story(name).answer.value == "cards"
    ]


@pytest.mark.parametrize("name", stories())
def test_every_draft_is_valid_fhir_by_three_readers(name: str, library: Library) -> None:
    found = list(drafts(cards(name, library)))
    for draft in found:
        ServiceRequest.model_validate(draft)
        assert fhirkit.validate(json.dumps(draft)) == []
        for what, path in PRESENT.items():
            assert fhirpath(draft, path) == [True], what
    assert all(draft["status"] == "draft" for draft in found)
    assert all(draft["intent"] == "proposal" for draft in found)


def test_a_test_that_is_already_there_is_not_proposed(library: Library) -> None:
    bare = cards("lab_result_minimal", library)
    full = cards("lab_result_full_prefetch", library)
    assert "Ferritin" in _labels(bare)
    assert "Ferritin" not in _labels(full)


SERUM_U, CSF_MASS, SERUM_MASS = "9654-5", "99768-4", "76039-7"
CSF_RESULT = result("400 pg/mL", CSF_MASS, specimen=CSF)
ALBUMINS = (named("ac", "30 mg/dL", "1746-7"), named("as", "4 g/dL", "1751-7"))


def offered(library: Library, *given: LabResult, **changes: Any) -> list[str]:
    """The labels of the drafts on the card of the first result, in their order."""
    knowledge = library.bases["sil2r"]
    evaluation = evaluated(record(*given, **changes), knowledge)
    plain = render(evaluation, knowledge, scope="s")
    card, *_ = with_suggestions(plain, evaluation, knowledge, "p")
    return [suggestion["label"] for suggestion in card.suggestions]


def in_record(library: Library, fact: str) -> dict[str, Any]:
    return {"entries": (entries(library.bases["sil2r"])[fact],)}


def test_an_albumin_that_is_there_is_not_drafted_again(library: Library) -> None:
    both = ["Albumin in CSF", "Albumin in serum"]
    assert [label for label in offered(library, CSF_RESULT) if label in both] == both
    only_csf = offered(library, CSF_RESULT, companions=ALBUMINS[:1])
    assert [label for label in only_csf if label in both] == ["Albumin in serum"]
    assert not {*both} & {*offered(library, CSF_RESULT, companions=ALBUMINS)}


def test_a_test_whose_result_came_since_and_stands_on_the_card_is_not_drafted_again(
    library: Library,
) -> None:
    """Signs of HLH newer than the sample are told; they are not read beside its value."""
    since = drawn("ferritin 12000 ng/mL", "platelets 20 10*9/L", "neutrophils 0.4 10*9/L")
    given = result("500 U/mL", SERUM_U, on="2026-02-05")
    evaluation = evaluated(record(given, companions=since), library.bases["sil2r"])
    assert [note.tests for note in evaluation.answers[0].notes if note.panel] == [
        {"ferritin", "platelets", "neutrophils"}
    ]
    found = offered(library, given, companions=since)
    assert "Ferritin" not in found
    assert "Fibrinogen" in found


COUNTS = ("haemoglobin 7.5 g/dL", "platelets 20 10*9/L", "neutrophils 0.4 10*9/L")


@pytest.mark.parametrize("lacking", [None, *COUNTS])
def test_a_blood_count_is_drafted_again_as_long_as_one_of_its_counts_is_not_there(
    lacking: str | None, library: Library
) -> None:
    there = drawn(*[count for count in COUNTS if count != lacking])
    found = offered(library, result("5000 U/mL", SERUM_U), companions=there)
    assert ("Blood count with differential" in found) == (lacking is not None)
    assert "Ferritin" in found


def test_a_result_that_cannot_be_interpreted_leads_to_a_call_to_its_laboratory(
    library: Library,
) -> None:
    assert offered(library, result("5000", SERUM_U)) == ["Call the laboratory"]


def test_what_is_drafted_for_a_wrong_analyte_is_what_its_reason_calls_for(
    library: Library,
) -> None:
    base, il2 = library.bases["sil2r"], result("9 pg/mL", "33939-0")
    assert offered(library, il2) == []
    row = base.reasons["wrong-analyte"].model_copy(update={"suggestions": ("ferritin",)})
    changed = replace(base, reasons={**base.reasons, "wrong-analyte": row})
    assert offered(Library({"sil2r": changed}), il2) == ["Ferritin"]


def test_a_suggestion_says_what_it_creates(library: Library) -> None:
    (card,) = cards("lab_result_minimal", library)
    (ferritin,) = [each for each in card["suggestions"] if each["label"] == "Ferritin"]
    assert set(ferritin) == {"label", "uuid", "actions"}
    assert UUID(ferritin["uuid"]).version == 5
    (action,) = ferritin["actions"]
    assert (action["type"], set(action)) == ("create", {"type", "description", "resource"})
    assert action["description"] == action["resource"]["code"]["text"]


@pytest.mark.parametrize("value", ["5000 U/mL", "5000"])
def test_beside_items_that_are_met_a_normal_one_is_not_drafted_again(
    value: str, library: Library
) -> None:
    """Fibrinogen, beside counts that have fallen and a high ferritin; one value has no unit."""
    met = drawn("platelets 20 10*9/L", "neutrophils 0.4 10*9/L", "ferritin 5200 ng/mL")
    given = result(value, SERUM_U)
    assert "Fibrinogen" in offered(library, given, companions=met)
    normal = drawn("fibrinogen 3.0 g/L")
    assert "Fibrinogen" not in offered(library, given, companions=(*met, *normal))


def test_serum_of_the_same_days_is_drafted_again_only_where_it_makes_no_index(
    library: Library,
) -> None:
    again = "sIL-2R in serum, same day"
    same_scale = named("s", "2000 pg/mL", SERUM_MASS, specimen=SERUM)
    assert again in offered(library, CSF_RESULT)
    assert again not in offered(library, CSF_RESULT, history=(same_scale,))
    other_unit = named("s", "2000 U/mL", SERUM_U, specimen=SERUM)
    assert again in offered(library, CSF_RESULT, history=(other_unit,))


def test_serum_of_the_same_days_takes_no_other_draft_away(library: Library) -> None:
    same_scale = named("s", "2000 pg/mL", SERUM_MASS, specimen=SERUM)
    alone = offered(library, CSF_RESULT)
    paired = offered(library, CSF_RESULT, history=(same_scale,))
    assert [label for label in alone if label not in paired] == ["sIL-2R in serum, same day"]


def test_a_result_that_cannot_be_read_beside_the_value_does_not_keep_its_draft_away(
    library: Library,
) -> None:
    in_moles = named("f", "2000 pmol/L", "14723-1")
    assert "Ferritin" in offered(library, result("5000 U/mL", SERUM_U), companions=(in_moles,))


@pytest.mark.parametrize(
    ("condition", "whom"),
    [("car-t", "Call the cell-therapy team"), ("sle", "Call rheumatology")],
)
def test_whom_a_context_asks_to_call_is_offered_before_the_tests(
    library: Library, condition: str, whom: str
) -> None:
    high = result("12000 U/mL", SERUM_U, ranges=(within("223", "710", "U/mL"),))
    found = offered(library, high, **in_record(library, f"condition.{condition}"))
    assert found[:2] == ["Call haematology (HLH)", whom]


def test_no_finding_alone_loses_a_draft_that_it_calls_for(library: Library) -> None:
    knowledge = library.bases["sil2r"]
    assert max(len(row.suggestions) for row in knowledge.findings) <= MOST
    blood = offered(library, result("5000 U/mL", SERUM_U))
    assert {"Triglycerides (fasting)", "Lactate dehydrogenase", "D-dimer"} <= {*blood}
    csf = offered(library, CSF_RESULT)
    assert {"Albumin in CSF", "Albumin in serum", "MRI of brain and spine"} <= {*csf}


def test_a_card_has_few_buttons_and_says_how_many_may_be_pressed(library: Library) -> None:
    (card,) = cards("lab_result_minimal", library)
    assert 0 < len(card["suggestions"]) <= MOST
    assert card["selectionBehavior"] == "any"


def test_of_more_drafts_than_eight_the_last_are_left_out(library: Library) -> None:
    """Decision 54: whom two contexts ask to call stands first, so the last of seven tests goes."""
    high = result("12000 U/mL", SERUM_U, ranges=(within("223", "710", "U/mL"),))
    first, *tests, last = offered(library, high)
    both = [in_record(library, f"condition.{name}")["entries"][0] for name in ("car-t", "sle")]
    calls = [first, "Call the cell-therapy team", "Call rheumatology"]
    assert len(tests) == 5
    assert last == "D-dimer"
    assert offered(library, high, entries=tuple(both)) == [*calls, *tests]


def test_without_a_patient_there_is_no_draft(library: Library) -> None:
    observation = fhir_fixtures.load("csf_above_150")
    del observation["subject"]
    (outcome,) = evaluate_document(observation, library, AT, HOOK)
    assert [card.suggestions for card in outcome.cards] == [()]


def test_each_draft_names_the_patient_it_is_for(library: Library) -> None:
    knowledge = library.bases["sil2r"]
    given = record(result("5000 U/mL", loinc="9654-5"))
    evaluation = evaluated(given, knowledge)
    plain = render(evaluation, knowledge, scope="s")
    named = {
        patient: {
            suggestion["actions"][0]["resource"]["subject"]["reference"]
            for card in with_suggestions(plain, evaluation, knowledge, patient)
            for suggestion in card.suggestions
        }
        for patient in ("p1", "p2")
    }
    assert named == {"p1": {"Patient/p1"}, "p2": {"Patient/p2"}}


def test_the_site_sets_intent_and_its_own_ordering_code(library: Library) -> None:
    base = library.bases["sil2r"]
    code = OrderCode(system="urn:oid:2.999.3", code="FERR", display="Ferritin (site)")
    changed = replace(
        base,
        orders={"ferritin": code},
        policy=base.policy.model_copy(update={"order_intent": "order"}),
    )
    found = list(drafts(cards("lab_result_minimal", Library({"sil2r": changed}))))
    assert {draft["intent"] for draft in found} == {"order"}
    (ferritin,) = [d for d in found if "Ferritin" in d["code"]["text"]]
    assert [coding["code"] for coding in ferritin["code"]["coding"]] == ["FERR", "2276-4"]


def test_same_request_same_suggestion_ids(library: Library) -> None:
    assert cards("lab_result_minimal", library) == cards("lab_result_minimal", library)


def test_no_suggestion_names_a_medicine(library: Library) -> None:
    drugs = ("etoposide", "steroid", "anakinra", "aldesleukin", "infliximab", "dexamethasone")
    for row in library.bases["sil2r"].suggestions.values():
        words = f"{row.label} {row.text}".lower()
        assert not [drug for drug in drugs if drug in words], row.id


def _labels(found: list[JsonObject]) -> set[str]:
    return {s["label"] for card in found for s in card.get("suggestions", [])}
