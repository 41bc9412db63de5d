"""F-07, H2: the Specimen of a result and the Medication of a prescription, on the server alone.

The chart is that of a large record system: its result names a Specimen, and its prescription a
Medication, and neither came along.
"""

from __future__ import annotations

from typing import Any

import pytest

import fhir_fixtures
from cds_service.core.knowledge import KnowledgeBase
from cds_service.hooks.referred import MOST_ASKED_FOR
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import Service
from cds_service.strict_json import parse_object
from tests.fault_server import FaultServer
from tests.faults import bundle, reply, reply_json
from tests.unit.fhir_client.answering import answered, evaluated, medication, service_of
from tests.unit.fhir_client.gathering import BEARER, NO_SERVER, OUTCOME, Grants

SPECIMEN = "/fhir/Specimen/synthetic-specimen-01"
MOST_DRUGS, MOST_SPECIMENS = MOST_ASKED_FOR["Medication"], MOST_ASKED_FOR["Specimen"]
DRUGS = "/fhir/Medication?_id=synthetic-drug-01&_count=1"
PATIENT = {"reference": "Patient/synthetic-adult-01"}

PREDNISOLONE = medication("synthetic-drug-01", "H02AB06")


def specimen(code: str, **more: object) -> dict[str, object]:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": code}
    named = {"resourceType": "Specimen", "id": "synthetic-specimen-01", "subject": PATIENT}
    return {**named, "type": {"coding": [kind]}, **more}


@pytest.fixture(scope="module")
def service(sil2r: KnowledgeBase) -> Service:
    return service_of(sil2r, Trigger.PATIENT_VIEW)


@pytest.fixture
def chart(server: FaultServer) -> dict[str, Any]:
    """The chart, as it comes from this server."""
    text = fhir_fixtures.path("patient_view_drugs_by_reference").read_text(encoding="utf-8")
    sent = parse_object(text.replace("https://ehr.example.org/fhir", server.base).encode())
    return {**sent, "fhirServer": server.base}


