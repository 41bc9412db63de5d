"""Every story of the fixtures that is a FHIR resource gives what its manifest row expects.

Hook requests are posted to the service in `tests/contract/test_stories.py`.
"""

from __future__ import annotations

from collections import Counter

import pytest

import fhir_fixtures
from cds_service.commands.documents import DocumentAnswer, evaluate_resource, is_hook_request
from cds_service.core.verdict import Answer as Said
from cds_service.core.verdict import Interpreted, NotInterpretable, WrongAnalyte
from cds_service.errors import CdsError
from cds_service.knowledge.files import Library, with_site
from cds_service.strict_json import parse_object
from fhir_fixtures import Answer, ExpectedCard, Kind, Story

AT = fhir_fixtures.manifest().evaluated_on
RESOURCES = [
    story
    for story in fhir_fixtures.manifest().stories
    if story.kind is not Kind.HOOK_REQUEST and not story.service
]


def outcomes(story: Story, library: Library) -> tuple[DocumentAnswer, ...]:
    used = with_site(library, fhir_fixtures.site_path()) if story.site else library
    return evaluate_resource(parse_object(fhir_fixtures.text(story.id).encode()), used, AT)


Told = tuple[str, str, str, str, tuple[str, ...]]


def told(answer: Said, indicator: str) -> Told:
    match answer.verdict:
        case Interpreted():
            verdict = ("interpreted", "")
        case NotInterpretable(reason):
            verdict = ("not-interpretable", reason.value)
        case WrongAnalyte():
            verdict = ("wrong-analyte", "")
    findings = tuple(sorted(finding.id for finding in answer.findings))
    return (*verdict, indicator, answer.specimen, findings)


def expected(card: ExpectedCard) -> Told:
    findings = tuple(sorted(card.findings))
    return (card.outcome.value, card.reason, card.indicator.value, card.specimen, findings)


@pytest.mark.parametrize("story", RESOURCES, ids=lambda story: story.id)
def test_a_story_ends_as_it_says(story: Story, library: Library) -> None:
    if story.answer is Answer.HTTP_400:
        with pytest.raises(CdsError):
            outcomes(story, library)
        return
    (outcome,) = outcomes(story, library)
    said = list(zip(outcome.evaluation.answers, outcome.cards, strict=True))
    found = [told(answer, card.indicator.value) for answer, card in said]
    assert Counter(found) == Counter(expected(card) for card in story.cards)
    for card in story.cards:
        missing = [a.missing for a, c in said if told(a, c.indicator.value) == expected(card)]
        assert any(set(card.missing) <= set(words) for words in missing)


def test_every_story_is_driven_either_here_or_over_http() -> None:
    left = [story for story in fhir_fixtures.manifest().stories if story not in RESOURCES]
    assert len(RESOURCES) > 100
    assert [story.id for story in left if not story.service] == []
    parsed = [story for story in RESOURCES if story.answer is not Answer.HTTP_400]
    documents = [parse_object(fhir_fixtures.text(story.id).encode()) for story in parsed]
    assert not any(map(is_hook_request, documents))
