"""The service with its own knowledge, on the day for which the stories of the fixtures hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, time
from enum import Enum
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import fhir_fixtures
from cds_service.callers import FhirReach
from cds_service.config import Settings
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from fhir_fixtures import Answer

TODAY = datetime.combine(fhir_fixtures.manifest().evaluated_on, time(12), UTC)
RESULT_SERVICE = "sil2r-lab-result"
CHART_SERVICE = "sil2r-patient-view"
STATUS = {Answer.CARDS: 200, Answer.NO_CARD: 200, Answer.HTTP_400: 400, Answer.HTTP_412: 412}
STORIES = [story for story in fhir_fixtures.manifest().stories if story.service and not story.site]
"""The stories that are posted here, and the status that each kind of answer has."""
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "Zyxgarten"}],
}
"""What stands where a query failed; its words are for nobody else."""


class Delete(Enum):
    """Stands for a member that is to be taken out of a request."""

    MEMBER = "delete"


DELETE = Delete.MEMBER

Post = Callable[..., TestResponse]


@pytest.fixture(scope="session")
def client(library: Library) -> FlaskClient:
    ports = Ports(now=lambda: TODAY)
    return create_app(Settings(), library, ports).test_client()


@pytest.fixture(scope="session")
def post(client: FlaskClient) -> Post:
    """Posts a body to a service: JSON text, bytes, or a value to be written as JSON."""

    def send(body: object, service: str = RESULT_SERVICE, **more: Any) -> TestResponse:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        more.setdefault("content_type", "application/json")
        return client.post(f"/cds-services/{service}", data=text, **more)

    return send


def request_of(name: str, **changes: object) -> dict[str, Any]:
    """A request of the fixtures with members set or taken out, by path: `context__patientId`."""
    request: dict[str, Any] = json.loads(fhir_fixtures.text(name))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = request
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is DELETE:
            del place[last]
        else:
            place[last] = value
    return request


def cards_of(response: TestResponse) -> list[dict[str, Any]]:
    """The cards of an answer that must be one."""
    assert response.status_code == 200, response.get_data(as_text=True)
    cards: list[dict[str, Any]] = response.get_json()["cards"]
    return cards


@pytest.fixture(scope="module")
def card(post: Post) -> dict[str, Any]:
    """The card of a request that brings everything along."""
    (sent,) = cards_of(post(request_of("lab_result_full_prefetch")))
    return sent


def evaluation_of(card: dict[str, Any]) -> dict[str, Any]:
    """The evaluation extension of a card."""
    evaluation: dict[str, Any] = card["extension"]["org.sil2r-cds.evaluation"]
    return evaluation


def problem_of(response: TestResponse, status: int) -> dict[str, Any]:
    """The one issue of an answer that must be an error, and no list of cards."""
    body: dict[str, Any] = response.get_json(force=True)
    assert response.status_code == status, body
    assert response.content_type == "application/fhir+json"
    assert body["resourceType"] == "OperationOutcome"
    assert "cards" not in body
    (issue,) = body["issue"]
    return dict(issue)


def code_of(issue: dict[str, Any]) -> str:
    """Our own code of an issue."""
    code: str = issue["details"]["coding"][0]["code"]
    return code


@pytest.fixture
def reaching(library: Library) -> Post:
    """Posts to a sandbox that may call FHIR servers on this machine, and no other."""
    ports = Ports(now=lambda: TODAY, reach=FhirReach(Settings(deadline_ms=20_000)))
    client = create_app(Settings(), library, ports).test_client()

    def send(body: object, service: str = CHART_SERVICE) -> TestResponse:
        return client.post(f"/cds-services/{service}", json=body)

    return send
