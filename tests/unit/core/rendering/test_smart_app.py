"""A SMART app on a card: the link that launches it, and what it is told (CDS Hooks 2.0.1, Link)."""

from __future__ import annotations

import json
from dataclasses import replace

from cds_service.core.card import SmartApp
from tests.contract.specification import LINK, conforms
from tests.records import result
from tests.unit.core.rendering.rendering import RANGE, card

SERIES = SmartApp("Toy over time", "https://apps.example.org/toy/launch.html")
NOTES = SmartApp("Notes", "https://apps.example.org/notes/?tab=laboratory")


def test_an_app_is_linked_to_before_the_sources_and_takes_nothing_from_the_card() -> None:
    shown = card(result("250 pt/mL", ranges=RANGE))
    plain, offered = shown.as_json(), shown.as_json((SERIES, NOTES))
    assert [link["label"] for link in offered["links"][:2]] == ["Toy over time", "Notes"]
    assert offered["links"][2:] == plain["links"]
    assert {**offered, "links": plain["links"]} == plain
    assert shown.as_json() == plain, "the next caller is offered nothing"


def test_tr06_only_a_link_that_the_ehr_launches_has_a_context() -> None:
    for link in card(result("250 pt/mL", ranges=RANGE)).as_json((SERIES, NOTES))["links"]:
        conforms(link, LINK)
    assert link["type"] == "absolute"


def test_the_app_is_told_which_card_and_which_result() -> None:
    shown = card(result("250 pt/mL", ranges=RANGE))
    (link, *_sources) = shown.as_json((SERIES,))["links"]
    assert (link["url"], link["type"]) == (SERIES.url, "smart")
    assert json.loads(link["appContext"]) == {
        "card": shown.uuid,
        "evaluation": shown.extension["id"],
        "observation": shown.extension["inputs"][0]["resource"],
    }


def test_an_app_launched_from_a_card_about_no_result_is_told_of_none() -> None:
    shown = card(result("250 pt/mL", ranges=RANGE))
    order = {**shown.extension, "inputs": [{"resource": "ServiceRequest/draft"}]}
    for about_none in (order, {**shown.extension, "inputs": []}):
        of_order = replace(shown, extension=about_none, links=())
        (link,) = of_order.as_json((SERIES,))["links"]
        assert json.loads(link["appContext"]).keys() == {"card", "evaluation"}
