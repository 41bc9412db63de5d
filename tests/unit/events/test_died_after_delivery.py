"""A worker that dies after it has delivered an answer and before that was recorded: what is on the
server then stands in no record, and is taken back all the same when the result no longer holds.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.event_world import (
    ANOTHER_TEST,
    LOINC,
    World,
    a_result,
    containing,
    dies,
    in_csf,
    observation,
)
from tests.little_fhir import Refuse


def delivered(here: World, monkeypatch: pytest.MonkeyPatch, resource: Any) -> None:
    """An answer to it is delivered, and its worker dies."""
    here.comes(resource)
    dies(here, monkeypatch)


def stand(here: World) -> list[str]:
    """The status of each answer on the server."""
    here.clock.pass_(minutes=6)
    here.work()
    return [each["status"] for each in here.fhir.of("DetectedIssue")]


def test_a_result_that_is_withdrawn_meanwhile_is_taken_back(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(writing, monkeypatch, observation())
    writing.fhir.put(observation(status="entered-in-error"))
    assert stand(writing) == ["entered-in-error"]
    (kept,) = writing.records()
    assert kept.reasons == ("status-withdrawn",), "it is told that a card no longer holds"


def test_a_result_that_is_deleted_meanwhile_is_taken_back(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(writing, monkeypatch, observation())
    del writing.fhir.resources["Observation/o1"]
    assert stand(writing) == ["entered-in-error"]
    assert len(writing.records()) == 1


def test_a_result_that_is_of_another_test_by_now_is_taken_back(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(writing, monkeypatch, observation())
    another = {"coding": [{"system": LOINC, "code": ANOTHER_TEST}]}
    writing.fhir.put(observation(code=another))
    assert stand(writing) == ["entered-in-error"]


def test_a_panel_that_holds_fewer_results_by_now_keeps_no_card_too_many(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(writing, monkeypatch, containing("Observation", a_result("blood"), in_csf()))
    writing.fhir.put(containing("Observation", a_result("blood")))
    assert sorted(stand(writing)) == ["entered-in-error", "final"]


def test_what_was_set_aside_after_its_workers_died_is_taken_back_once_it_is_revived(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.comes(observation())
    for _ in range(5):
        dies(writing, monkeypatch)
        writing.clock.pass_(minutes=6)
    writing.work()
    assert writing.set_aside() == ["worker-lost"]
    writing.fhir.put(observation(status="entered-in-error"))
    writing.room.store.revive([], writing.clock())
    assert stand(writing) == ["entered-in-error"]


def test_the_first_try_asks_for_nothing_more_than_it_did(writing: World) -> None:
    writing.arrives(observation())
    assert writing.fhir.count("DetectedIssue?") == 1


def test_whoever_is_stopped_while_taking_back_leaves_nothing_standing_behind_a_gap(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cards of one panel that was deleted; the server refuses the second of the two calls."""
    delivered(writing, monkeypatch, containing("Observation", a_result("blood"), in_csf()))
    del writing.fhir.resources["Observation/both"]
    real, calls = writing.fhir._answer, count(1)

    def refuse_the_second(method: str, path: str, query: str, body: bytes) -> Any:
        if method == "POST" and not path and next(calls) == 2:
            raise Refuse(503)
        return real(method, path, query, body)

    with monkeypatch.context() as patch:
        patch.setattr(writing.fhir, "_answer", refuse_the_second)
        assert sorted(stand(writing)) == ["entered-in-error", "final"]
    assert stand(writing) == ["entered-in-error"] * 2


def test_what_another_worker_has_just_delivered_is_found_and_is_no_fault(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease had run out, and it was slow: nothing stood when this one looked."""
    one_after_the_other = writing.fhir._transaction

    def of_both(bundle: Any) -> Any:
        one_after_the_other(bundle)
        return one_after_the_other(bundle)

    monkeypatch.setattr(writing.fhir, "_transaction", of_both)
    writing.arrives(observation())
    assert writing.causes() == []
    assert writing.only("DetectedIssue")["status"] == "final"
