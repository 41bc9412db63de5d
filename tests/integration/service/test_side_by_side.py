"""Requests side by side get the answers they get alone (decision 33): nothing of one patient, and
nothing that is made once for all of them, changes with what was asked before or at the same time.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import Flask

import fhir_fixtures
from cds_service.config import Settings
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from fhir_fixtures import Story
from tests.packaged import LIBRARY

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 11, 9, 30, tzinfo=UTC)
STORIES = [story for name in fhir_fixtures.names() if (story := fhir_fixtures.story(name)).service]


def new_app() -> Flask:
    """An application with knowledge of its own, so that nothing was made before."""
    ports = Ports(now=lambda: NOW)
    return create_app(Settings(), LIBRARY, ports)


def answer(app: Flask, story: Story) -> tuple[int, bytes]:
    body = fhir_fixtures.text(story.id).encode()
    said = app.test_client().post(
        f"/cds-services/{story.service}", data=body, content_type="application/json"
    )
    return said.status_code, said.data


def test_answers_depend_neither_on_what_came_before_nor_on_what_comes_beside() -> None:
    app = new_app()
    alone = {story.id: answer(app, story) for story in STORIES}
    assert len({said for _, said in alone.values()}) > len(STORIES) // 2

    backwards = new_app()
    for story in reversed(STORIES):
        assert answer(backwards, story) == alone[story.id], story.id

    side_by_side = new_app()
    shuffled = random.Random(1).sample(STORIES * 4, len(STORIES) * 4)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda story: answer(side_by_side, story), shuffled))
    for story, said in zip(shuffled, answers, strict=True):
        assert said == alone[story.id], story.id
