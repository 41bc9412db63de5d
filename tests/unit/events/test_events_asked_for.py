"""Events that did not come: asked for by number, else searched for, and what is told of either."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.event_world import World, events, observation
from tests.little_fhir import refusing

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def missing(here: World) -> World:
    """Number 22, a result of yesterday, has not come, and is no longer waited for."""
    here.expect(next_number=21)
    here.fhir.put(observation("o2"))
    here.post(events((21, "Patient/p1")))
    here.post(events((23, "Patient/p1")))
    here.clock.pass_(seconds=31)
    return here


def answers(here: World, answer: Any) -> None:
    """What its server says to `$events`."""
    here.fhir.operations["Subscription/s1/$events"] = lambda _query: answer


def cannot_say(here: World) -> None:
    """Its server fails whenever it is asked for events, and does the rest."""
    here.fhir.operations["Subscription/s1/$events"] = refusing(503)


def told(capsys: Captured) -> list[dict[str, Any]]:
    """What was logged of gaps since the last look, without the time."""
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    about = ("source", "missing", "ending", "cause")
    return [
        {name: line[name] for name in about if name in line}
        for line in lines
        if line["code"] == "CDS-L404"
    ]


def test_t82_what_a_server_can_give_by_number_is_not_searched_for(
    missing: World, capsys: Captured
) -> None:
    answers(missing, events((22, "Observation/o2"), kind="query-event"))
    missing.care()
    assert missing.fhir.count("_lastUpdated") == 0
    assert [row.kind for row in missing.room.store.waiting()] == ["Observation"]
    assert told(capsys) == [{"source": "lab", "missing": 1, "ending": 1}]


@pytest.mark.parametrize(
    "answer",
    [
        events((21, "Observation/o1"), kind="query-event"),
        {"resourceType": "Bundle", "type": "searchset"},
        {"resourceType": "Patient", "id": "p1"},
    ],
    ids=["other-events", "no-notification", "no-events"],
)
def test_t82_what_a_server_does_not_give_when_it_is_asked_is_searched_for(
    missing: World, capsys: Captured, answer: Any
) -> None:
    answers(missing, answer)
    missing.care()
    assert missing.fhir.count("_lastUpdated") == 1
    assert told(capsys) == [{"source": "lab", "missing": 1, "ending": 1}]


def test_t82_a_server_that_fails_just_now_is_asked_again_in_a_minute_and_not_before(
    missing: World, capsys: Captured
) -> None:
    cannot_say(missing)
    for _ in range(10):
        missing.care()
        missing.clock.pass_(seconds=5)
    assert missing.fhir.count("$events") == 1
    assert missing.fhir.count("_lastUpdated") == 0, "it may know the numbers in a minute"
    assert told(capsys) == [{"source": "lab", "cause": "events: status-5xx"}]
    answers(missing, events((22, "Observation/o2"), kind="query-event"))
    missing.clock.pass_(seconds=11)
    missing.care()
    assert missing.room.subscriptions.missing("lab") == 0


def test_t82_an_event_is_found_though_no_worker_ran_for_ten_days(missing: World) -> None:
    missing.clock.pass_(days=10)
    missing.care()
    assert [row.way for row in missing.room.store.waiting()] == ["recovered"]


def test_t82_where_only_some_come_by_number_the_others_are_searched_for(here: World) -> None:
    here.expect(next_number=22)
    here.fhir.put(observation("o3"))
    here.post(events((24, "Patient/p1")))
    answers(here, events((22, "Patient/p1"), kind="query-event"))
    here.clock.pass_(seconds=31)
    here.care()
    assert [row.kind for row in here.room.store.waiting()] == ["Observation"]


def wakes(here: World) -> int:
    """How often a round of care wakes a worker."""
    woken: list[str] = []
    caretaker = replace(here.workshop.caretaker, wake=lambda: woken.append("woken"))
    caretaker.look_after_all()
    return len(woken)


@pytest.mark.parametrize(("found", "woken"), [("Observation/o2", 1), ("Patient/p1", 0)])
def test_what_was_found_wakes_a_worker(missing: World, found: str, woken: int) -> None:
    answers(missing, events((22, found), kind="query-event"))
    assert wakes(missing) == woken == len(missing.room.store.waiting())


def test_a_search_that_is_left_to_the_workers_wakes_one(missing: World) -> None:
    """Of what it may not have shown, nothing is work yet; nobody would look before long."""
    missing.fhir.operations["Observation"] = lambda _query: {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "entry": [],
    }
    assert wakes(missing) == 1
    assert [row.kind for row in missing.room.store.waiting()] == ["Sweep"]
