"""Feedback over HTTP (B-01 to B-06, TR-08, T-25)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import fhir_fixtures
from cds_service.config import Settings
from cds_service.journal import StoredFeedback, StoredJournal
from cds_service.knowledge.files import Library
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.records import Records
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.contract.conftest import RESULT_SERVICE, TODAY, Post, cards_of, problem_of
from tests.kept import KEY, PSEUDONYMS, put_database

FEEDBACK = f"{RESULT_SERVICE}/feedback"


def item(card: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T01:02:03.004Z",
        **more,
    }


def test_b04_tr08_feedback_is_answered_200_with_an_empty_object(
    post: Post, card: dict[str, Any]
) -> None:
    response = post({"feedback": [item(card)]}, FEEDBACK)
    assert (response.status_code, response.get_json()) == (200, {})


def test_b03_every_reason_that_the_card_offers_can_be_given(
    post: Post, card: dict[str, Any]
) -> None:
    offered = card["overrideReasons"]
    assert offered
    for reason in offered:
        given = item(card, overrideReason={"reason": reason, "userComment": "Synthetic comment."})
        assert post({"feedback": [given]}, FEEDBACK).get_json() == {}


def test_b01_batches_and_repeats_are_taken(post: Post, card: dict[str, Any]) -> None:
    accepted = item(card, outcome="accepted", acceptedSuggestions=[{"id": card["uuid"]}])
    batch = {"feedback": [item(card), item(card), accepted]}
    assert [post(batch, FEEDBACK).status_code for _ in range(2)] == [200, 200]


def test_b04_a_card_that_nobody_remembers_is_taken(post: Post, card: dict[str, Any]) -> None:
    assert post({"feedback": [{**item(card), "card": "unknown-card"}]}, FEEDBACK).status_code == 200


def test_b04_feedback_for_an_unknown_service_is_404(post: Post, card: dict[str, Any]) -> None:
    problem_of(post({"feedback": [item(card)]}, "sil2r-nothing/feedback"), 404)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"card": None}, "feedback[0].card"),
        ({"outcome": "ignored"}, "feedback[0].outcome"),
        ({"outcome": "accepted"}, "feedback[0].acceptedSuggestions"),
        ({"overrideReason": {}}, "feedback[0].overrideReason"),
        ({"outcomeTimestamp": "yesterday"}, "feedback[0].outcomeTimestamp"),
    ],
)
def test_t91_cds_fb_1_2_3_malformed_feedback_is_400_and_located(
    post: Post, card: dict[str, Any], more: dict[str, object], where: str
) -> None:
    issue = problem_of(post({"feedback": [{**item(card), **more}]}, FEEDBACK), 400)
    assert issue["expression"] == [where]


def test_t25_further_members_are_ignored(post: Post, card: dict[str, Any]) -> None:
    response = post({"feedback": [item(card, ruleStatus="off", tenant="north")]}, FEEDBACK)
    assert (response.status_code, response.get_json()) == (200, {})


@pytest.fixture
def keeping(library: Library, tmp_path: Path) -> Iterator[FlaskClient]:
    """A service that keeps records and feedback."""
    put_database(tmp_path / "cds.sqlite3")
    with Database.open(f"sqlite:///{tmp_path}/cds.sqlite3") as database:
        ports = Ports(
            now=lambda: TODAY,
            journal=StoredJournal(Records(database, PSEUDONYMS), PSEUDONYMS),
            shelf=StoredFeedback(Feedback(database, KEY), PSEUDONYMS),
        )
        yield create_app(Settings(), library, ports).test_client()


def send(client: FlaskClient, text: str, service: str) -> TestResponse:
    return client.post(f"/cds-services/{service}", data=text, content_type="application/json")


def test_t28_overrides_by_the_hundred_mute_nothing(keeping: FlaskClient) -> None:
    request = fhir_fixtures.text("lab_result_full_prefetch")
    before = send(keeping, request, RESULT_SERVICE)
    (card,) = cards_of(before)
    fakes = [
        item(card, outcomeTimestamp=f"2026-11-21T01:{minute:02}:{second:02}Z")
        for minute in range(10)
        for second in range(60)
    ]
    assert send(keeping, json.dumps({"feedback": fakes}), FEEDBACK).status_code == 200
    assert send(keeping, request, RESULT_SERVICE).data == before.data


def test_t24_only_what_is_new_and_of_a_card_that_was_sent_is_counted(keeping: FlaskClient) -> None:
    (card,) = cards_of(
        send(keeping, fhir_fixtures.text("lab_result_full_prefetch"), RESULT_SERVICE)
    )
    accepted = item(card, outcome="accepted", acceptedSuggestions=[{"id": card["uuid"]}])
    of_no_card = {**item(card), "card": "unknown-card"}
    batch = json.dumps({"feedback": [item(card), item(card), accepted, of_no_card]})
    for _ in range(2):
        assert send(keeping, batch, FEEDBACK).status_code == 200
    counted = [
        line
        for line in keeping.get("/metrics").text.splitlines()
        if line.startswith("cds_feedback_total")
    ]
    assert sorted(counted) == [
        f'cds_feedback_total{{outcome="accepted",service="{RESULT_SERVICE}"}} 1.0',
        f'cds_feedback_total{{outcome="overridden",service="{RESULT_SERVICE}"}} 1.0',
    ]


def test_b06_t30_a_comment_stands_in_no_log(
    post: Post, card: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    given = item(card, overrideReason={"userComment": "Zyxgarten"})
    assert post({"feedback": [given]}, FEEDBACK).status_code == 200
    logged = capsys.readouterr()
    assert "CDS-L101" in logged.err
    assert "Zyxgarten" not in logged.err + logged.out
