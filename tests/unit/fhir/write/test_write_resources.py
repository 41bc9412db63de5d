"""What is left on a FHIR server about one evaluation, resource by resource."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import fhirkit
import pytest

from cds_service.core.json_object import JsonObject
from cds_service.fhir.canonical import decision_table
from cds_service.fhir.write import resources as write_resources
from cds_service.fhir.write.resources import (
    AUTHOR,
    EVALUATION_SYSTEM,
    FINDING_SYSTEM,
    OUTCOME_SYSTEM,
    TAG_SYSTEM,
    Said,
)
from tests.unit.fhir.write.saying import RESULT, said

CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


WRITTEN: Sequence[Callable[[Said], JsonObject]] = (
    write_resources.detected_issue,
    write_resources.flag,
    write_resources.guidance_response,
    write_resources.communication,
    write_resources.task,
    lambda given: write_resources.provenance(given, ["DetectedIssue/d1"]),
)


@pytest.mark.parametrize("build", WRITTEN)
def test_every_resource_is_valid_dated_to_the_second_and_carries_the_tag_of_its_search(
    build: Callable[[Said], JsonObject],
) -> None:
    resource = build(said({"missing": ("specimen",), "findings": ("f",)}, replaces="key-before"))
    assert fhirkit.validate(json.dumps(resource)) == []
    assert "2026-03-01T08:30:15+00:00" in str(resource)
    own = "key-of-this" if resource["resourceType"] == "Provenance" else "key-of-the-result"
    assert resource["meta"]["tag"][0] == {"system": TAG_SYSTEM, "code": own}


def test_only_what_a_clinician_reads_anew_is_tagged_by_its_evaluation_as_well() -> None:
    tags = {
        resource["resourceType"]: [tag["code"] for tag in resource["meta"]["tag"]]
        for resource in (build(said()) for build in WRITTEN)
    }
    twice = {kind for kind, codes in tags.items() if codes[1:] == ["key-of-this"]}
    assert twice == {"Communication"}


def test_an_issue_says_what_was_found_and_by_what() -> None:
    issue = write_resources.detected_issue(
        said(
            {
                "findings": ("raised", "hlh"),
                "inputs": (
                    {"resource": "Observation/o1"},
                    {"resource": "Observation/f1"},
                    {"resource": "Observation/o1"},
                    {"resource": "urn:uuid:1"},
                    {"resource": "Observation"},
                    {"resource": "Observation/"},
                    {"resource": "7/x"},
                ),
            }
        )
    )
    assert (issue["status"], issue["detail"]) == ("final", "The detail")
    assert issue["code"] == {
        "coding": [{"system": OUTCOME_SYSTEM, "code": "interpreted"}],
        "text": "The summary",
    }
    assert issue["implicated"] == [{"reference": RESULT}]
    *findings, inputs = issue["evidence"]
    coded = [{"coding": [{"system": FINDING_SYSTEM, "code": code}]} for code in ("raised", "hlh")]
    assert findings == [{"code": [code]} for code in coded]
    assert inputs == {"detail": [{"reference": RESULT}, {"reference": "Observation/f1"}]}


def test_the_detail_of_an_issue_is_text_and_the_note_of_a_response_markdown() -> None:
    """Or a chart would show `&lt;50 U/mL`."""
    given = said()
    given = replace(given, card=replace(given.card, detail="**S: &lt;50 U/mL**; 20 10\\*9/L"))
    assert write_resources.detected_issue(given)["detail"] == "S: <50 U/mL; 20 10*9/L"
    assert write_resources.guidance_response(given)["note"] == [{"text": given.card.detail}]


def test_a_flag_is_active_from_now_on() -> None:
    flag = write_resources.flag(said())
    assert flag["status"] == "active"
    assert flag["period"] == {"start": "2026-03-01T08:30:15+00:00"}


def test_an_issue_without_findings_rests_on_the_result_and_on_nothing_else() -> None:
    issue = write_resources.detected_issue(said(is_final=False))
    assert issue["status"] == "preliminary"
    assert issue["evidence"] == [{"detail": [{"reference": RESULT}]}]


@pytest.mark.parametrize(
    ("extension", "status"),
    [
        ({}, "success"),
        ({"missing": ("specimen",)}, "data-requested"),
        ({"outcome": "not-interpretable"}, "data-required"),
        ({"outcome": "not-interpretable", "missing": ("specimen",)}, "data-required"),
    ],
)
def test_a_guidance_response_tells_whether_data_were_lacking(
    extension: JsonObject, status: str
) -> None:
    response = write_resources.guidance_response(said(extension))
    assert response["status"] == status
    assert ("dataRequirement" in response) == ("missing" in extension)


def test_what_was_missing_is_asked_for_by_the_type_that_would_hold_it() -> None:
    missing = ("birth-date", "conditions", "medications", "specimen", "ferritin")
    wanted = write_resources.guidance_response(said({"missing": missing}))["dataRequirement"]
    assert [each["type"] for each in wanted] == [
        "Patient",
        "Condition",
        "MedicationRequest",
        "Specimen",
        "Observation",
    ]
    assert wanted[4]["codeFilter"] == [{"path": "code", "code": [{"display": "ferritin"}]}]


@pytest.mark.parametrize("build", [write_resources.communication, write_resources.task])
def test_the_clinician_is_told_gently_and_for_which_order(
    build: Callable[[Said], JsonObject],
) -> None:
    told = build(said())
    assert told["priority"] == "routine"
    assert told["basedOn"] == [{"reference": "ServiceRequest/s1"}]
    assert told.get("owner", told.get("recipient")) in (
        {"reference": "Practitioner/d1"},
        [{"reference": "Practitioner/d1"}],
    )
    assert "basedOn" not in build(said(based_on=""))


def test_a_task_is_a_proposal_about_the_result() -> None:
    task = write_resources.task(said())
    assert (task["status"], task["intent"]) == ("requested", "proposal")
    assert (task["focus"], task["for"]) == ({"reference": RESULT}, {"reference": "Patient/p1"})


def test_the_provenance_names_version_targets_and_the_evaluation_before() -> None:
    of_first = write_resources.provenance(said(), ["Flag/f1", "Task/t1"])
    source = {"role": "source", "what": {"reference": f"{RESULT}/_history/2"}}
    assert of_first["entity"] == [source]
    assert of_first["target"] == [{"reference": "Flag/f1"}, {"reference": "Task/t1"}]
    assert of_first["agent"][0]["type"]["coding"][0]["code"] == "assembler"
    later = write_resources.provenance(said(replaces="key-before"), ["Flag/f1"])
    before = {"identifier": {"system": EVALUATION_SYSTEM, "value": "key-before"}}
    assert later["entity"] == [source, {"role": "revision", "what": before}]


@pytest.mark.parametrize("version", ["", "not a version"])
def test_a_version_that_is_none_is_not_pointed_at(version: str) -> None:
    (source,) = write_resources.provenance(said(version=version), ["Flag/f1"])["entity"]
    assert source["what"] == {"reference": RESULT}


def test_every_resource_says_of_whom_it_is() -> None:
    whose = {"DetectedIssue": "patient", "Task": "for"}
    of_a_patient = [build(said()) for build in WRITTEN[:-1]]
    for resource in of_a_patient:
        kind = resource["resourceType"]
        assert resource[whose.get(kind, "subject")] == {"reference": "Patient/p1"}, kind


def test_what_says_who_wrote_it_names_the_decision_support() -> None:
    (agent,) = write_resources.provenance(said(), ["Flag/f1"])["agent"]
    authors = [
        write_resources.detected_issue(said())["author"],
        write_resources.flag(said())["author"],
        write_resources.guidance_response(said())["performer"],
        agent["who"],
    ]
    assert authors == [{"display": AUTHOR}] * 4
    assert agent["type"]["coding"] == [{"system": PARTICIPANT, "code": "assembler"}]


def test_a_guidance_response_says_which_knowledge_was_asked_about_which_result() -> None:
    response = write_resources.guidance_response(said())
    assert response["moduleCanonical"] == decision_table("sil2r", "1.0.0")
    assert response["requestIdentifier"] == {"system": EVALUATION_SYSTEM, "value": "key-of-this"}
    assert response["reasonReference"] == [{"reference": RESULT}]
    assert response["note"] == [{"text": "The detail"}]


def test_the_clinician_reads_the_summary_and_finds_the_result() -> None:
    told = write_resources.communication(said())
    assert told["payload"] == [{"contentString": "The summary"}]
    assert told["about"] == [{"reference": RESULT}]
    assert told["category"] == [{"coding": [{"system": CATEGORY, "code": "notification"}]}]
    task = write_resources.task(said())
    assert task["description"] == "The summary"
    assert task["code"] == {"text": "Look at decision support for a laboratory result"}


def test_the_keys_are_those_of_every_release_so_that_what_was_written_is_found_again() -> None:
    result = write_resources.result_key("http://127.0.0.1/fhir", RESULT)
    assert result == "58994653-4a23-50d4-86f2-2ae440ad31c4"
    assert (
        write_resources.evaluation_key(result, "2", "sil2r@1.0.0", "secret")
        == "90d1f0f4-76fb-5cda-97fd-117e44b6e2a0"
    )
