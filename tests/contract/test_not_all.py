"""A page or a search that is not all: used where it holds something, and never silence (F-04)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.conftest import (
    CHART_SERVICE,
    DELETE,
    OUTCOME,
    Post,
    cards_of,
    evaluation_of,
    problem_of,
    request_of,
)
from tests.fault_server import FaultServer
from tests.faults import Fault, half_json, reply, reply_json

CHART = "patient_view_full_prefetch"


def test_f04_a_page_that_cannot_be_read_on_is_used_and_the_card_says_so(post: Post) -> None:
    whole = cards_of(post(request_of(CHART), CHART_SERVICE))
    body = request_of(CHART)
    body["prefetch"]["sil2r"]["link"] = [
        {"relation": "next", "url": "https://fhir.example.org/next?page=2"}
    ]
    paged = cards_of(post(body, CHART_SERVICE))
    assert paged[0]["summary"] == whole[0]["summary"]
    assert SAID in paged[0]["detail"]
    assert SAID not in whole[0]["detail"]


NEXT = [{"relation": "next", "url": "https://fhir.example.org/next?page=2"}]


def _withdrawn(observation: dict[str, Any]) -> None:
    observation["status"] = "entered-in-error"


def _of_long_ago(observation: dict[str, Any]) -> None:
    observation["effectiveDateTime"] = "2019-11-10"
    observation.pop("issued", None)


def _of_another_test(observation: dict[str, Any]) -> None:
    observation["code"] = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}


@pytest.mark.parametrize("change", [_withdrawn, _of_long_ago, _of_another_test])
def test_f04_f06_h02_t46_nothing_on_a_page_that_cannot_be_read_on_is_412_and_never_silence(
    post: Post, change: Callable[[dict[str, Any]], None]
) -> None:
    body = request_of(CHART)
    for entry in body["prefetch"]["sil2r"]["entry"]:
        change(entry["resource"])
    assert cards_of(post(body, CHART_SERVICE)) == []
    body["prefetch"]["sil2r"]["link"] = NEXT
    assert problem_of(post(body, CHART_SERVICE), 412)["expression"] == ["prefetch.sil2r"]


UNREAD: dict[str, dict[str, Any]] = {
    "a Bundle": {"resource": {"resourceType": "Bundle", "type": "searchset", "entry": []}},
    "a refusal": {"response": {"status": "503 Service Unavailable"}},
}


@pytest.mark.parametrize("entry", UNREAD.values(), ids=UNREAD)
def test_f04_f06_h02_an_entry_that_is_not_read_is_told_and_never_silence(
    post: Post, entry: dict[str, Any]
) -> None:
    body = request_of(CHART)
    entries = body["prefetch"]["sil2r"]["entry"]
    entries.append(entry)
    assert SAID in cards_of(post(body, CHART_SERVICE))[0]["detail"]
    for each in entries[:-1]:
        _withdrawn(each["resource"])
    assert problem_of(post(body, CHART_SERVICE), 412)["expression"] == ["prefetch.sil2r"]


def test_f04_f06_h02_an_empty_page_that_cannot_be_read_on_is_412(post: Post) -> None:
    page = {"resourceType": "Bundle", "type": "searchset", "link": NEXT}
    issue = problem_of(post(request_of(CHART, prefetch__sil2r=page), CHART_SERVICE), 412)
    assert issue["expression"] == ["prefetch.sil2r"]


def test_f04_a_part_of_what_is_optional_is_no_reason_for_412(post: Post) -> None:
    page = {"resourceType": "Bundle", "type": "searchset", "link": NEXT}
    body = request_of(CHART, prefetch__sil2r=None, prefetch__labs=page)
    assert cards_of(post(body, CHART_SERVICE)) == []


SAID = "Not all that was sent or found could be read, so more data may exist: "
SEARCH: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
CUT_SHORT = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "incomplete"}],
    },
    "search": {"mode": "outcome"},
}
NOT_ALL = {"total": {**SEARCH, "total": 7}, "warning": {**SEARCH, "entry": [CUT_SHORT]}}


@pytest.mark.parametrize("search", NOT_ALL.values(), ids=NOT_ALL)
def test_f04_f06_h02_a_search_that_says_that_it_is_not_all_is_412_and_never_silence(
    post: Post, search: dict[str, Any]
) -> None:
    issue = problem_of(post(request_of(CHART, prefetch__sil2r=search), CHART_SERVICE), 412)
    assert issue["expression"] == ["prefetch.sil2r"]


@pytest.mark.parametrize("sent", [{}, {"sil2r": None, "labs": SEARCH}], ids=["nothing", "none"])
def test_t59_what_came_with_a_result_and_was_not_read_is_told_beside_what_is_missing(
    post: Post, sent: dict[str, Any]
) -> None:
    """Ferritin that is no valid FHIR was called missing, as if nobody had sent it."""
    body = request_of("lab_result_minimal", prefetch=sent)
    (result,) = body["context"]["results"]["entry"]
    ferritin = {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}
    broken = {**result["resource"], "id": "ferritin", "code": ferritin, "status": "banana"}
    (before,) = cards_of(post(body))
    body["context"]["results"]["entry"].append({"resource": broken})
    (card,) = cards_of(post(body))
    assert SAID not in before["detail"]
    assert SAID in card["detail"]
    assert evaluation_of(card)["missing"] == evaluation_of(before)["missing"]


@pytest.mark.parametrize("key", ["sil2r", "labs", "conditions", "medications"])
@pytest.mark.parametrize("search", NOT_ALL.values(), ids=NOT_ALL)
def test_f04_a_card_beside_a_search_that_is_not_all_says_so(
    post: Post, key: str, search: dict[str, Any]
) -> None:
    body = request_of(CHART)
    held = body["prefetch"][key].get("entry", []) if key == "sil2r" else []
    body["prefetch"][key] = {**search, "entry": [*held, *search.get("entry", [])]}
    (card,) = cards_of(post(body, CHART_SERVICE))
    assert SAID in card["detail"]
    assert "could not be read:" not in card["detail"].replace(SAID, "")


@pytest.mark.parametrize(
    "second",
    [reply(b"", status=500), reply(b"", status=401), half_json, reply_json(OUTCOME)],
    ids=["500", "401", "half-json", "outcome"],
)
def test_f06_h02_t46_an_empty_first_page_whose_next_one_fails_is_412_and_never_silence(
    reaching: Post, second: Fault
) -> None:
    with FaultServer() as server:
        page = {"resourceType": "Bundle", "type": "searchset"}
        link = [{"relation": "next", "url": f"{server.base}/Observation?page=2"}]
        server.on("/fhir/Observation", reply_json({**page, "link": link}))
        server.on("/fhir/Observation?page=2", second)
        body = request_of(CHART, fhirServer=server.base, prefetch__sil2r=DELETE)
        issue = problem_of(reaching(body), 412)
    assert issue["expression"] == ["prefetch.sil2r"]


@pytest.mark.parametrize("search", NOT_ALL.values(), ids=NOT_ALL)
def test_f04_f06_h02_a_fetched_search_that_says_that_it_is_not_all_is_412_and_never_silence(
    reaching: Post, search: dict[str, Any]
) -> None:
    with FaultServer() as server:
        server.on("/fhir/Observation", reply_json(search))
        body = request_of(CHART, fhirServer=server.base, prefetch__sil2r=DELETE)
        assert "(incomplete)" in str(problem_of(reaching(body), 412))
        assert len(server.calls) == 1


def test_f06_h02_a_scope_that_may_hide_results_is_no_proof_that_there_are_none(
    reaching: Post,
) -> None:
    with FaultServer() as server:
        server.on("/fhir/Observation", reply_json({"resourceType": "Bundle", "type": "searchset"}))
        body = request_of(CHART, fhirServer=server.base, prefetch__sil2r=DELETE)
        body["fhirAuthorization"] = {
            "access_token": "secret",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/Observation.rs?category=laboratory",
            "subject": "cds-service",
        }
        assert "scope-restricted" in str(problem_of(reaching(body), 412))
