"""A crash, a lost lease or a fault costs a repeat, and nothing else is lost by it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.errors import StoreUnavailable
from cds_service.events.faults import MOST_ATTEMPTS
from cds_service.events.worker import BATCH, DEADLINE_MS
from cds_service.store.events import LEASE
from cds_service.store.work_item import Claimed, Kind, Target, Way
from tests.event_world import World, dies, observation
from tests.little_fhir import Refuse


def test_a_crash_after_delivery_costs_a_repeat_that_changes_nothing(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.comes(observation())

    dies(writing, monkeypatch)
    written = dict(writing.fhir.writes)
    assert any(path.startswith("DetectedIssue/") for path in written)

    assert writing.work() == 0  # still leased
    writing.clock.pass_(minutes=6)
    assert writing.work() == 1
    assert dict(writing.fhir.writes) == written
    assert len(writing.records()) == 1


def test_a_result_that_kills_its_workers_is_set_aside(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.comes(observation())

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cds_service.events.worker.read_current", die)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            here.work()
        here.clock.pass_(minutes=6)
    assert here.work() == 0
    assert here.set_aside() == ["worker-lost"]


def test_what_a_worker_takes_at_once_is_done_before_its_lease_runs_out() -> None:
    """However slow its server is: else another would take it, and ask that server once more."""
    assert timedelta(milliseconds=BATCH * DEADLINE_MS) < LEASE


def test_a_lease_that_was_lost_ends_nothing(here: World) -> None:
    here.comes(observation())
    (slow,) = here.room.store.claim(here.clock())
    here.clock.pass_(minutes=6)
    here.work()
    assert len(here.records()) == 1
    ending = here.room.store.finish(slow, here.clock())
    assert ending.value == "lease-lost"


def test_whoever_lost_the_lease_leaves_the_work_to_whoever_holds_it(here: World) -> None:
    store = here.room.store
    here.comes(observation())
    (slow,) = store.claim(here.clock())
    here.clock.pass_(minutes=6)
    (holder,) = store.claim(here.clock())
    found = [Target(Kind.OBSERVATION, "o2")]
    assert store.finish(slow, here.clock(), found=found).value == "lease-lost"
    assert len(store.waiting()) == 1, "what it found on the way is not added either"
    assert store.finish(holder, here.clock()).value == "done"
    assert store.waiting() == ()


def test_a_notification_during_processing_is_not_forgotten(here: World) -> None:
    here.comes(observation())
    (claimed,) = here.room.store.claim(here.clock())
    here.notify("o1")
    assert here.room.store.finish(claimed, here.clock()).value == "again"
    assert here.work() == 1


def test_a_server_down_for_an_hour_loses_nothing_and_is_caught_up_with(writing: World) -> None:
    writing.fhir.broken = 503
    for number in range(3):
        writing.comes(observation(f"o{number}"))
    for _ in range(60):
        assert writing.work() == 0
        writing.clock.pass_(minutes=1)
    assert writing.causes() == ["read: status-5xx"] * 3
    assert writing.set_aside() == []
    writing.fhir.broken = 0
    writing.clock.pass_(minutes=8)
    assert writing.work() == 3
    assert len(writing.records()) == len(writing.fhir.of("DetectedIssue")) == 3


def test_a_fault_that_does_not_pass_ends_on_the_list_and_can_be_revived(here: World) -> None:
    here.fhir.put(observation())
    here.fhir.broken = 403
    here.notify("o1")
    here.try_in_vain()
    (row,) = here.room.store.waiting(dead_only=True)
    assert (row.cause, row.attempts) == ("read: status-403", MOST_ATTEMPTS)
    (record,) = here.records()
    assert (record.status, record.error) == (412, "CDS-3001")
    assert here.ready()["status"] == "degraded"

    here.fhir.broken = 0
    assert here.work() == 0
    assert here.room.store.revive([row.number], here.clock()) == 1
    assert here.work() == 1
    assert len(here.evaluated()) == 1


def test_what_was_set_aside_long_ago_is_waited_for_when_it_is_revived_and_its_server_rests(
    here: World,
) -> None:
    here.fhir.broken = 403
    here.comes(observation())
    here.try_in_vain()
    here.clock.pass_(days=30)
    here.room.store.revive([], here.clock())
    here.fhir.broken = 503
    here.work()
    here.clock.pass_(minutes=8)
    here.fhir.broken = 0
    assert here.work() == 1
    assert len(here.evaluated()) == 1


def test_a_new_notification_revives_what_was_set_aside(here: World) -> None:
    here.fhir.broken = 403
    here.notify("o1")
    here.try_in_vain()
    here.fhir.broken = 0
    here.comes(observation())
    assert here.work() == 1


def test_what_was_in_hand_when_the_database_was_lost_waits_for_no_lease(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        writing.comes(observation(f"o{number}"))
    store, worker = writing.room.store, writing.workshop.worker

    def lost(*_what: Any, **_more: Any) -> Any:
        raise StoreUnavailable("The database cannot be used.")

    with monkeypatch.context() as away:
        away.setattr(store, "finish", lost)
        with pytest.raises(StoreUnavailable):
            writing.work()
        away.setattr(store, "give_back", lost)
        with pytest.raises(StoreUnavailable):
            worker.give_back()
    assert store.due(writing.clock()) == 0
    worker.give_back()
    assert store.due(writing.clock()) == 3, "the one under way keeps its lease"
    assert writing.work() == 3
    writing.clock.pass_(minutes=6)
    assert writing.work() == 1
    assert len(writing.records()) == len(writing.fhir.of("DetectedIssue")) == 4
    assert max(writing.fhir.writes.values()) == 1


def test_a_worker_that_is_told_to_stop_ends_what_is_under_way_and_gives_the_rest_back(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the backlog is; and nobody waits for the leases of what was not begun."""
    names = [f"o{number}" for number in range(10)]
    for name in names:
        here.fhir.put(observation(name))
    here.notify(*names)
    store, worker = here.room.store, here.workshop.worker
    finish = store.finish

    def told_to_stop(*given: Any, **more: Any) -> Any:
        worker.stopping.set()
        return finish(*given, **more)

    monkeypatch.setattr(store, "finish", told_to_stop)
    assert here.work() == 1
    assert store.due(here.clock()) == 9
    assert here.work() == 0, "nothing more is begun"
    worker.stopping.clear()
    monkeypatch.undo()
    assert here.work() == 9


