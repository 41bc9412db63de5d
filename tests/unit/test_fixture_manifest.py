"""The manifest of the fixtures: complete, and expecting what the product can promise."""

from __future__ import annotations

import re

import pytest

import fhir_fixtures
from cds_service.core.verdict import Reason
from fhir_fixtures import Answer, CardOutcome, Indicator, Kind
from fhir_fixtures.story import read_manifest
from tests.public_words import ADVICE, CONTEXTS, FINDINGS, LABORATORY_LIMIT, MISSING, WARNINGS

HOOKS = {
    "sil2r-lab-result": "org.sil2r-cds.lab-result-create",
    "sil2r-patient-view": "patient-view",
    "sil2r-order-select": "order-select",
    "sil2r-order-sign": "order-sign",
}
PUBLIC = FINDINGS | CONTEXTS | {"threshold-indeterminate"}
REQUIREMENT = re.compile(r"(TR|T|F|R|H)-\d{2,3}|S\d{1,2}|T[123]|(HLH|SARC|CSF|ATL)-R\d|CTX")

STORIES = fhir_fixtures.manifest().stories
CARDS = [(story, card) for story in STORIES for card in story.cards]
ABOUT_ORDERS = [(story, card) for story, card in CARDS if story.service.startswith("sil2r-order-")]
ABOUT_RESULTS = [each for each in CARDS if each not in ABOUT_ORDERS]


# ------------------------------------------------------------------ the manifest


def test_every_document_is_listed_and_every_row_has_its_document() -> None:
    package = fhir_fixtures.site_path().parent
    lying = {file.relative_to(package).as_posix() for file in package.rglob("*.json")}
    assert {story.file for story in STORIES} == lying


def test_names_are_unique_and_are_the_file_names() -> None:
    assert len(set(fhir_fixtures.names())) == len(STORIES)
    for story in STORIES:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", story.id)
        assert story.file == f"{story.kind}/{story.id}.json"


def test_there_are_stories_enough_and_of_every_kind() -> None:
    assert len(STORIES) >= 60
    assert {story.kind for story in STORIES} == set(Kind)


def test_a_purpose_is_one_plain_sentence() -> None:
    for story in STORIES:
        assert story.purpose.endswith("."), story.id
        assert len(story.purpose) <= 200, story.id


def test_every_story_exercises_a_named_requirement() -> None:
    for story in STORIES:
        assert story.requirements, story.id
        assert all(REQUIREMENT.fullmatch(each) for each in story.requirements), story.id


def test_every_trap_that_a_document_can_set_is_set() -> None:
    """TR-01 to TR-25 but those on discovery, headers, feedback, crashes and card models."""
    set_traps = {requirement for story in STORIES for requirement in story.requirements}
    numbers = (3, 4, 5, 9, 11, 12, 13, 14, 15, 17, 18, 20, 21, 22, 23, 24, 25)
    assert {f"TR-{number:02}" for number in numbers} <= set_traps


def test_exactly_hook_requests_name_their_service() -> None:
    for story in STORIES:
        if story.kind is Kind.HOOK_REQUEST:
            assert fhir_fixtures.load(story.id)["hook"] == HOOKS[story.service]
        elif story.kind is not Kind.BROKEN:
            assert not story.service, story.id


def test_an_unknown_key_in_the_manifest_is_refused() -> None:
    row = 'evaluated_on = 2026-11-21\n[[fixture]]\nid = "x"\nfile = "x"\nkind = "bundle"\n'
    rest = 'purpose = "x."\nanswer = "no-card"\nrequirements = []\n'
    assert read_manifest(row + rest).stories[0].id == "x"
    with pytest.raises(ValueError, match="colour"):
        read_manifest(row + rest + 'colour = "red"\n')
    with pytest.raises(ValueError, match="poem"):
        read_manifest(row.replace("bundle", "poem") + rest)


# ------------------------------------------------------------------ the expectations


def test_cards_are_expected_exactly_where_the_answer_is_cards() -> None:
    for story in STORIES:
        assert bool(story.cards) == (story.answer is Answer.CARDS), story.id


def test_expected_cards_use_public_words_only() -> None:
    for story, card in CARDS:
        words = ADVICE if (story, card) in ABOUT_ORDERS else PUBLIC
        assert set(card.findings) <= words, story.id
        assert set(card.missing) <= MISSING, story.id
        assert card.specimen in {"", "blood", "csf"}, story.id
        assert len(set(card.findings)) == len(card.findings), story.id


def test_a_reason_stands_exactly_where_nothing_is_interpreted() -> None:
    for story, card in CARDS:
        assert bool(card.reason) == (card.outcome is CardOutcome.NOT_INTERPRETABLE), story.id


def test_only_four_findings_warn() -> None:
    for story, card in CARDS:
        warns = card.outcome is CardOutcome.INTERPRETED and not WARNINGS.isdisjoint(card.findings)
        assert (card.indicator is Indicator.WARNING) == warns, story.id


def test_an_interpreted_card_says_where_the_laboratory_limit_lies() -> None:
    for story, card in ABOUT_RESULTS:
        said = LABORATORY_LIMIT.intersection(card.findings)
        if card.outcome is CardOutcome.INTERPRETED:
            straddles = "threshold-indeterminate" in card.findings
            assert len(said) == 1 or (not said and straddles), story.id
            assert ("no-laboratory-limit" in said) == ("laboratory-limit" in card.missing), story.id
        else:
            assert set(card.findings) == said, story.id


def test_a_card_about_an_order_names_its_advice() -> None:
    assert ABOUT_ORDERS
    assert all(card.findings for _, card in ABOUT_ORDERS)


def test_no_limit_of_one_specimen_is_expected_on_the_other() -> None:
    """T-103."""
    blood, csf = ("hlh-", "ohi-", "atl-", "sarcoidosis-"), ("csf-above", "csf-not")
    for story, card in CARDS:
        foreign = blood if card.specimen == "csf" else csf
        assert not any(finding.startswith(foreign) for finding in card.findings), story.id


def test_every_public_finding_fires_somewhere() -> None:
    assert {finding for _, card in ABOUT_RESULTS for finding in card.findings} == PUBLIC


def test_every_reason_is_given_somewhere_but_the_one_that_needs_a_store() -> None:
    given = {card.reason for _, card in CARDS if card.reason}
    assert given == set(Reason) - {Reason.STATUS_WITHDRAWN}


def test_every_outcome_and_answer_occurs() -> None:
    assert {card.outcome for _, card in CARDS} == set(CardOutcome)
    assert {story.answer for story in STORIES} == set(Answer)
