"""A search for what has changed whose answer says of itself that it may not be all.

What it shows is worked on at once. What it may not have shown is searched for again, from the same
moment, a limited number of times, and then an operator is told.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from cds_service.events.evaluation import Evaluator
from cds_service.events.faults import MOST_ATTEMPTS
from cds_service.store.work_item import SWEEP, Ending, Kind, Searched, Target, Way
from tests.event_world import World, events, observation
from tests.little_fhir import Json

Captured = pytest.CaptureFixture[str]
LATER, SET_ASIDE = "CDS-L402", "CDS-L403"


def warning(code: str) -> Json:
    issue = {"severity": "warning", "code": code}
    return {
        "resource": {"resourceType": "OperationOutcome", "issue": [issue]},
        "search": {"mode": "outcome"},
    }


def says(here: World, **members: Any) -> None:
    """From now on searches for what has changed find what there is, and say this beside."""

    def answer(query: dict[str, list[str]]) -> Json:
        found = here.fhir._search("Observation", urlencode(query, doseq=True))
        if "_lastUpdated" not in query:
            return found
        return {**found, **members, "entry": [*found["entry"], *members.get("entry", ())]}

    here.fhir.operations["Observation"] = answer


def says_nothing_more(here: World) -> None:
    del here.fhir.operations["Observation"]


def began_at(here: World) -> list[str]:
    """From when on each search looked."""
    searches = [path for _method, path in here.fhir.calls if "_lastUpdated=ge" in path]
    return [path.partition("_lastUpdated=ge")[2].partition("&")[0] for path in searches]


def reads(here: World, id_: str) -> int:
    return sum(path == f"/fhir/Observation/{id_}" for _method, path in here.fhir.calls)


def logged(capsys: Captured) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [
        (line["code"], line["kind"], line["cause"])
        for line in lines
        if line["code"] in (LATER, SET_ASIDE)
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"entry": [warning("incomplete")]},
        {"entry": [warning("timeout")]},
        {"entry": [warning("throttled")]},
        {"entry": [warning("transient")]},
        {"total": 2},
    ],
    ids=["incomplete", "timeout", "throttled", "transient", "total"],
)
def test_what_such_a_search_shows_is_evaluated_and_what_it_may_hide_is_searched_for_again(
    here: World, capsys: Captured, members: dict[str, Any]
) -> None:
    here.fhir.put(observation("o1"))
    says(here, **members)
    here.something_has_changed()
    here.work()
    assert len(here.records()) == 1
    (row,) = here.room.store.waiting()
    assert (row.kind, row.cause, row.dead) == ("Sweep", "search: incomplete", False)
    assert logged(capsys) == [(LATER, "Sweep", "search: incomplete")]

    says_nothing_more(here)
    here.fhir.put(observation("o2"))
    here.clock.pass_(minutes=8)
    here.work()
    assert len(here.evaluated()) == 2
    first, second = began_at(here)
    assert first == second, "it looks again from where it looked before"
    assert here.room.store.waiting() == ()


@pytest.mark.parametrize("members", [{"entry": [warning("suppressed")]}, {"total": 1}])
def test_what_a_server_may_not_show_and_a_total_that_is_there_leave_nothing_open(
    here: World, members: dict[str, Any]
) -> None:
    here.fhir.put(observation("o1"))
    says(here, **members)
    here.something_has_changed()
    here.work()
    assert here.room.store.waiting() == ()
    assert len(here.evaluated()) == 1


def test_it_is_tried_eight_times_then_set_aside_and_readiness_says_so(
    here: World, capsys: Captured
) -> None:
    here.fhir.put(observation("o1"))
    says(here, total=2)
    here.something_has_changed()
    here.try_in_vain()
    here.try_in_vain()
    assert here.fhir.count("_lastUpdated=ge") == MOST_ATTEMPTS
    told = [code for code, *_ in logged(capsys)]
    assert told == [LATER] * (MOST_ATTEMPTS - 1) + [SET_ASIDE]
    assert here.set_aside() == ["search: incomplete"]
    assert here.ready()["causes"] == {"events": ["set-aside"]}


def test_however_often_it_is_tried_a_result_is_read_once_in_each_version(here: World) -> None:
    here.fhir.put(observation("o1"))
    says(here, total=9)
    for _ in range(3):
        here.something_has_changed()
        here.try_in_vain()
    assert here.fhir.count("_lastUpdated=ge") == 3 * MOST_ATTEMPTS
    assert reads(here, "o1") == 1

    here.fhir.put(observation("o1", status="corrected", value=12000))
    here.something_has_changed()
    here.try_in_vain()
    assert reads(here, "o1") == 2
    assert len(here.evaluated()) == 2


def test_a_new_notification_looks_again_from_the_same_moment_until_an_answer_is_whole(
    here: World,
) -> None:
    here.something_has_changed()
    here.work()
    says(here, total=1)
    for _ in range(2):
        here.clock.pass_(hours=3)
        here.something_has_changed()
        here.try_in_vain()
    _whole, *in_vain = began_at(here)
    assert len(set(in_vain)) == 1
    says_nothing_more(here)
    here.something_has_changed()
    here.work()
    here.something_has_changed()
    here.work()
    *_, caught_up, after = began_at(here)
    assert caught_up == in_vain[0] < after


def test_a_gap_that_such_a_search_should_close_leaves_a_search_to_the_worker(here: World) -> None:
    here.expect(next_number=21)
    here.fhir.put(observation("o2"))
    says(here, total=2)
    here.post(events((23, "Patient/p1")))
    here.clock.pass_(seconds=31)
    here.care()
    assert {row.kind for row in here.room.store.waiting()} == {"Observation", "Sweep"}
    assert here.room.subscriptions.missing("lab") == 0

    says_nothing_more(here)
    here.fhir.put(observation("o1"))
    here.work()
    assert len(here.evaluated()) == 2
    asked_first, asked_again = began_at(here)
    assert asked_again < asked_first


def test_a_search_told_meanwhile_to_go_back_further_does_so_before_anything_is_called_searched(
    here: World,
) -> None:
    here.something_has_changed()
    (claimed,) = here.room.store.claim(here.clock())
    long_ago = here.clock().replace(year=2020)
    here.room.store.sweep_since("lab", long_ago, Way.RECOVERED, here.clock())
    searched = Searched(claimed.first_received, until=here.clock())
    ending = here.room.store.finish(claimed, here.clock(), searched=searched)
    assert ending is Ending.AGAIN
    assert here.room.store.swept_until("lab", otherwise=here.clock()) == long_ago
    (again,) = here.room.store.claim(here.clock())
    assert again.target == SWEEP


def test_notifications_that_never_pause_do_not_make_each_search_begin_where_the_first_one_did(
    here: World,
) -> None:
    """One comes during every search: each is made again, and goes on where the last one ended."""
    here.something_has_changed()
    for _ in range(3):
        (claimed,) = here.room.store.claim(here.clock())
        here.post()
        since = here.room.store.swept_until("lab", otherwise=claimed.first_received)
        searched = Searched(since, until=here.clock())
        ending = here.room.store.finish(claimed, here.clock(), searched=searched)
        assert ending is Ending.AGAIN
        assert here.room.store.swept_until("lab", otherwise=since) == here.clock()
        here.clock.pass_(minutes=1)


def test_a_search_never_goes_back_less_far_than_one_that_is_still_to_come(here: World) -> None:
    store = here.room.store
    long_ago = here.clock().replace(year=2020)
    store.sweep_since("lab", long_ago, Way.RECOVERED, here.clock())
    store.sweep_since("lab", here.clock(), Way.RECOVERED, here.clock())
    assert store.swept_until("lab", otherwise=here.clock()) == long_ago


def test_a_result_that_is_for_one_of_two_analytes_is_not_read_at_each_try_for_the_other(
    here: World,
) -> None:
    here.fhir.put(observation())
    (ours,) = here.workshop.knowledge
    other = replace(ours, identity=ours.identity.model_copy(update={"id": "other"}))
    here.notify("o1")
    here.work()
    store, pseudonyms = here.room.store, here.room.pseudonyms
    about = "lab", Target(Kind.OBSERVATION, "o1"), "1"
    assert Evaluator([ours, other], store, pseudonyms).is_evaluated(*about)
    assert not Evaluator([other], store, pseudonyms).is_evaluated(*about)
