"""`GET /knowledge/{analyte}`: the 13 source attributes, reachable from discovery (T-110)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.review import Approved
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app

DISCOVERY = "https://cds.example.org/cds-services"


def test_t110_discovery_leads_to_the_13_source_attributes(client: FlaskClient) -> None:
    for service in client.get("/cds-services").get_json()["services"]:
        link = service["extension"]["org.sil2r-cds.knowledge"]["sourceAttributes"]
        address = urljoin(DISCOVERY, link).removeprefix("https://cds.example.org")
        answer = client.get(address)
        assert (answer.status_code, answer.content_type) == (200, "application/json")
        assert len(answer.get_json()["sourceAttributes"]) == 13


def test_it_says_whose_knowledge_it_is_and_in_what_state(
    client: FlaskClient, library: Library
) -> None:
    base = library.bases["sil2r"]
    told = client.get("/knowledge/sil2r").get_json()
    assert told["knowledge"] == base.tag
    assert told["intendedUse"] == base.identity.intended_use
    assert told["reviewStatus"] == "pending clinical review"
    assert told["disclaimer"] == disclaimer(base)


def test_every_attribute_about_a_patient_says_whether_it_is_used(client: FlaskClient) -> None:
    rows = client.get("/knowledge/sil2r").get_json()["sourceAttributes"]
    assert {row["id"]: row["used"] for row in rows[4:]} == {
        "race": False,
        "ethnicity": False,
        "language": False,
        "sexual-orientation": False,
        "gender-identity": False,
        "sex": False,
        "date-of-birth": True,
        "social-determinants-of-health": False,
        "health-status-assessments": False,
    }


def test_d4_a_signed_knowledge_says_so_in_discovery_and_here(library: Library) -> None:
    base = replace(library.bases["sil2r"], review=Approved("Dr. Ada Beispiel", date(2026, 12, 1)))
    client = create_app(Settings(), Library({"sil2r": base})).test_client()
    said = "approved by Dr. Ada Beispiel on 2026-12-01"
    service = client.get("/cds-services").get_json()["services"][0]
    assert service["extension"]["org.sil2r-cds.knowledge"]["reviewStatus"] == said
    assert client.get("/knowledge/sil2r").get_json()["reviewStatus"] == said


@pytest.mark.parametrize("path", ["/knowledge/other", "/knowledge/", "/knowledge/sil2r/more"])
def test_other_knowledge_is_not_found(path: str, client: FlaskClient) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.get_json()["resourceType"] == "OperationOutcome"
