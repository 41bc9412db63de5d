"""Which drafts are spoken about: the selected, each once, the newest, and of whom."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.web.responses import json_response
from tests.unit.hooks.ordering import (
    ANY,
    CSF,
    EHR,
    IL2,
    LOINC,
    SERUM,
    V2_0487,
    actions,
    answered,
    bundle,
    created,
    draft,
    said,
)


@pytest.mark.parametrize(
    ("selection", "full_url"),
    [
        ("ServiceRequest/1", ""),
        ("ServiceRequest/1", f"{EHR}/ServiceRequest/1"),
        (f"{EHR}/ServiceRequest/1", f"{EHR}/ServiceRequest/1"),
        ("urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11",) * 2,
        (f"{EHR}/ServiceRequest/1", ""),
        ("ServiceRequest/1/_history/3", ""),
        ("https://other.example.org/fhir/ServiceRequest/1", f"{EHR}/ServiceRequest/1"),
        ("1", ""),
        ("1", f"{EHR}/ServiceRequest/1"),
    ],
)
def test_a_draft_is_selected_by_reference_or_address(selection: str, full_url: str) -> None:
    orders = bundle(draft(), draft(ANY, "2"))
    if full_url:
        orders["entry"][0]["fullUrl"] = full_url
    assert said(answered(sent=orders, selections=[selection])) == ["wrong-analyte"]
    twice = [selection, selection, "ServiceRequest/1", "ServiceRequest/9"]
    assert said(answered(sent=orders, selections=twice)) == ["wrong-analyte"]


def test_whatever_of_a_draft_is_selected_all_that_came_of_it_is_told() -> None:
    orders = bundle(draft(), draft(ANY), draft(CSF, "2"))
    orders["entry"][0]["fullUrl"] = address = "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11"
    assert said(answered(sent=orders, selections=[address])) == ["wrong-analyte", "order-advice"]
    again = bundle(draft(meta={"versionId": "b"}), draft(meta={"versionId": "a"}))
    again["entry"][1]["fullUrl"] = address
    for entries in (again["entry"], again["entry"][::-1]):
        found = answered(sent={**again, "entry": entries}, selections=[address])
        assert said(found) == ["wrong-analyte"]
        assert [action["type"] for action in actions(found)] == ["delete", "create"]


def test_cards_stand_by_rank_and_then_by_id() -> None:
    drafts = [draft(ANY, "10"), draft(ANY, "2"), draft(CSF, "1"), draft(IL2, "20"), draft(IL2, "3")]
    cards = answered(*drafts).cards
    named = [card.extension["inputs"][0]["resource"].rpartition("/")[2] for card in cards]
    assert named == ["3", "20", "2", "10", "1"]


def test_a_draft_without_an_id_is_selected_by_the_end_of_its_address() -> None:
    orders = bundle(draft(id_=None), draft(ANY, None))
    for entry, name in zip(orders["entry"], ("1", "2"), strict=True):
        entry["fullUrl"] = f"{EHR}/ServiceRequest/{name}"
    assert said(answered(sent=orders, selections=["ServiceRequest/1"])) == ["wrong-analyte"]
    assert said(answered(sent=orders, selections=["ServiceRequest/2"])) == ["order-advice"]
    assert said(answered(sent=orders, selections=["ServiceRequest/"])) == []


@pytest.mark.parametrize("id_", ["draft_1", "draft 1", 1])
def test_a_selected_draft_whose_id_is_no_fhir_id_is_told_of(id_: Any) -> None:
    """Where nobody finds it among the selected, what is wrong with it would be told to nobody."""
    drafts = (draft(SERUM, id_), draft(SERUM, "other_2"))
    found = answered(*drafts, selections=[f"ServiceRequest/{id_}"])
    assert said(found) == ["fhir-invalid"]
    assert "ServiceRequest.id" in found.cards[0].detail
    assert answered(*drafts, selections=["ServiceRequest/3"]).cards == ()


def test_without_selections_nothing_is_selected_and_signing_means_all() -> None:
    drafts = (draft(), draft(ANY, "2"))
    assert said(answered(*drafts, selections=[])) == []
    others = [
        "ServiceRequest/9",
        "MedicationRequest/1",
        f"{EHR}/Task/1",
        "9",
        "",
        "://",
        "ServiceRequest",
    ]
    assert said(answered(*drafts, selections=others)) == []
    assert said(answered(*drafts)) == ["wrong-analyte", "order-advice"]


@pytest.mark.parametrize("selections", [None, ["ServiceRequest/1"]])
def test_a_draft_that_stands_there_twice_is_one_card(selections: list[str] | None) -> None:
    """Two swaps, both taken up, would order the receptor twice."""
    found = answered(draft(), draft(), selections=selections)
    assert said(found) == ["wrong-analyte"]
    assert len(created(found)) == 1


def test_a_draft_that_differs_only_in_what_is_not_read_is_one_card() -> None:
    assert said(answered(draft(), draft(note=[{"text": "as discussed"}]))) == ["wrong-analyte"]


def test_two_drafts_alike_are_two_if_each_has_its_own_id_or_address() -> None:
    assert said(answered(draft(ANY), draft(ANY, "2"))) == ["order-advice"] * 2
    orders = bundle(draft(ANY, None), draft(ANY, None))
    for entry, last in zip(orders["entry"], "ab", strict=True):
        entry["fullUrl"] = f"urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a1{last}"
    assert said(answered(sent=orders)) == ["order-advice"] * 2


def test_of_drafts_without_an_id_those_that_nothing_tells_apart_are_one_card() -> None:
    """Each would offer the receptor, and nobody could say which of the two it replaces."""
    assert said(answered(draft(IL2, None), draft(IL2, None))) == ["wrong-analyte"]
    noted = draft(IL2, None, note=[{"text": "as discussed"}])
    assert said(answered(draft(IL2, None), noted)) == ["wrong-analyte"] * 2


def test_of_two_versions_of_a_draft_the_newest_is_spoken_about() -> None:
    """The first was for interleukin 2 and is the receptor's now: to remove it would leave none."""
    first = draft(IL2, meta={"versionId": "1"})
    found = answered(first, draft(ANY, meta={"versionId": "2"}))
    assert said(found) == ["order-advice"]
    assert actions(found) == []
    withdrawn = draft(IL2, status="entered-in-error", meta={"versionId": "2"})
    assert said(answered(first, withdrawn)) == []


