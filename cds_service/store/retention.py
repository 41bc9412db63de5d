"""Deleting what need not be kept any longer, and what belongs to one patient.

Safe to stop and to run again, beside a service that works: keys are looked for without a lock, then
deleted a few hundred at a time, each lot in a short transaction of its own. An erasure deletes last
the rows by which it finds others, so that it can be completed after it was stopped. A purge judges
each row by its own age: feedback that came in later outlives the record of its card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from time import sleep
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
)

from cds_service.store.by_hand import as_written
from cds_service.store.database import Database
from cds_service.store.lots import LOT, in_lots
from cds_service.store.tables import (
    carded_results,
    cards,
    evaluations,
    event_evaluations,
    event_work,
    feedback,
)
from cds_service.store.work_item import Kind, client_name

PAUSE_SECONDS: Final = 0.02
"""Between two lots, so that whoever waits for SQLite's one place to write gets it."""
LOG_WAIT_MS: Final = 100
"""How long SQLite may hold up the service to wait for a reader, at the end."""
EVENTS: Final = client_name("")
"""The prefix of the names that event sources have as clients."""

Old = Callable[[datetime], ColumnElement[bool]]
"""Whether a row is older than a moment."""


def _feedback_is_old(before: datetime) -> ColumnElement[bool]:
    """Feedback goes with its card at the latest: without it, nobody could find whose it is."""
    of_old_card = exists().where(
        cards.c.client == feedback.c.client,
        cards.c.service == feedback.c.service,
        cards.c.uuid == feedback.c.card,
        cards.c.last_sent < before,
    )
    return or_(feedback.c.received < before, of_old_card)


AGE: Final[Mapping[Table, Old]] = {
    feedback: _feedback_is_old,
    cards: lambda before: cards.c.last_sent < before,
    carded_results: lambda before: carded_results.c.first_sent < before,
    event_evaluations: lambda before: event_evaluations.c.at < before,
    evaluations: lambda before: evaluations.c.at < before,
}
"""The tables that grow, and which of their rows are old. Work that waits or was set aside is not
here: it has not been dealt with."""

