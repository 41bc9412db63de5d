"""Looking after subscriptions: silence, failures, and what readiness and the log say of them."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.store.tables import event_work
from tests.event_world import World, events, notification, observation
from tests.unit.events.watching import BROKEN, SILENT, classic, told


def test_t81_two_heartbeats_missed_and_the_server_is_asked_and_readiness_degraded(
    here: World,
) -> None:
    here.expect(heartbeat_seconds=60)
    here.fhir.operations["Subscription/s1/$status"] = lambda _query: {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": notification("query-status", so_far=0)["entry"],
    }
    here.clock.pass_(seconds=119)
    here.care()
    assert here.ready() == {"status": "ready", "checks": ["events"]}
    assert here.fhir.calls == []

    here.clock.pass_(seconds=2)
    assert here.ready() == {
        "status": "degraded",
        "degraded": ["events"],
        "causes": {"events": ["subscription"]},
        "checks": ["events"],
    }
    here.care()
    assert here.fhir.count("$status") == 1
    assert here.ready()["status"] == "ready"  # it says that it is well


def test_t81_silence_goes_on_while_nothing_is_heard(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    here.clock.pass_(minutes=5)
    here.care()
    assert here.ready()["status"] == "degraded"
    here.post(notification("heartbeat", so_far=0))
    assert here.ready()["status"] == "ready"


def test_t81_silence_is_a_metric_too(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    assert 'cds_event_subscriptions{source="lab",state="silent"} 0.0' in here.metrics()
    here.clock.pass_(minutes=5)
    assert 'cds_event_subscriptions{source="lab",state="silent"} 1.0' in here.metrics()


def test_readiness_names_all_that_an_operator_should_look_at(here: World) -> None:
    here.notify("o1")
    with here.room.database.writing() as connection:
        connection.execute(event_work.update().values(dead=True))
    here.clock.pass_(minutes=1)
    here.notify("o2")
    (state,) = here.room.subscriptions.of("lab")
    here.room.subscriptions.set_status(state, "error")
    here.clock.pass_(minutes=14)
    assert here.ready()["causes"] == {"events": ["set-aside", "subscription"]}
    here.clock.pass_(minutes=2)
    assert here.ready()["causes"] == {"events": ["backlog", "set-aside", "subscription"]}


def test_t90_a_subscription_that_failed_is_an_alarm_and_left_to_people(here: World) -> None:
    here.expect()
    assert here.post(notification("event-notification", status="error")).status_code == 200
    assert here.ready()["status"] == "degraded"
    assert 'cds_event_subscriptions{source="lab",state="broken"} 1.0' in here.metrics()
    here.care()
    assert here.fhir.calls == []


def test_t90_a_failure_is_told_when_it_begins_and_then_once_an_hour(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect()
    here.post(notification("heartbeat", status="off"))
    here.care()
    assert told(capsys, BROKEN) == 1
    here.rounds(minutes=59)
    assert told(capsys, BROKEN) == 0
    here.rounds(hours=3)
    assert told(capsys, BROKEN) == 3


def test_t90_a_failure_after_better_times_is_told_at_once(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect()
    for _ in range(2):
        here.post(notification("heartbeat", status="error"))
        here.rounds(minutes=1)
        assert told(capsys, BROKEN) == 1
        here.post(notification("heartbeat"))
        here.rounds(minutes=1)
        assert told(capsys, BROKEN) == 0


def test_t81_a_silent_server_is_asked_less_and_less_often_and_told_of_once_an_hour(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(heartbeat_seconds=60)
    here.clock.pass_(minutes=3)
    here.rounds(minutes=15)
    assert here.fhir.count("$status") == 4
    assert told(capsys, SILENT) == 1
    here.rounds(hours=6)
    assert here.fhir.count("$status") == 4 + 6 * 4
    assert told(capsys, SILENT) == 6


def test_catch_up_finds_what_changed_and_nothing_twice(here: World) -> None:
    for number in range(5):
        here.fhir.put(observation(f"o{number}"))
    source = here.room.source("lab")
    since = here.clock()
    here.notify("o0")
    here.work()
    begin = since.replace(year=since.year - 1)
    assert len(here.workshop.caretaker.catch_up(source, begin).targets) == 5
    here.work()
    assert len(here.evaluated()) == len(here.records()) == 5
    assert len(here.workshop.caretaker.catch_up(source, begin).targets) == 5
    here.work()
    assert len(here.records()) == 5


def test_a_subscription_that_was_never_switched_on_is_an_alarm(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(status="requested", heartbeat_seconds=60)
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "requested"})
    here.rounds(minutes=15)
    here.care()
    assert (here.ready()["status"], told(capsys, SILENT)) == ("ready", 0)
    here.rounds(minutes=15)
    assert (here.ready()["status"], told(capsys, SILENT)) == ("degraded", 1)
    assert here.fhir.count("Subscription/s1") == 4, "at once, then after 1, 3 and 7 minutes"
    here.post(notification("handshake", so_far=0))
    assert here.ready()["status"] == "ready"


def test_a_worker_that_is_told_to_stop_waits_for_no_further_server(here: World) -> None:
    classic(here, "active")
    here.expect(subscription="s2", next_number=21)
    here.post(events((23, "Patient/p1"), subscription="s2"))  # which leaves a gap
    here.clock.pass_(hours=1)
    stopping = here.workshop.caretaker.stopping
    stopping.set()
    here.care()
    assert here.fhir.calls == []
    stopping.clear()
    here.care()
    assert here.fhir.count("Subscription/s2/$events") == here.fhir.count("Subscription/s1") == 1


@pytest.mark.parametrize("heartbeat_seconds", [0, 600])
def test_one_that_is_heard_of_is_not_read(here: World, heartbeat_seconds: int) -> None:
    here.expect(heartbeat_seconds=heartbeat_seconds)
    for _ in range(3):
        here.post(notification("heartbeat", so_far=0))
        here.rounds(minutes=10)
    assert here.fhir.calls == []


def test_one_that_its_server_did_not_want_to_switch_on_has_failed(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(status="requested")
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "error"})
    here.rounds(minutes=16)
    assert (told(capsys, BROKEN), here.ready()["status"]) == (1, "degraded")


@pytest.mark.parametrize(
    "said",
    [
        events((1, "Observation/o1"), status="requested"),
        notification("heartbeat", status="requested"),
    ],
)
def test_one_that_is_heard_of_is_at_work_whatever_it_says_of_itself(here: World, said: Any) -> None:
    here.expect(status="requested")
    here.post(said)
    here.clock.pass_(days=1)
    assert 'cds_event_subscriptions{source="lab",state="sound"} 1.0' in here.metrics()


def test_one_that_was_entered_in_error_has_failed(here: World) -> None:
    here.expect()
    here.post(notification("heartbeat", status="entered-in-error"))
    assert 'cds_event_subscriptions{source="lab",state="broken"} 1.0' in here.metrics()
