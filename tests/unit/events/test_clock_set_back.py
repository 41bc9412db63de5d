"""The clock of this machine went ahead for a while, and then was set right: nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cds_service.events.care import GAP_AGAIN
from cds_service.events.faults import LONGEST_DELAY
from cds_service.events.inbox import SWEEP_DELAY
from cds_service.events.troubles import NextSteps, Troubles
from cds_service.events.worker import OVERLAP
from cds_service.store.due import LONGEST_WAIT
from cds_service.store.event_subscriptions import GAP_WINDOW
from cds_service.store.events import LEASE
from cds_service.store.work_item import Ending, Searched
from tests.event_world import World, events, notification, observation
from tests.subscriptions import subscription
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


def test_a_search_that_was_asked_for_meanwhile_finds_what_changed_before_that(here: World) -> None:
    """The first one of all, and one after a search that was made meanwhile, too."""
    for number in (1, 2):
        here.clock.at += AHEAD
        here.fhir.put(observation(f"o{number}"))
        here.post()
        here.clock.at -= AHEAD
        here.work()
        assert evaluated(here) == number
        searched_while_the_clock_was_ahead(here)


def test_what_a_search_meanwhile_did_not_find_is_found_by_the_next_one(here: World) -> None:
    """It began by a clock that was ahead."""
    here.fhir.put(observation("o1"))
    searched_while_the_clock_was_ahead(here)
    assert evaluated(here) == 0
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


def test_what_was_received_meanwhile_does_not_wait_until_the_clock_has_come_so_far_again(
    here: World,
) -> None:
    here.fhir.put(observation("o1"))
    here.clock.at += AHEAD
    here.notify("o1")
    here.clock.at -= AHEAD
    assert here.room.store.next_due(here.clock()) <= here.clock(), "the pulse looks at this"
    here.work()
    assert evaluated(here) == 1


def test_nor_does_what_failed_or_was_leased_meanwhile(here: World) -> None:
    here.fhir.put(observation("o1"))
    here.fhir.put(observation("o2"))
    here.clock.at += AHEAD
    here.notify("o1")
    here.room.store.claim(here.clock())  # by a worker that died
    here.notify("o2")
    here.clock.at -= AHEAD
    here.work()
    assert evaluated(here) == 2


def test_a_lease_holds_where_clocks_differ_by_minutes(here: World) -> None:
    here.notify("o1")
    here.clock.pass_(minutes=5)
    assert here.room.store.claim(here.clock())
    here.clock.pass_(minutes=-5)
    assert not here.room.store.claim(here.clock())


def test_what_is_missing_is_asked_for_before_the_clock_has_come_so_far_again(here: World) -> None:
    here.fhir.put(observation("o1"))
    here.expect(next_number=1)
    here.clock.at += AHEAD
    here.post(events((2, "Observation/o2")))
    here.clock.at -= AHEAD
    here.care()
    assert here.fhir.count("$events") == 1


def test_one_that_failed_is_tried_and_told_of_before_the_clock_has_come_so_far_again() -> None:
    troubles, at = Troubles(), datetime(2026, 10, 25, 2, tzinfo=UTC)
    failed = replace(subscription(at), status="error")
    both = NextSteps(is_to_be_told=True, is_to_be_tried=True)
    assert troubles.next_steps(failed, at + AHEAD) == both
    assert troubles.next_steps(failed, at) == both
    assert troubles.next_steps(failed, at) == NextSteps()


def test_nothing_is_leased_or_made_to_wait_longer_than_anything_is() -> None:
    waits = (LEASE, 1.5 * LONGEST_DELAY, GAP_WINDOW, GAP_AGAIN, SWEEP_DELAY)
    assert max(waits) < LONGEST_WAIT
