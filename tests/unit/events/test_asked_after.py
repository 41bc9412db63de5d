"""What a server answers when it is asked how a subscription stands, and what is told of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import World, notification, world

Captured = pytest.CaptureFixture[str]
SILENT, BROKEN = "CDS-L405", "CDS-L406"


def answers(here: World, *statuses: Any) -> None:
    """What its server says to `$status`."""
    entries = [each["entry"][0] for each in statuses]
    answer = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    here.fhir.operations["Subscription/s1/$status"] = lambda _query: answer


def told(capsys: Captured) -> list[tuple[str, str, str]]:
    """The alarms since the last look: code, source and status."""
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [
        (line["code"], line["source"], line["status"])
        for line in lines
        if line["code"] in (SILENT, BROKEN)
    ]


def stands(here: World) -> dict[str, str]:
    return {state.subscription: state.status for state in here.room.subscriptions.of("lab")}


def test_one_that_is_silent_and_answers_that_it_failed_has_failed(
    here: World, capsys: Captured
) -> None:
    here.expect(heartbeat_seconds=60)
    answers(here, notification("query-status", status="error"))
    here.clock.pass_(minutes=3)
    here.care()
    assert stands(here) == {"s1": "error"}
    here.care()
    assert told(capsys) == [(SILENT, "lab", "active"), (BROKEN, "lab", "error")]


def test_what_is_said_of_another_than_was_asked_after_is_let_go(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    others = [
        notification("query-status", status=each, subscription="s2") for each in ("active", "error")
    ]
    answers(here, *others, notification("query-status"))
    here.clock.pass_(minutes=3)
    here.care()
    assert stands(here) == {"s1": "active"}
    assert here.web.get("/health/ready").get_json()["status"] == "ready"


def test_what_is_no_status_among_the_answers_does_not_hide_the_one_that_is(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    nothing: Any = {"entry": [{"resource": {"resourceType": "OperationOutcome"}}]}
    said = [nothing, notification("heartbeat"), notification("query-status", status="off")]
    answers(here, *said)
    here.clock.pass_(minutes=3)
    here.care()
    assert stands(here) == {"s1": "off"}


def test_a_status_that_comes_without_a_bundle_is_heard_too(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    alone = notification("query-status")["entry"][0]["resource"]
    here.fhir.operations["Subscription/s1/$status"] = lambda _query: alone
    here.clock.pass_(minutes=3)
    here.care()
    assert here.web.get("/health/ready").get_json()["status"] == "ready"


@pytest.mark.parametrize("entries", [{}, {"entry": "s1"}, {"entry": [{}, {"resource": 7}]}])
def test_an_answer_that_says_nothing_leaves_the_silence(here: World, entries: Any) -> None:
    here.expect(heartbeat_seconds=60)
    answer = {"resourceType": "Bundle", "type": "searchset", **entries}
    here.fhir.operations["Subscription/s1/$status"] = lambda _query: answer
    here.clock.pass_(minutes=3)
    here.care()
    assert here.web.get("/health/ready").get_json()["causes"] == {"events": ["subscription"]}


def test_one_that_is_at_work_again_over_there_is_not_begun_anew(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect(status="off")
        here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
        here.clock.pass_(minutes=16)
        here.care()
        assert stands(here) == {"s1": "active"}
        assert {method for method, _path in here.fhir.calls} == {"GET"}


@pytest.mark.parametrize("answer", [{"status": "gone"}, {"status": 7}, {}])
def test_a_status_that_is_none_changes_nothing(here: World, answer: Any) -> None:
    here.expect()
    here.fhir.put({"resourceType": "Subscription", "id": "s1", **answer})
    here.clock.pass_(minutes=16)
    here.care()
    assert here.fhir.count("Subscription/s1") == 1
    assert stands(here) == {"s1": "active"}


@pytest.mark.parametrize("status", [403, 503, 0])
def test_one_that_was_never_switched_on_and_cannot_be_read_is_told_of(
    here: World, capsys: Captured, status: int
) -> None:
    """Nor is one known to be switched on whose status is none."""
    here.expect(status="requested")
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "gone"})
    here.fhir.broken = status
    here.clock.pass_(minutes=16)
    here.care()
    assert told(capsys) == [(SILENT, "lab", "requested")]


def test_one_that_is_switched_on_and_cannot_be_searched_yet_is_told_of(
    here: World, capsys: Captured
) -> None:
    """It counts as at work only once there is nothing that was missed."""
    here.expect(status="requested")
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    here.fhir.operations["Observation"] = lambda _query: {"resourceType": "Binary"}
    here.clock.pass_(minutes=16)
    here.care()
    assert told(capsys) == [(SILENT, "lab", "requested")]
    assert stands(here) == {"s1": "requested"}
