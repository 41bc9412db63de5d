"""What each part of a record came to: given, empty, failed, or only a part of it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability
from cds_service.fhir import parts as parts_module
from tests.unit.fhir.given import (
    OTHER_TEST,
    SIL2R,
    SUBJECT,
    bundle,
    concept,
    ferritin,
    observation,
    quantity,
    record,
    resource,
)

SEARCHED = bundle(type="searchset")
NONE: dict[str, JsonObject] = {
    "not sent": {},
    "null": {"sil2r": None, "labs": None},
    "empty": {"sil2r": SEARCHED, "labs": SEARCHED},
    "failed": dict.fromkeys(("sil2r", "labs"), resource("OperationOutcome")),
}
"""Ways in which the record holds no other results."""


def panel(**changes: Any) -> JsonObject:
    inside = {"code": concept(*SIL2R), "valueQuantity": quantity(900, "U/mL")}
    return observation(**{"code": OTHER_TEST, "component": [inside], **changes})


def came_to(key: str, value: object) -> Availability:
    part: dict[str, Any] = {key: value}
    return record(bundle(observation()), **part).availability[key]


def test_every_part_has_an_availability_and_what_was_not_sent_is_missing() -> None:
    found = record(bundle(observation()))
    assert found.availability == {
        "results": Availability.GIVEN,
        **dict.fromkeys(
            ("patient", "sil2r", "labs", "conditions", "medications"), Availability.MISSING
        ),
    }


@pytest.mark.parametrize("key", ["patient", "sil2r", "labs", "conditions", "medications"])
def test_t64_a_part_of_a_wrong_type_has_failed(key: str) -> None:
    assert came_to(key, resource("Practitioner", id="x")) is Availability.FAILED
    assert came_to(key, bundle(resource("Practitioner", id="x"))) is Availability.FAILED


@pytest.mark.parametrize("key", ["sil2r", "labs", "conditions", "medications"])
@pytest.mark.parametrize("name", ["entries", "Entry", "resources"])
def test_entries_under_a_wrong_name_are_not_taken_for_none(key: str, name: str) -> None:
    assert came_to(key, {**SEARCHED, name: [{"resource": {}}]}) is Availability.FAILED
    assert came_to(key, {**SEARCHED, name: []}) is Availability.EMPTY
    beside = {"meta": {"lastUpdated": "2026"}, "_total": {"id": "t"}, "total": 0}
    assert came_to(key, {**SEARCHED, **beside}) is Availability.EMPTY


@pytest.mark.parametrize("key", ["patient", "sil2r", "labs", "conditions", "medications"])
def test_what_was_not_given_stays_so(key: str) -> None:
    assert came_to(key, None) is Availability.EMPTY
    assert came_to(key, resource("OperationOutcome")) is Availability.FAILED


def test_results_that_are_one_page_of_several_are_a_part() -> None:
    """Where they are the search as well, that part of the record says it, once."""
    page = bundle(observation(), link=[{"relation": "next", "url": "x:y"}])
    assert record(page).availability["results"] is Availability.PARTIAL
    assert record(bundle(observation())).availability["results"] is Availability.GIVEN
    both = record(page, sil2r=page).availability
    assert (both["results"], both["sil2r"]) == (Availability.GIVEN, Availability.PARTIAL)


def test_a_result_that_is_not_valid_and_arrived_is_not_missed_in_the_record() -> None:
    """It has a card of its own, which says so."""
    odd, other = observation(status="banana"), observation(id="obs-2")
    for known in ([odd], [odd, other], [{**odd, "meta": {"versionId": "1"}}]):
        found = record(bundle(odd), sil2r=bundle(*known))
        assert found.availability["sil2r"] is Availability.GIVEN
        assert found.unread == ()
    another = bundle(observation(id="obs-3", status="banana"))
    assert record(bundle(odd), sil2r=another).availability["sil2r"] is Availability.FAILED


def test_one_page_stays_partial() -> None:
    page = bundle(ferritin(), link=[{"relation": "next", "url": "x:y"}])
    assert came_to("labs", page) is Availability.PARTIAL


@pytest.mark.parametrize(
    ("labs", "availability"),
    [
        (bundle(ferritin()), Availability.GIVEN),
        (bundle(observation(code=OTHER_TEST)), Availability.GIVEN),
        (bundle(ferritin(), ferritin(id="fer-2", status="banana")), Availability.PARTIAL),
        (bundle(ferritin(status="banana")), Availability.FAILED),
    ],
)
def test_invalid_entries_of_an_optional_part_are_left_out_and_said(
    labs: JsonObject, availability: Availability
) -> None:
    assert came_to("labs", labs) is availability


@pytest.mark.parametrize(
    "code",
    [
        {"codings": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "D86"}]},
        {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "codes": "D86"}]},
        {"coding": "D86"},
    ],
)
def test_a_condition_whose_codes_stand_where_they_have_none_to_be_is_not_passed_over(
    code: JsonObject,
) -> None:
    status = concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")
    named = resource("Condition", id="c1", subject=SUBJECT, clinicalStatus=status)
    assert came_to("conditions", bundle({**named, "code": code})) is Availability.FAILED
    in_words = {**named, "code": {"text": "sarcoidosis", "extension": [{"url": "urn:x"}]}}
    assert came_to("conditions", bundle(in_words)) is Availability.GIVEN


def test_an_invalid_result_makes_its_own_part_less_unless_it_is_interpreted_itself() -> None:
    invalid = bundle(observation(), observation(id="obs-2", status="banana"))
    assert came_to("sil2r", invalid) is Availability.PARTIAL
    assert record(invalid, sil2r=invalid).availability["sil2r"] is Availability.GIVEN


@pytest.mark.parametrize("none", NONE.values(), ids=NONE)
def test_an_invalid_companion_among_the_results_is_left_out_and_said(none: JsonObject) -> None:
    """Else its test would be called missing on the card, and nothing told that it was sent."""
    found = record(bundle(observation(), ferritin(status="banana")), **none)
    assert found.companions == ()
    assert found.availability["results"] is Availability.PARTIAL


def test_a_search_that_came_short_and_holds_nothing_is_a_part_and_no_failure() -> None:
    short = bundle(type="searchset", total=7)
    warned = bundle(
        resource("OperationOutcome", issue=[{"severity": "warning", "code": "incomplete"}])
    )
    for key in ("sil2r", "labs", "conditions", "medications"):
        assert came_to(key, short) is Availability.PARTIAL
        assert came_to(key, warned) is Availability.PARTIAL


def test_t59_too_many_results_are_told_of_the_place_where_they_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 1)
    one, two = bundle(observation()), bundle(observation(), observation(id="obs-2"))
    for results, history, cut in ((one, two, "sil2r"), (two, one, "results")):
        found = record(results, sil2r=history).availability
        assert [part for part in found if found[part] is Availability.PARTIAL] == [cut]
    labs = record(one, labs=bundle(ferritin(), ferritin(id="fer-2"))).availability
    assert [part for part in labs if labs[part] is Availability.PARTIAL] == ["labs"]
    whole = record(one, sil2r=bundle(observation())).availability
    assert Availability.PARTIAL not in whole.values()


@pytest.mark.parametrize("none", NONE.values(), ids=NONE)
@pytest.mark.parametrize(
    "two",
    [
        bundle(observation(), observation(id="obs-2")),
        bundle(observation(), ferritin(), ferritin(id="fer-2")),
        bundle(observation(), *(observation(id=f"o{n}", status="banana") for n in range(2))),
        bundle(observation(), *(observation(id=f"o{n}", code=5) for n in range(2))),
        bundle(observation(), *(panel(id=f"o{n}") for n in range(2))),
    ],
    ids=["results", "companions", "invalid", "unreadable", "panels"],
)
def test_t59_too_many_results_are_told_where_the_record_holds_no_others(
    monkeypatch: pytest.MonkeyPatch, two: JsonObject, none: JsonObject
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 1)
    assert record(two, **none).availability["results"] is Availability.PARTIAL
