"""Up to when each source was searched for what has changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, case, select

from cds_service.store.database import Database
from cds_service.store.tables import event_sweeps
from cds_service.store.work_item import Searched


class Sweeps:
    """The moment from which the next search of each source begins.

    It is set inside a transaction under way, and so kept together with the work that belongs to it.
    Raises StoreUnavailable when the database fails.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def until(self, source: str, otherwise: datetime) -> datetime:
        """Up to when the source was searched; `otherwise` when it never was."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(event_sweeps.c.swept_until).where(event_sweeps.c.source == source)
            ).first()
        return otherwise if row is None else row.swept_until

    def send_back(self, connection: Connection, source: str, since: datetime) -> None:
        """The next search begins at `since`, or earlier where it was to begin earlier anyway."""
        self._set(connection, source, since, unless_before=since)

    def move_on(self, connection: Connection, source: str, searched: Searched) -> None:
        """The next search begins where this one ended, unless `send_back` has meanwhile set a
        moment before the beginning of this one. A later moment does not stay: only one search of a
        source is under way at a time, so it was set by a clock that was ahead.
        """
        self._set(connection, source, searched.until, unless_before=searched.since)

    def _set(
        self, connection: Connection, source: str, until: datetime, *, unless_before: datetime
    ) -> None:
        """Sets the moment; one that lies before `unless_before` stays."""
        row = self._database.insert(event_sweeps)
        present, new = event_sweeps.c.swept_until, row.excluded.swept_until
        connection.execute(
            row.on_conflict_do_update(
                index_elements=[event_sweeps.c.source],
                set_={"swept_until": case((present < unless_before, present), else_=new)},
            ),
            {"source": source, "swept_until": until},
        )
