"""Discovery: `GET /cds-services` (D-01 to D-07, P-01 to P-11)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.hooks.services import SPECIFICATION_VERSION
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from tests.contract.specification import SERVICES, conforms, empty_values

TOKEN = re.compile(r"\{\{(.*?)\}\}")


@pytest.fixture(scope="module")
def services(client: FlaskClient) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get("/cds-services").get_json()["services"]
    assert listed
    return listed


@pytest.fixture(scope="module")
def templates(services: list[dict[str, Any]]) -> list[str]:
    return [query for service in services for query in service["prefetch"].values()]


def test_d01_tr07_discovery_is_at_cds_services_and_needs_no_redirect(client: FlaskClient) -> None:
    response = client.get("/cds-services")
    assert response.status_code == 200
    assert response.content_type == "application/json"


def test_d02_d04_discovery_is_what_the_specification_asks_for(client: FlaskClient) -> None:
    document = client.get("/cds-services").get_json()
    conforms(document, SERVICES)
    assert list(empty_values(document)) == []


def test_d03_without_services_discovery_is_an_empty_list() -> None:
    client = create_app(Settings(), Library({})).test_client()
    response = client.get("/cds-services")
    assert (response.status_code, response.get_json()) == (200, {"services": []})


def test_d05_every_service_has_an_id_of_its_own(services: list[dict[str, Any]]) -> None:
    assert len({service["id"] for service in services}) == len(services)


def test_t71_p09_discovery_lists_exactly_the_services_of_this_installation(
    services: list[dict[str, Any]],
) -> None:
    assert {service["id"]: service["hook"] for service in services} == {
        "sil2r-lab-result": "org.sil2r-cds.lab-result-create",
        "sil2r-patient-view": "patient-view",
        "sil2r-order-select": "order-select",
        "sil2r-order-sign": "order-sign",
    }
    for service in services:
        assert service["version"] == SPECIFICATION_VERSION == "2.0.1"
        assert list(service["prefetch"]) == [
            "patient",
            "sil2r",
            "labs",
            "conditions",
            "medications",
        ]


def test_r05_every_service_says_which_version_of_fhir_it_reads(
    services: list[dict[str, Any]],
) -> None:
    assert all("FHIR R4" in service["usageRequirements"] for service in services)


def test_t70_sandbox_mode_says_so_in_every_description(services: list[dict[str, Any]]) -> None:
    assert all("Sandbox mode: no token" in service["description"] for service in services)


def test_p01_a_template_is_a_read_or_a_search_of_one_type(templates: list[str]) -> None:
    for query in templates:
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\}|\?.+)", query)


def test_p02_p03_p04_p08_p10_tokens_are_fields_of_the_context_and_nothing_newer(
    templates: list[str],
) -> None:
    for query in templates:
        assert TOKEN.findall(query) == ["context.patientId"]
        assert "%" not in query


def test_p05_p06_p11_templates_keep_to_widely_supported_parameters(templates: list[str]) -> None:
    for query in templates:
        parameters = parse_qsl(query.partition("?")[2], strict_parsing="?" in query)
        names = [name for name, _ in parameters]
        assert set(names) <= {"patient", "code", "_sort", "_count"}
        assert len(names) == len(set(names))
        assert dict(parameters).get("_sort", "-date") == "-date"


def test_a_search_asks_for_one_page_of_bounded_size_and_of_results_for_the_newest(
    services: list[dict[str, Any]],
) -> None:
    for service in services:
        searches = {key: query for key, query in service["prefetch"].items() if "?" in query}
        asked = {key: dict(parse_qsl(query.partition("?")[2])) for key, query in searches.items()}
        assert {key: each["_count"] for key, each in asked.items()} == {
            "sil2r": "50",
            **dict.fromkeys(("labs", "conditions", "medications"), "100"),
        }
        assert {key for key, each in asked.items() if "_sort" in each} == {"sil2r", "labs"}


def test_the_results_are_asked_for_by_every_accepted_loinc_code(
    services: list[dict[str, Any]], library: Library
) -> None:
    (query,) = {service["prefetch"]["sil2r"] for service in services}
    codes = dict(parse_qsl(query.partition("?")[2]))["code"].split(",")
    assert codes == [f"http://loinc.org|{code}" for code in library.bases["sil2r"].accepted]


def test_a_second_analyte_has_its_own_services_and_no_new_code(library: Library) -> None:
    own = library.bases["sil2r"]
    toy: KnowledgeBase = replace(own, identity=own.identity.model_copy(update={"id": "toy"}))
    client = create_app(Settings(), Library({"sil2r": own, "toy": toy})).test_client()
    response = client.get("/cds-services")
    listed = {service["id"]: service for service in response.get_json()["services"]}
    hooks = ("lab-result", "patient-view", "order-select", "order-sign")
    assert list(listed) == [f"{analyte}-{hook}" for analyte in ("sil2r", "toy") for hook in hooks]
    assert "toy" in listed["toy-patient-view"]["prefetch"]
    assert "sil2r" not in listed["toy-patient-view"]["prefetch"]
    assert response.headers["Knowledge-Version"] == f"{own.tag}, {toy.tag}"


def test_tr09_the_result_hook_has_the_name_that_is_configured(library: Library) -> None:
    settings = Settings(lab_result_hook="org.example.result-create")
    services = create_app(settings, library).test_client().get("/cds-services").get_json()
    assert services["services"][0]["hook"] == "org.example.result-create"
