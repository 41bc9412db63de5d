"""The stories of orders, answered as each of them says, over HTTP too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

import pytest
from flask.testing import FlaskClient

import fhir_fixtures
from cds_service.config import Settings
from cds_service.hooks.answer import answer
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.unit.hooks.ordering import TODAY, call, services

NOON = time(12)
STORIES = [s for s in fhir_fixtures.manifest().stories if s.id.startswith("order_s")]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.id))
def test_every_order_fixture_is_answered_as_its_story_says(story: Any) -> None:
    service = services()[story.service]
    cards = answer(call(service, fhir_fixtures.load(story.id))).cards
    assert len(cards) == len(story.cards)
    for card, expected in zip(cards, story.cards, strict=True):
        assert card.extension["outcome"] == expected.outcome
        assert card.indicator == expected.indicator
        assert set(expected.missing) <= set(card.extension.get("missing", ()))


def test_the_fixtures_are_there() -> None:
    assert {story.service for story in STORIES} == {"sil2r-order-select", "sil2r-order-sign"}


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[FlaskClient]:
    ports = Ports(now=lambda: datetime.combine(TODAY, NOON, UTC))
    app = create_app(Settings(), library, ports)
    with app.test_client() as opened:
        yield opened


def test_discovery_lists_the_order_services_under_the_standard_hooks(client: FlaskClient) -> None:
    listed = client.get("/cds-services").get_json()["services"]
    hooks = {service["id"]: service["hook"] for service in listed}
    assert hooks["sil2r-order-select"] == "order-select"
    assert hooks["sil2r-order-sign"] == "order-sign"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.id))
def test_every_order_fixture_is_answered_over_http(story: Any, client: FlaskClient) -> None:
    response = client.post(f"/cds-services/{story.service}", json=fhir_fixtures.load(story.id))
    assert response.status_code == 200
    outcomes = [
        card["extension"]["org.sil2r-cds.evaluation"]["outcome"]
        for card in response.get_json()["cards"]
    ]
    assert outcomes == [card.outcome for card in story.cards]
