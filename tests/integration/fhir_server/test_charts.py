"""A client that sends no prefetch: everything is read from a real FHIR server (A-05, F-01)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import requests

from tests.integration.fhir_server.conftest import (
    Ask,
    card_of,
    evaluation_of,
    missing_in,
    prefetched,
    story,
    without_prefetch,
)
from tests.integration.fhir_server.server import FhirServer, JsonObject

pytestmark = pytest.mark.integration

FETCHED_LIKE_SENT = (
    "patient_view_full_prefetch",
    "patient_view_ohi_from_prefetch",
    "patient_view_send_out_changed_twice",
    "lab_result_full_prefetch",
    "lab_result_series_prefetched",
    "lab_result_csf_with_serum_prefetched",
)


def told(card: JsonObject) -> dict[str, Any]:
    """What a card says, without what a server adds: versions, and ids made from the content."""
    evaluation = evaluation_of(card)
    return {
        "summary": card["summary"],
        "says": card["detail"].partition("**Used**")[0],
        "cites": card["detail"].partition("**Sources**")[2],
        "indicator": card["indicator"],
        "findings": evaluation["findings"],
        "missing": evaluation.get("missing"),
        "inputs": [ref["resource"] for ref in evaluation["inputs"]],
    }


def sil2r(mark: str, number: int) -> JsonObject:
    """The synthetic serum result of a story, once more under another id and an earlier date."""
    request = story("patient_view_full_prefetch", mark)
    first: JsonObject = request["prefetch"]["sil2r"]["entry"][0]["resource"]
    observation = copy.deepcopy(first)
    observation["id"] = f"{mark}-again-{number}"
    day = f"2026-{10 - number // 28:02}-{28 - number % 28:02}"
    observation["effectiveDateTime"] = f"{day}T08:00:00+01:00"
    observation["issued"] = f"{day}T18:00:00+01:00"
    return observation


@pytest.mark.parametrize("name", FETCHED_LIKE_SENT)
def test_a01_a05_f01_what_is_fetched_gives_the_card_that_the_prefetch_gives(
    name: str, server: FhirServer, ask: Ask
) -> None:
    request = story(name, name.replace("_", "-"))
    server.load(prefetched(request))
    sent = card_of(ask(request))
    fetched = card_of(ask(without_prefetch(request, server)))
    assert told(fetched) == told(sent)


def test_a_result_that_was_fetched_is_named_with_its_version(server: FhirServer, ask: Ask) -> None:
    request = story("patient_view_full_prefetch", "versions")
    server.load(prefetched(request))
    server.load(prefetched(request))
    inputs = evaluation_of(card_of(ask(without_prefetch(request, server))))["inputs"]
    assert {"resource": "Observation/versions-observation-01", "version": "2"} in inputs


def test_f07_only_what_was_not_sent_is_fetched(server: FhirServer, ask: Ask) -> None:
    """Another ferritin on the server than the one sent: the one sent counts, the rest is read."""
    request = story("patient_view_full_prefetch", "partly")
    server.load(prefetched(request))
    sent = copy.deepcopy(request["prefetch"]["labs"])
    for entry in sent["entry"]:
        if "ferritin" in entry["resource"]["id"]:
            entry["resource"]["valueQuantity"]["value"] = 123
    card = card_of(ask(without_prefetch(request, server, prefetch={"labs": sent})))
    assert "ferritin 123 ng/mL" in card["detail"]
    assert missing_in(card) == missing_in(card_of(ask(request)))


def test_conditions_and_medications_are_read_from_the_server(server: FhirServer, ask: Ask) -> None:
    request = story("patient_view_full_prefetch", "context")
    subject = {"reference": "Patient/context-adult-01"}
    active = {
        "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
        "code": "active",
    }
    server.load(prefetched(request))
    server.load(
        [
            {
                "resourceType": "Condition",
                "id": "context-condition",
                "clinicalStatus": {"coding": [active]},
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "31541009"}]},
                "subject": subject,
            },
            {
                "resourceType": "MedicationRequest",
                "id": "context-medication",
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": {
                    "coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB06"}]
                },
                "subject": subject,
            },
        ]
    )
    findings = evaluation_of(card_of(ask(without_prefetch(request, server))))["findings"]
    assert {"context-sarcoidosis", "context-corticosteroids"} <= set(findings)


def test_f07_specimen_and_drug_of_their_own_are_read_from_the_server(
    server: FhirServer, ask: Ask
) -> None:
    """A chart was sent that only points at them; the record holds both, and others like them."""
    request = story("patient_view_drugs_by_reference", "pointed")
    subject = {"reference": "Patient/pointed-adult-01"}
    csf = {"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "CSF"}
    steroid = {"system": "http://www.whocc.no/atc", "code": "H02AB06"}
    server.load(
        [
            request["prefetch"]["patient"],
            specimen("pointed-specimen-01", subject),
            specimen("pointed-specimen-02", subject, type={"coding": [csf]}),
            {"resourceType": "Medication", "id": "pointed-drug-01", "code": {"coding": [steroid]}},
            {"resourceType": "Medication", "id": "pointed-drug-02"},
        ]
    )
    here = on_this_server(request, server)
    findings = evaluation_of(card_of(ask(here)))["findings"]
    assert {"context-corticosteroids", "above-laboratory-limit"} <= set(findings)
    server.load([specimen("pointed-specimen-01", subject, type={"coding": [csf]})])
    assert evaluation_of(card_of(ask(here)))["reason"] == "specimen-conflict"


def specimen(name: str, subject: JsonObject, **more: object) -> JsonObject:
    return {"resourceType": "Specimen", "id": name, "subject": subject, **more}


def on_this_server(request: JsonObject, server: FhirServer) -> JsonObject:
    """The request, as it comes from a client of this server."""
    text = json.dumps(request).replace("https://ehr.example.org/fhir", server.base)
    return {**json.loads(text), "fhirServer": server.base}


def test_f04_t46_sixty_results_on_two_pages_are_all_read(server: FhirServer, ask: Ask) -> None:
    request = story("patient_view_full_prefetch", "paged")
    server.load([*prefetched(request), *(sil2r("paged", number) for number in range(59))])
    card = card_of(ask(without_prefetch(request, server)))
    assert "53 earlier results not shown" in card["detail"]
    assert "more data may exist" not in card["detail"]


def test_f04_a_prefetched_first_page_is_read_on_at_the_server(server: FhirServer, ask: Ask) -> None:
    request = story("patient_view_full_prefetch", "first-page")
    server.load([*prefetched(request), *(sil2r("first-page", number) for number in range(5))])
    first = requests.get(
        f"{server.base}/Observation?patient=first-page-adult-01"
        "&code=http://loinc.org|9654-5&_sort=-date&_count=2",
        timeout=30,
    ).json()
    assert len(first["entry"]) == 2
    assert [link for link in first["link"] if link["relation"] == "next"]

    alone = card_of(ask({**request, "prefetch": {**request["prefetch"], "sil2r": first}}))
    assert "more data may exist" in alone["detail"]
    assert alone["detail"].count("Synthetic Laboratory") == 2

    read_on = card_of(ask(without_prefetch(request, server, prefetch={"sil2r": first})))
    assert "more data may exist" not in read_on["detail"]
    assert read_on["detail"].count("Synthetic Laboratory") == 6


def test_t61_a_patient_that_the_server_does_not_have_is_missing_and_named(
    server: FhirServer, ask: Ask
) -> None:
    request = story("patient_view_full_prefetch", "nobody")
    resources = [r for r in prefetched(request) if r["resourceType"] == "Observation"]
    server.load(resources)
    path = f"{server.base}/Patient/nobody-adult-01"
    assert requests.get(path, timeout=30).status_code == 404
    card = card_of(ask(without_prefetch(request, server)))
    assert "patient" in missing_in(card)
    assert not [name for name in evaluation_of(card)["findings"] if "adult" in name]


def test_results_of_another_patient_on_the_server_stay_there(server: FhirServer, ask: Ask) -> None:
    """The search names the patient, and the server holds to it."""
    server.load(prefetched(story("patient_view_send_out_changed_twice", "other")))
    request = story("patient_view_full_prefetch", "mine")
    server.load(prefetched(request))
    card = card_of(ask(without_prefetch(request, server)))
    assert "other-" not in json.dumps(card)


def test_h02_a_chart_without_any_result_on_the_server_gives_no_card(
    server: FhirServer, ask: Ask
) -> None:
    request = story("patient_view_full_prefetch", "empty")
    server.load([request["prefetch"]["patient"]])
    answer = ask(without_prefetch(request, server))
    assert (answer.status_code, answer.get_json()) == (200, {"cards": []})
