"""What happens around an answer: who is asked, what is recorded, what is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.errors import ConfigurationError, DataUnavailable, Unauthorised
from cds_service.hooks.call import Answered, Call
from cds_service.hooks.request import HookRequest
from cds_service.web import invocation
from cds_service.web.app import create_app
from cds_service.web.ports import UNREAD, Failed, Ports
from tests.unit.web.conftest import SECURE, Open
from tests.unit.web.rooms import (
    NORTH,
    NOW,
    SOUTH,
    URL,
    WEST,
    Memory,
    OneAccess,
    TokenGate,
    answered,
    card,
    hook_request,
    library,
)


def test_an_answer_depends_on_the_request_the_caller_and_the_day(
    production: FlaskClient, calls: list[Call]
) -> None:
    assert production.post(URL, json=hook_request(), headers=SOUTH).status_code == 200
    (call,) = calls
    assert (call.caller, call.at) == ("south", NOW.date())
    assert call.scope == "of-this-installation:south toy-patient-view p1"
    assert "of-this-installation:" not in repr(call)


def test_an_invocation_is_recorded_before_it_is_answered(
    production: FlaskClient, memory: Memory
) -> None:
    response = production.post(URL, json=hook_request(), headers=SOUTH)
    (kept,) = memory.invocations
    assert kept.at == NOW
    assert kept.caller.name == "south"
    assert kept.service.id == "toy-patient-view"
    assert kept.duration_ms == round(kept.duration_ms, 3) > 0, "milliseconds, to the microsecond"
    assert kept.request_id == response.headers["X-Request-Id"]
    assert isinstance(kept.request, HookRequest)
    assert isinstance(kept.came_to, Answered)


def test_an_invocation_without_a_card_is_recorded_too(
    sandbox: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocation, "answer", lambda *_: answered())
    response = sandbox().post(URL, json=hook_request())
    assert response.data == b'{"cards":[]}'
    (kept,) = memory.invocations
    assert kept.came_to == answered()


def test_t106_in_shadow_no_card_is_sent_and_the_answer_says_how_many_there_are_otherwise(
    production: FlaskClient, memory: Memory, capsys: pytest.CaptureFixture[str]
) -> None:
    response = production.post(URL, json=hook_request(), headers=WEST)
    assert response.get_json() == {
        "cards": [],
        "extension": {"org.sil2r-cds.shadow": {"withheld": 1}},
    }
    (kept,) = memory.invocations
    assert kept.came_to == answered(card()), "recorded as if it had been sent"
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["withheld"], line["outcomes"]) == (1, ["interpreted"])
    assert "cards" not in line


def test_cards_link_to_the_apps_of_the_callers_ehr_and_to_nobody_elses(
    production: FlaskClient,
) -> None:
    def links(headers: dict[str, str]) -> list[Any]:
        (shown,) = production.post(URL, json=hook_request(), headers=headers).get_json()["cards"]
        return list(shown.get("links", ()))

    (link,) = links(SOUTH)
    assert (link["label"], link["type"]) == ("Toy over time", "smart")
    assert links({"Authorization": "Bearer group/east"}) == []


def test_t106_in_shadow_a_failure_is_told_as_ever(
    production: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_call: Call) -> Answered:
        raise DataUnavailable("The prefetch key 'toy' is required.", where="prefetch.toy")

    monkeypatch.setattr(invocation, "answer", unavailable)
    response = production.post(URL, json=hook_request(), headers=WEST)
    assert response.status_code == 412
    assert response.get_json(force=True)["issue"][0]["expression"] == ["prefetch.toy"]


def test_t106_what_is_withheld_is_counted_beside_what_was_made(sandbox: Open) -> None:
    client = sandbox({"gate": TokenGate()})
    for caller in (SOUTH, WEST):
        client.post(URL, json=hook_request(), headers=caller)
    text = client.get("/metrics").get_data(as_text=True)
    assert 'cds_cards_total{outcome="interpreted",service="toy-patient-view"} 2.0' in text
    assert 'cds_cards_withheld_total{service="toy-patient-view"} 1.0' in text


def test_a_refused_invocation_of_a_known_caller_is_recorded_with_its_error(
    sandbox: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_call: Call) -> Answered:
        raise DataUnavailable("The prefetch key 'toy' is required.", where="prefetch.toy")

    monkeypatch.setattr(invocation, "answer", unavailable)
    client = sandbox()
    client.post(URL, json=hook_request())
    client.post(URL, data=b"{", content_type="application/json")
    client.post(URL, data=b"", content_type="text/plain")
    assert [kept.came_to for kept in memory.invocations] == [
        Failed(412, "CDS-3001"),
        Failed(400, "CDS-1002"),
        Failed(415, "CDS-1004"),
    ]
    assert isinstance(memory.invocations[0].request, HookRequest)
    assert memory.invocations[1].request == UNREAD


def test_a_fault_is_recorded_as_one(
    sandbox: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocation, "answer", lambda *_: 1 / 0)
    sandbox().post(URL, json=hook_request())
    assert [kept.came_to for kept in memory.invocations] == [Failed(500, "CDS-9000")]


def test_an_unknown_service_or_caller_is_not_an_invocation(
    production: FlaskClient, memory: Memory
) -> None:
    assert production.post("/cds-services/x", json={}, headers=SOUTH).status_code == 404
    assert production.post(URL, json={}).status_code == 401
    assert memory.invocations == []


def test_a_service_that_was_not_granted_is_403(
    production: FlaskClient, calls: list[Call], memory: Memory
) -> None:
    for path, body in ((URL, hook_request()), (f"{URL}/feedback", {"feedback": []})):
        assert production.post(path, json=body, headers=NORTH).status_code == 403
    assert calls == []
    assert memory.invocations == []
    assert memory.batches == []


@pytest.mark.parametrize("path", ["/cds-services/zz", "/cds-services/zz/feedback"])
def test_a_service_that_there_is_not_is_404_to_a_client_of_few_services_too(
    production: FlaskClient, path: str
) -> None:
    """403 would say that it is there and that somebody may call it."""
    assert production.post(path, json={}, headers=NORTH).status_code == 404


def test_the_fhir_server_is_asked_for_by_caller_and_request(
    production: FlaskClient, access: OneAccess, calls: list[Call]
) -> None:
    body = hook_request(fhirServer="https://fhir.example.org/r4")
    production.post(URL, json=body, headers=SOUTH)
    ((caller, request),) = access.asked
    assert caller == "south"
    assert request.fhir.server == "https://fhir.example.org/r4"
    assert calls[0].request == request


def test_whether_a_result_was_carded_is_asked_of_the_journal(
    sandbox: Open, calls: list[Call]
) -> None:
    sandbox().post(URL, json=hook_request())
    assert calls[0].carded_before(["Observation/1"]) == {"Observation/1"}


def test_feedback_is_stored_before_it_is_answered(production: FlaskClient, memory: Memory) -> None:
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-01-01T00:00:00Z"}
    response = production.post(f"{URL}/feedback", json={"feedback": [item]}, headers=SOUTH)
    assert (response.status_code, response.get_json()) == (200, {})
    ((caller, service, items),) = memory.batches
    assert (caller.name, service.id, items[0].card) == ("south", "toy-patient-view", "c")


def test_feedback_that_cannot_be_stored_is_503_and_not_acknowledged(
    sandbox: Open, memory: Memory
) -> None:
    memory.broken = True
    response = sandbox().post(f"{URL}/feedback", json={"feedback": []})
    assert response.status_code == 503
    assert response.get_json(force=True)["resourceType"] == "OperationOutcome"


def test_b05_feedback_asks_for_a_token_as_an_invocation_does(
    production: FlaskClient, memory: Memory
) -> None:
    assert production.post(f"{URL}/feedback", json={"feedback": []}).status_code == 401
    assert memory.batches == []


def test_d07_discovery_asks_for_a_token_where_it_is_configured(sandbox: Open) -> None:
    class Closed:
        def check(self, authorization: object, path: str) -> object:
            assert authorization == []
            assert path in ("/cds-services", "/knowledge/toy")
            raise Unauthorised("no-token")

    open_to_all = sandbox({"gate": Closed()})
    assert open_to_all.get("/cds-services").status_code == 200
    guarded = sandbox({"gate": Closed()}, discovery_token="required")
    for path in ("/cds-services", "/knowledge/toy"):
        assert guarded.get(path).status_code == 401


@pytest.mark.parametrize("settings", [SECURE, Settings(clients=Path("clients.toml"))])
def test_t70_where_callers_must_prove_who_they_are_somebody_must_ask(settings: Settings) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_app(settings, library())
    assert caught.value.where == "CDS_CLIENTS"


def test_a_guarded_sandbox_does_not_say_that_anybody_may_call() -> None:
    app = create_app(Settings(clients=Path("clients.toml")), library(), Ports(gate=TokenGate()))
    entry = app.test_client().get("/cds-services").get_json()["services"][0]
    assert entry["description"] == "Reads a toy result."
    assert app.test_client().post(URL, json=hook_request()).status_code == 401


def test_readiness_names_the_check_that_fails(
    sandbox: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise OSError("password=hunter2")

    ready = sandbox({"checks": {"knowledge": lambda: None}}).get("/health/ready")
    assert ready.get_json() == {"status": "ready", "checks": ["knowledge"]}
    failed = sandbox({"checks": {"knowledge": lambda: None, "database": broken}})
    response = failed.get("/health/ready")
    assert response.status_code == 503
    assert "database" in response.get_data(as_text=True)
    assert "hunter2" not in response.get_data(as_text=True) + capsys.readouterr().err
    assert failed.get("/health/live").status_code == 200


def test_what_was_said_is_counted_in_public_words(
    sandbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = (
        card(findings=["above-laboratory-limit"], missing=["ferritin"]),
        card("not-interpretable", reason="unit-unknown"),
    )
    monkeypatch.setattr(invocation, "answer", lambda *_: answered(*cards, labs="timeout"))
    client = sandbox()
    client.post(URL, json=hook_request())
    client.post(URL, data=b"{", content_type="application/json")
    client.post("/cds-services/Zyxgarten", json={})
    metrics = client.get("/metrics")
    text = metrics.get_data(as_text=True)
    assert metrics.content_type.startswith("text/plain")
    requests = 'cds_requests_total{route="/cds-services/<service_id>",service='
    for line in (
        f'{requests}"toy-patient-view",status="200"}} 1.0',
        f'{requests}"toy-patient-view",status="400"}} 1.0',
        f'{requests}"",status="404"}} 1.0',
        'cds_cards_total{outcome="not-interpretable",service="toy-patient-view"} 1.0',
        'cds_findings_total{finding="above-laboratory-limit"} 1.0',
        'cds_reasons_total{reason="unit-unknown"} 1.0',
        'cds_missing_data_total{what="ferritin"} 1.0',
        'cds_upstream_faults_total{fault="timeout",key="labs"} 1.0',
    ):
        assert line in text
    assert "Zyxgarten" not in text


def test_cards_that_could_not_be_recorded_were_not_sent_and_are_not_counted(
    sandbox: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = card("not-interpretable", findings=["above-laboratory-limit"], reason="unit-unknown")
    monkeypatch.setattr(invocation, "answer", lambda *_: answered(said, labs="timeout"))
    client = sandbox()
    memory.broken = True
    assert client.post(URL, json=hook_request()).status_code == 503
    text = client.get("/metrics").get_data(as_text=True)
    for name in ("cds_cards", "cds_findings"):
        assert f"{name}_total{{" not in text
    assert 'cds_reasons_total{reason="unit-unknown"} 0.0' in text


def test_each_reason_is_at_0_before_it_is_met(sandbox: Open) -> None:
    """So that the first result that is not interpreted is a rise (CdsResultsNotInterpreted)."""
    text = sandbox().get("/metrics").get_data(as_text=True)
    assert 'cds_reasons_total{reason="unit-unknown"} 0.0' in text