def prescriptions(chart: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = chart["prefetch"]["medications"]["entry"]
    return entries


def prescribe(chart: dict[str, Any], drug: str) -> None:
    """One more prescription like the first, of the Medication with this id."""
    reference = {"reference": f"Medication/{drug}"}
    first = prescriptions(chart)[0]["resource"]
    another = {**first, "id": f"of-{drug}", "medicationReference": reference}
    prescriptions(chart).append({"resource": another})


def result(chart: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = chart["prefetch"]["sil2r"]["entry"][0]["resource"]
    return found


def test_the_specimen_is_read_and_the_drugs_are_found_in_one_search(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on(SPECIMEN, reply_json(specimen("SER")))
    server.on(DRUGS, reply_json(bundle(PREDNISOLONE)))
    came_of_it = answered(service, chart, access(BEARER))
    assert sorted(server.targets()) == sorted([SPECIMEN, DRUGS])
    assert {call.headers["authorization"] for call in server.calls} == {"Bearer secret"}
    assert came_of_it.faults == {}
    said = evaluated(came_of_it)
    assert "context-corticosteroids" in said["findings"]
    assert "medications" not in said["missing"]


def test_a_csf_sample_under_the_serum_code_is_held_against_no_limit_of_blood(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    said = evaluated(answered(service, chart, access()))
    assert (said["outcome"], said["reason"]) == ("not-interpretable", "specimen-conflict")


def test_a_specimen_of_another_patient_is_no_specimen_of_this_result(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    another = specimen("CSF", subject={"reference": "Patient/synthetic-adult-02"})
    server.on(SPECIMEN, reply_json(another))
    [card] = answered(service, chart, access()).cards
    assert "another patient" in card.detail


def test_what_was_not_asked_for_is_not_taken(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on(SPECIMEN, reply_json(specimen("CSF", id="synthetic-specimen-02")))
    server.on(DRUGS, reply_json(bundle(result(chart), {**PREDNISOLONE, "id": "another"})))
    said = evaluated(answered(service, chart, access()))
    assert said["outcome"] == "interpreted"
    assert "medications" in said["missing"]


def test_each_result_is_read_with_its_own_specimen(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """Two samples of one day under the code for serum, the first of them in truth CSF."""
    entries = chart["prefetch"]["sil2r"]["entry"]
    sample = {"reference": "Specimen/synthetic-specimen-02"}
    entries.append({"resource": {**result(chart), "id": "o2", "specimen": sample}})
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    blood = specimen("SER", id="synthetic-specimen-02")
    server.on(SPECIMEN.replace("01", "02"), reply_json(blood))
    came_of_it = answered(service, chart, access())
    outcomes = {answer.verdict.outcome for answer in came_of_it.evaluation.answers}
    assert outcomes == {"interpreted", "not-interpretable"}


def test_several_drugs_are_found_in_one_search(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    del result(chart)["specimen"]
    prescribe(chart, "synthetic-drug-02")
    both = "/fhir/Medication?_id=synthetic-drug-01,synthetic-drug-02&_count=2"
    server.on(both, reply_json(bundle(PREDNISOLONE, {**PREDNISOLONE, "id": "synthetic-drug-02"})))
    said = evaluated(answered(service, chart, access()))
    assert server.targets() == [both]
    assert "medications" not in said["missing"]


def test_drugs_on_a_page_that_cannot_be_had_are_not_taken_for_none(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on(SPECIMEN, reply_json(specimen("SER")))
    further = f"{server.base}/Medication?page=2"
    server.on(DRUGS, reply_json(bundle(next_link=further)))
    server.on("/fhir/Medication?page=2", reply(b"", status=500))
    came_of_it = answered(service, chart, access())
    assert came_of_it.faults == {"Medication": "status-5xx"}
    assert "medications" in evaluated(came_of_it)["missing"]


FAULTS = {
    "status-403": reply(b"", status=403),
    "status-5xx": reply(b"", status=500),
    "operation-outcome": reply_json(OUTCOME),
    "wrong-type": reply_json(PREDNISOLONE),
}


@pytest.mark.parametrize("named", FAULTS)
def test_what_cannot_be_had_is_named_and_drugs_are_not_taken_for_none(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants, named: str
) -> None:
    server.on(SPECIMEN, FAULTS[named])
    server.on("/fhir/Medication", FAULTS[named])
    came_of_it = answered(service, chart, access())
    assert came_of_it.faults == {"Specimen": named, "Medication": named}
    said = evaluated(came_of_it)
    assert said["outcome"] == "interpreted"
    assert "medications" in said["missing"]


def test_what_the_scope_does_not_cover_is_not_asked_for(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    granted = access({**BEARER, "scope": "patient/Specimen.rs patient/Medication.r"})
    came_of_it = answered(service, chart, granted)
    assert server.targets() == [SPECIMEN]
    assert came_of_it.faults == {"Medication": "scope-too-small"}


def test_without_access_nothing_is_asked(service: Service, chart: dict[str, Any]) -> None:
    came_of_it = answered(service, chart, NO_SERVER)
    assert came_of_it.faults == {}
    assert "medications" in evaluated(came_of_it)["missing"]


def test_without_a_result_nothing_is_asked(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    chart["prefetch"]["sil2r"] = None
    assert answered(service, chart, access()).cards == ()
    assert server.connections == 0


def test_a_drug_that_was_stopped_is_not_asked_for(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    prescriptions(chart)[0]["resource"]["status"] = "stopped"
    server.on(SPECIMEN, reply_json(specimen("SER")))
    said = evaluated(answered(service, chart, access()))
    assert server.targets() == [SPECIMEN]
    assert "medications" not in said["missing"]


@pytest.mark.parametrize("status", [{}, [], ["active"], 7, None])
def test_r05_a_prescription_whose_status_is_no_text_is_not_asked_for_and_named_on_the_card(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants, status: object
) -> None:
    prescriptions(chart)[0]["resource"]["status"] = status
    server.on(SPECIMEN, reply_json(specimen("SER")))
    said = evaluated(answered(service, chart, access()))
    assert (said["outcome"], server.targets()) == ("interpreted", [SPECIMEN])
    assert "medications" in said["missing"]


def test_what_came_along_or_stands_elsewhere_is_not_asked_for(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    chart["prefetch"]["sil2r"]["entry"].append({"resource": specimen("SER")})
    [prescription, *_] = prescriptions(chart)
    elsewhere = "https://elsewhere.example.org/fhir/Medication/synthetic-drug-01"
    prescription["resource"]["medicationReference"] = {"reference": elsewhere}
    evaluated(answered(service, chart, access()))
    assert server.connections == 0


def test_what_came_along_with_a_result_that_arrives_is_not_asked_for(
    sil2r: KnowledgeBase, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    arrived = bundle(result(chart), specimen("CSF"))
    chart["hook"] = "h"
    chart["context"] = {"patientId": "synthetic-adult-01", "results": arrived}
    chart["prefetch"].update(sil2r=None, medications=None)
    came_of_it = answered(service_of(sil2r, Trigger.LAB_RESULT), chart, access())
    assert server.connections == 0
    assert evaluated(came_of_it)["reason"] == "specimen-conflict"


def test_no_more_drugs_are_asked_for_than_an_address_holds(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    del result(chart)["specimen"]
    for number in range(MOST_DRUGS + 10):
        prescribe(chart, f"d{number}")
    server.on("/fhir/Medication", reply_json(bundle(PREDNISOLONE)))
    came_of_it = answered(service, chart, access())
    [asked] = server.targets()
    assert asked.count(",") == MOST_DRUGS - 1
    assert "synthetic-drug-01" in asked
    assert "context-corticosteroids" in evaluated(came_of_it)["findings"]
    assert "more data may exist" in came_of_it.cards[0].detail


def test_of_many_results_the_first_specimens_are_read(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """Of one day the first: the newest come first, as the prefetch template asks."""
    entries = chart["prefetch"]["sil2r"]["entry"]
    for number in range(MOST_SPECIMENS + 5):
        sample = {"reference": f"Specimen/s{number}"}
        entries.append({"resource": {**result(chart), "id": f"o{number}", "specimen": sample}})
    chart["prefetch"]["medications"] = None
    answered(service, chart, access())
    earlier = [f"/fhir/Specimen/s{number}" for number in range(MOST_SPECIMENS - 1)]
    assert sorted(server.targets()) == sorted([SPECIMEN, *earlier])


@pytest.mark.parametrize("newest", ["2026-11-12", ""])
def test_of_many_results_sent_oldest_first_the_newest_specimen_is_read(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants, newest: str
) -> None:
    """Not every server sorts. One without a date may be the newest."""
    latest = result(chart)
    del latest["effectiveDateTime"], latest["issued"]
    dated = {"effectiveDateTime": newest} if newest else {}
    earlier = [
        {
            **latest,
            "id": f"o{number}",
            "effectiveDateTime": f"2026-11-{number + 1:02}",
            "specimen": {"reference": f"Specimen/s{number}"},
        }
        for number in range(MOST_SPECIMENS)
    ]
    in_order = [{"resource": each} for each in (*earlier, {**latest, **dated})]
    chart["prefetch"]["sil2r"]["entry"] = in_order
    chart["prefetch"]["sil2r"]["total"] = len(in_order)
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    said = answered(service, chart, access()).as_json()["cards"][0]
    assert SPECIMEN in server.targets()
    assert "/fhir/Specimen/s0" not in server.targets()
    assert said["extension"]["org.sil2r-cds.evaluation"]["reason"] == "specimen-conflict"


def test_the_specimen_of_a_report_whose_results_did_not_come_is_read(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": result(chart)["code"],
        "subject": PATIENT,
        "specimen": [{"reference": "Specimen/synthetic-specimen-01"}],
    }
    chart["prefetch"]["sil2r"]["entry"] = [{"resource": report}]
    chart["prefetch"]["sil2r"]["total"] = 1
    chart["prefetch"]["medications"] = None
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    said = evaluated(answered(service, chart, access()))
    assert server.targets() == [SPECIMEN]
    assert said["reason"] == "specimen-conflict", "and not value-absent, as for serum"


def test_a_report_of_another_test_is_no_reason_to_ask(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": PATIENT,
        "specimen": [{"reference": "Specimen/synthetic-specimen-01"}],
    }
    chart["prefetch"]["sil2r"]["entry"] = [{"resource": report}]
    assert answered(service, chart, access()).cards == ()
    assert server.connections == 0


def test_the_specimen_of_a_report_on_the_result_of_another_server_is_not_asked_for(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """Its result has the id of the one in this chart, and is another."""
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "Laboratory report"},
        "subject": PATIENT,
        "specimen": [{"reference": "Specimen/synthetic-specimen-01"}],
    }
    del result(chart)["specimen"]
    [entry, *_] = chart["prefetch"]["sil2r"]["entry"]
    del entry["fullUrl"]
    chart["prefetch"]["sil2r"]["entry"].append({"resource": report})
    chart["prefetch"]["medications"] = None
    for base, asked in (("https://elsewhere.example.org/fhir", []), (server.base, [SPECIMEN])):
        report["result"] = [{"reference": f"{base}/Observation/{result(chart)['id']}"}]
        answered(service, chart, access())
        assert server.targets() == asked
