"""Where the registry says so, a subscription that failed is begun anew, after catching up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.event_world import World, notification, observation
from tests.unit.events.watching import BROKEN, classic, classic_there, searches, told


def test_t90_where_configured_it_is_switched_on_again_after_catching_up(mending: World) -> None:
    mending.expect()
    mending.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off", "error": "x"})
    mending.fhir.put(observation())
    mending.post(notification("heartbeat", status="off"))
    mending.care()
    methods = [method for method, _path in mending.fhir.calls]
    assert methods == ["GET", "GET", "PUT"]
    assert "_lastUpdated" in mending.fhir.calls[0][1]
    subscription = mending.fhir.resources["Subscription/s1"]
    assert subscription["status"] == "requested"
    assert "error" not in subscription
    assert mending.ways() == {"recovered"}
    mending.care()
    assert len(mending.fhir.calls) == 3


def test_t90_a_refused_new_beginning_is_tried_less_and_less_often(
    mending: World, capsys: pytest.CaptureFixture[str]
) -> None:
    mending.expect()
    mending.post(notification("heartbeat", status="off"))
    mending.fhir.broken = 403
    mending.rounds(minutes=15)
    tries = mending.fhir.count("_lastUpdated")
    assert tries == 4, "at once, then after 1, 3 and 7 minutes"
    mending.rounds(hours=6)
    assert mending.fhir.count("_lastUpdated") - tries == 6 * 4
    assert told(capsys, BROKEN) == 7


def test_t90_one_that_fails_again_as_soon_as_it_is_switched_on_is_not_switched_on_for_ever(
    mending: World,
) -> None:
    mending.expect()
    mending.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
    end = mending.clock() + timedelta(minutes=15)
    while mending.clock() < end:
        mending.post(notification("heartbeat", status="error"))
        mending.rounds(seconds=10)
    assert sum(method == "PUT" for method, _path in mending.fhir.calls) == 4


def test_t90_each_try_looks_for_what_changed_since_the_one_before(mending: World) -> None:
    mending.expect()
    mending.fhir.broken = 403
    tried = mending.clock()
    pauses = []
    for _ in range(60):  # the server goes on to say that it is off: a sign of life each time
        mending.post(notification("heartbeat", status="off"))
        mending.care()
        for since in searches(mending):
            assert since < tried
            pauses.append(mending.clock() - tried)
            tried = mending.clock()
        mending.clock.pass_(minutes=1)
    assert max(pauses) == timedelta(minutes=15)


def test_t90_what_is_no_subscription_is_not_written_back_as_one(mending: World) -> None:
    mending.expect()
    mending.post(notification("heartbeat", status="off"))
    mending.fhir.operations["Subscription/s1"] = lambda _query: {"resourceType": "Binary"}
    mending.care()
    assert mending.fhir.count("Subscription/s1") == 1
    assert mending.fhir.writes.total() == 0


def test_a_silent_server_that_says_that_it_gave_up_is_mended_without_waiting(
    mending: World,
) -> None:
    mending.expect(heartbeat_seconds=60)
    mending.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
    mending.clock.pass_(minutes=3)
    mending.rounds(minutes=5)
    mending.post(notification("heartbeat", status="off"))
    mending.care()
    assert mending.fhir.resources["Subscription/s1"]["status"] == "requested"


def test_after_it_was_asked_for_anew_a_server_has_time_to_switch_it_on(mending: World) -> None:
    mending.expect()
    mending.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
    mending.post(notification("heartbeat", status="off"))
    mending.fhir.broken = 503
    mending.rounds(hours=2)
    mending.fhir.broken = 0
    mending.rounds(minutes=14)
    assert mending.fhir.resources["Subscription/s1"]["status"] == "requested"
    assert mending.ready()["status"] == "ready"


def test_one_without_a_topic_is_begun_anew_where_the_registry_says_so(mending: World) -> None:
    classic(mending, "active")
    mending.rounds(hours=2)
    classic_there(mending, "error")
    mending.fhir.calls.clear()
    failed_at = mending.clock()
    mending.rounds(minutes=16)
    assert mending.fhir.resources["Subscription/s1"]["status"] == "requested"
    (since,) = searches(mending)
    assert failed_at - timedelta(minutes=90) < since < failed_at - timedelta(hours=1)


def test_what_changed_while_no_worker_ran_is_searched_for_from_when_it_was_last_at_work(
    mending: World,
) -> None:
    classic(mending, "active")
    stopped_at = mending.clock()
    mending.clock.pass_(hours=5)
    classic_there(mending, "off")
    mending.rounds(minutes=1)
    (since,) = searches(mending)
    assert since < stopped_at