def test_one_that_the_database_cannot_take_holds_up_no_other_and_is_told(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        writing.comes(observation(f"o{number}"))
    store, worker = writing.room.store, writing.workshop.worker
    real, refused = store.finish, store.item("lab", Target(Kind.OBSERVATION, "o1"))

    def cannot_take(claimed: Claimed, *what: Any, **more: Any) -> Any:
        if claimed.item == refused:
            raise StoreUnavailable("The database cannot be used.")
        return real(claimed, *what, **more)

    monkeypatch.setattr(store, "finish", cannot_take)
    for _ in range(30):
        worker.give_back()
        with suppress(StoreUnavailable):
            writing.work()
        writing.clock.pass_(minutes=1)
    assert len(writing.records()) == 2
    (left,) = store.waiting()
    assert (left.dead, left.cause) == (True, "worker-lost")


def test_a_fault_of_ours_does_not_stop_the_others(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("o1", "o2"):
        here.comes(observation(each))
    real = here.workshop.worker.evaluator.bring_into_line

    def fail_once(claimed: Any, current: Any, *more: Any) -> Any:
        if claimed.target.reference == "Observation/o1":
            raise RuntimeError("a fault with a secret text")
        return real(claimed, current, *more)

    monkeypatch.setattr(here.workshop.worker.evaluator, "bring_into_line", fail_once)
    assert here.work() == 1
    assert here.causes() == ["fault"]


def test_a_companion_that_cannot_be_had_just_now_is_waited_for(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.comes(observation())
    real = here.fhir._answer

    def no_conditions(method: str, path: str, query: str, body: bytes) -> Any:
        if path == "Condition":
            raise Refuse(503)
        return real(method, path, query, body)

    with monkeypatch.context() as patch:
        patch.setattr(here.fhir, "_answer", no_conditions)
        assert here.work() == 0
    assert here.causes() == ["conditions: status-5xx"]


def test_a_source_that_is_no_longer_registered_is_asked_for_nothing(
    here: World, tmp_path: Path
) -> None:
    here.room.store.add("gone", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, here.clock())
    assert here.work() == 0
    assert here.fhir.calls == []
    (row,) = here.room.store.waiting()
    assert row.cause == "source: not-allowed"
    assert row.due - here.clock() < timedelta(minutes=1)


def test_what_another_worker_took_over_meanwhile_is_not_said_to_be_done(
    here: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here.comes(observation())
    real = here.workshop.worker.evaluator.bring_into_line
    by_the_other: list[int] = []

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(here.workshop.worker.evaluator, "bring_into_line", real)
        here.clock.pass_(minutes=6)
        by_the_other.append(here.work())
        return real(*given)

    monkeypatch.setattr(here.workshop.worker.evaluator, "bring_into_line", slow)
    assert (here.work(), by_the_other) == (0, [1])
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    about = [(line["code"], line.get("cause", "")) for line in lines if "kind" in line]
    assert about == [("CDS-L401", ""), ("CDS-L402", "lease-lost")]
    assert len(here.records()) == 1
