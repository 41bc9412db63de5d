"""The work of events as operators and metrics see it: counts, states and causes, no ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from cds_service.store.database import Database
from cds_service.store.due import LONGEST_WAIT, is_due
from cds_service.store.lots import LOT, in_lots
from cds_service.store.tables import event_evaluations, event_work

MOST_LISTED: Final = 1_000
"""Rows that an operator is shown at once."""
NO_LEASE: Final = ""
WAITS: Final = event_work.c.dead == false()
_SET_ASIDE: Final = event_work.c.dead == true()
NOTHING_DUE: Final = datetime.max.replace(tzinfo=UTC)
"""Later than anything can be due."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row as an operator sees it: without any id of the source's."""

    number: int
    source: str
    kind: str
    way: str
    attempts: int
    dead: bool
    cause: str
    first_received: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many rows of a source wait, are set aside, and how many evaluations were kept."""

    waiting: int
    dead: int
    evaluated: int


_LISTED: Final = select(*(event_work.c[name] for name in Waiting.__slots__)).order_by(
    event_work.c.number
)


class EventBacklog:
    """What waits, what was set aside, what was done. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, *, dead_only: bool = False) -> tuple[Waiting, ...]:
        """The rows there are, oldest first, MOST_LISTED of them at most."""
        return self._shown(_LISTED.where(_these(dead_only=dead_only)).limit(MOST_LISTED))

    def named(self, numbers: Iterable[int]) -> tuple[Waiting, ...]:
        """The rows of these numbers, whether they wait or were set aside."""
        return self._shown(_LISTED.where(event_work.c.number.in_(tuple(numbers))))

    def set_aside_of(self, source: str) -> tuple[Waiting, ...]:
        """All rows of a source, registered or not, that were set aside."""
        return self._shown(_LISTED.where(event_work.c.source == source, _SET_ASIDE))

    def _shown(self, rows: Select[Any]) -> tuple[Waiting, ...]:
        with self._database.reading() as connection:
            return tuple(Waiting(**row._asdict()) for row in connection.execute(rows))

    def count(self, *, dead_only: bool = False) -> int:
        """How many rows there are."""
        return self._count(_these(dead_only=dead_only))

    def due(self, at: datetime) -> int:
        """How many rows can be worked on now."""
        return self._count(is_due(event_work.c.due, at) & WAITS)

    def _count(self, those: ColumnElement[bool]) -> int:
        rows = select(func.count()).select_from(event_work).where(those)
        with self._database.reading() as connection:
            return connection.execute(rows).scalar_one()

    def revive(self, numbers: Iterable[int], at: datetime) -> int:
        """Gives rows that were set aside another turn; with no numbers, all of them."""
        those: ColumnElement[bool] = _SET_ASIDE
        if chosen := tuple(numbers):
            those = _SET_ASIDE & event_work.c.number.in_(chosen)
        fresh = {
            "revision": event_work.c.revision + 1,
            "dead": False,
            "attempts": 0,
            "leases_lost": 0,
            "due": at,
            "cause": "",
        }
        with self._database.writing() as connection:
            lock_in_order(connection, those)
            return connection.execute(update(event_work).where(those).values(fresh)).rowcount

    def drop(
        self,
        rows: Sequence[Waiting],
        at: datetime,
        tell: Callable[[Waiting], object] = lambda _row: None,
    ) -> Iterator[Waiting]:
        """Removes rows for good, lot by lot as the iterator is read, and gives those that went.

        A row that a worker has leased stays, and so does one that a new notification has revived.
        `tell` is called with each row before it goes: if the process is killed here, one too many
        was told of at worst, and none too few.
        """
        is_free = or_(event_work.c.lease == NO_LEASE, is_due(event_work.c.due, at))
        for lot in in_lots(rows, LOT):
            with self._database.reading() as connection:
                going = [row for row in lot if _is_there(connection, row, is_free)]
            for row in going:  # outside a transaction: whoever reads what is told may be slow
                tell(row)
            with self._database.writing() as connection:
                lock_in_order(connection, event_work.c.number.in_([row.number for row in going]))
                gone = [row for row in going if _delete(connection, row, is_free)]
            yield from gone

    def next_due(self, at: datetime) -> datetime:
        """When the next row is due, as seen at that moment; NOTHING_DUE when none waits."""
        first = select(func.min(event_work.c.due)).where(WAITS)
        last = select(func.max(event_work.c.due)).where(WAITS)
        with self._database.reading() as connection:
            due = connection.scalar(first) or NOTHING_DUE
            furthest = connection.scalar(last) or at
        return min(due, at) if furthest > at + LONGEST_WAIT else due

    def backlog(self, source: str) -> Backlog:
        """The numbers of one source."""
        rows = (
            select(event_work.c.dead, func.count())
            .where(event_work.c.source == source)
            .group_by(event_work.c.dead)
        )
        kept = (
            select(func.count())
            .select_from(event_evaluations)
            .where(event_evaluations.c.source == source)
        )
        with self._database.reading() as connection:
            by_state = {bool(dead): count for dead, count in connection.execute(rows)}
            evaluated = connection.execute(kept).scalar_one()
        return Backlog(by_state.get(False, 0), by_state.get(True, 0), evaluated)


def _these(*, dead_only: bool) -> ColumnElement[bool]:
    return _SET_ASIDE if dead_only else true()


def lock_in_order(connection: Connection, those: ColumnElement[bool]) -> None:
    """Locks rows of work in the order of their items, as everybody must who writes more than one:
    else each of two could hold what the other waits for. SQLite, with one writer, locks no rows.
    """
    rows = select(event_work.c.number).where(those).order_by(event_work.c.item)
    connection.execute(rows.with_for_update()).all()


def _is_there(connection: Connection, row: Waiting, still: ColumnElement[bool]) -> bool:
    found = select(event_work.c.number).where(_as_shown(row), still)
    return connection.execute(found).first() is not None


def _delete(connection: Connection, row: Waiting, still: ColumnElement[bool]) -> bool:
    return connection.execute(delete(event_work).where(_as_shown(row), still)).rowcount == 1


def _as_shown(row: Waiting) -> ColumnElement[bool]:
    # SQLite gives the number of a deleted row to a new one: `first_received` tells them apart.
    return (
        (event_work.c.number == row.number)
        & (event_work.c.first_received == row.first_received)
        & (event_work.c.dead == row.dead)
    )
