"""A data key that was changed while events waited: nobody can open those, and the others go on."""

from __future__ import annotations

from datetime import timedelta

from cds_service.events.worker import BATCH
from cds_service.store.events import EventStore
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.work_item import Kind, Target, Way
from tests.event_world import World, observation


def wait_under_a_former_key(here: World, *ids: str) -> None:
    """Events that came in before the data key was changed."""
    key = DataKey.random()
    before = EventStore(here.room.database, key, Pseudonymiser(key))
    targets = [Target(Kind.OBSERVATION, each) for each in ids]
    before.add("lab", targets, Way.NOTIFIED, here.clock() - timedelta(minutes=1))


def test_an_event_under_a_former_key_is_set_aside_and_the_next_one_is_evaluated(
    here: World,
) -> None:
    wait_under_a_former_key(here, "old")
    here.comes(observation("o1"))
    assert here.work() == 1
    assert len(here.evaluated()) == 1
    (row,) = here.room.store.waiting()
    assert (row.dead, row.cause) == (True, "other-data-key")
    assert here.web.get("/health/ready").get_json()["status"] == "degraded"


def test_more_of_them_than_a_worker_takes_at_once_hold_nobody_up(here: World) -> None:
    wait_under_a_former_key(here, *(f"old-{number}" for number in range(2 * BATCH + 1)))
    here.comes(observation("o1"))
    assert here.work() == 1
    assert len(here.room.store.waiting(dead_only=True)) == 2 * BATCH + 1


def test_the_same_result_notified_after_the_change_is_new_work(here: World) -> None:
    wait_under_a_former_key(here, "o1")
    here.comes(observation("o1"))
    assert here.work() == 1
    (row,) = here.room.store.waiting()
    assert row.dead


def test_a_worker_with_the_former_key_can_still_take_it_when_it_is_given_another_turn(
    here: World,
) -> None:
    key = DataKey.random()
    before = EventStore(here.room.database, key, Pseudonymiser(key))
    before.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, here.clock())
    assert here.work() == 0
    before.revive([], here.clock())
    (claimed,) = before.claim(here.clock())
    assert claimed.target == Target(Kind.OBSERVATION, "o1")
