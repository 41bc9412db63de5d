"""The clock of this machine went ahead for a while, and then was set right: nothing is lost."""

from __future__ import annotations

from datetime import timedelta

from cds_service.events.worker import OVERLAP
from cds_service.store.work_item import Ending, Searched
from tests.event_world import World, notification, observation
from tests.unit.events.watching import classic, classic_there, searches

AHEAD = timedelta(hours=2)


def searched_while_the_clock_was_ahead(here: World) -> None:
    here.clock.at += AHEAD
    here.something_has_changed()
    here.work()
    here.clock.at -= AHEAD
    here.fhir.calls.clear()


def test_clocks_that_differ_by_seconds_do_not_make_a_search_go_back_to_the_first_notification(
    here: World,
) -> None:
    here.post()
    here.clock.pass_(hours=1)
    ahead = here.clock() + timedelta(seconds=30)
    (first,) = here.room.store.claim(here.clock())
    here.post()
    done = Searched(first.first_received, until=ahead)
    assert here.room.store.finish(first, here.clock(), searched=done) is Ending.AGAIN
    here.work()
    (begin,) = searches(here)
    assert abs(here.clock() - OVERLAP - begin) < timedelta(seconds=1)


def evaluated(here: World) -> int:
    return len(here.evaluated())


def test_what_changes_before_the_clock_has_come_so_far_again_is_found(here: World) -> None:
    searched_while_the_clock_was_ahead(here)
    here.fhir.put(observation("o1"))
    here.something_has_changed()
    here.work()
    assert evaluated(here) == 1


def test_what_nobody_told_of_since_is_found_by_the_search_after(here: World) -> None:
    searched_while_the_clock_was_ahead(here)
    here.something_has_changed()
    here.work()
    here.fhir.put(observation("o1"))
    here.clock.pass_(minutes=20)
    here.something_has_changed()
    here.work()
    assert evaluated(here) == 1


def test_a_subscription_that_was_off_and_works_again_is_searched_from_before_now(
    here: World,
) -> None:
    here.clock.at += AHEAD
    here.expect(status="off")
    here.clock.at -= AHEAD
    here.post(notification("heartbeat"))
    here.clock.pass_(seconds=2)
    here.work()
    (begin,) = searches(here)
    assert begin <= here.clock() - timedelta(hours=1)


def test_a_silence_is_noticed_before_the_clock_has_come_so_far_again(here: World) -> None:
    here.clock.at += AHEAD
    here.expect(heartbeat_seconds=60)
    here.clock.at -= AHEAD
    here.clock.pass_(minutes=5)
    here.care()
    assert here.fhir.count("$status") == 1
    assert here.ready()["causes"] == {"events": ["subscription"]}


def test_one_without_heartbeats_is_read_before_the_clock_has_come_so_far_again(
    here: World,
) -> None:
    here.clock.at += AHEAD
    classic(here, "active")
    here.clock.at -= AHEAD
    here.fhir.put(observation("o1"))
    here.care()
    (begin,) = searches(here)
    assert begin <= here.clock() - timedelta(hours=1), "it may have missed some"
    here.work()
    classic_there(here, "off")
    here.rounds(minutes=16)
    assert here.ready()["causes"] == {"events": ["subscription"]}
