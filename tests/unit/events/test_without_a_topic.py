"""A subscription without a topic says nothing of itself: it is read now and then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.events.troubles import Troubles
from tests.event_world import World, observation
from tests.unit.events.watching import BROKEN, SILENT, classic, classic_there, searches, told


def test_one_without_a_topic_is_switched_on_without_a_word_and_raises_no_alarm(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    here.expect(status="requested")
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": "active"})
    here.rounds(hours=3)
    assert (here.ready()["status"], told(capsys, SILENT)) == ("ready", 0)
    (state,) = here.room.subscriptions.of("lab")
    assert state.status == "active"
    assert here.fhir.count("Subscription/s1") == 11, "then once in each quarter of an hour"


@pytest.mark.parametrize("status", ["error", "off", "entered-in-error"])
def test_one_without_a_topic_that_its_server_switched_off_is_an_alarm_within_minutes(
    here: World, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    classic(here, "active")
    here.rounds(minutes=20)
    assert (here.ready()["status"], told(capsys, BROKEN)) == ("ready", 0)
    classic_there(here, status)
    here.rounds(minutes=16)
    assert (here.ready()["status"], told(capsys, BROKEN)) == ("degraded", 1)


def test_one_without_a_topic_that_its_server_no_longer_has_is_an_alarm_too(here: World) -> None:
    classic(here, "active")
    del here.fhir.resources["Subscription/s1"]
    here.rounds(minutes=16)
    assert here.ready()["causes"] == {"events": ["subscription"]}


def test_one_that_was_switched_on_again_over_there_is_no_alarm_any_more(here: World) -> None:
    classic(here, "off")
    here.rounds(minutes=16)
    assert here.ready()["status"] == "degraded"
    classic_there(here, "active")
    here.rounds(minutes=16)
    assert here.ready()["status"] == "ready"


def test_what_changed_while_it_was_off_is_searched_for_once_it_is_on_again_over_there(
    here: World,
) -> None:
    classic(here, "active")
    here.rounds(minutes=20)
    classic_there(here, "off")
    here.rounds(minutes=16)
    here.fhir.put(observation("o1"))
    classic_there(here, "active")
    here.fhir.broken = 503
    here.rounds(minutes=16)
    assert here.ready()["status"] == "degraded"
    here.fhir.broken = 0
    here.rounds(minutes=16)
    assert here.ready()["status"] == "ready"
    assert here.ways() == {"recovered"}
    assert len(searches(here)) == 1


def test_one_that_cannot_be_read_stays_as_it_was_and_is_not_asked_after_more_often(
    here: World,
) -> None:
    classic(here, "active")
    here.fhir.broken = 403
    here.rounds(hours=1, minutes=5)
    assert here.ready()["status"] == "ready"
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
