"""What the watch over silence lives on: calls with and without a card, for each client (T-113)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cds_service.hooks.call import Call
from cds_service.web import invocation
from tests.unit.web.conftest import Open
from tests.unit.web.rooms import SOUTH, URL, WEST, Memory, TokenGate, answered, card, hook_request

GROUP = {"Authorization": "Bearer group/east"}


def counted(client: FlaskClient) -> dict[str, float]:
    """`client said` -> number of calls."""
    found = {}
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("cds_calls_total{"):
            labels, _, value = line.partition("} ")
            said = dict(part.split("=") for part in labels.partition("{")[2].split(","))
            assert said["service"] == '"toy-patient-view"'
            found[f"{said['client']} {said['said']}".replace('"', "")] = float(value)
    return found


def test_t113_a_call_is_counted_once_by_whether_it_came_to_cards(
    sandbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([answered(card(), card()), answered(), answered(card())])
    monkeypatch.setattr(invocation, "answer", lambda _call: next(answers))
    client = sandbox({"gate": TokenGate()})
    for caller in (SOUTH, SOUTH, GROUP):
        assert client.post(URL, json=hook_request(), headers=caller).status_code == 200
    assert counted(client) == {
        "south cards": 1,
        "south nothing": 1,
        "group/east cards": 1,
        "group/east nothing": 0,
    }, "what was not seen at 0 would not have risen"


def test_t113_a_client_in_shadow_is_counted_by_what_was_made(
    sandbox: Open, calls: list[Call]
) -> None:
    client = sandbox({"gate": TokenGate()})
    client.post(URL, json=hook_request(), headers=WEST)
    assert len(calls) == 1
    assert counted(client) == {"west cards": 1, "west nothing": 0}


def test_t113_what_was_not_answered_is_no_call_without_a_card(
    sandbox: Open, memory: Memory
) -> None:
    client = sandbox({"gate": TokenGate()})
    client.post(URL, data=b"{", content_type="application/json", headers=SOUTH)
    client.post(URL, json=hook_request())
    memory.broken = True
    client.post(URL, json=hook_request(), headers=SOUTH)
    assert counted(client) == {}


def test_a_token_that_is_refused_is_counted_by_its_cause_and_nothing_else_is(
    sandbox: Open,
) -> None:
    client = sandbox({"gate": TokenGate()})
    client.post(URL, json=hook_request(), headers={"Authorization": "Bearer wrong"})
    client.post(URL, data=b"{", content_type="application/json", headers=SOUTH)
    client.post(URL, json=hook_request(), headers=SOUTH)
    found = [
        each for each in client.get("/metrics").text.splitlines() if "_refusals_total{" in each
    ]
    assert found == ['cds_token_refusals_total{cause="signature"} 1.0']
