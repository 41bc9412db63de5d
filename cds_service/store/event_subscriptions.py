"""Subscriptions as they were last heard of, and the numbers of events that did not come.

Whoever writes missing numbers locks the row of their subscription before that. So two who write
them, in whatever order, never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, select, update

from cds_service.store.database import Database
from cds_service.store.due import is_due
from cds_service.store.engine import Durability
from cds_service.store.lots import LOT, in_lots
from cds_service.store.subscription import ACTIVE, REQUESTED, Gap, Heard, SubscriptionState
from cds_service.store.tables import event_gaps, event_subscriptions

GAP_WINDOW: Final = timedelta(seconds=30)
"""How long a missing number may still come by itself."""
MOST_MISSING: Final = 1_000
"""Numbers kept of one gap. A longer one is searched for by time, whichever numbers are kept."""


class Subscriptions:
    """Raises StoreUnavailable when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expect(self, state: SubscriptionState) -> None:
        """Keeps a subscription that was made; what is known of its numbers stays."""
        anew = ("criteria", "heartbeat_seconds", "last_heard")
        with self._database.writing() as connection:
            self._keep(connection, state, anew)

    def _keep(self, connection: Connection, state: SubscriptionState, anew: Iterable[str]) -> None:
        """Writes a new subscription whole, and of a known one only the columns `anew`."""
        row = self._database.insert(event_subscriptions)
        connection.execute(
            row.on_conflict_do_update(
                index_elements=[event_subscriptions.c.source, event_subscriptions.c.subscription],
                set_={name: row.excluded[name] for name in anew},
            ),
            {name: getattr(state, name) for name in SubscriptionState.__slots__},
        )

    def forget(self, source: str, subscription: str) -> None:
        """Removes a subscription that was ended, and its gaps."""
        with self._database.writing() as connection:
            for table in (event_subscriptions, event_gaps):
                connection.execute(delete(table).where(_of(table, source, subscription)))

    def set_status(self, asked_of: SubscriptionState, status: str) -> None:
        """Keeps the status that the server gave when it was asked."""
        self._set(asked_of, {"status": status})

    def found_active(self, asked_of: SubscriptionState, at: datetime) -> None:
        """Keeps that the server, when asked, said it is at work: as good as a sign of life."""
        self._set(asked_of, {"status": ACTIVE, "last_heard": at})

    def request_anew(self, asked_of: SubscriptionState, at: datetime) -> None:
        """Keeps that the server was asked to switch it on again, and should do so from now on."""
        self._set(asked_of, {"status": REQUESTED, "last_heard": at})

    def _set(self, asked_of: SubscriptionState, values: Mapping[str, Any]) -> None:
        with self._database.writing() as connection:
            _write_answer(connection, asked_of, values)

    def of(self, source: str) -> tuple[SubscriptionState, ...]:
        """The subscriptions of a source."""
        return self._states(event_subscriptions.c.source == source)

    def named(self, source: str, subscription: str) -> tuple[SubscriptionState, ...]:
        """The one of this id; none where it was never heard of."""
        return self._states(_of(event_subscriptions, source, subscription))

    def _states(self, those: ColumnElement[bool]) -> tuple[SubscriptionState, ...]:
        rows = select(event_subscriptions).where(those).order_by(event_subscriptions.c.subscription)
        with self._database.reading() as connection:
            return tuple(SubscriptionState(**row._asdict()) for row in connection.execute(rows))

    def heard_in(
        self,
        connection: Connection,
        source: str,
        heard: Heard,
        at: datetime,
        asked_of: Sequence[SubscriptionState] = (),
    ) -> int:
        """Notes a sign of life inside a transaction under way; how many numbers are newly missing.

        They are looked for after GAP_WINDOW: until then they may still arrive. `asked_of` is the
        subscription as it stood when its server was asked, if this is the answer; where it was
        heard of or ended since, nothing is noted.
        """
        anew = {"last_heard": at, "status": heard.status}
        if heard.criteria:
            anew["criteria"] = heard.criteria
        if not all(_write_answer(connection, each, anew) for each in asked_of):
            return 0
        state = SubscriptionState(
            source=source,
            subscription=heard.subscription,
            criteria=heard.criteria,
            status=heard.status,
            heartbeat_seconds=int(heard.heartbeat.total_seconds()),
            next_number=0,
            last_heard=at,
        )
        self._keep(connection, state, anew)
        return self._follow(connection, source, heard, at) if heard.is_numbered else 0

    def _follow(self, connection: Connection, source: str, heard: Heard, at: datetime) -> int:
        number = connection.execute(_held(source, heard.subscription)).scalar_one()
        expected, missing = _followed(number, heard)
        gone = _of(event_gaps, source, heard.subscription)
        if expected < number:  # the numbers have begun anew
            connection.execute(delete(event_gaps).where(gone))
        elif heard.numbers:
            for came in in_lots(heard.numbers, LOT):
                connection.execute(delete(event_gaps).where(gone, event_gaps.c.number.in_(came)))
        about = {"source": source, "subscription": heard.subscription, "due": at + GAP_WINDOW}
        rows = [about | {"number": each} for each in missing]
        if rows:
            once = self._database.insert(event_gaps).on_conflict_do_nothing()
            connection.execute(once, rows)
        this = _of(event_subscriptions, source, heard.subscription)
        connection.execute(update(event_subscriptions).where(this).values(next_number=expected))
        return len(rows)

    def gaps(self, at: datetime) -> tuple[Gap, ...]:
        """What has been missing long enough to be looked for, as ranges by subscription."""
        key, number = (event_gaps.c.source, event_gaps.c.subscription), event_gaps.c.number
        rows = (
            select(
                *key, func.min(number), func.max(number), func.count(), func.max(event_gaps.c.due)
            )
            .where(is_due(event_gaps.c.due, at))
            .group_by(*key)
        )
        with self._database.reading() as connection:
            return tuple(Gap(*row) for row in connection.execute(rows))

    def missing(self, source: str) -> int:
        """How many events of a source are missing at present."""
        count = select(func.count()).select_from(event_gaps).where(event_gaps.c.source == source)
        with self._database.reading() as connection:
            return connection.execute(count).scalar_one()

    def settle(self, gap: Gap) -> None:
        """The gap has been looked for, and what there was is work now.

        What has been missing for less long stays: numbers may have begun anew meanwhile.
        """
        with self._database.writing() as connection:
            connection.execute(_held(gap.source, gap.subscription)).all()
            connection.execute(
                delete(event_gaps).where(
                    _of(event_gaps, gap.source, gap.subscription),
                    event_gaps.c.number.between(gap.first, gap.last),
                    event_gaps.c.due <= gap.due,
                )
            )

    def put_off(self, gap: Gap, due: datetime) -> None:
        """The gap could not be looked for just now."""
        with self._database.writing(Durability.PROCESS_LOSS) as connection:
            connection.execute(_held(gap.source, gap.subscription)).all()
            connection.execute(
                update(event_gaps)
                .where(_of(event_gaps, gap.source, gap.subscription))
                .values(due=due)
            )


