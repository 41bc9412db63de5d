"""Numbers of events that did not come: they are waited for, asked for, and searched for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import World, events, notification, observation, world
from tests.unit.events.watching import GAP


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
    assert here.ways() == {"recovered"}
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
    assert here.ways() == {"recovered"}
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
    assert here.ways() == {"recovered"}


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
    assert here.ways() == {"recovered"}


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


def test_a_gap_between_the_first_numbers_that_are_heard_of_is_one(here: World) -> None:
    here.post(events((700, "Observation/o1"), (702, "Observation/o3"), so_far=702))
    assert here.room.subscriptions.missing("lab") == 1


def test_a_new_handshake_begins_the_numbers_anew(here: World) -> None:
    here.expect(next_number=50)
    here.post(events((52, "Observation/o1")))
    here.post(notification("handshake", so_far=0))
    here.post(events((1, "Observation/o1"), so_far=1))
    assert here.room.subscriptions.missing("lab") == 0


def test_t82_what_was_missing_when_the_numbers_begin_anew_is_searched_for(here: World) -> None:
    """Nobody can be asked for it by its number any more."""
    here.expect(next_number=50)
    here.fhir.put(observation("o50"))
    here.clock.pass_(days=2)
    here.post(events((51, "Patient/p1")))
    here.post(notification("handshake", so_far=0))
    here.clock.pass_(seconds=2)
    here.work()
    (kept,) = here.evaluated()
    assert kept.way == "recovered"


def test_t82_what_was_sent_last_before_the_numbers_begin_anew_is_searched_for(here: World) -> None:
    """If it did not come, no later number tells of it."""
    here.expect(next_number=50)
    here.fhir.put(observation("o50"))
    here.post(notification("handshake", so_far=0))
    here.clock.pass_(seconds=2)
    here.work()
    (kept,) = here.evaluated()
    assert kept.way == "recovered"


@pytest.mark.parametrize(("expected", "so_far"), [(50, 49), (1, 0), (50, None)])
def test_a_handshake_that_fits_the_numbers_or_gives_none_leads_to_no_search(
    here: World, expected: int, so_far: int | None
) -> None:
    here.expect(next_number=expected)
    here.post(notification("handshake", so_far=so_far))
    assert here.room.store.waiting() == ()


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