def test_text_is_never_evidence_for_a_code() -> None:
    words = draft(code={"text": "IL-2"})
    shown = draft(code={"coding": [{"display": "Interleukin 2"}], "text": "interleukin 2"})
    assert answered(words, shown, draft(code=None)).cards == ()


@pytest.mark.parametrize("status", ["revoked", "completed", "entered-in-error"])
def test_an_order_that_is_over_is_left_aside(status: str) -> None:
    found = answered(draft(status=status), draft(id_="2", doNotPerform=True))
    assert found.cards == ()
    assert [(skipped.ref.resource, skipped.because) for skipped in found.evaluation.skipped] == [
        ("ServiceRequest/1", "it is no order in the making"),
        ("ServiceRequest/2", "it is no order in the making"),
    ]


def test_a_drug_is_no_order_for_the_test() -> None:
    drug = {**draft(), "resourceType": "MedicationRequest"}
    assert answered(drug, {"resourceType": "NutritionOrder"}).cards == ()


@pytest.mark.parametrize("contained", [True, False])
def test_the_specimen_of_an_order_is_followed_inside_what_was_sent(*, contained: bool) -> None:
    specimen = {
        "resourceType": "Specimen",
        "id": "s",
        "type": {"coding": [{"system": V2_0487, "code": "SER"}]},
    }
    named = [{"reference": "#s" if contained else "Specimen/s"}]
    order = draft(ANY, specimen=named, contained=[specimen] if contained else None)
    assert answered(order, *([] if contained else [specimen])).cards == ()
    (unnamed,) = answered(draft(ANY)).cards
    assert unnamed.extension["findings"] == ["order-specimen-not-named"]