def _of(table: Table, source: str, subscription: str) -> ColumnElement[bool]:
    """The rows of one subscription."""
    return (table.c.source == source) & (table.c.subscription == subscription)


def _write_answer(
    connection: Connection, asked_of: SubscriptionState, values: Mapping[str, Any]
) -> bool:
    """Writes what a server answered, and says whether it did: not where the subscription was heard
    of meanwhile, which is newer than the answer, and not where it was ended.
    """
    this = update(event_subscriptions).where(_is_still(asked_of)).values(values)
    return connection.execute(this).rowcount == 1


def _is_still(asked_of: SubscriptionState) -> ColumnElement[bool]:
    """The row of a subscription, if it has not been heard of since `asked_of` was read. The values
    are compared, not moments, since the clocks of two machines differ.
    """
    return (
        _of(event_subscriptions, asked_of.source, asked_of.subscription)
        & (event_subscriptions.c.status == asked_of.status)
        & (event_subscriptions.c.last_heard == asked_of.last_heard)
    )


def _held(source: str, subscription: str) -> Select[int]:
    """The number expected next. The subscription's row is locked until the transaction ends."""
    this = _of(event_subscriptions, source, subscription)
    return select(event_subscriptions.c.next_number).where(this).with_for_update()


def _followed(expected: int, heard: Heard) -> tuple[int, Iterable[int]]:
    """The number to expect next, and those newly missing. 0 stands for "not yet known"."""
    if heard.begins_anew_after(expected):
        return heard.so_far + 1, ()
    newest = max(heard.so_far, *heard.numbers, 0)
    # Where nothing is known yet (0), earlier events are for catch-up, and no alarm.
    first = expected or min(heard.numbers, default=newest + 1)
    numbers = range(max(first, newest - MOST_MISSING + 1), newest + 1)
    came = set(heard.numbers)
    return max(newest + 1, expected), [each for each in numbers if each not in came]
