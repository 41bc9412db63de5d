"""The service as a client calls it, at a site that has codes of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

import fhir_fixtures
from cds_service.config import Settings
from cds_service.knowledge.files import load_library, with_site
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.property.wire import NOW, Json


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    library = with_site(load_library(), fhir_fixtures.site_path())
    return create_app(Settings(), library, Ports(now=lambda: NOW)).test_client()


def cards(client: FlaskClient, service: str, request: Json | str) -> list[Json]:
    """The answer to a request, or to the text of one."""
    body = request if isinstance(request, str) else json.dumps(request)
    to = f"/cds-services/{service}"
    answered = client.post(to, data=body, content_type="application/json")
    assert answered.status_code == 200, answered.get_data(as_text=True)
    found: list[Json] = answered.get_json()["cards"]
    return found


def evaluation(card: Json) -> Json:
    """What the extension of a card says of its evaluation."""
    return dict(card["extension"]["org.sil2r-cds.evaluation"])


def come_to(answer: list[Json]) -> list[tuple[Any, ...]]:
    """What cards come to, without their words and ids."""
    kept = ("outcome", "reason", "findings", "missing", "inputs")
    return [(card["indicator"], *(evaluation(card).get(name) for name in kept)) for card in answer]