def test_the_specimen_of_an_order_may_be_named_by_its_address_on_the_patient_s_server() -> None:
    """CSF, ordered under the code for serum. The same id on another server may be another specimen,
    or the same one behind a proxy: it can contradict the code, and settles nothing.
    """
    kind = {"coding": [{"system": V2_0487, "code": "CSF"}]}
    specimen = {"resourceType": "Specimen", "id": "s", "type": kind}

    def at(base: str, code: str) -> list[str]:
        order = draft(code, specimen=[{"reference": f"{base}/Specimen/s"}])
        found = answered(order, specimen, server=EHR).cards
        return [finding for card in found for finding in card.extension["findings"]]

    other = "https://other.example.org/fhir"
    assert at(EHR, SERUM) == at(other, SERUM) == ["order-specimen-conflict"]
    assert at(EHR, ANY) == ["order-csf-unpaired"]
    assert at(other, ANY) == []


def test_a_laboratory_is_an_organisation_and_never_a_person() -> None:
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": SERUM}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-10",
        "performer": [{"display": "Laboratory A"}],
        "valueQuantity": {"value": 700, "unit": "U/mL"},
    }
    prefetch = {"sil2r": bundle(observation)}

    def with_performer(*performer: JsonObject, **more: Any) -> list[str]:
        return said(answered(draft(SERUM, performer=list(performer), **more), prefetch=prefetch))

    other = {"reference": "Organization/b", "display": "Laboratory B"}
    assert with_performer(other) == ["order-advice"]
    assert with_performer({"display": "Laboratory B"}) == ["order-advice"]
    assert with_performer({"reference": "Practitioner/b", "display": "Dr B"}) == []
    assert with_performer({"type": "Organization", "display": "Laboratory B"}) == ["order-advice"]
    assert with_performer({"type": "Practitioner", "display": "Dr B"}) == []
    inner = {"resourceType": "Organization", "id": "b", "name": "Laboratory B"}
    assert with_performer({"reference": "#b"}, contained=[inner]) == ["order-advice"]
    assert with_performer({"reference": "#c"}, contained=[inner]) == [], "it is not there"
    assert with_performer({"reference": "Organization/a", "display": "Laboratory A"}) == []
    observation["performer"] = [{"reference": "Organization/a", "display": "Laboratory A"}]
    assert with_performer({"reference": "Organization/a/_history/2", "display": "The lab"}) == []
    assert with_performer({"reference": "Organization/b", "display": "Laboratory A"}) == [
        "order-advice"
    ]
    observation["performer"] = [{"reference": f"{EHR}/Organization/a"}]
    assert with_performer({"reference": f"{EHR}/Organization/a"}) == []
    elsewhere = {"reference": "https://other.example.org/fhir/Organization/a"}
    assert with_performer(elsewhere) == ["order-advice"], "of the same id on another server"


def test_what_is_missing_is_named_and_no_key_is_required() -> None:
    found = answered(draft(CSF))
    assert {"patient", "sil2r", "labs", "conditions", "medications"} <= set(
        found.cards[0].extension["missing"]
    )
    assert set(found.faults) == {"patient", "sil2r", "labs", "conditions", "medications"}


def test_a_part_that_was_looked_for_and_is_empty_is_not_missing() -> None:
    found = answered(draft(CSF), prefetch={"patient": None, "labs": None})
    missing = found.cards[0].extension["missing"]
    assert "labs" not in missing
    assert "patient" in missing


def test_the_same_request_gives_the_same_bytes_and_the_drafts_are_left_as_they_were() -> None:
    drafts = [draft(note=[{"text": "n"}]), draft(CSF, "2")]
    before = copy.deepcopy(drafts)
    first = json_response(answered(*drafts).as_json()).data
    assert json_response(answered(*drafts).as_json()).data == first
    assert drafts == before
