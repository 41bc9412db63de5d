"""What came along, what did not, and what could be fetched (F-xx, A-06, A-07)."""

from __future__ import annotations

import socket

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
from tests.faults import reply_json

CHART = "patient_view_full_prefetch"
OPTIONAL = ("patient", "labs", "conditions", "medications")


def test_a_slim_result_is_read_with_the_range_that_its_whole_copy_has_in_the_prefetch(
    post: Post,
) -> None:
    body = request_of("lab_result_full_prefetch")
    (whole,) = cards_of(post(body))
    (entry,) = body["context"]["results"]["entry"]
    del entry["resource"]["referenceRange"]
    assert "referenceRange" in body["prefetch"]["sil2r"]["entry"][0]["resource"]
    (slim,) = cards_of(post(body))
    assert slim["detail"] == whole["detail"]
    assert slim["uuid"] == whole["uuid"]


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


def test_f05_keys_of_other_services_are_ignored(post: Post) -> None:
    more = request_of(CHART, prefetch__other={"resourceType": "Patient", "id": "another"})
    assert cards_of(post(more, CHART_SERVICE)) == cards_of(post(request_of(CHART), CHART_SERVICE))


@pytest.mark.parametrize("value", ["x", 1, [], {"resourceType": 7}])
def test_f05_what_stands_under_a_key_of_another_service_is_not_judged(
    post: Post, value: object
) -> None:
    more = request_of(CHART, prefetch__foo=value)
    assert cards_of(post(more, CHART_SERVICE)) == cards_of(post(request_of(CHART), CHART_SERVICE))


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


def test_tr25_a_code_is_matched_by_system_and_code_never_by_its_text(post: Post) -> None:
    body = request_of("lab_result_minimal")
    observation = body["context"]["results"]["entry"][0]["resource"]
    for coding in observation["code"]["coding"]:
        coding["code"] = "718-7"
    assert cards_of(post(body)) == []
