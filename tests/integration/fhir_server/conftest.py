"""The service as it stands, beside a real FHIR server that holds what a story would prefetch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
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
from tests.integration.fhir_server.server import GUARDED, FhirServer, JsonObject

TODAY = datetime.combine(fhir_fixtures.manifest().evaluated_on, time(12), UTC)
AMPLE_MS = 20_000
"""A deadline for tests that are not about the deadline: a busy machine must not fail them."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    """A FHIR server that asks nobody who they are."""
    running = FhirServer(tmp_path_factory.mktemp("fhir-open"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    """A FHIR server that asks for a bearer token and holds its scopes."""
    running = FhirServer(tmp_path_factory.mktemp("fhir-guarded"), GUARDED)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    """A FHIR server for one test, which may break it."""
    running = FhirServer(tmp_path_factory.mktemp("fhir-own"))
    running.start()
    yield running
    running.stop()


Ask = Callable[[JsonObject], TestResponse]


def service(library: Library, deadline_ms: int = AMPLE_MS) -> Ask:
    """The whole service in sandbox mode, on the day of the stories; asks as a client would."""
    return service_through(FhirReach(Settings(deadline_ms=deadline_ms)), library)


def service_through(reach: FhirReach, library: Library) -> Ask:
    """The same, with a way out that the test keeps in its hands."""
    ports = Ports(now=lambda: TODAY, reach=reach)
    client: FlaskClient = create_app(Settings(), library, ports).test_client()

    def ask(request: JsonObject) -> TestResponse:
        services = client.get("/cds-services").get_json()["services"]
        (its,) = (entry["id"] for entry in services if entry["hook"] == request["hook"])
        return client.post(f"/cds-services/{its}", data=json.dumps(request), **_JSON)

    return ask


_JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest.fixture(scope="session")
def ask(library: Library) -> Ask:
    return service(library)


# ------------------------------------------------------------------ stories for many patients


def story(name: str, mark: str) -> JsonObject:
    """A hook request of the fixtures; `mark` gives its patient and resources ids of their own."""
    document: JsonObject = json.loads(fhir_fixtures.text(name).replace("synthetic-", f"{mark}-"))
    return document


def prefetched(request: JsonObject) -> list[JsonObject]:
    """All resources of a request's prefetch, as a FHIR server would hold them."""
    found: list[JsonObject] = []
    for part in request["prefetch"].values():
        if part["resourceType"] == "Bundle":
            found += [entry["resource"] for entry in part.get("entry", [])]
        else:
            found.append(part)
    return found


def without_prefetch(request: JsonObject, server: FhirServer, **more: object) -> JsonObject:
    """The same request from a client that sends its server's address instead."""
    bare = {name: value for name, value in request.items() if name != "prefetch"}
    return {**bare, "fhirServer": server.base, **more}


def authorization(token: str, scope: str) -> JsonObject:
    """`fhirAuthorization` as a client sends it."""
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": scope,
        "subject": "synthetic-service",
    }


# ------------------------------------------------------------------ answers


def card_of(answer: TestResponse) -> JsonObject:
    """The one card of an answer."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    (card,) = answer.get_json()["cards"]
    return dict(card)


def evaluation_of(card: JsonObject) -> JsonObject:
    evaluation: JsonObject = card["extension"]["org.sil2r-cds.evaluation"]
    return evaluation


def missing_in(card: JsonObject) -> set[str]:
    return set(evaluation_of(card).get("missing", ()))


def refused_key(answer: TestResponse) -> str:
    """The prefetch key that a 412 names."""
    body = answer.get_json(force=True)
    assert answer.status_code == 412, body
    (issue,) = body["issue"]
    (where,) = issue["expression"]
    return str(where)
