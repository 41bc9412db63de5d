"""Work that notifications made, and what came of it. This table, not a queue, is the truth.

A result that was notified is one row, however often it is notified again: `revision` counts the
times. A worker leases a row for a while; a lease that runs out, because the worker died, frees it.
A row ends in the same transaction that keeps the evaluation, once for each (result, version,
knowledge). Ids of results stand in a row twice: as pseudonym, to find it, and encrypted, to fetch.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    case,
    delete,
    false,
    select,
    update,
)

from cds_service.logs import Event, log
from cds_service.store.database import Database
from cds_service.store.due import is_due
from cds_service.store.evaluated_results import EvaluatedResults
from cds_service.store.event_backlog import NO_LEASE, WAITS, EventBacklog
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import EvaluationRecord, Records
from cds_service.store.sealing import Cipher, SealedOtherwise
from cds_service.store.sweeps import Sweeps
from cds_service.store.tables import event_work
from cds_service.store.work_item import (
    SWEEP,
    Claimed,
    Ending,
    Evaluated,
    Kind,
    Searched,
    Target,
    Way,
    client_name,
)

LEASE = timedelta(minutes=5)
"""How long a row is one worker's: longer than any of its deadlines."""
LEASES_TO_LOSE: Final = 5
"""A row whose workers died this often is set aside: it may be what kills them."""
LEASE_LOST: Final = "worker-lost"
OTHER_DATA_KEY: Final = "other-data-key"
"""A row whose id was sealed with another data key is set aside: nobody here can open it."""


@dataclass(frozen=True, slots=True)
class _Aside:
    """A row that no worker will get: what the log says of it."""

    source: str
    kind: str
    cause: str
    attempts: int


