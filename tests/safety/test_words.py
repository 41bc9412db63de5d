"""What the words of a reachable card may say of a patient, as a reader would see them.

`test_clinical_words` reads the templates; here the finished cards are read, values and all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from cds_service.core.schema import LimitRow
from cds_service.core.verdict import Answer
from tests.clinical_words import DIAGNOSIS, OF_THE_PATIENT, SPEAKS_OF_TREATMENT, THERAPY
from tests.safety.conftest import ReachableCard, Walked

DISEASE = (
    r"(?:HLH|lymphoma|leuk[a]?emia|ATL|sarcoidosis|neurosarcoidosis|tuberculosis|sclerosis|"
    r"infection|sepsis|lupus|erythematosus|meningitis|syndrome|malignancy|impairment|haemorrhage|"
    r"rejection|dialysis|transplant)"
)
STATED = re.compile(
    rf"\b{DISEASE}\b (?:alone |stays |itself )?\b(is|are|was|were|has|have|had)\b (\w+)",
    re.IGNORECASE,
)
PREDICATES = {
    "recorded": "says what the record holds, not what the patient has",
    "considered": "of the patients of a study",
    "a": "figures of a study: 'rejection had a sensitivity of 73%'",
    "also": "'infection is also a trigger of HLH': of the disease, not of the patient",
    "the": "'infection was the main false positive': of a study",
}


def body(card: ReachableCard) -> str:
    """Summary and detail without what is quoted: titles of papers and names of resources."""
    before_sources = card.card.detail.partition("**Sources**")[0]
    return f"{card.card.summary}\n{before_sources.partition('**Used**')[0]}"


def sentences(cards: Iterable[ReachableCard]) -> Iterator[str]:
    """Every different sentence of these cards."""
    texts = {line for each in cards for line in body(each).splitlines()}
    found = {part.strip() for text in texts for part in re.split(r"(?<=[.;])\s", text)}
    return iter(sorted(found - {""}))


def test_no_card_states_a_disease_as_a_fact_about_the_patient(walked: Walked) -> None:
    stated = [
        (found[2], sentence)
        for sentence in sentences(walked.cards)
        for found in STATED.finditer(sentence)
    ]
    assert [sentence for predicate, sentence in stated if predicate not in PREDICATES] == []
    assert {predicate for predicate, _ in stated} == set(PREDICATES)


def test_no_card_says_what_the_patient_has_or_is_free_of(walked: Walked) -> None:
    said = list(sentences(walked.cards))
    assert [sentence for sentence in said if OF_THE_PATIENT.search(sentence)] == []
    named = {found.group() for sentence in said for found in DIAGNOSIS.finditer(sentence)}
    assert {words.lower() for words in named} == {"a diagnosis"}
    assert all(
        re.search(r"\bnot a diagnosis\b", sentence, re.IGNORECASE)
        for sentence in said
        if "diagnosis" in sentence
    )


def test_no_card_names_a_therapy_but_as_what_disturbs_the_test_or_was_studied(
    walked: Walked,
) -> None:
    spoken = [s for s in sentences(walked.cards) if THERAPY.search(s)]
    unexplained = [
        sentence
        for sentence in spoken
        if not any(re.search(allowed, sentence.rstrip(".;")) for allowed in SPEAKS_OF_TREATMENT)
    ]
    assert unexplained == []
    assert len(spoken) > 20


def test_no_suggestion_is_a_therapy(walked: Walked) -> None:
    offered = {
        f"{suggestion['label']}. {action['description']}"
        for each in walked.cards
        for suggestion in each.card.suggestions
        for action in suggestion["actions"]
    }
    named = {text for text in offered if THERAPY.search(text)}
    assert {text.partition(".")[0] for text in named} == {
        "Call the cell-therapy team",
        "Call the laboratory",
    }


# ------------------------------------------------------------------ limits of the other specimen


def foreign(walked: Walked, card: ReachableCard) -> Iterator[LimitRow]:
    """The limits of the analyte that are of another specimen, or of another unit family."""
    if not isinstance(card.about, Answer):
        return
    knowledge = walked.knowledge
    for limit in knowledge.limits.values():
        if limit.of != knowledge.identity.id:
            continue
        home = (limit.specimen, knowledge.units[limit.unit].family)
        if home != (card.about.specimen, card.about.value.family):
            yield limit


def without_what_was_received(card: ReachableCard) -> str:
    """The card's text without the values and ranges of the record: they are nobody's limit."""
    assert isinstance(card.about, Answer)
    lines = [
        line
        for line in body(card).splitlines()
        if not re.match(r"- \d{4}-\d\d-\d\d", line) and "result of the other specimen" not in line
    ]
    text = "\n".join(lines)
    value = f"{card.about.value.text} {card.about.value.unit}"
    escaped = value.replace("<", "&lt;").replace(">", "&gt;")
    for received in (value, escaped, card.about.laboratory.words):
        text = text.replace(received, "") if received.strip() else text
    return text


def test_t103_no_limit_of_the_other_specimen_or_unit_stands_on_a_card(walked: Walked) -> None:
    found = []
    for card in walked.results:
        for limit in foreign(walked, card):
            text = without_what_was_received(card)
            if re.search(rf"(?<![\d.,]){re.escape(f'{limit.value} {limit.unit}')}", text):
                found.append((limit.id, card.label))
    assert found[:5] == []


@pytest.mark.parametrize(
    ("specimen", "family", "limit"),
    [("blood", "U", "2400 U/mL"), ("blood", "U", "10000 U/mL"), ("csf", "mass", "150 pg/mL")],
)
def test_t103_the_same_search_finds_a_limit_where_it_belongs(
    walked: Walked, specimen: str, family: str, limit: str
) -> None:
    """The test above can fail: these limits do stand on the cards they are for."""
    at_home = [
        card
        for card in walked.results
        if isinstance(card.about, Answer)
        and (card.about.specimen, card.about.value.family) == (specimen, family)
    ]
    assert any(limit in without_what_was_received(card) for card in at_home)


# ------------------------------------------------------------------ statements without a source


UNSHOWN = {
    "S4": r"highest of all|clearly raised.{0,40}sclerosis|sclerosis.{0,60}clearly raised",
    "S6": r"\b100 ?%.{0,60}(?:ATL|mening)|(?:ATL|mening)[^.]{0,80}\b100 ?%",
    "S7": r"\b23 ?%",
    "S13": r"not harmful|mediators?",
    "S14": r"fall and rise|U-shape|of little use|dementia|ageing",
    "S15": r"second brain disease|co-?patholog",
    "S17": r"\bglia",
}
"""What each statement would look like on a card; its `our_words` may be there, its claim not."""


def test_statements_without_a_source_or_with_one_against_them_stand_on_no_card(
    walked: Walked,
) -> None:
    rows = {
        row.id: row
        for row in walked.knowledge.statements
        if row.status in {"source not located", "contradicted"}
    }
    assert set(rows) == set(UNSHOWN)
    said = list(sentences(walked.cards))
    for name, row in rows.items():
        assert [s for s in said if re.search(UNSHOWN[name], s, re.IGNORECASE)] == [], name
        assert [s for s in said if row.claim.rstrip(".") in s] == [], name


def test_a_contradicted_statement_is_used_only_with_the_sources_against_it(
    walked: Walked,
) -> None:
    """Where a card takes up the question, it cites who spoke against the statement."""
    knowledge = walked.knowledge
    for row in knowledge.statements:
        if row.status != "contradicted":
            continue
        against = [knowledge.sources[name].title.rstrip(".") for name in row.sources_against]
        own = row.used_in[0]
        cards = [card for card in walked.results if own in card.findings]
        assert cards, row.id
        for card in cards:
            assert all(title in card.card.detail for title in against), row.id
