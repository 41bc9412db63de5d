"""All who write several rows of work lock them in one order: none waits for one that waits for it.

PostgreSQL only. Each test lets two of them meet in the middle: the first waits for a row that is
held here, with another in hand; the second takes a row that the first has still to come to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select, text

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.tables import event_work
from cds_service.store.work_item import Ending, Kind, Target, Way

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = DataKey(bytes(range(32)))
PATIENCE = 30


@pytest.fixture
def store(postgresql_url: str) -> Iterator[EventStore]:
    with Database.open(postgresql_url) as database:
        database.upgrade()
        yield EventStore(database, KEY, Pseudonymiser(KEY))


def in_order(store: EventStore, *kinds: Kind) -> list[Target]:
    """One target of each kind, in the order of their pseudonyms."""
    chosen: list[Target] = []
    for kind in kinds:
        reached = store.item("lab", chosen[-1]) if chosen else ""
        named = (Target(kind, f"r{number}") for number in count())
        chosen.append(next(each for each in named if reached < store.item("lab", each) < "z"))
    return chosen


def kept(store: EventStore, *targets: Target) -> None:
    """Work, whose numbers run against the order of the items."""
    for target in reversed(targets):
        store.add("lab", [target], Way.NOTIFIED, NOW)


@contextmanager
def held(store: EventStore, target: Target) -> Iterator[None]:
    """Keeps the row of this target from everybody else."""
    row = select(event_work.c.number).where(event_work.c.item == store.item("lab", target))
    with store._database.writing() as connection:
        connection.execute(row.with_for_update()).one()
        yield


def wait_until_blocked(store: EventStore, *calls: Future[object]) -> None:
    """Until each of the calls waits for a row, or has come to its end."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with store._database.reading() as connection:
            blocked = connection.execute(waiting).scalar_one()
        if blocked + sum(call.done() for call in calls) >= len(calls):
            return
    raise AssertionError("they go on and on")


def meet(store: EventStore, at: Target, first: Callable[[], object], *notified: Target) -> object:
    """What the first gives when a notification of these comes while it waits for one row."""
    with ThreadPoolExecutor() as threads:
        with held(store, at):
            begun = threads.submit(first)
            wait_until_blocked(store, begun)
            told: Future[object] = threads.submit(store.add, "lab", notified, Way.NOTIFIED, NOW)
            wait_until_blocked(store, begun, told)
        told.result(PATIENCE)
        return begun.result(PATIENCE)


def test_events_are_dropped_while_their_results_are_notified_again(store: EventStore) -> None:
    low, middle, high = in_order(store, *[Kind.OBSERVATION] * 3)
    kept(store, low, middle, high)
    rows = store.waiting()
    meet(store, middle, lambda: list(store.drop(rows, NOW)), low, high)
    assert store.count() == 2, "notified again after they had gone"


def test_events_are_revived_while_their_results_are_notified_again(store: EventStore) -> None:
    low, middle, high = in_order(store, *[Kind.OBSERVATION] * 3)
    kept(store, low, middle, high)
    with store._database.writing() as connection:
        connection.execute(event_work.update().values(dead=True))
    later = NOW + timedelta(minutes=1)
    assert meet(store, middle, lambda: store.revive([], later), low, high) == 3


def test_a_report_ends_and_makes_work_of_results_that_are_notified_with_it(
    store: EventStore,
) -> None:
    low, middle, report = in_order(
        store, Kind.OBSERVATION, Kind.OBSERVATION, Kind.DIAGNOSTIC_REPORT
    )
    kept(store, report)
    (claimed,) = store.claim(NOW)
    kept(store, low, middle)

    def end() -> Ending:
        return store.finish(claimed, NOW, found=[low, middle])

    assert meet(store, low, end, middle, report) is Ending.AGAIN, "it was notified meanwhile"
