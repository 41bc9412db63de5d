"""Answers: status, shape, what a card may hold, and what nobody may learn (H-xx, C-xx, T-xx)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.knowledge.files import Library
from tests.contract.conftest import (
    CHART_SERVICE,
    Post,
    cards_of,
    evaluation_of,
    problem_of,
    request_of,
)
from tests.contract.specification import RESPONSE, conforms

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CANARIES = {
    "name": "Zyxgartenname",
    "mrn": "Zyxgartenmrn",
    "value": "8675309.125",
    "token": "Zyxgartentoken",
    "user": "Practitioner/Zyxgartenuser",
}


def test_h01_c04_success_is_200_with_cards_and_nothing_else(post: Post) -> None:
    response = post(request_of("lab_result_full_prefetch"))
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert list(response.get_json()) == ["cards"]


def test_h02_nothing_to_say_is_an_empty_list(post: Post) -> None:
    response = post(request_of("lab_result_unrelated"))
    assert (response.status_code, response.data) == (200, b'{"cards":[]}')


def test_every_answer_names_the_knowledge(post: Post, library: Library) -> None:
    for response in (post(request_of("lab_result_minimal")), post(b"{"), post({}, "unknown")):
        assert response.headers["Knowledge-Version"] == library.tags == "sil2r@2026.1"
        assert response.headers["X-Request-Id"]


def test_a_card_has_an_id_that_feedback_can_name(card: dict[str, Any]) -> None:
    assert UUID.fullmatch(card["uuid"])


def test_two_patients_never_share_a_card(post: Post) -> None:
    body = request_of("lab_result_minimal")
    other = json.loads(json.dumps(body).replace(body["context"]["patientId"], "another-patient"))
    assert cards_of(post(body))[0]["uuid"] != cards_of(post(other))[0]["uuid"]


def test_c02_c06_override_reasons_are_whole_codings_of_the_suggested_system(
    card: dict[str, Any],
) -> None:
    assert card["overrideReasons"]
    for reason in card["overrideReasons"]:
        assert set(reason) == {"code", "system", "display"}
        assert reason["system"].endswith("/non-adherence-reason-codes")


def test_c05_no_action_is_ever_applied_by_itself(post: Post) -> None:
    assert "systemActions" not in post(request_of("lab_result_full_prefetch")).get_json()


def test_tr06_links_are_absolute_and_never_launch_by_themselves(card: dict[str, Any]) -> None:
    assert card["links"]
    for link in card["links"]:
        assert set(link) == {"label", "url", "type"}
        assert link["type"] == "absolute"
        assert link["url"].startswith("https://")


def test_c08_a_card_says_what_it_used_and_closes_with_the_disclaimer(
    card: dict[str, Any], library: Library
) -> None:
    used = evaluation_of(card)["inputs"][0]["resource"].replace("-", "")
    assert used in card["detail"].replace("\\", "").replace("-", "")
    assert card["detail"].endswith(disclaimer(library.bases["sil2r"]))


def test_tr19_the_summary_names_value_unit_and_specimen_as_received(post: Post) -> None:
    body = request_of("lab_result_minimal")
    quantity = body["context"]["results"]["entry"][0]["resource"]["valueQuantity"]
    text = json.dumps(body).replace(f'"value": {quantity["value"]}', '"value": 5200.10')
    (card,) = cards_of(post(text))
    assert f"5200.10 {quantity['unit']}" in card["summary"]
    assert "serum" in card["summary"]


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://evil.example/x.png)",
        "\u202eevil\u202c\u200b",
        "x" * 10_000,
        "# heading\n\n| a | b |",
        "`~~*_**__",
    ],
)
def test_t31_texts_from_outside_are_text_on_a_card(post: Post, evil: str) -> None:
    body = request_of("lab_result_full_prefetch")
    observation = body["context"]["results"]["entry"][0]["resource"]
    observation["code"]["text"] = evil
    observation["valueQuantity"]["unit"] = evil
    observation.setdefault("performer", [{}])[0]["display"] = evil
    response = post(body)
    (card,) = cards_of(response)
    conforms({"cards": [card]}, RESPONSE)
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(javascript|(?<!\\)!\[", card["detail"])
    assert not re.search("[\u202a-\u202e\u200b]", card["detail"] + card["summary"])
    assert len(card["detail"]) < 10_000


def test_t30_tr29_what_is_a_patients_stands_in_no_log_and_no_metric(
    post: Post, client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    body = request_of("lab_result_full_prefetch", context__userId=CANARIES["user"])
    body["fhirServer"] = "https://fhir.example.org/r4"
    body["fhirAuthorization"] = {
        "access_token": CANARIES["token"],
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "x",
    }
    patient = body["prefetch"]["patient"]
    patient["name"] = [{"family": CANARIES["name"]}]
    patient["identifier"] = [{"system": "urn:oid:2.999.3", "value": CANARIES["mrn"]}]
    quantity = body["context"]["results"]["entry"][0]["resource"]["valueQuantity"]
    quantity["value"] = 4711
    text = json.dumps(body).replace("4711", CANARIES["value"])
    token = {"Authorization": f"Bearer {CANARIES['token']}"}
    (card,) = cards_of(post(text, headers=token))
    assert CANARIES["value"] in card["summary"]
    post(text.replace('"hook"', '"hook":"x","hook"', 1), headers=token)
    post(text.replace("Observation", CANARIES["name"]), CHART_SERVICE, headers=token)
    captured = capsys.readouterr()
    metrics = client.get("/metrics").get_data(as_text=True)
    assert captured.err.count("CDS-L10") == 3
    assert "above-laboratory-limit" in metrics
    for canary in [*CANARIES.values(), body["context"]["patientId"], patient["id"]]:
        assert canary not in captured.err + captured.out
        assert canary not in metrics


MORE_MAY_EXIST = "Not all that was sent or found could be read"
SEARCH: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
FAILED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "Zyxgarten"}],
}
NOT_ALL: dict[str, dict[str, Any]] = {
    "a further page": {**SEARCH, "link": [{"relation": "next", "url": "https://ehr.example/2"}]},
    "more matches": {**SEARCH, "total": 3},
    "an error": {**SEARCH, "entry": [{"resource": FAILED}]},
    "an entry that could not be read": {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [{"response": {"status": "503 Service Unavailable"}}],
    },
    "an entry that says only where it was stored": {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"response": {"status": "201", "location": "Observation/1/_history/1"}}],
    },
    "a Bundle of Bundles": {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [{"resource": {**SEARCH, "entry": []}, "response": {"status": "200"}}],
    },
}


@pytest.mark.parametrize("results", NOT_ALL.values(), ids=NOT_ALL)
def test_f06_h02_results_that_say_they_are_not_all_are_412_and_never_silence(
    post: Post, results: dict[str, Any]
) -> None:
    issue = problem_of(post(request_of("lab_result_minimal", context__results=results)), 412)
    assert issue["expression"] == ["context.results"]
    assert "Zyxgarten" not in str(issue)


@pytest.mark.parametrize("results", NOT_ALL.values(), ids=NOT_ALL)
def test_f06_what_came_of_results_that_are_not_all_is_answered(
    post: Post, results: dict[str, Any]
) -> None:
    body = request_of("lab_result_minimal")
    came = body["context"]["results"]["entry"]
    body["context"]["results"] = {**results, "entry": [*came, *results.get("entry", [])]}
    (card,) = cards_of(post(body))
    assert MORE_MAY_EXIST in card["detail"]


def test_f06_a_card_on_all_of_the_results_says_nothing_of_more(post: Post) -> None:
    (card,) = cards_of(post(request_of("lab_result_minimal")))
    assert MORE_MAY_EXIST not in card["detail"]


def test_h02_a_hint_beside_no_results_leaves_them_none(post: Post) -> None:
    hint = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}]}
    results = {**SEARCH, "total": 0, "entry": [{"resource": hint, "search": {"mode": "outcome"}}]}
    assert cards_of(post(request_of("lab_result_minimal", context__results=results))) == []
