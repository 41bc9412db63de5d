"""A card cites what its own words rest on, and nothing else: on every card that can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.citations import citation
from tests.safety.conftest import Walked
from tests.safety.witnesses import RESTS_ON

GOLDEN = Path(__file__).parents[1] / "golden" / "cards"
_END = "```json"


def golden_cards() -> Iterator[tuple[str, str]]:
    """The detail of each golden card, as a person reads it."""
    for file in sorted(GOLDEN.glob("*.md")):
        for page in file.read_text(encoding="utf-8").split("\n## ")[1:]:
            yield file.stem, page.partition(_END)[0]


def cited_on(detail: str, knowledge: KnowledgeBase) -> set[str]:
    listed = detail.partition("**Sources**")[2]
    return {name for name, source in knowledge.sources.items() if citation(source) in listed}


def faults(detail: str, knowledge: KnowledgeBase) -> Iterator[str]:
    """Passages whose source is not cited, and cited sources without a passage."""
    words, cited = detail.partition("**Sources**")[0], cited_on(detail, knowledge)
    carried: set[str] = set()
    for passage, sources in RESTS_ON.items():
        if passage in words:
            for one_of in (set(source.split("|")) for source in sources):
                carried |= one_of
                if not one_of & cited:
                    yield f"{passage!r} stands without {' or '.join(sorted(one_of))}"
    yield from (f"{name} is cited for nothing" for name in sorted(cited - carried))


def test_each_source_of_a_golden_card_carries_a_passage_of_it_and_each_passage_has_its_source(
    sil2r: KnowledgeBase,
) -> None:
    cards = list(golden_cards())
    assert len(cards) > 40
    assert [(name, fault) for name, detail in cards for fault in faults(detail, sil2r)] == []


def test_each_source_of_a_card_carries_a_passage_of_it_and_each_passage_has_its_source(
    walked: Walked,
) -> None:
    found = {
        fault: each.label
        for each in walked.cards
        for fault in faults(each.card.detail, walked.knowledge)
    }
    assert found == {}


def test_every_passage_stands_on_some_card(walked: Walked) -> None:
    said = "\n".join({each.card.detail.partition("**Sources**")[0] for each in walked.cards})
    assert [passage for passage in RESTS_ON if passage not in said] == []


_SENTENCE = re.compile(r".+?(?:[.?](?=\s)|$)", re.DOTALL)
_FIGURE = re.compile(r"\d")
_NO_FIGURE = re.compile(
    r"HLH-20\d\d|s?IL-2R|interleukin \d+|CD25|CD3|OKT3|FHIR R4|\{[^}]*\}"
    r"|(under|over) \d+ years|within 7 days",
    re.IGNORECASE,
)
"""Numbers that are of no study: names, and what this service itself counts by."""


def figures(text: str) -> Iterator[str]:
    """The sentences of a text that tell a number of a study and hold no part of a passage."""
    spans = [
        match.span() for passage in RESTS_ON for match in re.finditer(re.escape(passage), text)
    ]
    for part in _SENTENCE.finditer(text):
        covered = any(start < part.end() and part.start() < end for start, end in spans)
        if not covered and _FIGURE.search(_NO_FIGURE.sub("", part.group())):
            yield part.group()


def test_every_figure_of_a_study_stands_in_a_sentence_with_a_source(sil2r: KnowledgeBase) -> None:
    limits = {f"limit.{name}": f"{row.value} {row.unit}" for name, row in sil2r.limits.items()}
    bare = [
        f"{name}, {section}: {figure}"
        for name, template in sil2r.templates.items()
        for section, wording in template.items()
        if section != "headline"
        for figure in figures(
            wording.fill({n: limits.get(n, f"{{{n}}}") for n in wording.placeholders})
        )
    ]
    assert bare == []
