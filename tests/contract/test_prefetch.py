"""The five cases of a prefetch key, without access to a FHIR server (F-xx, TR-11 to TR-15)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_service.callers import FhirReach
from cds_service.config import Settings
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.contract.conftest import (
    CHART_SERVICE,
    DELETE,
    TODAY,
    Post,
    cards_of,
    evaluation_of,
    problem_of,
    request_of,
)
from tests.fault_server import FaultServer
from tests.faults import Fault, half_json, reply, reply_json

CHART = "patient_view_full_prefetch"
OPTIONAL = ("patient", "labs", "conditions", "medications")
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "Zyxgarten"}],
}


@pytest.mark.parametrize("key", OPTIONAL)
@pytest.mark.parametrize("value", [DELETE, OUTCOME], ids=["absent", "failed"])
def test_f01_f07_p07_tr11_tr15_an_optional_key_that_is_not_there_is_named_on_the_card(
    post: Post, key: str, value: object
) -> None:
    (card,) = cards_of(post(request_of(CHART, **{f"prefetch__{key}": value}), CHART_SERVICE))
    assert key in evaluation_of(card)["missing"]
    assert "Zyxgarten" not in str(card)


@pytest.mark.parametrize("key", OPTIONAL)
def test_f02_tr13_null_is_no_data_and_no_error(post: Post, key: str) -> None:
    (card,) = cards_of(post(request_of(CHART, **{f"prefetch__{key}": None}), CHART_SERVICE))
    missing = evaluation_of(card)["missing"]
    assert (key in missing) is (key == "patient"), "null tells nobody's age"


@pytest.mark.parametrize("empty", [None, {"resourceType": "Bundle", "type": "searchset"}])
def test_f02_no_results_at_all_is_nothing_to_say_and_never_412(post: Post, empty: object) -> None:
    assert cards_of(post(request_of(CHART, prefetch__sil2r=empty), CHART_SERVICE)) == []


@pytest.mark.parametrize(
    "changes",
    [{"prefetch__sil2r": DELETE}, {"prefetch__sil2r": OUTCOME}, {"prefetch": DELETE}],
    ids=["absent", "failed", "no-prefetch"],
)
def test_f03_f06_h03_a_required_key_neither_sent_nor_reachable_is_412_and_named(
    post: Post, changes: dict[str, object]
) -> None:
    issue = problem_of(post(request_of(CHART, **changes), CHART_SERVICE), 412)
    assert issue["code"] == "processing"
    assert issue["expression"] == ["prefetch.sil2r"]
    assert "Zyxgarten" not in str(issue)


@pytest.mark.parametrize(
    "sent",
    [
        {"resourceType": "Patient", "id": "p1"},
        {"resourceType": "ServiceRequest", "id": "s1"},
        {"resourceType": "CapabilityStatement", "status": "active"},
        {"resourceType": "Bundle"},
        {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [{"response": {"status": "404 Not Found"}}],
        },
    ],
    ids=["patient", "order", "capabilities", "bundle-of-no-type", "not-found"],
)
def test_f06_t64_what_is_no_answer_to_a_required_query_is_412_and_never_no_card(
    post: Post, sent: object
) -> None:
    issue = problem_of(post(request_of(CHART, prefetch__sil2r=sent), CHART_SERVICE), 412)
    assert issue["expression"] == ["prefetch.sil2r"]


def test_tr12_without_any_prefetch_the_result_service_answers_from_its_context(post: Post) -> None:
    body = request_of("lab_result_full_prefetch", prefetch=DELETE)
    (card,) = cards_of(post(body))
    assert {"patient", "labs", "conditions", "medications"} <= set(evaluation_of(card)["missing"])


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


SAID = "Not all that was sent or found could be read: more data may exist."
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


def test_f05_keys_of_other_services_are_ignored(post: Post) -> None:
    more = request_of(CHART, prefetch__other={"resourceType": "Patient", "id": "another"})
    assert cards_of(post(more, CHART_SERVICE)) == cards_of(post(request_of(CHART), CHART_SERVICE))


@pytest.mark.parametrize("value", ["x", 1, [], {"resourceType": 7}])
def test_f05_what_stands_under_a_key_of_another_service_is_not_judged(
    post: Post, value: object
) -> None:
    more = request_of(CHART, prefetch__foo=value)
    assert cards_of(post(more, CHART_SERVICE)) == cards_of(post(request_of(CHART), CHART_SERVICE))


@pytest.fixture
def reaching(library: Library) -> Post:
    """Posts to a sandbox that may call FHIR servers on this machine, and no other."""
    ports = Ports(now=lambda: TODAY, reach=FhirReach(Settings(deadline_ms=20_000)))
    client = create_app(Settings(), library, ports).test_client()

    def send(body: object, service: str = CHART_SERVICE) -> TestResponse:
        return client.post(f"/cds-services/{service}", json=body)

    return send


def test_t40_a06_a_fhir_server_that_is_not_registered_is_not_called(
    reaching: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: called.append(address))
    body = request_of(CHART, fhirServer="https://169.254.169.254/", prefetch__sil2r=DELETE)
    problem_of(reaching(body), 412)
    assert called == []


def test_a07_an_open_server_on_this_machine_is_read_without_a_token(reaching: Post) -> None:
    whole = request_of(CHART)
    with FaultServer() as server:
        server.on("/fhir/Observation", reply_json(whole["prefetch"]["sil2r"]))
        body = request_of(CHART, fhirServer=server.base, prefetch__sil2r=DELETE)
        (card,) = cards_of(reaching(body))
        (call,) = server.calls
    assert evaluation_of(card)["outcome"] == "interpreted"
    assert "authorization" not in call.headers


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


def test_tr25_a_code_is_matched_by_system_and_code_never_by_its_text(post: Post) -> None:
    body = request_of("lab_result_minimal")
    observation = body["context"]["results"]["entry"][0]["resource"]
    for coding in observation["code"]["coding"]:
        coding["code"] = "718-7"
    assert cards_of(post(body)) == []
