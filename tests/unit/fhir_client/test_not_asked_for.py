"""What results refer to and is not asked for: without access, without need, or too much."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import Service
from tests.fault_server import FaultServer
from tests.faults import bundle, reply_json
from tests.unit.fhir_client.answering import answered, evaluated, service_of
from tests.unit.fhir_client.gathering import BEARER, NO_SERVER, Grants
from tests.unit.fhir_client.referring import (
    MOST_DRUGS,
    PREDNISOLONE,
    SPECIMEN,
    prescribe,
    prescriptions,
    report,
    result,
    specimen,
)


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


def test_a_report_of_another_test_is_no_reason_to_ask(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    of_another = report(code={"coding": [{"system": "http://loinc.org", "code": "718-7"}]})
    chart["prefetch"]["sil2r"]["entry"] = [{"resource": of_another}]
    assert answered(service, chart, access()).cards == ()
    assert server.connections == 0


def test_the_specimen_of_a_report_on_the_result_of_another_server_is_not_asked_for(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """Its result has the id of the one in this chart, and is another."""
    sent = report(code={"text": "Laboratory report"})
    del result(chart)["specimen"]
    [entry, *_] = chart["prefetch"]["sil2r"]["entry"]
    del entry["fullUrl"]
    chart["prefetch"]["sil2r"]["entry"].append({"resource": sent})
    chart["prefetch"]["medications"] = None
    for base, asked in (("https://elsewhere.example.org/fhir", []), (server.base, [SPECIMEN])):
        sent["result"] = [{"reference": f"{base}/Observation/{result(chart)['id']}"}]
        answered(service, chart, access())
        assert server.targets() == asked
