"""A second analyte is a folder under `cards/` and nothing else: written, proved, asked by HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.core.site.file import apply_site, read_site
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests import toy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(both: Library) -> FlaskClient:
    ports = Ports(now=lambda: NOON)
    return create_app(Settings(), both, ports).test_client()


def observation(name: str, value: int, on: str) -> dict[str, Any]:
    points = {"unit": "pt/mL", "system": "http://unitsofmeasure.org", "code": "pt/mL"}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": toy.SAP_POINTS}]},
        "subject": {"reference": "Patient/p"},
        "performer": [{"display": "Laboratory A"}],
        "effectiveDateTime": on,
        "valueQuantity": {"value": value, **points},
    }


def bundle(kind: str, *resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def asked(hook: str, prefetch: dict[str, Any], **context: Any) -> dict[str, Any]:
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"patientId": "p", "userId": "Practitioner/u", **context},
        "prefetch": prefetch,
    }


def only_card(client: FlaskClient, service: str, request: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/cds-services/{service}", json=request)
    assert answer.status_code == 200, answer.get_json()
    (card,) = answer.get_json()["cards"]
    told: dict[str, Any] = card["extension"]["org.sil2r-cds.evaluation"]
    assert told["knowledge"] == "toy@2026.3"
    return {**card, "told": told}


def missing_of(card: dict[str, Any]) -> str:
    line: str = card["detail"].partition("**Missing**\n\n")[2].partition("\n\n")[0]
    return line


ARRIVED = asked(
    Settings().lab_result_hook,
    {},
    results=bundle("collection", observation("toy-2", 250, "2026-03-01")),
)


def test_each_analyte_has_its_own_services(client: FlaskClient) -> None:
    listed = [service["id"] for service in client.get("/cds-services").get_json()["services"]]
    hooks = ("lab-result", "patient-view", "order-select", "order-sign")
    assert sorted(listed) == sorted(f"{name}-{hook}" for name in ("sil2r", "toy") for hook in hooks)


def test_discovery_asks_for_results_under_the_analytes_own_key(client: FlaskClient) -> None:
    services = client.get("/cds-services").get_json()["services"]
    (chart,) = (service for service in services if service["id"] == "toy-patient-view")
    assert "http://loinc.org|9000001-9" in chart["prefetch"]["toy"]
    assert "sil2r" not in chart["prefetch"]


def test_d05_tr01_a_result_that_arrives_is_read_by_the_new_folder(client: FlaskClient) -> None:
    card = only_card(client, "toy-lab-result", ARRIVED)
    assert card["told"]["outcome"] == "interpreted"
    assert "sap-high" in card["told"]["findings"]
    assert card["summary"] == "Toyin 250 pt/mL (sap): sap-high it is"
    assert card["indicator"] == "warning"


def test_what_is_missing_of_another_analyte_is_named_by_its_own_id_and_told_by_its_name(
    client: FlaskClient,
) -> None:
    """The id as discovery names the part; a card about toyin does not miss sIL-2R."""
    card = only_card(client, "toy-lab-result", ARRIVED)
    assert card["told"]["missing"][0] == "patient"
    assert card["told"]["missing"][-4:] == ["toy", "labs", "conditions", "medications"]
    assert missing_of(card).split(", ")[-4:] == [
        "other toyin results",
        "other laboratory results",
        "conditions",
        "medications",
    ]
    assert "sil2r" not in card["detail"].casefold()
    assert "sIL-2R" not in card["detail"]


def test_where_other_results_of_another_analyte_failed_the_card_says_whose_they_are(
    client: FlaskClient,
) -> None:
    failed = {"resourceType": "OperationOutcome", "issue": []}
    card = only_card(client, "toy-lab-result", {**ARRIVED, "prefetch": {"toy": failed}})
    assert "Note data-failed other toyin results." in card["detail"]


def test_a_chart_that_is_opened_shows_the_newest_and_its_series(client: FlaskClient) -> None:
    results = bundle(
        "searchset",
        observation("toy-2", 250, "2026-03-01"),
        observation("toy-1", 100, "2026-02-01"),
    )
    request = asked("patient-view", {"toy": results, "patient": None})
    card = only_card(client, "toy-patient-view", request)
    assert card["told"]["inputs"] == [
        {"resource": "Observation/toy-2"},
        {"resource": "Observation/toy-1"},
    ]
    assert "2026-02-01: 100 pt/mL, Laboratory A; then rose" in card["detail"]


def test_d05_tr01_neither_analyte_speaks_of_the_others_results(client: FlaskClient) -> None:
    assert client.post("/cds-services/sil2r-lab-result", json=ARRIVED).get_json() == {"cards": []}


def test_every_answer_names_both(client: FlaskClient, both: Library) -> None:
    answer = client.post("/cds-services/toy-lab-result", json=ARRIVED)
    named = ", ".join(base.tag for base in both.bases.values())
    assert answer.headers["Knowledge-Version"] == named
    assert named.endswith("toy@2026.3")


def test_a_result_under_a_local_code_is_read_by_its_own_analyte_alone(both: Library) -> None:
    row = f'system = "urn:oid:2.999.2"\ncode = "TOY-S"\nloinc = "{toy.SAP_POINTS}"\nnote = "n"'
    library = replace(both, bases=apply_site(both.bases, read_site(f"[[code]]\n{row}")))
    ports = Ports(now=lambda: NOON)
    client = create_app(Settings(), library, ports).test_client()
    local = observation("toy-3", 250, "2026-03-01")
    local["code"] = {"coding": [{"system": "urn:oid:2.999.2", "code": "TOY-S"}]}
    request = {**ARRIVED, "context": {**ARRIVED["context"], "results": bundle("collection", local)}}
    assert only_card(client, "toy-lab-result", request)["told"]["outcome"] == "interpreted"
    answer = client.post("/cds-services/sil2r-lab-result", json=request)
    assert answer.get_json() == {"cards": []}
