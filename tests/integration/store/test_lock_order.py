"""All who write several rows of work, or numbers that are missing, take them in one order: none
waits for one that waits for it.

PostgreSQL only. Each test lets two of them meet in the middle: the first waits for a row that is
held here, with another in hand; the second takes a row that the first has still to come to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Select, select, text

from cds_service.store.database import Database
from cds_service.store.event_subscriptions import GAP_WINDOW, Subscriptions
from cds_service.store.events import EventStore
from cds_service.store.lots import LOT
from cds_service.store.subscription import Gap, Heard
from cds_service.store.tables import event_gaps, event_work
from cds_service.store.work_item import Ending, Kind, Target, Way
from tests.kept import KEY, NOON, PSEUDONYMS

pytestmark = pytest.mark.integration

PATIENCE = 30


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    with Database.open(postgresql_url) as opened:
        opened.upgrade()
        yield opened


@pytest.fixture
def store(database: Database) -> EventStore:
    return EventStore(database, KEY, PSEUDONYMS)


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
        store.add("lab", [target], Way.NOTIFIED, NOON)


def row_of(store: EventStore, target: Target) -> Select[Any]:
    return select(event_work.c.number).where(event_work.c.item == store.item("lab", target))


@contextmanager
def held(database: Database, row: Select[Any]) -> Iterator[None]:
    """Keeps this row from everybody else."""
    with database.writing() as connection:
        connection.execute(row.with_for_update()).one()
        yield


def wait_until_blocked(database: Database, *calls: Future[Any]) -> None:
    """Until each of the calls waits for a row, or has come to its end."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with database.reading() as connection:
            blocked = connection.execute(waiting).scalar_one()
        if blocked + sum(call.done() for call in calls) >= len(calls):
            return
    raise AssertionError("they go on and on")


def meet(
    database: Database, at: Select[Any], first: Callable[[], object], second: Callable[[], object]
) -> tuple[object, object]:
    """What both give when the second comes while the first waits for one row."""
    with ThreadPoolExecutor() as threads:
        with held(database, at):
            begun = threads.submit(first)
            wait_until_blocked(database, begun)
            come = threads.submit(second)
            wait_until_blocked(database, begun, come)
        return begun.result(PATIENCE), come.result(PATIENCE)


def notified_again(store: EventStore, *targets: Target) -> Callable[[], object]:
    return lambda: store.add("lab", targets, Way.NOTIFIED, NOON)


def test_events_are_dropped_while_their_results_are_notified_again(
    database: Database, store: EventStore
) -> None:
    low, middle, high = in_order(store, *[Kind.OBSERVATION] * 3)
    kept(store, low, middle, high)
    rows = store.waiting()
    again = notified_again(store, low, high)
    meet(database, row_of(store, middle), lambda: list(store.drop(rows, NOON)), again)
    assert store.count() == 2, "notified again after they had gone"


def test_events_are_revived_while_their_results_are_notified_again(
    database: Database, store: EventStore
) -> None:
    low, middle, high = in_order(store, *[Kind.OBSERVATION] * 3)
    kept(store, low, middle, high)
    with database.writing() as connection:
        connection.execute(event_work.update().values(dead=True))
    later, again = NOON + timedelta(minutes=1), notified_again(store, low, high)
    revived, _ = meet(database, row_of(store, middle), lambda: store.revive([], later), again)
    assert revived == 3


def test_a_report_ends_and_makes_work_of_results_that_are_notified_with_it(
    database: Database, store: EventStore
) -> None:
    low, middle, report = in_order(
        store, Kind.OBSERVATION, Kind.OBSERVATION, Kind.DIAGNOSTIC_REPORT
    )
    kept(store, report)
    (claimed,) = store.claim(NOON)
    kept(store, low, middle)

    def end() -> Ending:
        return store.finish(claimed, NOON, found=[low, middle])

    ending, _ = meet(database, row_of(store, low), end, notified_again(store, middle, report))
    assert ending is Ending.AGAIN, "it was notified meanwhile"


@pytest.mark.parametrize("looked_for", ["settle", "put_off"])
def test_missing_events_come_after_all_while_they_are_looked_for(
    database: Database, looked_for: str
) -> None:
    subscriptions = Subscriptions(database)

    def hear(*numbers: int) -> int:
        heard = Heard(subscription="s1", numbers=numbers)
        with database.writing() as connection:
            return subscriptions.heard_in(connection, "lab", heard, NOON)

    hear(1)
    assert hear(5) == 3, "2, 3 and 4 are missing"
    (gap,) = subscriptions.gaps(NOON + GAP_WINDOW)
    look: dict[str, Callable[[Gap], object]] = {
        "settle": subscriptions.settle,
        "put_off": lambda gap: subscriptions.put_off(gap, NOON + timedelta(minutes=1)),
    }
    third = select(event_gaps.c.number).where(event_gaps.c.number == 3)
    late = (4, *range(6, 6 + LOT), 2)  # the last first, and the first in a statement of its own
    meet(database, third, lambda: look[looked_for](gap), lambda: hear(*late))
    assert subscriptions.missing("lab") == (0 if looked_for == "settle" else 1)
