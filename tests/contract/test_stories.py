"""Every story of the fixtures that is a hook request, posted as it stands, ends as it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

import fhir_fixtures
from fhir_fixtures import ExpectedCard, Kind, Story
from tests.contract.conftest import STATUS, STORIES, Post, cards_of, evaluation_of, problem_of
from tests.contract.specification import RESPONSE, conforms, empty_values

OF_A_PATIENT = frozenset(
    {
        "birthDate",
        "code",
        "display",
        "effectiveDateTime",
        "encounterId",
        "family",
        "given",
        "id",
        "issued",
        "patientId",
        "reference",
        "text",
        "userId",
        "value",
    }
)
"""Members of a request that must not be told."""
OF_THE_CALL = frozenset({"time", "duration_ms", "request_id"})
"""What a line of the log is made of anew each time; it might hold the same digits."""

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


@pytest.mark.parametrize(
    "story", [story for story in STORIES if story.kind is Kind.HOOK_REQUEST], ids=lambda s: s.id
)
def test_t30_nothing_of_a_patient_that_a_story_holds_stands_in_the_log(
    story: Story, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    post(fhir_fixtures.text(story.id), story.service)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (logged,) = ({name: line[name] for name in line.keys() - OF_THE_CALL} for line in lines)
    request = fhir_fixtures.load(story.id)
    private = {*of_a_patient(request["context"]), *of_a_patient(request.get("prefetch"))}
    assert private
    text = json.dumps(logged)
    assert [s for s in private if re.search(rf"(?<![\w.-]){re.escape(s)}(?![\w-])", text)] == []


def of_a_patient(value: Any, member: str = "") -> Iterator[str]:
    """What stands in members that may tell of a patient, of a reference the id."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from of_a_patient(inner, name)
        case list():
            for inner in value:
                yield from of_a_patient(inner, member)
        case None:
            pass
        case told if (
            member in OF_A_PATIENT and len(str(told)) > 2
        ):  # two digits may stand by chance
            yield str(told).rpartition("/")[2]
