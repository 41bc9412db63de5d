"""What nobody will send any more: a subscription that was silent or off, and speaks again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.event_world import World, events, notification, observation

HEARTBEAT = {"heartbeat_seconds": 60}


def says(here: World, kind: str = "heartbeat", **more: Any) -> None:
    """Its server lets us hear of it."""
    assert here.post(notification(kind, **more)).status_code == 200


def silent_for_hours(here: World, hours: int) -> None:
    """A result changes, and nothing is heard of its server."""
    here.expect(**HEARTBEAT)
    here.fhir.put(observation("o1"))
    here.clock.pass_(hours=hours)


def status_told(here: World, status: str) -> None:
    """What its server answers when it is asked by `$status`."""
    here.fhir.operations["Subscription/s1/$status"] = lambda _query: {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": notification("query-status", status=status)["entry"],
    }


def found(here: World) -> list[tuple[str, int]]:
    """What is evaluated once the search has been made: how we came to know, and how many."""
    here.clock.pass_(seconds=2)
    here.work()
    ways = [row.way for row in here.evaluated()]
    return [(way, ways.count(way)) for way in sorted(set(ways))]


def test_a_search_waits_a_moment_so_that_many_signs_make_one(here: World) -> None:
    here.post()
    assert here.work() == 0
    silent_for_hours(here, 3)
    here.work()
    says(here)
    assert here.work() == 0


def test_t81_what_changed_while_it_was_silent_is_found_once_it_is_heard_again(here: World) -> None:
    silent_for_hours(here, 3)
    says(here)
    assert found(here) == [("recovered", 1)]


def test_t81_what_changed_while_it_was_silent_is_found_once_it_answers(here: World) -> None:
    silent_for_hours(here, 3)
    status_told(here, "active")
    here.care()
    assert found(here) == [("recovered", 1)]


def test_one_that_answers_that_it_is_still_asked_for_is_not_at_work(here: World) -> None:
    """Unlike a handshake, which comes from one that sends."""
    silent_for_hours(here, 3)
    status_told(here, "requested")
    here.care()
    (state,) = here.room.subscriptions.of("lab")
    assert (state.status, state.last_heard) == ("requested", here.clock())
    assert found(here) == []
    says(here, "handshake", status="requested")
    assert found(here) == [("recovered", 1)]


def test_t81_an_event_that_breaks_the_silence_brings_those_before_it(here: World) -> None:
    here.expect(**HEARTBEAT)
    here.fhir.put(observation("o1"))
    here.fhir.put(observation("o2"))
    here.clock.pass_(hours=3)
    here.post(events((0, "Observation/o2")))
    assert found(here) == [("notified", 1), ("recovered", 1)]


def test_one_that_is_silent_says_that_it_fails_and_then_works_is_searched_from_before_all_that(
    here: World,
) -> None:
    silent_for_hours(here, 5)
    says(here, status="error")
    here.clock.pass_(minutes=5)
    says(here)
    assert found(here) == [("recovered", 1)]


def test_one_that_is_silent_answers_that_it_fails_and_then_works_is_searched_likewise(
    here: World,
) -> None:
    silent_for_hours(here, 5)
    status_told(here, "error")
    here.care()
    here.clock.pass_(minutes=1)
    says(here)
    assert found(here) == [("recovered", 1)]


def test_one_that_is_heard_of_in_time_is_not_searched(here: World) -> None:
    here.expect(**HEARTBEAT)
    here.fhir.put(observation("o1"))
    for _ in range(3):
        here.clock.pass_(seconds=100)
        says(here)
    assert found(here) == []
    assert here.fhir.calls == []


def test_t90_what_changed_while_it_was_off_is_found_though_its_server_was_heard_of_throughout(
    here: World,
) -> None:
    here.expect(**HEARTBEAT)
    says(here, status="off")
    here.fhir.put(observation("o1"))
    for _ in range(5 * 60):
        here.clock.pass_(minutes=1)
        says(here, status="off")
    assert found(here) == []
    says(here)
    assert found(here) == [("recovered", 1)]


@pytest.mark.parametrize("statuses", [["active"], ["off", "active"]])
def test_t90_one_that_was_read_as_off_is_searched_once_it_works_again(
    here: World, statuses: list[str]
) -> None:
    """From before it was read, though hours later it says itself that it is off."""
    here.expect()
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
    here.clock.pass_(minutes=16)
    here.care()
    here.fhir.put(observation("o1"))
    here.clock.pass_(hours=5)
    for status in statuses:
        says(here, status=status)
        here.clock.pass_(minutes=5)
    assert found(here) == [("recovered", 1)]


@pytest.mark.parametrize("kind", ["handshake", "heartbeat"])
def test_what_changed_before_it_was_switched_on_is_found(here: World, kind: str) -> None:
    here.expect(status="requested")
    here.fhir.put(observation("o1"))
    here.clock.pass_(minutes=5)
    says(here, kind)
    assert found(here) == [("recovered", 1)]


@pytest.mark.parametrize("said", [None, "error"])
def test_what_changed_before_it_was_read_as_switched_on_is_found(
    here: World, said: str | None
) -> None:
    """One that nobody has switched on yet, and one that has failed since."""
    here.expect(status="active" if said else "requested")
    if said:
        says(here, status=said)
    here.fhir.put(observation("o1"))
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    here.clock.pass_(minutes=16)
    here.care()
    assert found(here) == [("recovered", 1)]


def test_the_search_waits_for_a_server_that_can_be_heard_and_not_yet_asked(here: World) -> None:
    silent_for_hours(here, 3)
    here.fhir.broken = 503
    says(here)
    assert found(here) == []
    here.fhir.broken = 0
    here.clock.pass_(minutes=10)
    assert found(here) == [("recovered", 1)]


def test_one_without_a_heartbeat_that_could_not_be_read_for_hours_is_searched_once_it_can_be(
    here: World,
) -> None:
    here.expect()
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    begun = here.clock()
    here.fhir.broken = 503
    here.fhir.put(observation("o1"))
    while here.clock() - begun < timedelta(hours=5):
        here.clock.pass_(minutes=5)
        here.care()
    here.fhir.broken = 0
    here.clock.pass_(minutes=16)
    here.care()
    assert found(here) == [("recovered", 1)]


def test_one_without_a_heartbeat_that_could_once_not_be_read_is_searched_the_next_time(
    here: World,
) -> None:
    here.expect()
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    here.fhir.put(observation("o1"))
    for broken in (503, 0):
        here.fhir.broken = broken
        here.clock.pass_(minutes=15, seconds=5)
        here.care()
    assert found(here) == [("recovered", 1)]


def test_one_without_a_heartbeat_that_is_read_in_time_is_not_searched(here: World) -> None:
    here.expect()
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    here.fhir.put(observation("o1"))
    for _ in range(60):
        here.clock.pass_(minutes=5)
        here.care()
    assert found(here) == []
    assert here.fhir.count("_lastUpdated") == 0
