"""Every story of the fixtures that is a hook request, posted as it stands, ends as it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from flask.testing import FlaskClient

import fhir_fixtures
from fhir_fixtures import Answer, ExpectedCard, Story
from tests.contract.conftest import Post, cards_of, evaluation_of, problem_of
from tests.contract.specification import RESPONSE, conforms, empty_values

STATUS = {Answer.CARDS: 200, Answer.NO_CARD: 200, Answer.HTTP_400: 400, Answer.HTTP_412: 412}
STORIES = [story for story in fhir_fixtures.manifest().stories if story.service and not story.site]

every_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)


def said(cards: Iterable[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    return Counter(
        (
            evaluation_of(card)["outcome"],
            evaluation_of(card).get("reason", ""),
            card["indicator"],
            *sorted(evaluation_of(card).get("findings", ())),
        )
        for card in cards
    )


def expected(cards: Iterable[ExpectedCard]) -> Counter[tuple[str, ...]]:
    return Counter(
        (card.outcome.value, card.reason, card.indicator.value, *sorted(card.findings))
        for card in cards
    )


@every_story
def test_a_story_ends_as_it_says(story: Story, post: Post) -> None:
    response = post(fhir_fixtures.text(story.id), story.service)
    if STATUS[story.answer] != 200:
        assert problem_of(response, STATUS[story.answer])["details"]["text"]
        return
    cards = cards_of(response)
    assert said(cards) == expected(story.cards)
    for card in story.cards:
        assert any(set(card.missing) <= set(evaluation_of(c).get("missing", ())) for c in cards)


@every_story
def test_t26_j03_j04_c01_c03_every_answer_is_what_the_specification_asks_for(
    story: Story, post: Post
) -> None:
    response = post(fhir_fixtures.text(story.id), story.service)
    body = response.get_json(force=True)
    if response.status_code == 200:
        conforms(body, RESPONSE)
        assert list(empty_values(body["cards"] or ["nothing to say"])) == []
        for card in body["cards"]:
            assert card["indicator"] != "critical"
            assert len(card["summary"]) < 140
            assert "<" not in card["detail"].replace("&lt;", "").replace("\\<", "")
    else:
        assert list(empty_values(body)) == []


@every_story
def test_t105_c07_the_same_request_gives_the_same_bytes(story: Story, post: Post) -> None:
    first = post(fhir_fixtures.text(story.id), story.service).data
    assert post(fhir_fixtures.text(story.id), story.service).data == first


def test_every_service_that_a_story_names_is_in_discovery(client: FlaskClient) -> None:
    listed = {entry["id"] for entry in client.get("/cds-services").get_json()["services"]}
    assert {story.service for story in STORIES} == listed
