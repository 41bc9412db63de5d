"""Work as the store keeps it: whose turn it is, what a try costs, and what is kept at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from cds_service.store.database import Database
from cds_service.store.event_backlog import NOTHING_DUE, Backlog, Waiting
from cds_service.store.events import LEASE, LEASE_LOST, LEASES_TO_LOSE, EventStore
from cds_service.store.records import Door, EvaluationRecord
from cds_service.store.tables import evaluations, event_work
from cds_service.store.work_item import (
    Claimed,
    Ending,
    Evaluated,
    Kind,
    NeverEvaluated,
    Past,
    Target,
    Way,
)
from tests.kept import KEY, PSEUDONYMS

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOON = NOW + timedelta(seconds=1)
LATER = NOW + timedelta(minutes=10)
O1, O2, O3 = (Target(Kind.OBSERVATION, f"o{number}") for number in (1, 2, 3))


@pytest.fixture
def store(database: Database) -> EventStore:
    return EventStore(database, KEY, PSEUDONYMS)


def notified(store: EventStore, *targets: Target, at: datetime = NOW, source: str = "lab") -> None:
    store.add(source, targets, Way.NOTIFIED, at)


def the_one(store: EventStore, at: datetime = NOW) -> Claimed:
    (claimed,) = store.claim(at, most=8)
    return claimed


def killed_workers(store: EventStore, at: datetime) -> int:
    """How many workers in a row die over what is due, until it is set aside."""
    dead = 0
    while store.claim(at + dead * LEASE):
        dead += 1
    (row,) = store.waiting(dead_only=True)
    assert row.cause == LEASE_LOST
    return dead


def evaluated(version: str = "1", knowledge: str = "sil2r@1", said: int = 1) -> Evaluated:
    """An evaluation whose record has an id that tells which it is."""
    record = EvaluationRecord(
        id=f"{knowledge} of {version}",
        at=NOW,
        door=Door.EVENT,
        service="sil2r-lab-result",
        client="events:lab",
        knowledge=knowledge,
        software="0",
        outcomes=("interpreted",) * said,
    )
    return Evaluated(version, "", record)


def recorded(database: Database) -> list[str]:
    """The ids of all evaluation records, oldest first."""
    with database.reading() as connection:
        return list(connection.scalars(select(evaluations.c.id).order_by(evaluations.c.number)))


# -------------------------------------------------------------------- whose turn it is


def test_what_has_been_due_longest_comes_first_and_no_more_than_was_asked_for(
    store: EventStore,
) -> None:
    notified(store, O1, at=SOON)
    notified(store, O2)
    notified(store, O3, at=LATER)
    assert [each.target for each in store.claim(SOON, most=1)] == [O2]
    assert [each.target for each in store.claim(SOON, most=8)] == [O1]
    assert store.claim(SOON, most=8) == ()
    assert store.next_due(SOON) == SOON + LEASE


def test_what_waits_from_an_earlier_release_can_be_worked_off(
    store: EventStore, database: Database
) -> None:
    notified(store, O1)
    sealed = bytes.fromhex("e6e0c8a447cf27a39f0c01805adf8fb6e6cbd85b15353fbd495475c9220b")
    with database.writing() as connection:
        connection.execute(update(event_work).values(target=sealed))
    assert the_one(store).target == O1


def test_what_is_leased_is_nobody_elses_until_the_lease_has_run_out(store: EventStore) -> None:
    notified(store, O1)
    first = the_one(store)
    assert (first.attempts, first.revision, first.first_received) == (1, 1, NOW)
    assert store.claim(NOW + LEASE - timedelta(seconds=1)) == ()
    second = the_one(store, NOW + LEASE)
    assert (second.attempts, second.revision, second.first_received) == (2, 1, NOW)
    assert second.lease != first.lease


def test_what_waits_to_be_tried_again_keeps_its_turn_when_it_is_notified_again(
    store: EventStore,
) -> None:
    """Else a result that is notified again and again would ask its server without a pause."""
    notified(store, O1)
    store.retry_later(the_one(store), LATER, "read: timeout")
    notified(store, O1, at=SOON)
    assert store.claim(LATER - timedelta(seconds=1)) == ()
    again = the_one(store, LATER)
    assert (again.attempts, again.revision, again.first_received) == (2, 2, NOW)


def test_what_was_set_aside_begins_anew_when_it_is_notified_again(store: EventStore) -> None:
    notified(store, O1)
    store.set_aside(the_one(store), "read: status-403")
    notified(store, O1, at=LATER)
    assert store.claim(LATER - timedelta(seconds=1)) == ()
    again = the_one(store, LATER)
    assert (again.attempts, again.revision) == (1, 2)


def test_of_what_was_set_aside_only_what_was_chosen_begins_anew(store: EventStore) -> None:
    notified(store, O1, O2)
    for claimed in store.claim(NOW, most=8):
        store.set_aside(claimed, "read: status-403")
    assert (store.due(LATER), store.next_due(LATER)) == (0, NOTHING_DUE)
    notified(store, O3, at=LATER)
    chosen, other = store.waiting(dead_only=True)
    assert chosen.cause == other.cause == "read: status-403"
    (waits,) = (row for row in store.waiting() if not row.dead)
    assert (store.count(), store.count(dead_only=True)) == (3, 2)
    assert (store.due(NOW), store.due(LATER), store.next_due(NOW)) == (0, 1, LATER)
    assert store.backlog("lab") == Backlog(waiting=1, dead=2, evaluated=0)
    assert store.revive([chosen.number, waits.number], LATER) == 1
    assert store.waiting(dead_only=True) == (other,)
    (revived,) = store.named([chosen.number])
    assert revived == replace(chosen, dead=False, attempts=0, cause="", due=LATER)
    again = {each.number: each for each in store.claim(LATER, most=8)}
    assert {chosen.number, waits.number} == set(again)
    assert (again[chosen.number].attempts, again[chosen.number].revision) == (1, 2)


@pytest.mark.parametrize("how", ["notified", "revived"])
def test_what_killed_its_workers_may_kill_as_many_when_it_has_another_turn(
    store: EventStore, how: str
) -> None:
    notified(store, O1)
    assert killed_workers(store, NOW) == LEASES_TO_LOSE
    begins = NOW + timedelta(days=1)
    if how == "notified":
        notified(store, O1, at=begins)
    else:
        assert store.revive([], begins) == 1
    assert killed_workers(store, begins) == LEASES_TO_LOSE


def test_what_was_notified_while_it_was_worked_on_is_due_at_once_as_if_it_were_new(
    store: EventStore,
) -> None:
    notified(store, O1)
    store.retry_later(the_one(store), NOW, "read: timeout")
    the_one(store)  # and its worker dies
    claimed = the_one(store, NOW + LEASE)
    notified(store, O1, at=NOW + LEASE)
    assert store.finish(claimed, LATER) is Ending.AGAIN
    (row,) = store.waiting()
    assert (row.attempts, row.due, row.cause, row.dead) == (0, LATER, "", False)
    assert killed_workers(store, LATER) == LEASES_TO_LOSE


def test_what_is_given_back_is_due_at_once_and_costs_no_lease(store: EventStore) -> None:
    notified(store, O1)
    for _ in range(2 * LEASES_TO_LOSE):
        store.give_back(the_one(store), NOW)
    assert killed_workers(store, NOW) == LEASES_TO_LOSE


def test_whoever_lost_the_lease_neither_gives_back_nor_sets_aside(
    store: EventStore, database: Database
) -> None:
    notified(store, O1)
    slow = the_one(store)
    holder = the_one(store, NOW + LEASE)
    store.give_back(slow, NOW)
    store.retry_later(slow, NOW, "read: timeout")
    store.set_aside(slow, "fault", evaluated().record)
    (row,) = store.waiting()
    assert (row.due, row.cause, row.dead) == (NOW + 2 * LEASE, "", False)
    assert store.finish(holder, LATER) is Ending.DONE
    assert store.waiting() == ()
    assert recorded(database) == [], "a failure that another may yet put right"


def test_the_failure_of_what_is_set_aside_is_on_record(
    store: EventStore, database: Database
) -> None:
    notified(store, O1)
    store.set_aside(the_one(store), "fault", evaluated().record)
    assert recorded(database) == ["sil2r@1 of 1"]


# -------------------------------------------------------------------- what is kept at the end


def kept(store: EventStore, *those: Evaluated, source: str = "lab", target: Target = O1) -> Claimed:
    """What a worker has found out of a result."""
    notified(store, target, source=source)
    claimed = the_one(store)
    assert store.finish(claimed, NOW, evaluated=those) is Ending.DONE
    return claimed


def test_an_evaluation_that_is_kept_already_is_not_recorded_twice(
    store: EventStore, database: Database
) -> None:
    kept(store, evaluated("1"))
    kept(store, evaluated("1"), evaluated("2"))
    assert recorded(database) == ["sil2r@1 of 1", "sil2r@1 of 2"]


def test_an_evaluation_is_known_by_all_that_names_it(store: EventStore) -> None:
    claimed = kept(store, evaluated())
    named = {"source": "lab", "item": claimed.item, "version": "1", "knowledge": "sil2r@1"}
    assert store.evaluated.holds(**named)
    for name in named:
        assert not store.evaluated.holds(**(named | {name: "another"})), name


def test_what_was_said_last_of_a_result_is_told_for_each_analyte(store: EventStore) -> None:
    kept(store, evaluated("1", said=2), evaluated("1", "sil2r_csf@1"))
    claimed = kept(store, evaluated("2", "sil2r@2", said=3), evaluated("2", "sil2rxcsf@1"))
    last = store.evaluated.last
    assert last(claimed, "sil2r") == Past("sil2r@2 of 2", "2", "sil2r@2", 3, told=True)
    assert last(claimed, "sil2r_csf") == Past("sil2r_csf@1 of 1", "1", "sil2r_csf@1", 1, told=True)
    assert last(claimed, "sil2") == NeverEvaluated()
    assert last(replace(claimed, source="another"), "sil2r") == NeverEvaluated()
    assert last(kept(store, target=O2), "sil2r") == NeverEvaluated()


def test_of_what_was_taken_back_nothing_stands(store: EventStore) -> None:
    kept(store, evaluated("1"))
    claimed = kept(store, evaluated("2", said=0))
    told = Past("sil2r@1 of 2", "2", "sil2r@1", 0, told=True)
    assert store.evaluated.last(claimed, "sil2r") == told


def test_of_what_was_never_delivered_nothing_was_told(store: EventStore) -> None:
    claimed = kept(store, evaluated("1", said=0))
    told = Past("sil2r@1 of 1", "1", "sil2r@1", 0, told=False)
    assert store.evaluated.last(claimed, "sil2r") == told


def test_what_is_found_on_the_way_is_work_whether_it_comes_before_or_after(
    store: EventStore,
) -> None:
    """In the order in which all take their locks; also what has just been worked off itself."""
    notified(store, O2)
    claimed = the_one(store)
    assert store.finish(claimed, SOON, found=[O1, O2, O3]) is Ending.DONE
    assert {each.target for each in store.claim(SOON, most=8)} == {O1, O2, O3}


def test_what_is_found_twice_at_once_is_one(store: EventStore) -> None:
    notified(store, O1, O2, O1)
    assert [each.revision for each in store.claim(NOW, most=8)] == [1, 1]


def test_each_source_is_searched_from_where_its_own_search_ended(store: EventStore) -> None:
    store.search_further_back("another", NOW - LEASE)
    assert store.swept_until("lab", otherwise=LATER) == LATER
    store.search_further_back("lab", NOW)
    assert store.swept_until("lab", otherwise=LATER) == NOW
    assert store.swept_until("another", otherwise=LATER) == NOW - LEASE


# -------------------------------------------------------------------- what an operator does


def test_what_is_dropped_is_told_of_and_what_is_being_worked_on_stays(store: EventStore) -> None:
    notified(store, O1, O2, O3)
    (leased,) = store.claim(NOW)
    told: list[Waiting] = []
    gone = list(store.drop(store.waiting(), NOW, told.append))
    assert gone == told
    assert [row.number for row in store.waiting()] == [leased.number]
    assert len(gone) == 2
    assert list(store.drop(store.waiting(), NOW + LEASE, told.append)) == told[2:]
    assert store.waiting() == ()


def test_what_waits_to_be_tried_again_can_be_dropped(store: EventStore) -> None:
    notified(store, O1)
    store.retry_later(the_one(store), LATER, "read: timeout")
    assert len(list(store.drop(store.waiting(), NOW, lambda _row: None))) == 1
    assert store.waiting() == ()


def test_what_has_the_number_of_one_that_was_shown_and_is_gone_is_not_dropped(
    store: EventStore, database: Database
) -> None:
    """SQLite gives a number again."""
    notified(store, O1)
    shown = store.waiting()
    assert store.finish(the_one(store), NOW) is Ending.DONE
    notified(store, O2, at=SOON)
    with database.writing() as connection:
        connection.execute(update(event_work).values(number=shown[0].number))
    assert list(store.drop(shown, SOON, lambda _row: None)) == []
    assert len(store.waiting()) == 1


def test_what_was_notified_again_since_it_was_shown_is_not_dropped(store: EventStore) -> None:
    notified(store, O1)
    store.set_aside(the_one(store), "read: status-403")
    shown = store.set_aside_of("lab")
    notified(store, O1, at=LATER)
    told: list[Waiting] = []
    assert list(store.drop(shown, LATER, told.append)) == told == []
    assert len(store.waiting()) == 1


def test_each_source_has_numbers_of_its_own(store: EventStore) -> None:
    kept(store, evaluated("1"), evaluated("2"))
    kept(store, evaluated(), source="another")
    notified(store, O2)
    notified(store, O1, O2, source="another")
    (claimed, *_) = store.claim(NOW, most=8)
    store.set_aside(claimed, "fault")
    assert claimed.source == "lab"
    assert store.backlog("lab") == Backlog(waiting=0, dead=1, evaluated=2)
    assert store.backlog("another") == Backlog(waiting=2, dead=0, evaluated=1)
    assert store.set_aside_of("another") == ()
    assert store.backlog("gone") == Backlog(waiting=0, dead=0, evaluated=0)
