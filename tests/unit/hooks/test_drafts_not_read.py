"""Drafts that are not valid, or another patient's, are told of and nothing of them is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.json_object import JsonObject
from cds_service.fhir.parts import MOST_READ
from cds_service.web.responses import json_response
from tests.contract.specification import RESPONSE, conforms
from tests.unit.hooks.ordering import (
    ANY,
    EHR,
    IL2,
    LOINC,
    SERUM,
    actions,
    answered,
    bundle,
    draft,
    said,
)


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        (draft(subject=None), "ServiceRequest.subject"),
        (draft(status="banana"), "ServiceRequest.status"),
        (draft(intent="wish"), "ServiceRequest.intent"),
        (draft(priority=["urgent"]), "ServiceRequest.priority"),
        (draft(mood="good"), "ServiceRequest"),
        (draft(note=[]), "ServiceRequest.note"),
        (draft(code={"coding": [{"system": 7, "code": IL2}]}), "ServiceRequest.code"),
        (draft(modifierExtension=[{"url": "x:y", "valueBoolean": True}]), "modifierExtension"),
    ],
)
def test_a_draft_that_is_not_valid_fhir_is_told_of_and_never_refuses_the_request(
    broken: JsonObject, where: str
) -> None:
    found = answered(broken)
    assert said(found) == ["fhir-invalid"]
    assert where in found.cards[0].detail
    assert found.cards[0].suggestions == ()


def test_several_invalid_drafts_are_one_card_and_the_others_have_theirs() -> None:
    found = answered(draft(intent="wish"), draft(ANY, "2", status="banana"), draft(ANY, "3"))
    assert said(found) == ["fhir-invalid", "order-advice"]
    detail = found.cards[0].detail
    assert "each draft that is named under Used" in detail
    assert "ServiceRequest/1; ServiceRequest/2" in detail


def test_an_invalid_draft_of_another_test_is_nobody_s_business() -> None:
    assert answered(draft("718-7", intent="wish")).cards == ()
    assert answered(draft(code={"text": "MRI"}, intent="wish")).cards == ()
    assert answered(draft(code=None, intent="wish")).cards == ()


def test_of_invalid_drafts_those_for_cells_that_carry_the_receptor_have_no_card() -> None:
    """They would have none if they were valid, and none of them is for sIL-2R."""
    cells, stain = draft("31123-3", "1", intent="wish"), draft("29596-4", "2", intent="wish")
    alone = answered(cells, stain)
    assert alone.cards == ()
    because = "not valid FHIR, and by its code for another test"
    assert [(left.ref.resource, left.because) for left in alone.evaluation.skipped] == [
        ("ServiceRequest/1", because),
        ("ServiceRequest/2", because),
    ]
    beside = answered(cells, draft(IL2, "3", intent="wish"), draft(SERUM, "4", intent="wish"))
    assert said(beside) == ["fhir-invalid"]
    assert "ServiceRequest/3; ServiceRequest/4" in beside.cards[0].detail
    assert "ServiceRequest/1" not in beside.cards[0].detail
    both = [{"system": LOINC, "code": code} for code in ("31123-3", SERUM)]
    assert said(answered(draft(code={"coding": both}, intent="wish"))) == ["fhir-invalid"]


def test_an_entry_that_is_no_resource_is_told_of_when_all_are_signed() -> None:
    assert said(answered({"no": "resource"})) == ["fhir-invalid"]
    over = draft(status="revoked")
    selected = answered(over, {"no": "resource"}, selections=["ServiceRequest/1"])
    assert said(selected) == []
    assert [(skipped.ref.resource, skipped.because) for skipped in selected.evaluation.skipped] == [
        ("ServiceRequest/1", "it is no order in the making"),
        ("Bundle", "no resource, so not selected"),
    ]


def test_an_entry_that_is_no_resource_is_told_of_when_it_may_be_what_was_selected() -> None:
    one = draft("718-7")
    assert said(answered(one, {"no": "resource"}, selections=["ServiceRequest/2"])) == [
        "fhir-invalid"
    ]
    both = ["ServiceRequest/1", "ServiceRequest/2"]
    assert said(answered(one, {"no": "resource"}, selections=both)) == ["fhir-invalid"]
    assert said(answered(one, {"no": "resource"}, selections=both[:1])) == []


def test_an_order_of_another_patient_is_shown_by_nothing_but_its_existence() -> None:
    foreign = draft(IL2, "secret", subject={"reference": "Patient/q"})
    alone = answered(foreign)
    assert said(alone) == ["subject-mismatch"]
    assert "secret" not in str(alone.as_json())
    assert IL2 not in str(alone.as_json())
    assert actions(alone) == []
    assert said(answered(foreign, draft(ANY))) == ["order-advice"]
    broken = answered({**foreign, "intent": "wish"})
    assert said(broken) == ["subject-mismatch"]


def test_a_patient_of_the_same_id_on_another_server_is_another_patient() -> None:
    foreign = draft(subject={"reference": "https://other.example.org/fhir/Patient/p"})
    assert said(answered(foreign, server=EHR)) == ["subject-mismatch"]
    own = draft(subject={"reference": f"{EHR}/Patient/p"})
    assert said(answered(own, server=EHR)) == ["wrong-analyte"]


@pytest.mark.parametrize(("id_", "told"), [("p", "wrong-analyte"), ("q", "subject-mismatch")])
def test_a_patient_named_by_an_address_in_the_bundle_is_known_by_the_id_there(
    id_: str, told: str
) -> None:
    address = "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11"
    orders = bundle(draft(subject={"reference": address}), {"resourceType": "Patient", "id": id_})
    orders["entry"][1]["fullUrl"] = address
    assert said(answered(sent=orders)) == [told]


def test_a_patient_named_by_identifier_alone_is_taken_as_the_one_of_the_chart() -> None:
    assert said(answered(draft(subject={"identifier": {"value": "7"}}))) == ["wrong-analyte"]


def test_a_chart_of_drafts_is_read_within_bounds() -> None:
    many = [draft(ANY, str(number)) for number in range(MOST_READ + 50)]
    found = answered(*many)
    assert len(found.cards) == MOST_READ
    assert [left.because for left in found.evaluation.skipped] == ["too many drafts to read"] * 50
    assert answered(*many[::-1]).as_json() == found.as_json()


def test_of_many_drafts_those_asked_about_are_read() -> None:
    """The selected one stood behind two hundred others, and nothing was said of it."""
    ferritin = [draft("2276-4", f"f{number}") for number in range(MOST_READ)]
    last = draft(IL2, "the-last-of-all")
    assert said(answered(*ferritin, last)) == ["wrong-analyte"]
    many = [draft(ANY, f"s{number}") for number in range(MOST_READ)]
    chosen = answered(*many, last, selections=["ServiceRequest/the-last-of-all"])
    assert said(chosen) == ["wrong-analyte"]


def test_contents_of_one_draft_are_counted_as_drafts_are() -> None:
    many = [draft(ANY, "1", note=[{"text": str(number)}]) for number in range(MOST_READ + 1)]
    found = answered(*many)
    assert said(found) == ["order-advice"]
    assert [left.because for left in found.evaluation.skipped] == ["too many drafts to read"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["reference", "coding", "text", "id", "resourceType", "x"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from(["subject", "code", "specimen", "performer", "contained", "status", "id"]),
)
def test_whatever_stands_in_a_draft_the_answer_can_be_written(value: Any, element: str) -> None:
    found = answered({**draft(), element: value})
    response = json_response(found.as_json())
    assert response.status_code == 200
    conforms(response.get_json(), RESPONSE)
