"""A prefetch value that was sent: absent, nothing there, one page, and failed never look alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.fhir.supplied import (
    NOT_SUPPLIED,
    is_altogether_other,
    says_it_is_not_all,
    shortfalls,
    supplied,
)
from tests.unit.fhir.given import bundle, observation, patient, resource

NOT_FOUND = {"response": {"status": "404 Not Found"}}
BROKEN_OFF = {"response": {"status": "503 Service Unavailable"}}
FOUND = {"resource": observation(), "response": {"status": "200 OK"}}
STORED = {"response": {"status": "201 Created", "location": "Observation/1/_history/1"}}
NEXT = [{"relation": "self", "url": "x:y"}, {"relation": "next", "url": "x:z"}]


def outcome(*severities: object) -> JsonObject:
    issues = [{"severity": severity, "code": "processing"} for severity in severities]
    return resource("OperationOutcome", issue=issues)


@pytest.mark.parametrize(
    ("value", "availability"),
    [
        (None, Availability.EMPTY),
        (bundle(), Availability.EMPTY),
        ({"resourceType": "Bundle", "type": "searchset", "total": 0}, Availability.EMPTY),
        (bundle(outcome("warning")), Availability.EMPTY),
        (outcome("error"), Availability.FAILED),
        (outcome("information"), Availability.FAILED),
        (bundle(outcome("error")), Availability.FAILED),
        (bundle(observation(), outcome("error")), Availability.FAILED),
        (bundle(observation(), outcome("warning", "fatal")), Availability.FAILED),
        (bundle(observation(), outcome()), Availability.FAILED),
        (bundle(observation(), outcome({"code": "warning"})), Availability.FAILED),
        (bundle(observation(), outcome("warning", "information")), Availability.GIVEN),
        (bundle(observation(), link=NEXT), Availability.PARTIAL),
        (bundle(link=NEXT), Availability.PARTIAL),
        (bundle(observation(), link=NEXT[:1]), Availability.GIVEN),
        (bundle(observation()), Availability.GIVEN),
        (bundle(observation(), bundle(observation())), Availability.PARTIAL),
        ({**bundle(), "entry": [FOUND, NOT_FOUND]}, Availability.PARTIAL),
        ({**bundle(), "entry": [FOUND, BROKEN_OFF]}, Availability.PARTIAL),
        ({**bundle(), "entry": [FOUND, {**NOT_FOUND, "response": 404}]}, Availability.GIVEN),
        ({**bundle(), "entry": [FOUND, STORED]}, Availability.PARTIAL),
        ({**bundle(), "entry": [{**FOUND, **STORED}]}, Availability.GIVEN),
        (patient(), Availability.GIVEN),
        ({"resourceType": "Bundle", "type": "collection"}, Availability.EMPTY),
        ({"resourceType": "Bundle"}, Availability.FAILED),
        ({"resourceType": "Bundle", "type": "batch-response"}, Availability.FAILED),
        ({**bundle(), "type": "batch-response", "entry": [NOT_FOUND]}, Availability.FAILED),
        ({**bundle(), "entry": [{"fullUrl": "urn:uuid:1"}]}, Availability.FAILED),
        ({"resourceType": "Bundle", "entry": {}}, Availability.FAILED),
        ({**bundle(), "type": "searchset", "entry": {}}, Availability.FAILED),
        ({**bundle(), "type": "searchset", "entry": 5}, Availability.FAILED),
        ({"resourceType": 5}, Availability.FAILED),
        ({}, Availability.FAILED),
        ([], Availability.FAILED),
        ("Patient/1", Availability.FAILED),
        (0, Availability.FAILED),
        (False, Availability.FAILED),
    ],
)
def test_f03_what_became_of_a_prefetch_value(value: object, availability: Availability) -> None:
    assert supplied(value).availability is availability


def warned(code: str, severity: str = "warning") -> JsonObject:
    """A searchset whose server says something about the search, and has found nothing."""
    said = resource("OperationOutcome", issue=[{"severity": severity, "code": code}])
    about = {"resource": said, "search": {"mode": "outcome"}}
    return bundle(about, type="searchset", total=0)


@pytest.mark.parametrize("severity", ["information", "warning"])
@pytest.mark.parametrize("code", ["incomplete", "throttled", "timeout", "transient"])
def test_f04_an_answer_whose_warning_says_that_it_may_not_be_all_is_a_part(
    code: str, severity: str
) -> None:
    assert supplied(warned(code, severity)).availability is Availability.PARTIAL


def test_f04_one_such_warning_among_hints_is_enough() -> None:
    hint = {"severity": "information", "code": "informational"}
    for turn in (1, -1):
        search = warned("incomplete")
        said = search["entry"][0]["resource"]
        said["issue"] = [*said["issue"], hint][::turn]
        assert supplied(search).availability is Availability.PARTIAL


@pytest.mark.parametrize("code", ["informational", "suppressed", "not-supported", ""])
def test_any_other_hint_leaves_an_answer_whole(code: str) -> None:
    assert supplied(warned(code)).availability is Availability.EMPTY


def test_an_error_is_a_failure_whatever_its_type() -> None:
    assert supplied(warned("incomplete", "error")).availability is Availability.FAILED


INCLUDED = {"resource": resource("Specimen", id="1"), "search": {"mode": "include"}}
MATCHED = {"resource": observation(), "search": {"mode": "match"}}


@pytest.mark.parametrize(
    ("search", "availability"),
    [
        (bundle(total=7, type="searchset"), Availability.PARTIAL),
        (bundle(observation(), total=7, type="searchset"), Availability.PARTIAL),
        (bundle(MATCHED, INCLUDED, total=2, type="searchset"), Availability.PARTIAL),
        (bundle(outcome("information"), total=1, type="searchset"), Availability.PARTIAL),
        (bundle(MATCHED, INCLUDED, total=1, type="searchset"), Availability.GIVEN),
        (bundle(observation(), total=1, type="searchset"), Availability.GIVEN),
        (bundle(observation(), total=0, type="searchset"), Availability.GIVEN),
        (bundle(observation(), total="7", type="searchset"), Availability.GIVEN),
        (bundle(observation(), total=7), Availability.GIVEN),
    ],
)
def test_f04_a_search_that_found_more_than_it_holds_is_a_part(
    search: JsonObject, availability: Availability
) -> None:
    assert supplied(search).availability is availability


@given(st.sampled_from([None, outcome("error"), bundle(), "x", 5]))
def test_a_part_without_anything_usable_carries_no_resource(value: object) -> None:
    assert supplied(value).resource == {}


def test_a_usable_part_carries_what_was_sent_itself() -> None:
    sent = bundle(observation(), link=NEXT)
    assert supplied(sent).resource is sent


def test_an_absent_key_is_missing() -> None:
    assert NOT_SUPPLIED.availability is Availability.MISSING
    assert NOT_SUPPLIED.resource == {}


def test_a_page_that_names_the_next_is_no_search_that_came_short() -> None:
    last = bundle(observation(), type="searchset", total=7)
    assert says_it_is_not_all(last)
    assert not says_it_is_not_all({**last, "link": NEXT})


@pytest.mark.parametrize(
    ("entries", "is_other"),
    [
        ([{"fullUrl": "urn:uuid:1"}], False),
        ([{"fullUrl": "urn:uuid:1"}, {"resource": patient()}], True),
        ([{"resource": patient()}, {"resource": observation()}], False),
        ([{"resource": patient()}, {"resource": {}}], False),
        ([{"resource": outcome("warning")}], False),
    ],
)
def test_t64_a_bundle_is_altogether_other_by_the_types_that_its_resources_name(
    entries: list[JsonObject], is_other: bool
) -> None:
    what = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    assert is_altogether_other(what, frozenset({"Observation"})) is is_other


def test_a_resource_that_came_alone_is_altogether_other_by_its_own_type() -> None:
    wanted = frozenset({"Observation"})
    assert is_altogether_other(patient(), wanted)
    assert not is_altogether_other(observation(), wanted)


@pytest.mark.parametrize(
    ("results", "faults"),
    [
        (bundle(observation()), []),
        (bundle(), []),
        (bundle(observation(), outcome("warning")), []),
        (bundle(observation(), link=NEXT), [UpstreamFault.INCOMPLETE]),
        (bundle(observation(), type="searchset", total=7), [UpstreamFault.INCOMPLETE]),
        (warned("incomplete"), [UpstreamFault.INCOMPLETE]),
        ({**bundle(), "entry": [FOUND, NOT_FOUND]}, [UpstreamFault.INCOMPLETE]),
        ({**bundle(), "entry": [FOUND, STORED]}, [UpstreamFault.INCOMPLETE]),
        (bundle(observation(), outcome("error")), [UpstreamFault.OPERATION_OUTCOME]),
        (bundle(observation(), bundle()), [UpstreamFault.WRONG_TYPE]),
    ],
    ids=[
        "whole",
        "empty",
        "with a hint",
        "a page of several",
        "fewer than its total",
        "says itself that it is not all",
        "an entry was refused",
        "only the place of an entry",
        "an error among them",
        "a Bundle inside",
    ],
)
def test_what_results_that_came_with_the_request_lack_is_told(
    results: JsonObject, faults: list[UpstreamFault]
) -> None:
    """An answer without a card then is no word that there was nothing to say."""
    assert list(shortfalls(results)) == faults
