"""Whether callers are asked for a token is told alike by discovery, OpenAPI and the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.web.app import create_app
from cds_service.web.ports import NOBODY_REGISTERED, Gate, OpenGate, Ports
from tests.unit.web.conftest import BY_TLS, SECURE
from tests.unit.web.rooms import TokenGate, library

REGISTRY = Path("clients.toml")


def client(settings: Settings, gate: Gate) -> FlaskClient:
    return create_app(settings, library(), Ports(gate=gate)).test_client()


def operations(opened: FlaskClient) -> list[dict[str, Any]]:
    paths = opened.get("/openapi.json", headers=BY_TLS).get_json()["paths"]
    return [paths[path]["post"] for path in paths if path.startswith("/cds-services/")]


@pytest.mark.parametrize(
    ("settings", "gate"),
    [
        pytest.param(Settings(), OpenGate(), id="no-registry"),
        pytest.param(Settings(clients=REGISTRY), NOBODY_REGISTERED, id="event-sources-only"),
    ],
)
def test_where_nobody_is_registered_no_token_is_said_to_be_needed(
    settings: Settings, gate: Gate
) -> None:
    opened = client(settings, gate)
    assert opened.post("/cds-services/toy-patient-view", json={}).status_code == 400
    services = opened.get("/cds-services").get_json()["services"]
    assert all("no token is asked for" in service["description"] for service in services)
    assert all("security" not in operation for operation in operations(opened))


@pytest.mark.parametrize("settings", [SECURE, replace(Settings(), clients=REGISTRY)])
def test_where_clients_are_registered_a_token_is_said_to_be_needed(settings: Settings) -> None:
    opened = client(settings, TokenGate())
    refused = opened.post("/cds-services/toy-patient-view", json={}, headers=BY_TLS)
    assert refused.status_code == 401
    services = opened.get("/cds-services", headers=BY_TLS).get_json()["services"]
    assert not any("no token is asked for" in service["description"] for service in services)
    asked = [operation["security"] for operation in operations(opened)]
    assert asked
    assert all(each == [{"clientToken": []}] for each in asked)
