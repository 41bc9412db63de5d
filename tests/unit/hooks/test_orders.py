"""The order services over FHIR: what is read of draft orders, and which resources are offered."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
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
from cds_service.fhir.access import NoAccess, NoAccessReason
from cds_service.fhir.parts import MOST_READ
from cds_service.hooks.answer import Answered, Call, answer
from cds_service.hooks.orders import order_advice
from cds_service.hooks.request import Trigger, read_request
from cds_service.hooks.services import Service, build_registry
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from cds_service.web.responses import json_response
from tests.packaged import SIL2R

LOINC = "http://loinc.org"
EHR = "https://ehr.example.org/fhir"
V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
TODAY = fhir_fixtures.manifest().evaluated_on
NOON = time(12)
SELECT, SIGN = Trigger.ORDER_SELECT, Trigger.ORDER_SIGN
STORIES = [s for s in fhir_fixtures.manifest().stories if s.id.startswith("order_s")]
SERUM, CSF, ANY, IL2 = "9654-5", "99768-4", "38352-1", "33939-0"


def services(**changes: Any) -> dict[str, Service]:
    base = replace(SIL2R, **changes)
    registry = build_registry([base], lab_result_hook="h", triggers=frozenset({SELECT, SIGN}))
    return dict(registry.services)


def draft(loinc: str = IL2, id_: str = "1", **changes: Any) -> JsonObject:
    request = {
        "resourceType": "ServiceRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/p"},
    }
    return {key: value for key, value in {**request, **changes}.items() if value is not None}


def bundle(*resources: JsonObject) -> JsonObject:
    """As the CDS Hooks Sandbox sends it: neither `type` nor `fullUrl`."""
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


def answered(
    *resources: JsonObject,
    selections: list[str] | None = None,
    sent: JsonObject | None = None,
    prefetch: JsonObject | None = None,
    server: str = "",
    **changes: Any,
) -> Answered:
    """The answer to order-sign, or to order-select where something is selected."""
    trigger = SIGN if selections is None else SELECT
    service = services(**changes)[f"sil2r-{trigger}"]
    context: JsonObject = {"patientId": "p", "draftOrders": sent or bundle(*resources)}
    if selections is not None:
        context["selections"] = selections
    body: JsonObject = {"hook": service.hook, "hookInstance": "i", "context": context}
    body["prefetch"] = prefetch or {}
    if server:
        body["fhirServer"] = server
    return answer(call(service, body), order_advice)


def call(service: Service, body: JsonObject) -> Call:
    return Call(
        service=service,
        request=read_request(body, service.trigger, service.hook, service.templates),
        caller="north",
        at=TODAY,
        access=NoAccess(NoAccessReason.NO_SERVER),
        carded_before=lambda _references: frozenset(),
    )


def said(found: Answered) -> list[str]:
    """Outcome, or reason where there is one, of each card."""
    about = [card.extension for card in found.cards]
    return [str(each.get("reason", each["outcome"])) for each in about]


def actions(found: Answered) -> list[JsonObject]:
    return [
        action
        for card in found.cards
        for suggestion in card.suggestions
        for action in suggestion["actions"]
    ]


def created(found: Answered) -> list[JsonObject]:
    return [action["resource"] for action in actions(found) if action["type"] == "create"]


def is_valid(resource: JsonObject) -> bool:
    """By two validators that know nothing of each other."""
    ServiceRequest.model_validate(resource)
    return not fhirkit.validate(json.dumps(resource))


# ---------------------------------------------------------------- the fixtures


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.id))
def test_every_order_fixture_is_answered_as_its_story_says(story: Any) -> None:
    service = services()[story.service]
    cards = answer(call(service, fhir_fixtures.load(story.id)), order_advice).cards
    assert len(cards) == len(story.cards)
    for card, expected in zip(cards, story.cards, strict=True):
        assert card.extension["outcome"] == expected.outcome
        assert card.indicator == expected.indicator
        assert set(expected.missing) <= set(card.extension.get("missing", ()))


def test_the_fixtures_are_there() -> None:
    assert {story.service for story in STORIES} == {"sil2r-order-select", "sil2r-order-sign"}


# ---------------------------------------------------------------- the swap (TR-25)


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


# ---------------------------------------------------------------- beside an order for CSF


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


# ---------------------------------------------------------------- selections


@pytest.mark.parametrize(
    ("selection", "full_url"),
    [
        ("ServiceRequest/1", ""),
        ("ServiceRequest/1", f"{EHR}/ServiceRequest/1"),
        (f"{EHR}/ServiceRequest/1", f"{EHR}/ServiceRequest/1"),
        ("urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11",) * 2,
    ],
)
def test_a_draft_is_selected_by_reference_or_address(selection: str, full_url: str) -> None:
    orders = bundle(draft(), draft(ANY, "2"))
    if full_url:
        orders["entry"][0]["fullUrl"] = full_url
    assert said(answered(sent=orders, selections=[selection])) == ["wrong-analyte"]


def test_without_selections_nothing_is_selected_and_signing_means_all() -> None:
    drafts = (draft(), draft(ANY, "2"))
    assert said(answered(*drafts, selections=[])) == []
    assert said(answered(*drafts, selections=["ServiceRequest/9", "MedicationRequest/1"])) == []
    assert said(answered(*drafts)) == ["wrong-analyte", "order-advice"]


# ---------------------------------------------------------------- what is read of a draft


def test_text_is_never_evidence_for_a_code() -> None:
    words = draft(code={"text": "IL-2"})
    shown = draft(code={"coding": [{"display": "Interleukin 2"}], "text": "interleukin 2"})
    assert answered(words, shown, draft(code=None)).cards == ()


@pytest.mark.parametrize("status", ["revoked", "completed", "entered-in-error"])
def test_an_order_that_is_over_is_left_aside(status: str) -> None:
    found = answered(draft(status=status), draft(doNotPerform=True, id_="2"))
    assert found.cards == ()
    assert [skipped.because for skipped in found.evaluation.skipped] == [
        "it is no order in the making"
    ] * 2


def test_a_drug_is_no_order_for_the_test() -> None:
    drug = {**draft(), "resourceType": "MedicationRequest"}
    assert answered(drug, {"resourceType": "NutritionOrder"}).cards == ()


@pytest.mark.parametrize("contained", [True, False])
def test_the_specimen_of_an_order_is_followed_inside_what_was_sent(*, contained: bool) -> None:
    specimen = {
        "resourceType": "Specimen",
        "id": "s",
        "type": {"coding": [{"system": V2_0487, "code": "SER"}]},
    }
    named = [{"reference": "#s" if contained else "Specimen/s"}]
    order = draft(ANY, specimen=named, contained=[specimen] if contained else None)
    assert answered(order, *([] if contained else [specimen])).cards == ()
    assert answered(draft(ANY)).cards != ()


def test_a_laboratory_is_an_organisation_and_never_a_person() -> None:
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": SERUM}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-10",
        "performer": [{"display": "Laboratory A"}],
        "valueQuantity": {"value": 700, "unit": "U/mL"},
    }
    prefetch = {"sil2r": bundle(observation)}

    def with_performer(*performer: JsonObject, **more: Any) -> list[str]:
        return said(answered(draft(SERUM, performer=list(performer), **more), prefetch=prefetch))

    other = {"reference": "Organization/b", "display": "Laboratory B"}
    assert with_performer(other) == ["order-advice"]
    assert with_performer({"display": "Laboratory B"}) == ["order-advice"]
    assert with_performer({"reference": "Practitioner/b", "display": "Dr B"}) == []
    inner = {"resourceType": "Organization", "id": "b", "name": "Laboratory B"}
    assert with_performer({"reference": "#b"}, contained=[inner]) == ["order-advice"]
    assert with_performer({"reference": "Organization/a", "display": "Laboratory A"}) == []
    observation["performer"] = [{"reference": "Organization/a", "display": "Laboratory A"}]
    assert with_performer({"reference": "Organization/a/_history/2", "display": "The lab"}) == []
    assert with_performer({"reference": "Organization/b", "display": "Laboratory A"}) != []


# ---------------------------------------------------------------- whose, and is it FHIR


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
    assert said(found) == ["order-advice", "fhir-invalid"]


def test_an_invalid_draft_of_another_test_is_nobody_s_business() -> None:
    assert answered(draft("718-7", intent="wish")).cards == ()
    assert answered(draft(code={"text": "MRI"}, intent="wish")).cards == ()


def test_an_entry_that_is_no_resource_is_told_of_when_all_are_signed() -> None:
    assert said(answered({"no": "resource"})) == ["fhir-invalid"]
    assert said(answered({"no": "resource"}, selections=["ServiceRequest/1"])) == []


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


def test_a_patient_named_by_identifier_alone_is_taken_as_the_one_of_the_chart() -> None:
    assert said(answered(draft(subject={"identifier": {"value": "7"}}))) == ["wrong-analyte"]


# ---------------------------------------------------------------- data, bounds, hostile input


def test_what_is_missing_is_named_and_no_key_is_required() -> None:
    found = answered(draft(CSF))
    assert {"patient", "sil2r", "labs", "conditions", "medications"} <= set(
        found.cards[0].extension["missing"]
    )
    assert set(found.faults) == {"patient", "sil2r", "labs", "conditions", "medications"}


def test_a_part_that_was_looked_for_and_is_empty_is_not_missing() -> None:
    found = answered(draft(CSF), prefetch={"patient": None, "labs": None})
    missing = found.cards[0].extension["missing"]
    assert "labs" not in missing
    assert "patient" in missing


def test_a_chart_of_drafts_is_read_within_bounds() -> None:
    many = [draft(ANY, str(number)) for number in range(MOST_READ + 50)]
    assert len(answered(*many).cards) == MOST_READ


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
    assert json_response(found.as_json()).status_code == 200


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
    (resource,) = created(answered(draft(contained=specimens, **given)))
    assert is_valid(resource)


def test_the_same_request_gives_the_same_bytes_and_the_drafts_are_left_as_they_were() -> None:
    drafts = [draft(note=[{"text": "n"}]), draft(CSF, "2")]
    before = copy.deepcopy(drafts)
    first = json_response(answered(*drafts).as_json()).data
    assert json_response(answered(*drafts).as_json()).data == first
    assert drafts == before


# ---------------------------------------------------------------- over HTTP


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[FlaskClient]:
    ports = Ports(order_advice=order_advice, now=lambda: datetime.combine(TODAY, NOON, UTC))
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
