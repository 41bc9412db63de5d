"""What we wrote is found by its tag; some servers do not know `_tag`, and refuse or ignore it.

A server that ignores it answers a search with everything of the type, and a conditional create with
whatever is there (https://hl7.org/fhir/R4/http.html#ccreate).
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest

from cds_service.events.faults import MOST_ATTEMPTS
from tests.event_world import World, observation
from tests.little_fhir import Json, LittleFhir, refusing

KINDS = ("DetectedIssue", "GuidanceResponse")


def ignore_tags_in_searches(fhir: LittleFhir) -> None:
    def everything(kind: str, _query: object) -> Json:
        entries = [{"resource": each} for each in fhir.of(kind)]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    for kind in KINDS:
        fhir.operations[kind] = partial(everything, kind)


def ignore_tags_of_creates(monkeypatch: pytest.MonkeyPatch) -> None:
    search = LittleFhir._search

    def ignoring(fhir: LittleFhir, kind: str, query: str) -> Json:
        return search(fhir, kind, "" if "_tag" in parse_qs(query) else query)

    monkeypatch.setattr(LittleFhir, "_search", ignoring)


def process(here: World, name: str, **changes: Any) -> int:
    here.fhir.put(observation(name, **changes))
    here.notify(name)
    return here.work()


def try_until_it_is_set_aside(here: World) -> None:
    for _ in range(MOST_ATTEMPTS):
        here.work()
        here.clock.pass_(minutes=10)


def test_where_a_search_shows_everything_only_what_is_of_the_result_is_changed(
    writing: World,
) -> None:
    ignore_tags_in_searches(writing.fhir)
    assert process(writing, "o1") == process(writing, "o2") == 1
    assert process(writing, "o1", status="entered-in-error") == 1
    told = {each["status"] for each in writing.fhir.of("DetectedIssue")}
    assert told == {"final", "entered-in-error"}
    assert len(writing.fhir.of("DetectedIssue")) == len(writing.fhir.of("GuidanceResponse")) == 2


def test_an_answer_that_was_not_written_since_another_is_there_is_not_taken_for_written(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignore_tags_of_creates(monkeypatch)
    assert process(writing, "o1") == 1
    assert process(writing, "o2") == 0
    try_until_it_is_set_aside(writing)
    (row,) = writing.room.store.waiting(dead_only=True)
    assert row.cause == "write-back: not-fhir"
    assert len(writing.fhir.of("DetectedIssue")) == 1


def test_an_answer_that_was_there_and_not_yet_found_is_written_once(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker died before its record; its server's index is late, its conditional creates not."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(writing.room.store), "finish", die)
        with pytest.raises(KeyboardInterrupt):
            process(writing, "o1")
    search, late = LittleFhir._search, [*KINDS]

    def searching(fhir: LittleFhir, kind: str, query: str) -> Json:
        if kind in late and "_count" in query:
            late.remove(kind)
            return {"resourceType": "Bundle", "type": "searchset"}
        return search(fhir, kind, query)

    monkeypatch.setattr(LittleFhir, "_search", searching)
    writing.clock.pass_(minutes=6)
    assert writing.work() == 1
    assert late == []
    assert len(writing.fhir.of("DetectedIssue")) == len(writing.fhir.of("GuidanceResponse")) == 1


def test_a_server_that_refuses_the_search_is_told_of(writing: World) -> None:
    for kind in KINDS:
        writing.fhir.operations[kind] = refusing(400)
    assert process(writing, "o1") == 0
    try_until_it_is_set_aside(writing)
    (row,) = writing.room.store.waiting(dead_only=True)
    assert row.cause == "write-back: status-4xx"
    assert writing.fhir.of("DetectedIssue") == []


@pytest.mark.parametrize("status", ["corrected", "entered-in-error"])
def test_what_was_done_only_in_part_is_not_taken_for_done(
    writing: World, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """A server that takes a transaction for a batch answers 200, and has not changed the issue."""
    assert process(writing, "o1") == 1
    carry_out = LittleFhir._entry

    def in_part(fhir: LittleFhir, entry: Json) -> Json:
        if entry["request"]["url"].startswith("DetectedIssue/"):
            return {"response": {"status": "409 Conflict"}}
        return carry_out(fhir, entry)

    with monkeypatch.context() as patch:
        patch.setattr(LittleFhir, "_entry", in_part)
        assert process(writing, "o1", value=12000, status=status) == 0
    (row,) = writing.room.store.waiting()
    assert row.cause == "write-back: not-fhir"
    writing.clock.pass_(minutes=10)
    assert writing.work() == 1
    issue = writing.only("DetectedIssue")
    told = (issue["status"], "12000" in issue["code"]["text"])
    assert told == (("final", True) if status == "corrected" else ("entered-in-error", False))
