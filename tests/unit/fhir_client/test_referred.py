"""Specimens and drugs that results refer to and did not bring along are read from the server."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import Service
from tests.fault_server import FaultServer
from tests.faults import bundle, reply, reply_json
from tests.unit.fhir_client.answering import answered, evaluated, service_of
from tests.unit.fhir_client.gathering import BEARER, OUTCOME, Grants
from tests.unit.fhir_client.referring import (
    DRUGS,
    MOST_SPECIMENS,
    PREDNISOLONE,
    SPECIMEN,
    prescribe,
    report,
    result,
    specimen,
)


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


def test_the_specimen_of_a_result_among_the_other_results_is_read_too(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    chart["prefetch"] |= {"labs": chart["prefetch"]["sil2r"], "sil2r": None}
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


def test_a_specimen_of_a_result_on_another_server_is_not_asked_of_this_one(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """The reference is relative: it means the server that the result stands on (decision 109)."""
    elsewhere = f"https://elsewhere.example/fhir/Observation/{result(chart)['id']}"
    chart["prefetch"]["sil2r"]["entry"][0]["fullUrl"] = elsewhere
    server.on(DRUGS, reply_json(bundle(PREDNISOLONE)))
    answered(service, chart, access())
    assert server.targets() == [DRUGS]


def test_what_is_no_specimen_is_not_asked_for_as_one(
    service: Service, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    result(chart)["specimen"] = {"reference": "Device/synthetic-specimen-01"}
    server.on(DRUGS, reply_json(bundle(PREDNISOLONE)))
    answered(service, chart, access())
    assert server.targets() == [DRUGS]


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


def test_the_specimen_that_a_report_which_arrived_names_for_a_known_result_is_read(
    sil2r: KnowledgeBase, chart: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """What it says holds for the record too: by its code of serum, a CSF sample was a series."""
    known = result(chart)
    arrived = {**known, "id": "arrived", "effectiveDateTime": "2026-11-11"}
    del known["specimen"], arrived["specimen"]
    names = report(result=[{"reference": f"Observation/{known['id']}"}])
    chart["context"]["results"] = bundle(arrived, names)
    chart["prefetch"]["medications"] = None
    chart["hook"] = "h"
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    came_of_it = answered(service_of(sil2r, Trigger.LAB_RESULT), chart, access())
    assert server.targets() == [SPECIMEN]
    inputs = [each["resource"] for each in evaluated(came_of_it)["inputs"]]
    assert inputs[0] == "Observation/arrived"
    assert f"Observation/{known['id']}" not in inputs


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
    alone = report(code=result(chart)["code"])
    chart["prefetch"]["sil2r"]["entry"] = [{"resource": alone}]
    chart["prefetch"]["sil2r"]["total"] = 1
    chart["prefetch"]["medications"] = None
    server.on(SPECIMEN, reply_json(specimen("CSF")))
    said = evaluated(answered(service, chart, access()))
    assert server.targets() == [SPECIMEN]
    assert said["reason"] == "specimen-conflict", "and not value-absent, as for serum"
