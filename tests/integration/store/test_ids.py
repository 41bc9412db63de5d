"""Ids of what was answered are made from the patient and the card; they tell nothing of either.

Whoever takes the database knows everything that stands in it, and our source. What could be
computed from that alone would be the same in every installation.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import fhir_fixtures
from cds_service.config import Settings
from cds_service.store.pseudonym import DataKey
from cds_service.wiring import make_app, prepared

STORIES = ("lab_result_minimal", "lab_result_of_another_patient", "order_sign_il2")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Installation = Callable[[str, DataKey], tuple[FlaskClient, Path]]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    def install(name: str, key: DataKey) -> tuple[FlaskClient, Path]:
        file = tmp_path / f"{name}.sqlite3"
        settings = Settings(database_url=f"sqlite:///{file}", data_key=key.base64())
        return make_app(settings, prepared(settings)).test_client(), file

    return install


def ids(file: Path) -> set[str]:
    """Every UUID by which an answer, a card or a suggestion stands in the database."""
    with closing(sqlite3.connect(file)) as database:
        kept = [
            *database.execute("select id, cards from evaluations"),
            *database.execute("select uuid, suggestions from cards"),
        ]
    return set(_UUID.findall(str(kept)))


def ask(client: FlaskClient, story: str) -> bytes:
    about = fhir_fixtures.story(story)
    answer = client.post(
        f"/cds-services/{about.service}",
        data=fhir_fixtures.text(story),
        content_type="application/json",
    )
    assert answer.status_code == 200
    assert answer.get_json()["cards"]
    return answer.get_data()


@pytest.mark.parametrize("story", STORIES)
def test_nothing_that_was_kept_can_be_computed_without_the_data_key(
    installation: Installation, story: str
) -> None:
    """Also of a card that holds no value: of a result that belongs to another patient."""
    (one, file), (other, another_file) = (
        installation(name, DataKey.random()) for name in ("one", "other")
    )
    ask(one, story)
    ask(other, story)
    assert ids(file)
    assert not ids(file) & ids(another_file)


@pytest.mark.parametrize("story", STORIES)
def test_the_same_request_is_answered_with_the_same_bytes_where_the_key_is_the_same(
    installation: Installation, story: str
) -> None:
    key = DataKey.random()
    (one, _), (other, _) = (installation(name, key) for name in ("one", "other"))
    assert ask(one, story) == ask(other, story) == ask(one, story)
