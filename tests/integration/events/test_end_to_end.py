"""The whole story on a real FHIR server: subscribed, resulted, written back, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import observation
from tests.integration.events.hospital import FhirServer, Hospital, fhir_server, hospital, patient
from tests.processes import eventually

pytestmark = pytest.mark.integration

WRITE_BACK = 'delivery = "write-back"\nnotify = "Task"\n'


@pytest.fixture(scope="module")
def site(
    server: FhirServer, tmp_path_factory: pytest.TempPathFactory, library: Library
) -> Iterator[Hospital]:
    folder: Path = tmp_path_factory.mktemp("cds")
    with hospital(server, folder, library, WRITE_BACK) as running:
        server.put(patient())
        yield running


def issues(site: Hospital) -> list[dict[str, Any]]:
    return site.server.search("DetectedIssue?_count=50")


def test_t89_a_result_is_written_back_corrected_in_place_and_withdrawn(site: Hospital) -> None:
    (standing,) = site.subscribe()
    assert standing.there == "active"
    site.server.put({"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Order"}]})
    site.server.put(
        {
            "resourceType": "ServiceRequest",
            "id": "r1",
            "status": "active",
            "intent": "order",
            "subject": {"reference": "Patient/p1"},
            "requester": {"reference": "Practitioner/d1"},
        }
    )
    order = [{"reference": "ServiceRequest/r1"}]

    site.server.put(observation(value=3000, basedOn=order))
    eventually(site.work)
    (first,) = issues(site)
    assert first["status"] == "final"
    assert "3000" in first["code"]["text"]
    (response,) = site.server.search("GuidanceResponse")
    table, _, version = response["moduleCanonical"].partition("|")
    assert table == "https://sil2r-cds.org/fhir/PlanDefinition/sil2r-table"
    assert version
    (task,) = site.server.search("Task")
    assert task["owner"] == {"reference": "Practitioner/d1"}
    (provenance,) = site.server.search("Provenance")
    assert {each["reference"].partition("/")[0] for each in provenance["target"]} == {
        "DetectedIssue",
        "GuidanceResponse",
        "Task",
    }

    site.server.put(observation(value=12000, status="corrected", basedOn=order))
    eventually(site.work)
    (second,) = issues(site)
    assert second["id"] == first["id"]
    assert "12000" in second["code"]["text"]
    assert len(site.server.search("Provenance")) == 2

    site.server.put(observation(value=12000, status="entered-in-error", basedOn=order))
    eventually(site.work)
    assert [each["status"] for each in issues(site)] == ["entered-in-error"]
    assert [each["status"] for each in site.server.search("Task")] == ["entered-in-error"]
    assert site.room.store.backlog("lab").evaluated == 3


def test_the_panel_of_a_result_is_found_and_its_specimen_read(
    tmp_path: Path, library: Library
) -> None:
    sources, ours = tmp_path / "fhir", tmp_path / "cds"
    sources.mkdir()
    ours.mkdir()
    with fhir_server(sources) as server, hospital(server, ours, library, WRITE_BACK) as site:
        server.put(patient())
        site.subscribe()
        subject = {"reference": "Patient/p1"}
        csf = {"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "CSF"}
        sample = {
            "resourceType": "Specimen",
            "id": "s1",
            "type": {"coding": [csf]},
            "subject": subject,
        }
        server.put(sample)
        server.put(
            {
                "resourceType": "Observation",
                "id": "panel",
                "status": "final",
                "code": {"text": "Cytokines in CSF"},
                "subject": subject,
                "specimen": {"reference": "Specimen/s1"},
                "hasMember": [{"reference": "Observation/o2"}],
            }
        )
        server.put(observation("o2"))
        eventually(site.work)
        (told,) = (each for each in issues(site) if each["status"] == "final")
        assert told["code"]["coding"][0]["code"] == "not-interpretable"
