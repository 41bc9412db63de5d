"""A server that is slow to answer, and says more by itself before it has answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import World, notification, world

ACTIVE = {"resourceType": "Subscription", "id": "s1", "status": "active"}


def spoken_before_it_answers(here: World, operation: str, answer: Any, *said: Any) -> None:
    """Its answer is on the way while these notifications arrive."""

    def slowly(_query: object) -> Any:
        here.clock.pass_(seconds=10)
        for each in said:
            assert here.post(each).status_code == 200
        return answer

    here.fhir.operations[operation] = slowly


def status(here: World) -> str:
    (state,) = here.room.subscriptions.of("lab")
    return state.status


@pytest.mark.parametrize("before", ["active", "error"])
def test_one_that_fails_while_it_is_read_as_active_has_failed(here: World, before: str) -> None:
    here.expect(status=before)
    failed = notification("heartbeat", status="error")
    spoken_before_it_answers(here, "Subscription/s1", ACTIVE, failed)
    here.clock.pass_(minutes=16)
    here.care()
    assert here.fhir.count("Subscription/s1") == 1
    assert status(here) == "error"


def test_one_that_fails_while_it_is_asked_after_has_failed(here: World) -> None:
    here.expect(heartbeat_seconds=60)
    answer = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": notification("query-status")["entry"],
    }
    failed = notification("heartbeat", status="error")
    spoken_before_it_answers(here, "Subscription/s1/$status", answer, failed)
    here.clock.pass_(minutes=3)
    here.care()
    assert here.fhir.count("$status") == 1
    assert status(here) == "error"


def test_one_that_is_at_work_again_while_it_is_to_be_switched_on_is_at_work(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, "reactivate = true\n") as here:
        here.expect()
        here.post(notification("heartbeat", status="off"))
        off = {**ACTIVE, "status": "off"}
        works = notification("heartbeat", subscription="s1")
        spoken_before_it_answers(here, "Subscription/s1", off, works)
        here.care()
        assert here.fhir.writes["Subscription/s1"] == 1
        assert status(here) == "active"
