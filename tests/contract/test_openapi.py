"""`/openapi.json` is honest: what it says is what the service does, as generated calls find."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

import fhir_fixtures
from cds_service.config import Settings
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from cds_service.web.schemas import NAMED
from tests.contract.conftest import STATUS, STORIES, TODAY
from tests.packaged import LIBRARY

CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 20261123,
        "generation": {"allow-x00": False, "mode": "all"},
        "checks": {"positive_data_acceptance": {"expected-statuses": [200, 412]}},
    }
)
SCHEMA = schemathesis.openapi.from_wsgi(
    "/openapi.json", create_app(Settings(), LIBRARY, Ports(now=lambda: TODAY)), config=CONFIG
)


@SCHEMA.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_t34_every_operation_does_what_the_document_says(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    written: dict[str, Any] = client.get("/openapi.json").get_json()
    return written


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_document_describes_every_route_and_no_other(
    document: dict[str, Any], client: FlaskClient
) -> None:
    services = [entry["id"] for entry in client.get("/cds-services").get_json()["services"]]
    routes = {
        rule.rule.replace("<service_id>", service).replace("<analyte>", "sil2r")
        for rule in client.application.url_map.iter_rules()
        for service in services
    }
    assert set(document["paths"]) == routes


def test_every_problem_is_an_operation_outcome(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if status != "200":
                    (media_type,) = response["content"]
                    assert media_type == "application/fhir+json"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_the_published_request_schema_agrees_with_what_is_taken(
    story: fhir_fixtures.Story, document: dict[str, Any]
) -> None:
    path = document["paths"][f"/cds-services/{story.service}"]["post"]
    schema = path["requestBody"]["content"]["application/json"]["schema"]
    try:
        body = fhir_fixtures.load(story.id)
    except ValueError:
        assert STATUS[story.answer] == 400
        return
    valid = jsonschema.Draft202012Validator(schema).is_valid(body)
    assert valid is (STATUS[story.answer] != 400) or "deep" in story.id


def test_the_answers_of_the_stories_are_those_the_document_describes(client: FlaskClient) -> None:
    for story in STORIES:
        response = client.post(
            f"/cds-services/{story.service}",
            data=fhir_fixtures.text(story.id),
            content_type="application/json",
        )
        name = "Cards" if response.status_code == 200 else "OperationOutcome"
        jsonschema.validate(response.get_json(force=True), NAMED[name])
