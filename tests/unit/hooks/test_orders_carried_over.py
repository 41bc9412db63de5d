"""What the order in the place of a draft takes over of it, and that it is valid FHIR."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.json_object import JsonObject
from cds_service.exact import ExactDecimal
from cds_service.web.responses import json_response
from tests.unit.hooks.ordering import LOINC, answered, created, draft, is_valid


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


def test_what_stands_beside_an_element_is_carried_over_with_it() -> None:
    why = {"extension": [{"url": "https://example.org/why", "valueString": "ward round"}]}
    (order,) = created(answered(draft(priority="urgent", _priority=why)))
    assert (order["priority"], order["_priority"]) == ("urgent", why)


def test_a_whole_number_beyond_an_integer_of_fhir_stays_out() -> None:
    """No JSON writer need be able to write it."""
    for number, carried in ((2**31 - 1, True), (2**31, False), (10**40, False)):
        counted = {"extension": [{"url": "https://example.org/n", "valueDecimal": number}]}
        found = answered(draft(note=[{"text": "call the ward", **counted}]))
        (order,) = created(found)
        assert ("note" in order) is carried
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
    (resource,) = created(answered(draft(contained=specimens) | given))
    assert is_valid(resource)
