"""What the log tells of work: what was done, what waits, what was set aside and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service import __version__
from cds_service.errors import ServiceFault
from cds_service.events.faults import MOST_ATTEMPTS
from cds_service.events.worker import BATCH
from cds_service.store.events import LEASES_TO_LOSE, EventStore
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.work_item import Kind, Target, Way
from tests.event_world import World, observation, result_of_another_patient

Captured = pytest.CaptureFixture[str]
DONE, LATER, SET_ASIDE, FAULT = "CDS-L401", "CDS-L402", "CDS-L403", "CDS-L103"


def lines(capsys: Captured, code: str) -> list[dict[str, Any]]:
    """The lines of this code since the last look."""
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in told if line["code"] == code]


def about(line: dict[str, Any], *names: str) -> list[Any]:
    return [line[name] for name in ("source", "kind", *names)]


def test_what_was_done_is_told_with_how_it_became_known_and_how_often_it_was_tried(
    here: World, capsys: Captured
) -> None:
    here.fhir.put(observation())
    here.fhir.broken = 503
    here.notify("o1")
    here.work()
    (line,) = lines(capsys, LATER)
    assert about(line, "cause", "attempts") == ["lab", "Observation", "read: status-5xx", 1]
    here.fhir.broken = 0
    here.clock.pass_(minutes=8)
    here.work()
    (line,) = lines(capsys, DONE)
    assert about(line, "way", "ending", "attempts") == ["lab", "Observation", "notified", "done", 2]
    assert line["duration_ms"] > 0


def test_a_fault_of_ours_is_told_with_its_place_and_is_tried_as_often_as_any(
    here: World, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """It does not pass by itself, so nobody waits for days until somebody hears of it."""

    def fail(*_given: object) -> Any:
        raise RuntimeError("a secret text")

    monkeypatch.setattr(here.workshop.worker.evaluator, "bring_into_line", fail)
    here.fhir.put(observation())
    here.notify("o1")
    here.work()
    (line,) = lines(capsys, FAULT)
    assert about(line, "exception") == ["lab", "Observation", "RuntimeError"]
    assert "secret" not in str(line)
    for _ in range(MOST_ATTEMPTS - 1):
        here.clock.pass_(minutes=8)
        here.work()
    (line,) = lines(capsys, SET_ASIDE)
    assert about(line, "cause", "attempts") == ["lab", "Observation", "fault", MOST_ATTEMPTS]
    (record,) = here.records()
    assert (record.status, record.error) == (500, ServiceFault.code)
    assert (record.client, record.software) == ("events:lab", __version__)
    item = here.room.pseudonyms.of("events:lab", "Observation", "o1")
    assert record.inputs == (f"Observation/{item}",)


def test_who_lost_a_lease_tells_how_often_it_was_tried(
    here: World, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    here.fhir.put(observation())
    here.notify("o1")
    real = here.room.store.finish

    def too_late(*given: Any, **what: Any) -> Any:
        here.clock.pass_(minutes=6)
        here.room.store.claim(here.clock())
        return real(*given, **what)

    monkeypatch.setattr(type(here.room.store), "finish", lambda _store, *g, **w: too_late(*g, **w))
    assert here.workshop.worker.work_off_some() == 1
    (line,) = lines(capsys, LATER)
    assert about(line, "cause", "attempts") == ["lab", "Observation", "lease-lost", 1]


@pytest.mark.parametrize(("results", "asked_for_help"), [(BATCH - 1, 0), (BATCH, 1)])
def test_a_worker_with_more_than_it_can_take_at_once_lets_others_know(
    here: World, results: int, asked_for_help: int
) -> None:
    for number in range(results):
        here.fhir.put(result_of_another_patient(number))
    here.notify(*(f"o{number}" for number in range(results)))
    asked: list[str] = []
    assert here.workshop.worker.drain(lambda: asked.append("help")) == results
    assert len(asked) == asked_for_help


def test_what_no_worker_gets_is_told_too(here: World, capsys: Captured) -> None:
    """Where logs are all that somebody has, a result must not be set aside in silence."""
    key = DataKey.random()
    former = EventStore(here.room.database, key, Pseudonymiser(key))
    former.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, here.clock())
    assert here.room.store.claim(here.clock()) == ()
    (line,) = lines(capsys, SET_ASIDE)
    assert about(line, "cause", "attempts") == ["lab", "Observation", "other-data-key", 0]
    assert here.room.store.claim(here.clock()) == ()
    assert lines(capsys, SET_ASIDE) == [], "once"


def test_what_may_kill_workers_is_told(here: World, capsys: Captured) -> None:
    here.notify("o1")
    for _ in range(LEASES_TO_LOSE):
        assert here.room.store.claim(here.clock()) != ()
        here.clock.pass_(minutes=8)
    assert lines(capsys, SET_ASIDE) == []
    assert here.room.store.claim(here.clock()) == ()
    (line,) = lines(capsys, SET_ASIDE)
    assert about(line, "cause", "attempts") == ["lab", "Observation", "worker-lost", LEASES_TO_LOSE]
