"""The card on a draft order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.card import Selection
from cds_service.core.elements import Coding
from cds_service.core.finding import RowOutcome
from cds_service.core.model import InvalidResource, Subject
from cds_service.core.orders.card import render_advice
from cds_service.core.orders.order import DraftOrder
from tests.packaged import SIL2R
from tests.records import born, record
from tests.unit.core.orders.ordering import (
    ANY,
    CSF,
    IL2_MASS,
    SERUM,
    advice_on,
    advised,
    at_laboratory,
    card_on,
    condition,
    ids,
    in_specimen,
    invalid,
    order,
    result,
)

# ------------------------------------------------------------------ one card for several advices


def test_several_advices_are_one_card_and_the_highest_rank_is_its_headline() -> None:
    child = record(
        patient=born("2016-01-01"), history=(result("700 U/mL"),), entries=(condition("Z99.2"),)
    )
    draft = order(SERUM, performers=at_laboratory("Laboratory B"))
    assert ids(advice_on(draft, given_record=child)) == [
        *("order-result-present", "order-laboratory-change", "order-dialysis", "order-child")
    ]
    card = card_on(draft, given_record=child)
    assert card.summary == (
        "Draft order sIL-2R 9654-5 (serum/plasma): a result of 2026-11-10 is already there"
    )
    places = [card.detail.index(word) for word in ("700 U/mL", "Dialysis, or", "Under 18")]
    assert places == sorted(places)


def test_each_draft_has_its_own_card() -> None:
    found = advised(order(IL2_MASS), order(ANY, place=1), order(SERUM, place=2))
    assert [ids(advice) for advice in found.advice] == [
        ["order-wrong-analyte"],
        ["order-specimen-not-named"],
    ]
    assert [skipped.ref.resource for skipped in found.skipped] == ["ServiceRequest/order-2"]


def test_the_trace_holds_every_row_considered_and_why() -> None:
    advice = advice_on(order(CSF))
    outcomes = {row.finding: row.outcome for row in advice.considered}
    assert outcomes["order-csf-unpaired"] is RowOutcome.MATCHED
    assert outcomes["order-dialysis"] is RowOutcome.NOT_MATCHED
    assert outcomes["order-child"] is RowOutcome.NOT_MATCHED
    assert all(gate.because for row in advice.considered for gate in row.gates(advice.facts))


# ------------------------------------------------------------------ cards

ORDERS = [
    order(IL2_MASS),
    order(IL2_MASS, SERUM),
    order(ANY),
    order(CSF),
    order(SERUM, specimen=in_specimen("CSF")),
    order(ANY, specimen=in_specimen("UR")),
    invalid("a"),
    order(SERUM, subject=Subject.ANOTHER_PATIENT),
]


@pytest.mark.parametrize("draft", ORDERS, ids=lambda draft: draft.ref.resource)
def test_every_card_is_info_cites_its_sources_and_closes_with_the_disclaimer(
    draft: DraftOrder | InvalidResource,
) -> None:
    card = card_on(draft)
    assert card.indicator == "info"
    assert len(card.summary) <= 139
    assert "**Sources**" in card.detail
    assert card.detail.split("\n\n")[-1].startswith("For clinical professionals")
    assert "None" not in card.detail
    assert "{" not in card.detail
    assert card.override_reasons
    assert "<" not in card.detail


@given(st.text(max_size=400), st.text(max_size=60))
def test_no_text_from_outside_breaks_the_limits_of_a_card(name: str, code: str) -> None:
    knowledge = replace(SIL2R, local_codes={("urn:oid:2.999.2", code): ANY})
    draft = order(
        codings=(Coding("urn:oid:2.999.2", code),),
        performers=at_laboratory(name),
        specimen=in_specimen("SER"),
    )
    before = record(history=(result("700 U/mL", laboratory=name[::-1]),))
    card = card_on(draft, given_record=before, knowledge=knowledge)
    assert len(card.summary) <= 139
    assert "\n" not in card.summary
    assert "<" not in card.detail
    assert "://" not in card.detail.replace("https://doi.org/", "").replace("https://pubmed", "")


def test_a_code_too_long_for_the_summary_is_cut_and_leaves_room_for_the_headline() -> None:
    knowledge = replace(SIL2R, local_codes={("urn:oid:2.999.2", "x" * 120): ANY})
    card = card_on(order(codings=(Coding("urn:oid:2.999.2", "x" * 120),)), knowledge=knowledge)
    assert card.summary == f"Draft order sIL-2R {'x' * 39}…: name the specimen, blood or CSF"


def test_the_same_advice_has_the_same_ids_and_another_caller_other_ones() -> None:
    found = advised(order(ANY))
    first = render_advice(found, SIL2R, scope="one")
    assert render_advice(found, SIL2R, scope="one") == first
    assert render_advice(found, SIL2R, scope="two")[0].uuid != first[0].uuid


def test_a_swap_is_taken_or_left_and_other_drafts_one_by_one() -> None:
    assert card_on(order(IL2_MASS)).selection is Selection.AT_MOST_ONE
    assert card_on(order(CSF)).selection is Selection.ANY


@pytest.mark.parametrize("draft", ORDERS, ids=lambda draft: draft.ref.resource)
def test_no_card_from_knowledge_past_its_review_is_served_silently(
    draft: DraftOrder | InvalidResource,
) -> None:
    assert "2027-05-31" in card_on(draft, at=date(2027, 6, 1)).detail
    assert "2027-05-31" not in card_on(draft).detail
