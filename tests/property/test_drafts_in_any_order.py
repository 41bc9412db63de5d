"""Any drafts, in any order: the same cards, each with its own ids, and nothing on them to fear."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from random import Random

from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clinical_words import DIAGNOSIS, OF_THE_PATIENT, SPEAKS_OF_TREATMENT, THERAPY
from tests.contract.specification import RESPONSE, conforms, empty_values
from tests.property.conftest import cards, evaluation
from tests.property.orders import IL2, OWN, order_requests
from tests.property.wire import Json, bundles
from tests.unit.hooks.ordering import is_valid


def answered(client: FlaskClient, request: Json) -> list[Json]:
    return cards(client, f"sil2r-{request['hook']}", request)


def in_another_order(request: Json, random: Random) -> Json:
    """The same drafts, selections and results. The codes of all drafts are turned round, or of
    none: two that differ in nothing still do not.
    """
    other = copy.deepcopy(request)
    context = other["context"]
    random.shuffle(context["draftOrders"]["entry"])
    random.shuffle(context.get("selections", []))
    for each in bundles(other):
        random.shuffle(each["entry"])
    turned = random.choice((1, -1))
    for entry in context["draftOrders"]["entry"]:
        code = entry.get("resource", {}).get("code", {})
        if "coding" in code:
            code["coding"] = code["coding"][::turned]
    return other


@settings(max_examples=120)
@given(order_requests(), st.integers(0, 10_000))
def test_the_same_drafts_in_another_order_get_the_same_cards(
    client: FlaskClient, request: Json, seed: int
) -> None:
    """The order of the cards, their ids, and of several invalid drafts the words followed it."""
    other = in_another_order(request, Random(seed))
    assert answered(client, other) == answered(client, request)


@settings(max_examples=120)
@given(order_requests())
def test_whatever_is_drafted_the_cards_keep_the_rules(client: FlaskClient, request: Json) -> None:
    found = answered(client, request)
    conforms({"cards": found}, RESPONSE)
    assert [path for card in found for path in empty_values(card)] == []
    offered = [offer for card in found for offer in card.get("suggestions", [])]
    ids = [each["uuid"] for each in (*found, *offered)]
    assert len(set(ids)) == len(ids)
    assert {card["indicator"] for card in found} <= {"info"}
    assert ["subject-mismatch" in str(evaluation(card)) for card in found].count(True) in (
        (0, 1) if len(found) == 1 else (0,)
    )
    acts = [action for offer in offered for action in offer["actions"]]
    for made in (action["resource"] for action in acts if action["type"] == "create"):
        assert (made["status"], made["intent"], "id" in made) == ("draft", "proposal", False)
        assert is_valid(made)
    removed = [action["resourceId"] for action in acts if action["type"] == "delete"]
    assert len(set(removed)) == len(removed)
    assert set(removed) <= set(removable(request))


def removable(request: Json) -> Iterator[str]:
    """The drafts of interleukin 2 that came under an id with nothing else under it."""
    under: dict[str, list[Json]] = {}
    for entry in request["context"]["draftOrders"]["entry"]:
        order = entry.get("resource", {})
        if order.get("resourceType") == "ServiceRequest" and "id" in order:
            under.setdefault(order["id"], []).append(order)
    for id_, orders in under.items():
        newest = [order for order in orders if version(order) == max(map(version, orders))]
        compared = newest if all(map(version, orders)) else orders
        contents = [{k: v for k, v in order.items() if k != "meta"} for order in compared]
        codes = {code["code"] for code in contents[0].get("code", {}).get("coding", [])}
        is_one = all(content == contents[0] for content in contents)
        is_for_il2 = bool(codes & set(IL2)) and not codes & set(OWN)
        if is_one and is_for_il2 and contents[0]["status"] == "draft":
            yield f"ServiceRequest/{id_}"


def version(order: Json) -> int:
    """Its version if that is a number, else 0."""
    told = order.get("meta", {}).get("versionId", "")
    return int(told) if told.isdecimal() else 0


@settings(max_examples=120)
@given(order_requests())
def test_no_card_on_a_draft_speaks_of_a_disease_or_a_treatment(
    client: FlaskClient, request: Json
) -> None:
    for card in answered(client, request):
        offered = card.get("suggestions", [])
        texts = [
            card["summary"],
            *card["detail"].partition("**Sources**")[0].partition("**Used**")[0].splitlines(),
            *(offer["label"] for offer in offered),
            *(action["description"] for offer in offered for action in offer["actions"]),
        ]
        for sentence in (one for text in texts for one in re.split(r"(?<=[.;])\s", text)):
            assert not OF_THE_PATIENT.search(sentence)
            assert not DIAGNOSIS.search(sentence)
            assert not THERAPY.search(sentence) or any(
                re.search(known, sentence.rstrip(".;")) for known in SPEAKS_OF_TREATMENT
            )
