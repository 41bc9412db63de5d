"""The ids of cards: made from what the cards say, and from nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.core.card import Card, Indicator, Selection
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.render import render
from cds_service.core.rendering.bibliography import bibliography
from cds_service.core.rendering.content import CardContent, identified, quoted
from tests import toy
from tests.records import evaluated, record, result

TOY = toy.knowledge()
CITED = bibliography(TOY, (toy.SOURCE,))
NOTHING = bibliography(TOY, ())
NAMESPACE = UUID("6f2a52b4-5a0e-5d0c-9d39-3f8e6d1c7a11")


def content(**changes: Any) -> CardContent:
    plain = CardContent(
        "5 pt/mL", 'Say "5".\n\n- \\_ü', Indicator.INFO, CITED, {"findings": ["high"]}
    )
    return replace(plain, **changes)


def without_ids(card: Card) -> dict[str, Any]:
    """The card as it is on the wire, but for what is added after it has its ids."""
    extension = {name: said for name, said in card.extension.items() if name != "id"}
    return replace(card, uuid="", suggestions=(), extension=extension).as_json()


def with_their_own_ids(cards: tuple[Card, ...], knowledge: KnowledgeBase, scope: str) -> bool:
    """Whether the ids are the version 5 UUIDs of the JSON text of what was answered to whom."""
    text = json.dumps([knowledge.tag, scope, [without_ids(card) for card in cards]])
    evaluation = {card.extension["id"] for card in cards}
    return evaluation == {str(uuid5(NAMESPACE, text))} and [card.uuid for card in cards] == [
        str(uuid5(NAMESPACE, f"{text}{number}")) for number in range(len(cards))
    ]


@pytest.mark.parametrize(
    "contents",
    [
        (content(),),
        (content(), content(summary="6 pt/mL", indicator=Indicator.WARNING)),
        (content(cited=NOTHING),),
        (content(selection=Selection.AT_MOST_ONE),),
        (content(extension={"missing": ["größe"], "inputs": [{"resource": 'a"b'}]}),),
    ],
)
def test_the_ids_are_made_of_the_json_of_the_answer(contents: tuple[CardContent, ...]) -> None:
    cards = identified(contents, TOY, "caller service patient")
    assert with_their_own_ids(cards, TOY, "caller service patient")


def test_that_holds_where_a_card_has_no_override_reasons() -> None:
    bare = replace(TOY, wording=replace(TOY.wording, override_reasons=()))
    contents = [content(cited=bibliography(bare, (toy.SOURCE,)))]
    assert with_their_own_ids(identified(contents, bare, "s"), bare, "s")


@given(st.text(max_size=12), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
@example("\x7f", '","')
def test_that_holds_for_any_text_from_outside(scope: str, said: str) -> None:
    cards = identified([content(summary=said, detail=said)], TOY, scope)
    assert with_their_own_ids(cards, TOY, scope)


def test_that_holds_for_a_card_that_was_rendered() -> None:
    given_record = record(result("250 pt/mL"))
    cards = render(evaluated(given_record, TOY), TOY, scope="s")
    assert cards
    assert with_their_own_ids(cards, TOY, "s")


def test_nothing_to_say_needs_no_ids() -> None:
    assert identified([], TOY, "s") == ()


@given(st.text())
@example("".join(map(chr, range(256))))
def test_a_quoted_text_is_what_json_makes_of_it(text: str) -> None:
    assert quoted(text) == json.dumps(text)


def test_a_card_that_cites_nothing_names_the_knowledge_as_its_source() -> None:
    (card,) = identified([content(cited=NOTHING)], TOY, "s")
    assert card.source == {"label": f"{TOY.identity.title} {TOY.identity.version}"}
    assert card.links == ()
