"""What the order services offer: the swap, and what stands beside an order for CSF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

import fhirkit
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

import fhir_fixtures
from cds_service.config import Settings
from cds_service.core.card import JsonObject
from cds_service.core.schema import OrderCode
from cds_service.exact import ExactDecimal
from cds_service.hooks.answer import answer
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from cds_service.web.responses import json_response
from tests.packaged import SIL2R
from tests.unit.hooks.ordering import (
    ANY,
    CSF,
    IL2,
    LOINC,
    SERUM,
    TODAY,
    actions,
    answered,
    call,
    created,
    draft,
    said,
    services,
)

NOON = time(12)
STORIES = [s for s in fhir_fixtures.manifest().stories if s.id.startswith("order_s")]


def is_valid(resource: JsonObject) -> bool:
    """By two validators that know nothing of each other."""
    ServiceRequest.model_validate(resource)
    return not fhirkit.validate(json.dumps(resource))


# ------------------------------------------------------------------ the fixtures


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.id))
def test_every_order_fixture_is_answered_as_its_story_says(story: Any) -> None:
    service = services()[story.service]
    cards = answer(call(service, fhir_fixtures.load(story.id))).cards
    assert len(cards) == len(story.cards)
    for card, expected in zip(cards, story.cards, strict=True):
        assert card.extension["outcome"] == expected.outcome
        assert card.indicator == expected.indicator
        assert set(expected.missing) <= set(card.extension.get("missing", ()))


def test_the_fixtures_are_there() -> None:
    assert {story.service for story in STORIES} == {"sil2r-order-select", "sil2r-order-sign"}


# ------------------------------------------------------------------ the swap (TR-25)


def test_the_swap_deletes_the_draft_and_creates_another() -> None:
    found = answered(draft(id_="abc"))
    (card,) = found.cards
    (suggestion,) = card.as_json()["suggestions"]
    assert card.as_json()["selectionBehavior"] == "at-most-one"
    assert suggestion["label"] == "sIL-2R instead of Interleukin 2"
    delete, create = suggestion["actions"]
    assert delete["type"] == "delete"
    assert delete["resourceId"] == "ServiceRequest/abc"
    assert "resource" not in delete
    assert create["type"] == "create"
    assert delete["description"]
    assert create["description"]
    assert create["resource"] == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {
            "coding": [
                {
                    "system": LOINC,
                    "code": "76039-7",
                    "display": "Interleukin 2 Receptor Soluble [Mass/volume] in Serum or Plasma",
                }
            ],
            "text": "soluble interleukin 2 receptor (sIL-2R), serum or plasma",
        },
        "subject": {"reference": "Patient/p"},
    }


def test_what_the_draft_says_is_carried_over_and_nothing_of_its_own_identity() -> None:
    carried: JsonObject = {
        "encounter": {"reference": "Encounter/e"},
        "occurrenceDateTime": "2026-11-22",
        "requester": {"reference": "Practitioner/d"},
        "performer": [{"reference": "Organization/l", "display": "Laboratory"}],
        "priority": "urgent",
        "category": [{"text": "Laboratory"}],
        "reasonCode": [{"text": "fever"}],
        "specimen": [{"reference": "#s"}],
        "note": [{"text": "call the ward"}],
        "patientInstruction": "no biotin",
    }
    own: JsonObject = {
        "meta": {"versionId": "7"},
        "identifier": [{"value": "order 12"}],
        "requisition": {"value": "form 3"},
        "authoredOn": "2026-11-20",
        "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"},
        "orderDetail": [{"text": "IL-2 high sensitivity"}],
        "quantityQuantity": {"value": 2},
        "intent": "plan",
        "status": "active",
    }
    contained = [
        {"resourceType": "Specimen", "id": "s", "collection": {"collector": {"reference": "#c"}}},
        {"resourceType": "Practitioner", "id": "c"},
        {"resourceType": "Device", "id": "unused-once-details-are-gone"},
    ]
    (order,) = created(answered(draft(contained=contained, **carried, **own)))
    assert {name: order[name] for name in carried} == carried
    assert set(order) - set(carried) == {
        "resourceType", "status", "intent", "code", "subject", "contained",
    }  # fmt: skip
    assert order["status"] == "draft"
    assert order["intent"] == "proposal"
    assert [inner["id"] for inner in order["contained"]] == ["s", "c"]
    assert is_valid(order)


def test_a_draft_without_an_id_cannot_be_removed_and_the_clinician_is_told() -> None:
    (action,) = actions(answered(draft(id=None)))
    assert action["type"] == "create"
    assert "remove it by hand" in action["description"]


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


def test_a_look_alike_without_an_id_beside_the_receptor_offers_no_button() -> None:
    (card,) = answered(draft(IL2, id_=None), draft(SERUM, "2")).cards
    assert card.suggestions == ()


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


def test_a_number_with_a_fraction_stays_out_and_what_refers_to_it_too() -> None:
    timing = {"repeat": {"duration": ExactDecimal("1.50"), "durationUnit": "h"}}
    specimen = {
        "resourceType": "Specimen",
        "id": "s",
        "collection": {"quantity": {"value": ExactDecimal("2.50"), "unit": "mL"}},
    }
    found = answered(
        draft(contained=[specimen], specimen=[{"reference": "#s"}], occurrenceTiming=timing)
    )
    (order,) = created(found)
    assert not {"occurrenceTiming", "specimen", "contained"} & set(order)
    assert is_valid(order)
    assert json_response(found.as_json()).status_code == 200


# ------------------------------------------------------------------ beside an order for CSF


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


# ------------------------------------------------------------------ whatever a draft refers to

REFERENCES = st.fixed_dictionaries(
    {"reference": st.sampled_from(["#a", "#b", "#c", "Specimen/1"])},
    optional={"display": st.sampled_from(["a", "b"])},
)


@given(
    st.dictionaries(
        st.sampled_from(["specimen", "performer", "reasonReference", "supportingInfo"]),
        st.lists(REFERENCES, min_size=1, max_size=3),
    )
)
def test_whatever_a_draft_refers_to_the_order_in_its_place_is_valid(
    given: dict[str, list[JsonObject]],
) -> None:
    specimens = [
        {"resourceType": "Specimen", "id": "a", "parent": [{"reference": "#b"}]},
        {"resourceType": "Specimen", "id": "b"},
        {"resourceType": "Specimen", "id": "c"},
    ]
    (resource,) = created(answered(draft(contained=specimens) | given))
    assert is_valid(resource)


# ------------------------------------------------------------------ over HTTP


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[FlaskClient]:
    ports = Ports(now=lambda: datetime.combine(TODAY, NOON, UTC))
    app = create_app(Settings(), library, ports)
    with app.test_client() as opened:
        yield opened


def test_discovery_lists_the_order_services_under_the_standard_hooks(client: FlaskClient) -> None:
    listed = client.get("/cds-services").get_json()["services"]
    hooks = {service["id"]: service["hook"] for service in listed}
    assert hooks["sil2r-order-select"] == "order-select"
    assert hooks["sil2r-order-sign"] == "order-sign"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.id))
def test_every_order_fixture_is_answered_over_http(story: Any, client: FlaskClient) -> None:
    response = client.post(f"/cds-services/{story.service}", json=fhir_fixtures.load(story.id))
    assert response.status_code == 200
    outcomes = [
        card["extension"]["org.sil2r-cds.evaluation"]["outcome"]
        for card in response.get_json()["cards"]
    ]
    assert outcomes == [card.outcome for card in story.cards]
