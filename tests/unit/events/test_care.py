"""Looking after subscriptions: gaps, silence, and servers that gave up."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cds_service.events.troubles import Troubles
from cds_service.knowledge.files import Library
from cds_service.store.tables import event_work
from tests.event_world import World, events, notification, observation, world

SILENT = "CDS-L405"
BROKEN = "CDS-L406"
GAP = "CDS-L404"


def ways(here: World) -> set[str]:
    return {row.way for row in here.room.store.waiting()}


def ready(here: World) -> Any:
    return here.web.get("/health/ready").get_json()


def test_t82_an_event_that_comes_late_raises_no_alarm(here: World) -> None:
    here.expect(next_number=21)
    here.post(events((21, "Observation/o1")))
    here.post(events((23, "Observation/o3")))
    assert here.room.subscriptions.missing("lab") == 1
    here.care()
    here.post(events((22, "Observation/o2")))
    assert here.room.subscriptions.missing("lab") == 0
    here.clock.pass_(minutes=5)
    here.care()
    assert here.fhir.calls == []


def test_t82_an_event_that_never_comes_is_asked_for_by_its_number(here: World) -> None:
    here.expect(next_number=21)
    asked: list[dict[str, list[str]]] = []

    def answer(query: dict[str, list[str]]) -> Any:
        asked.append(query)
        return events((22, "Observation/o2"), kind="query-event")

    here.fhir.operations["Subscription/s1/$events"] = answer
    here.fhir.put(observation("o2"))
    here.post(events((21, "Patient/p1")))
    here.post(events((23, "Patient/p1")))
    here.care()
    assert asked == []  # it may still come
    here.clock.pass_(seconds=31)
    here.care()
    assert asked == [{"eventsSinceNumber": ["22"], "eventsUntilNumber": ["22"]}]
    assert ways(here) == {"recovered"}
    assert here.room.subscriptions.missing("lab") == 0
    here.work()
    (kept,) = here.evaluated()
    assert kept.way == "recovered"


def test_t82_where_events_cannot_be_asked_for_a_search_finds_them(here: World) -> None:
    here.expect(next_number=21)
    here.fhir.put(observation("o2"))
    here.post(events((23, "Patient/p1")))
    here.clock.pass_(seconds=31)
    here.care()
    assert here.fhir.count("$events") == 1
    assert here.fhir.count("_lastUpdated=ge") == 1
    assert ways(here) == {"recovered"}
    assert here.room.subscriptions.missing("lab") == 0


def test_t82_a_gap_is_not_given_up_while_the_server_is_down(here: World) -> None:
    here.expect(next_number=21)
    here.post(events((23, "Patient/p1")))
    here.fhir.broken = 503
    for _ in range(3):
        here.clock.pass_(minutes=2)
        here.care()
        assert here.room.subscriptions.missing("lab") == 2
    here.fhir.broken = 0
    here.clock.pass_(minutes=2)
    here.care()
    assert here.room.subscriptions.missing("lab") == 0


def test_t82_an_event_that_did_not_come_is_found_though_the_next_one_comes_days_later(
    here: World,
) -> None:
    here.expect(next_number=21)
    here.fhir.put(observation("o21"))
    here.clock.pass_(days=2)
    here.post(events((22, "Patient/p1")))
    here.clock.pass_(seconds=31)
    here.care()
    assert ways(here) == {"recovered"}


def test_t82_an_event_is_found_after_hours_in_which_its_server_could_be_heard_and_not_asked(
    here: World,
) -> None:
    here.expect(next_number=21)
    here.fhir.put(observation("o21"))
    here.post(events((22, "Patient/p1")))
    here.fhir.broken = 503
    for _ in range(5):
        here.clock.pass_(hours=1)
        here.post(notification("heartbeat", so_far=22))
        here.care()
    here.fhir.broken = 0
    here.clock.pass_(minutes=2)
    here.care()
    assert ways(here) == {"recovered"}


def test_t82_a_heartbeat_tells_of_events_that_did_not_come(here: World) -> None:
    here.expect(next_number=5)
    here.post(notification("heartbeat", so_far=6))
    assert here.room.subscriptions.missing("lab") == 2


def test_a_heartbeat_that_gives_no_number_tells_of_no_gap(here: World) -> None:
    here.expect(next_number=5)
    here.post(notification("heartbeat"))
    here.post(events((5, "Observation/o5")))
    assert here.room.subscriptions.missing("lab") == 0


def test_joining_under_way_is_no_gap(here: World) -> None:
    here.post(events((700, "Observation/o1"), so_far=700))
    assert here.room.subscriptions.missing("lab") == 0
    here.post(events((702, "Observation/o2"), so_far=702))
    assert here.room.subscriptions.missing("lab") == 1


def test_a_new_handshake_begins_the_numbers_anew(here: World) -> None:
    here.expect(next_number=50)
    here.post(events((52, "Observation/o1")))
    here.post(notification("handshake", so_far=0))
    here.post(events((1, "Observation/o1"), so_far=1))
    assert here.room.subscriptions.missing("lab") == 0


@pytest.mark.parametrize("numbering", ["bundle", "none"])
def test_t83_numbers_that_begin_anew_in_every_bundle_raise_no_alarm(
    tmp_path: Path, library: Library, numbering: str
) -> None:
    with world(tmp_path, library, f'numbering = "{numbering}"\n') as here:
        here.expect()
        for bundle in range(5):
            first, second = f"Observation/a{bundle}", f"Observation/b{bundle}"
            here.post(events((1, first), (2, second), so_far=2))
        here.post(events((9, "Observation/c")))
        assert here.room.subscriptions.missing("lab") == 0
        assert len(here.room.store.waiting()) == 11


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
    assert ready(here) == {"status": "ready", "checks": ["events"]}
    assert here.fhir.calls == []

    here.clock.pass_(seconds=2)
    assert ready(here) == {
        "status": "degraded",
        "degraded": ["events"],
        "causes": {"events": ["subscription"]},
        "checks": ["events"],
    }
    here.care()
    assert here.fhir.count("$status") == 1
    assert ready(here)["status"] == "ready"  # it says that it is well


def test_t81_silence_goes_on_while_nothing_is_heard(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    here.clock.pass_(minutes=5)
    here.care()
    assert ready(here)["status"] == "degraded"
    here.post(notification("heartbeat", so_far=0))
    assert ready(here)["status"] == "ready"


def test_t81_silence_is_a_metric_too(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    assert 'cds_event_subscriptions{source="lab",state="silent"} 0.0' in metrics(here)
    here.clock.pass_(minutes=5)
    assert 'cds_event_subscriptions{source="lab",state="silent"} 1.0' in metrics(here)


def test_readiness_names_all_that_an_operator_should_look_at(here: World) -> None:
    here.notify("o1")
    with here.room.database.writing() as connection:
        connection.execute(event_work.update().values(dead=True))
    here.clock.pass_(minutes=1)
    here.notify("o2")
    (state,) = here.room.subscriptions.of("lab")
    here.room.subscriptions.set_status(state, "error")
    here.clock.pass_(minutes=14)
    assert ready(here)["causes"] == {"events": ["set-aside", "subscription"]}
    here.clock.pass_(minutes=2)
    assert ready(here)["causes"] == {"events": ["backlog", "set-aside", "subscription"]}


def metrics(here: World) -> str:
    return str(here.web.get("/metrics").get_data(as_text=True))


def test_t90_a_subscription_that_failed_is_an_alarm_and_left_to_people(here: World) -> None:
    here.expect()
    assert here.post(notification("event-notification", status="error")).status_code == 200
    assert ready(here)["status"] == "degraded"
    assert 'cds_event_subscriptions{source="lab",state="broken"} 1.0' in metrics(here)
    here.care()
    assert here.fhir.calls == []


def test_t90_where_configured_it_is_switched_on_again_after_catching_up(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off", "error": "x"})
        here.fhir.put(observation())
        here.post(notification("heartbeat", status="off"))
        here.care()
        methods = [method for method, _path in here.fhir.calls]
        assert methods == ["GET", "GET", "PUT"]
        assert "_lastUpdated" in here.fhir.calls[0][1]
        subscription = here.fhir.resources["Subscription/s1"]
        assert subscription["status"] == "requested"
        assert "error" not in subscription
        assert ways(here) == {"recovered"}
        here.care()
        assert len(here.fhir.calls) == 3


def told(capsys: pytest.CaptureFixture[str], code: str) -> int:
    """How many lines of this code were logged since the last look."""
    lines = capsys.readouterr().err.splitlines()
    return sum(json.loads(line)["code"] == code for line in lines)


def rounds(here: World, **time: float) -> None:
    """As many rounds as there are in so much time, one every five seconds."""
    end = here.clock() + timedelta(**time)
    while here.clock() < end:
        here.care()
        here.clock.pass_(seconds=5)


def test_t90_a_failure_is_told_when_it_begins_and_then_once_an_hour(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect()
    here.post(notification("heartbeat", status="off"))
    here.care()
    assert told(capsys, BROKEN) == 1
    rounds(here, minutes=59)
    assert told(capsys, BROKEN) == 0
    rounds(here, hours=3)
    assert told(capsys, BROKEN) == 3


def test_t90_a_failure_after_better_times_is_told_at_once(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect()
    for _ in range(2):
        here.post(notification("heartbeat", status="error"))
        rounds(here, minutes=1)
        assert told(capsys, BROKEN) == 1
        here.post(notification("heartbeat"))
        rounds(here, minutes=1)
        assert told(capsys, BROKEN) == 0


def test_t90_a_refused_new_beginning_is_tried_less_and_less_often(
    tmp_path: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.post(notification("heartbeat", status="off"))
        here.fhir.broken = 403
        rounds(here, minutes=15)
        tries = here.fhir.count("_lastUpdated")
        assert tries == 4, "at once, then after 1, 3 and 7 minutes"
        rounds(here, hours=6)
        assert here.fhir.count("_lastUpdated") - tries == 6 * 4
        assert told(capsys, BROKEN) == 7


def test_t90_one_that_fails_again_as_soon_as_it_is_switched_on_is_not_switched_on_for_ever(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
        end = here.clock() + timedelta(minutes=15)
        while here.clock() < end:
            here.post(notification("heartbeat", status="error"))
            rounds(here, seconds=10)
        assert sum(method == "PUT" for method, _path in here.fhir.calls) == 4


def test_t90_each_try_looks_for_what_changed_since_the_one_before(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.fhir.broken = 403
        tried = here.clock()
        pauses = []
        for _ in range(60):  # the server goes on to say that it is off: a sign of life each time
            here.post(notification("heartbeat", status="off"))
            here.care()
            for since in searches(here):
                assert since < tried
                pauses.append(here.clock() - tried)
                tried = here.clock()
            here.clock.pass_(minutes=1)
        assert max(pauses) == timedelta(minutes=15)


def searches(here: World) -> list[datetime]:
    """From when on the searches reached that were made since the last look."""
    queries = [parse_qs(urlsplit(path).query) for _method, path in here.fhir.calls]
    here.fhir.calls.clear()
    begins = [begin for query in queries for begin in query.get("_lastUpdated", [])]
    return [datetime.fromisoformat(begin.removeprefix("ge")) for begin in begins]


def test_t81_a_silent_server_is_asked_less_and_less_often_and_told_of_once_an_hour(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(heartbeat_seconds=60)
    here.clock.pass_(minutes=3)
    rounds(here, minutes=15)
    assert here.fhir.count("$status") == 4
    assert told(capsys, SILENT) == 1
    rounds(here, hours=6)
    assert here.fhir.count("$status") == 4 + 6 * 4
    assert told(capsys, SILENT) == 6


def test_t90_what_is_no_subscription_is_not_written_back_as_one(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.post(notification("heartbeat", status="off"))
        here.fhir.operations["Subscription/s1"] = lambda _query: {"resourceType": "Binary"}
        here.care()
        assert here.fhir.count("Subscription/s1") == 1
        assert here.fhir.writes.total() == 0


def test_a_silent_server_that_says_that_it_gave_up_is_mended_without_waiting(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect(heartbeat_seconds=60)
        here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
        here.clock.pass_(minutes=3)
        rounds(here, minutes=5)
        here.post(notification("heartbeat", status="off"))
        here.care()
        assert here.fhir.resources["Subscription/s1"]["status"] == "requested"


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
    rounds(here, minutes=15)
    here.care()
    assert (ready(here)["status"], told(capsys, SILENT)) == ("ready", 0)
    rounds(here, minutes=15)
    assert (ready(here)["status"], told(capsys, SILENT)) == ("degraded", 1)
    assert here.fhir.count("Subscription/s1") == 4, "at once, then after 1, 3 and 7 minutes"
    here.post(notification("handshake", so_far=0))
    assert ready(here)["status"] == "ready"


def test_one_without_a_topic_is_switched_on_without_a_word_and_raises_no_alarm(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(status="requested")
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    rounds(here, hours=3)
    assert (ready(here)["status"], told(capsys, SILENT)) == ("ready", 0)
    (state,) = here.room.subscriptions.of("lab")
    assert state.status == "active"
    assert here.fhir.count("Subscription/s1") == 11, "then once in each quarter of an hour"


@pytest.mark.parametrize("status", ["error", "off", "entered-in-error"])
def test_one_without_a_topic_that_its_server_switched_off_is_an_alarm_within_minutes(
    here: World, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    classic(here, "active")
    rounds(here, minutes=20)
    assert (ready(here)["status"], told(capsys, BROKEN)) == ("ready", 0)
    classic_there(here, status)
    rounds(here, minutes=16)
    assert (ready(here)["status"], told(capsys, BROKEN)) == ("degraded", 1)


def test_one_without_a_topic_that_its_server_no_longer_has_is_an_alarm_too(here: World) -> None:
    classic(here, "active")
    del here.fhir.resources["Subscription/s1"]
    rounds(here, minutes=16)
    assert ready(here)["causes"] == {"events": ["subscription"]}


def test_one_that_was_switched_on_again_over_there_is_no_alarm_any_more(here: World) -> None:
    classic(here, "off")
    rounds(here, minutes=16)
    assert ready(here)["status"] == "degraded"
    classic_there(here, "active")
    rounds(here, minutes=16)
    assert ready(here)["status"] == "ready"


def test_what_changed_while_it_was_off_is_searched_for_once_it_is_on_again_over_there(
    here: World,
) -> None:
    classic(here, "active")
    rounds(here, minutes=20)
    classic_there(here, "off")
    rounds(here, minutes=16)
    here.fhir.put(observation("o1"))
    classic_there(here, "active")
    here.fhir.broken = 503
    rounds(here, minutes=16)
    assert ready(here)["status"] == "degraded"
    here.fhir.broken = 0
    rounds(here, minutes=16)
    assert ready(here)["status"] == "ready"
    assert ways(here) == {"recovered"}
    assert len(searches(here)) == 1


def test_one_without_a_topic_is_begun_anew_where_the_registry_says_so(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        classic(here, "active")
        rounds(here, hours=2)
        classic_there(here, "error")
        here.fhir.calls.clear()
        failed_at = here.clock()
        rounds(here, minutes=16)
        assert here.fhir.resources["Subscription/s1"]["status"] == "requested"
        (since,) = searches(here)
        assert failed_at - timedelta(minutes=90) < since < failed_at - timedelta(hours=1)


def test_what_changed_while_no_worker_ran_is_searched_for_from_when_it_was_last_at_work(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        classic(here, "active")
        stopped_at = here.clock()
        here.clock.pass_(hours=5)
        classic_there(here, "off")
        rounds(here, minutes=1)
        (since,) = searches(here)
        assert since < stopped_at


def test_one_that_cannot_be_read_stays_as_it_was_and_is_not_asked_after_more_often(
    here: World,
) -> None:
    classic(here, "active")
    here.fhir.broken = 403
    rounds(here, hours=1, minutes=5)
    assert ready(here)["status"] == "ready"
    assert here.fhir.count("Subscription/s1") == 4


def test_one_that_another_process_has_read_is_not_read_again(here: World) -> None:
    classic(here, "active")
    another = replace(here.workshop.caretaker, troubles=Troubles())
    end = here.clock() + timedelta(hours=1, minutes=5)
    while here.clock() < end:
        here.care()
        another.look_after_all()
        here.clock.pass_(seconds=5)
    assert here.fhir.count("Subscription/s1") == 4


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
        rounds(here, minutes=10)
    assert here.fhir.calls == []


def classic(here: World, status: str) -> None:
    """A subscription without a topic, which was active when it was made."""
    here.expect()
    classic_there(here, status)


def classic_there(here: World, status: str) -> None:
    """What its server makes of it, without a word to us."""
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": status})


def test_one_that_its_server_did_not_want_to_switch_on_has_failed(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(status="requested")
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "error"})
    rounds(here, minutes=16)
    assert (told(capsys, BROKEN), ready(here)["status"]) == (1, "degraded")


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
    assert 'cds_event_subscriptions{source="lab",state="sound"} 1.0' in metrics(here)


def test_one_that_was_entered_in_error_has_failed(here: World) -> None:
    here.expect()
    here.post(notification("heartbeat", status="entered-in-error"))
    assert 'cds_event_subscriptions{source="lab",state="broken"} 1.0' in metrics(here)


def test_after_it_was_asked_for_anew_a_server_has_time_to_switch_it_on(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "off"})
        here.post(notification("heartbeat", status="off"))
        here.fhir.broken = 503
        rounds(here, hours=2)
        here.fhir.broken = 0
        rounds(here, minutes=14)
        assert here.fhir.resources["Subscription/s1"]["status"] == "requested"
        assert ready(here)["status"] == "ready"


def test_two_gaps_far_apart_cost_no_more_than_what_is_missing(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(next_number=1)
    asked: list[dict[str, list[str]]] = []

    def one_of_them(query: dict[str, list[str]]) -> Any:
        asked.append(query)
        return events((2, "Observation/o2"), kind="query-event")

    here.fhir.operations["Subscription/s1/$events"] = one_of_them
    far = 10**17
    for number in (1, 3, far):
        here.post(events((number, "Patient/p1")))
    missing = here.room.subscriptions.missing("lab")
    assert missing == 1_000, "the one, and the newest of the others"
    here.clock.pass_(seconds=31)
    here.care()
    assert asked == [{"eventsSinceNumber": ["2"], "eventsUntilNumber": [f"{far - 1}"]}]
    assert here.fhir.count("_lastUpdated=ge") == 1, "not all of them came, so they are searched for"
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["missing"] for line in lines if line["code"] == GAP] == [missing]
