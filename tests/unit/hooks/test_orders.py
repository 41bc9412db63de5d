"""Draft orders: what is offered in the place of a look-alike, and beside a receptor in CSF."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.core.schema import OrderCode
from tests.packaged import SIL2R
from tests.unit.hooks.ordering import (
    ANY,
    CSF,
    IL2,
    SERUM,
    actions,
    answered,
    created,
    draft,
    is_valid,
    said,
)


@pytest.mark.parametrize(
    "order",
    [draft(id=None), *(draft(status=status) for status in ("active", "on-hold", "unknown"))],
    ids=["without an id", "active", "on hold", "unknown"],
)
def test_t35_what_is_no_draft_with_an_id_cannot_be_removed_and_the_button_says_so(
    order: JsonObject,
) -> None:
    """A client need not show the descriptions of actions: the label must not promise a swap."""
    found = answered(order)
    (action,) = actions(found)
    assert action["type"] == "create"
    assert "remove it by hand" in action["description"]
    (suggestion,) = found.cards[0].suggestions
    assert suggestion["label"] == "Add sIL-2R; remove Interleukin 2 by hand"
    assert answered(order, draft(SERUM, "2")).cards[0].suggestions == ()


def test_where_the_receptor_is_drafted_already_the_look_alike_is_only_removed() -> None:
    found = answered(draft(IL2, "1"), draft(SERUM, "2"))
    (card,) = found.cards
    (suggestion,) = card.suggestions
    assert suggestion["label"] == "Remove Interleukin 2: sIL-2R is drafted already"
    (action,) = suggestion["actions"]
    assert (action["type"], action["resourceId"]) == ("delete", "ServiceRequest/1")


def test_a_receptor_drafted_but_not_selected_is_drafted_all_the_same() -> None:
    found = answered(draft(IL2, "1"), draft(SERUM, "2"), selections=["ServiceRequest/1"])
    assert created(found) == []


def test_a_receptor_drafted_in_csf_stands_for_none_in_serum() -> None:
    found = answered(draft(IL2, "1"), draft(CSF, "2"), selections=["ServiceRequest/1"])
    assert [order["code"]["coding"][0]["code"] for order in created(found)] == ["76039-7"]


def test_another_patient_s_receptor_order_stands_for_none_of_this_patient() -> None:
    foreign = draft(SERUM, "2", subject={"reference": "Patient/q"})
    assert len(created(answered(draft(IL2, "1"), foreign))) == 1


def test_an_analyte_without_swaps_needs_no_words_for_them() -> None:
    """The words were asked for beside every draft, and a second analyte would have failed."""
    table = replace(SIL2R.order_table, swaps={})
    templates = {name: each for name, each in SIL2R.templates.items() if name != "order-swap"}
    found = answered(draft(CSF), draft(IL2, "2"), order_table=table, templates=templates)
    assert said(found) == ["wrong-analyte", "order-advice"]
    assert {action["type"] for action in actions(found)} == {"create"}


def test_the_intent_is_the_site_s() -> None:
    policy = SIL2R.policy.model_copy(update={"order_intent": "order"})
    found = answered(draft(), draft(CSF, "2"), policy=policy)
    assert {order["intent"] for order in created(found)} == {"order"}


def test_the_site_s_ordering_code_is_used_and_recognised() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="SIL2R-S", display="sIL-2R serum")
    coding = {"system": "urn:oid:2.999.2", "code": "SIL2R-S", "display": "sIL-2R serum"}
    (order,) = created(answered(draft(), orders={"sil2r-blood": site}))
    assert order["code"]["coding"] == [coding]
    beside = answered(draft(CSF), order | {"id": "2"}, orders={"sil2r-blood": site})
    assert len(created(beside)) == 2, "the serum order is recognised, the albumins are lacking"


@pytest.mark.parametrize(
    ("suggestion", "cards"), [("sil2r-csf", ["order-advice"]), ("albumin-csf", [])]
)
def test_a_draft_under_the_site_s_code_is_spoken_about_where_it_is_for_the_analyte(
    suggestion: str, cards: list[str]
) -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="OWN", display="the site's name")
    own = {"coding": [{"system": site.system, "code": site.code}]}
    assert said(answered(draft(code=own), orders={suggestion: site})) == cards


def test_beside_csf_the_site_s_code_stands_before_the_standard_one() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="ALB-L", display="albumin CSF")
    orders = created(answered(draft(CSF), orders={"albumin-csf": site}))
    assert [c["code"] for c in orders[2]["code"]["coding"]] == ["ALB-L", "1746-7"]


def test_beside_csf_serum_and_albumins_are_offered_for_the_same_occasion() -> None:
    found = answered(
        draft(
            CSF,
            encounter={"reference": "Encounter/e"},
            occurrenceDateTime="2026-11-22",
            requester={"reference": "Practitioner/d"},
            note=[{"text": "for the CSF only"}],
        )
    )
    (card,) = found.cards
    assert card.as_json()["selectionBehavior"] == "any"
    orders = created(found)
    assert [[c["code"] for c in o["code"].get("coding", [])] for o in orders] == [
        [],
        ["1751-7"],
        ["1746-7"],
    ]
    for order in orders:
        assert is_valid(order)
        assert order["encounter"] == {"reference": "Encounter/e"}
        assert order["occurrenceDateTime"] == "2026-11-22"
        assert order["requester"] == {"reference": "Practitioner/d"}
        assert "note" not in order
    assert len({suggestion["uuid"] for suggestion in card.suggestions}) == 3


def test_an_unselected_draft_is_still_the_other_half_of_a_pair() -> None:
    others = [draft(SERUM, "2"), draft("1751-7", "3"), draft("1746-7", "4")]
    assert said(answered(draft(CSF), *others, selections=["ServiceRequest/1"])) == []
    assert said(answered(draft(CSF), selections=["ServiceRequest/1"])) == ["order-advice"]


def test_another_patient_s_draft_is_no_half_of_a_pair() -> None:
    foreign = draft(SERUM, "2", subject={"reference": "Patient/q"})
    (card,) = answered(draft(CSF), foreign).cards
    assert card.suggestions[0]["label"] == "sIL-2R in serum, same day"


@pytest.mark.parametrize(
    ("order", "outcome", "ids"),
    [
        (draft(IL2), "wrong-analyte", ["order-wrong-analyte"]),
        (draft(ANY), "order-advice", ["order-specimen-not-named"]),
        (draft(CSF), "order-advice", ["order-csf-unpaired"]),
        (draft(CSF, status="banana"), "not-interpretable", ["order-invalid"]),
    ],
)
def test_a_card_about_an_order_names_its_advice_by_id(
    order: JsonObject, outcome: str, ids: list[str]
) -> None:
    (card,) = answered(order).cards
    assert (card.extension["outcome"], card.extension["findings"]) == (outcome, ids)