class EventStore(EventBacklog):
    """The work of all sources. Raises StoreUnavailable when the database fails."""

    def __init__(
        self,
        database: Database,
        key: DataKey,
        pseudonyms: Pseudonymiser,
        lease: timedelta = LEASE,
    ) -> None:
        super().__init__(database)
        self._lease_time = lease
        self._cipher = Cipher(key, "event-targets")
        self._pseudonyms = pseudonyms
        self._records = Records(database, pseudonyms)
        self._sweeps = Sweeps(database)
        self.evaluated = EvaluatedResults(database, self._records)
        row = database.insert(event_work)
        self._remember = row.on_conflict_do_update(
            index_elements=[event_work.c.source, event_work.c.item],
            set_={
                "revision": event_work.c.revision + 1,
                # A row that waits or is being worked on keeps its turn; one set aside gets one.
                "due": case((event_work.c.dead, row.excluded.due), else_=event_work.c.due),
                "attempts": case((event_work.c.dead, 0), else_=event_work.c.attempts),
                "leases_lost": case((event_work.c.dead, 0), else_=event_work.c.leases_lost),
                "dead": false(),
            },
        )

    def item(self, source: str, target: Target) -> str:
        """The pseudonym under which a result of a source is known here."""
        return self._pseudonyms.of(client_name(source), target.kind.value, target.id or "-")

    # -------------------------------------------------------------- taking in

    def add(self, source: str, targets: Iterable[Target], way: Way, due: datetime) -> None:
        """Keeps work durably: when this returns, a power failure does not lose it."""
        rows = self._rows(source, targets, way, due)  # outside the transaction: others may write
        with self._database.writing() as connection:
            self._add_rows(connection, rows)

    def add_in(
        self,
        connection: Connection,
        source: str,
        targets: Iterable[Target],
        way: Way,
        due: datetime,
    ) -> None:
        """The same inside a transaction under way."""
        self._add_rows(connection, self._rows(source, targets, way, due))

    def _add_rows(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            connection.execute(self._remember, rows)

    def _rows(
        self, source: str, targets: Iterable[Target], way: Way, due: datetime
    ) -> Sequence[dict[str, Any]]:
        """Sorted, so that two transactions take the locks of PostgreSQL in the same order."""
        rows = [self._row(source, target, way, due) for target in dict.fromkeys(targets)]
        return sorted(rows, key=lambda row: str(row["item"]))

    def _row(self, source: str, target: Target, way: Way, due: datetime) -> dict[str, Any]:
        item = self.item(source, target)
        return {
            "source": source,
            "item": item,
            "kind": target.kind.value,
            "target": self._cipher.seal(target.id, bound_to=f"{source} {item}"),
            "way": way.value,
            "revision": 1,
            "attempts": 0,
            "leases_lost": 0,
            "dead": False,
            "cause": "",
            "first_received": due,
            "due": due,
            "lease": NO_LEASE,
        }

    # -------------------------------------------------------------- working

    def claim(self, at: datetime, most: int = 1) -> tuple[Claimed, ...]:
        """Leases the rows that have been due longest. Two workers never get the same row."""
        due = (
            select(event_work)
            .where(is_due(event_work.c.due, at), WAITS)
            .order_by(event_work.c.due, event_work.c.number)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        while True:
            with self._database.writing() as connection:
                rows = connection.execute(due).all()
                leased = [self._lease(connection, row, at) for row in rows]
            claimed = [each for each in leased if isinstance(each, Claimed)]
            for each in leased:  # told only now that it is kept
                if isinstance(each, _Aside):
                    log(Event.EVENT_SET_ASIDE, **asdict(each))
            if claimed or not rows:  # else all of them were set aside, and others may wait
                return tuple(claimed)

    def _lease(self, connection: Connection, row: Row[Any], at: datetime) -> Claimed | _Aside:
        """The row as leased, or as set aside."""
        this = update(event_work).where(event_work.c.number == row.number)
        aside = {"dead": True, "lease": NO_LEASE}
        lost = row.leases_lost + (row.lease != NO_LEASE)
        if lost >= LEASES_TO_LOSE:
            connection.execute(this.values(aside | {"cause": LEASE_LOST, "leases_lost": lost}))
            return _Aside(row.source, row.kind, LEASE_LOST, row.attempts)
        identifier = self._cipher.open(row.target, bound_to=f"{row.source} {row.item}")
        if isinstance(identifier, SealedOtherwise):
            connection.execute(this.values(aside | {"cause": OTHER_DATA_KEY}))
            return _Aside(row.source, row.kind, OTHER_DATA_KEY, row.attempts)
        lease = secrets.token_hex(8)
        taken = {
            "lease": lease,
            "due": at + self._lease_time,
            "attempts": row.attempts + 1,
            "leases_lost": lost,
        }
        connection.execute(this.values(taken))
        return Claimed(
            number=row.number,
            source=row.source,
            item=row.item,
            target=Target(Kind(row.kind), identifier),
            way=Way(row.way),
            revision=row.revision,
            attempts=row.attempts + 1,
            first_received=row.first_received,
            lease=lease,
        )

    def finish(
        self,
        claimed: Claimed,
        at: datetime,
        *,
        evaluated: Sequence[Evaluated] = (),
        found: Iterable[Target] = (),
        searched: Searched | None = None,
    ) -> Ending:
        """Ends a row: what it came to, and further work found on the way, in one transaction."""
        rows = self._rows(claimed.source, found, claimed.way, at)
        with self._database.writing() as connection:
            # All lock rows in the order of their items, in which this row has its place too.
            self._add_rows(connection, [row for row in rows if row["item"] < claimed.item])
            ending = self._end(connection, claimed, at)
            if ending is Ending.LEASE_LOST:
                connection.rollback()
                return ending
            self._add_rows(connection, [row for row in rows if row["item"] >= claimed.item])
            for each in evaluated:
                self.evaluated.keep(connection, claimed, each)
            if searched is not None:
                self._sweeps.move_on(connection, claimed.source, searched)
        return ending

    def _end(self, connection: Connection, claimed: Claimed, at: datetime) -> Ending:
        unchanged = event_work.c.revision == claimed.revision
        gone = delete(event_work).where(_leased(claimed), unchanged)
        if connection.execute(gone).rowcount == 1:
            return Ending.DONE
        again = _freed(connection, claimed, due=at, attempts=0, leases_lost=0, cause="")
        return Ending.AGAIN if again else Ending.LEASE_LOST

    def give_back(self, claimed: Claimed, at: datetime) -> None:
        """Frees a row that was leased and not begun: it is due at once, and the try does not count.
        Does nothing when the lease was lost.
        """
        with self._database.writing() as connection:
            _freed(connection, claimed, due=at, attempts=claimed.attempts - 1)

    def retry_later(self, claimed: Claimed, due: datetime, cause: str) -> None:
        """Gives a row back until `due`. Does nothing when the lease was lost."""
        with self._database.writing() as connection:
            _freed(connection, claimed, due=due, cause=cause)

    def set_aside(
        self, claimed: Claimed, cause: str, record: EvaluationRecord | None = None
    ) -> None:
        """Puts a row on the list of those that only an operator or a new notification revives."""
        with self._database.writing() as connection:
            if _freed(connection, claimed, dead=True, cause=cause) and record is not None:
                self._records.save_in(connection, record)

    # -------------------------------------------------------------- sweeps

    def swept_until(self, source: str, otherwise: datetime) -> datetime:
        """Up to when the source was searched; `otherwise` when it never was."""
        return self._sweeps.until(source, otherwise)

    def sweep_since(self, source: str, since: datetime, way: Way, due: datetime) -> None:
        """Adds a search as work: back to `since`, or further where it was to go further anyway."""
        with self._database.writing() as connection:
            # Locked in the same order as by `finish`, so that neither waits for the other.
            self.add_in(connection, source, [SWEEP], way, due)
            self._sweeps.send_back(connection, source, since)

    def search_further_back(self, source: str, since: datetime) -> None:
        """Lets the next search, whenever it is asked for, go back to `since`; adds no work."""
        with self._database.writing() as connection:
            self._sweeps.send_back(connection, source, since)


def _leased(claimed: Claimed) -> ColumnElement[bool]:
    """The row, if its lease still is the one that was claimed."""
    return (event_work.c.number == claimed.number) & (event_work.c.lease == claimed.lease)


def _freed(connection: Connection, claimed: Claimed, **values: Any) -> bool:
    """Frees the row with these values, and says whether it did: not when the lease was lost."""
    free = update(event_work).where(_leased(claimed)).values(lease=NO_LEASE, **values)
    return connection.execute(free).rowcount == 1