Key = tuple[Any, ...]
"""The values of a primary key."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """The keys of all rows that belong to one patient, in the order in which they may go."""

    steps: tuple[tuple[Table, tuple[Key, ...]], ...]
    recorded: tuple[datetime, ...]
    """When the records among them were made."""

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        found: Counter[str] = Counter()
        for table, keys in self.steps:
            found[table.name] += len(keys)
        return found


@dataclass(frozen=True, slots=True)
class Removed:
    """One lot of rows that is gone for good."""

    table: str
    rows: int


class Retention:
    """Counts and deletes. Raises StoreUnavailable when the database fails; what went is gone."""

    def __init__(
        self, database: Database, *, lot: int = LOT, rest: Callable[[float], None] = sleep
    ) -> None:
        self._database = database
        self._lot = lot
        self._rest = rest

    def count_older(self, before: datetime) -> dict[str, int]:
        """Rows by table that `purge` would delete now."""
        with self._database.reading() as connection:
            return {
                table.name: connection.execute(
                    select(func.count()).select_from(table).where(is_old(before))
                ).scalar_one()
                for table, is_old in AGE.items()
            }

    def purge(self, before: datetime) -> Iterator[Removed]:
        """Delete what is older, lot by lot, as the iterator is read."""
        for table, is_old in AGE.items():
            for keys in self._keys_of(table, is_old(before)):
                # Asked again: a card may have been sent once more since its key was read.
                yield self._delete(table, keys, is_old(before))
        self._empty_log()

    def belongings(self, client: str, *patient: str) -> Belongings:
        """All that is stored of a patient; `patient` is the pseudonym, under each data key that
        there was. Changes nothing.

        Raises InputError for rows that were written by hand and cannot be read.
        """
        with as_written(evaluations), self._database.reading() as connection:
            found = [_belongings(connection, client, each) for each in patient]
        return Belongings(
            tuple(chain.from_iterable(each.steps for each in found)),
            tuple(chain.from_iterable(each.recorded for each in found)),
        )

    def erase(self, belongings: Belongings) -> Iterator[Removed]:
        """Delete them, lot by lot, as the iterator is read."""
        for table, keys in belongings.steps:
            for lot in in_lots(keys, self._lot):
                yield self._delete(table, lot, true())
        self._empty_log()

    def _keys_of(self, table: Table, those: ColumnElement[bool]) -> Iterator[Sequence[Key]]:
        """The keys of rows, a lot at a time, in the order of the primary key."""
        columns = tuple(table.primary_key.columns)
        first = select(*columns).where(those).order_by(*columns).limit(self._lot)
        asked = first
        while keys := self._keys(asked):
            yield keys
            asked = first.where(tuple_(*columns) > tuple_(*keys[-1]))

    def _keys(self, asked: Select[Any]) -> list[Key]:
        with self._database.reading() as connection:
            return [tuple(row) for row in connection.execute(asked)]

    def _delete(self, table: Table, keys: Iterable[Key], still: ColumnElement[bool]) -> Removed:
        columns = tuple(table.primary_key.columns)
        # Key by key: SQLite would look through the whole table for a list of keys in several parts.
        this = and_(*(column == bindparam(f"key_{column.name}") for column in columns), still)
        names = [f"key_{column.name}" for column in columns]
        rows = [dict(zip(names, key, strict=True)) for key in keys]
        with self._database.writing() as connection:
            if connection.dialect.name == "sqlite":  # deleted text is overwritten in the file
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            gone = connection.execute(delete(table).where(this), rows).rowcount
        self._rest(PAUSE_SECONDS)
        return Removed(table.name, gone)

    def _empty_log(self) -> None:
        """Move SQLite's log (WAL) into the file and empty it: either may hold what was deleted.

        While somebody reads for long, as a backup does, that is left to SQLite's next checkpoint.
        """
        with self._database.reading() as connection:
            if connection.dialect.name == "sqlite":
                connection.detach()  # from the pool: nobody else is to be so impatient
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {LOG_WAIT_MS}")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _belongings(connection: Connection, client: str, patient: str) -> Belongings:
    said = (evaluations.c[name] for name in ("number", "id", "at", "service", "cards"))
    recorded = select(*said).where(evaluations.c.client == client)
    own = connection.execute(recorded.where(evaluations.c.patient == patient)).all()
    results = select(*carded_results.primary_key.columns).where(
        carded_results.c.client == client, carded_results.c.patient == patient
    )
    nameless, of_events = (
        _of_events(connection, client, recorded, {row.id for row in own})
        if client.startswith(EVENTS)
        else ([], [])
    )
    sent: dict[str, set[str]] = {}
    for row in (*own, *nameless):
        sent.setdefault(row.service, set()).update(row.cards)
    steps: list[tuple[Table, Iterable[Key]]] = [
        (feedback, _of_cards(connection, feedback, feedback.c.card, client, sent)),
        (cards, _of_cards(connection, cards, cards.c.uuid, client, sent)),
        (carded_results, map(tuple, connection.execute(results))),
        *of_events,
        (evaluations, [(row.number,) for row in own]),
    ]
    return Belongings(
        tuple((table, tuple(keys)) for table, keys in steps),
        tuple(row.at for row in (*own, *nameless)),
    )


def _of_events(
    connection: Connection, client: str, recorded: Select[Any], own: Collection[str]
) -> tuple[list[Row[Any]], list[tuple[Table, Iterable[Key]]]]:
    """What is kept of the results of which these are evaluations: first their records that name no
    patient, then all that is to go.

    A record names no patient where the result named none, was deleted at its source, or could not
    be evaluated at a time.
    """
    source = client.removeprefix(EVENTS)
    evaluated = select(event_evaluations).where(event_evaluations.c.source == source)
    about = _among(connection, evaluated, event_evaluations.c.evaluation, own)
    items = {row.item for row in about}
    done = list(_among(connection, evaluated, event_evaluations.c.item, items))
    work = select(event_work.c.number).where(event_work.c.source == source)
    nameless = recorded.where(evaluations.c.patient == "")
    kept = {row.evaluation for row in done}
    failed = {(f"{kind}/{item}",) for kind in Kind for item in items}
    found = {
        row.number: row
        for row in (
            *_among(connection, nameless, evaluations.c.id, kept),
            *_among(connection, nameless, evaluations.c.inputs, failed),
        )
    }
    done.sort(key=lambda row: row.evaluation in own)  # last, since the others are found by them
    return [*found.values()], [
        (event_work, map(tuple, _among(connection, work, event_work.c.item, items))),
        (evaluations, [(number,) for number in found]),
        (event_evaluations, [(source, row.item, row.version, row.knowledge) for row in done]),
    ]


def _of_cards(
    connection: Connection,
    table: Table,
    uuid: Column[Any],
    client: str,
    sent: Mapping[str, Iterable[str]],
) -> Iterator[Key]:
    for service, uuids in sent.items():
        of_service = select(*table.primary_key.columns).where(
            table.c.client == client, table.c.service == service
        )
        yield from map(tuple, _among(connection, of_service, uuid, uuids))


def _among(
    connection: Connection, asked: Select[Any], column: Column[Any], values: Iterable[Any]
) -> Iterator[Row[Any]]:
    """The rows of `asked` whose column has one of these values, in the order of the values: in that
    order rows of work are locked too (`event_backlog.lock_in_order`).
    """
    for lot in in_lots(sorted(values), LOT):
        yield from connection.execute(asked.where(column.in_(lot)).order_by(column))
