"""Up to when each source was searched for what has changed."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, or_, select

from cds_service.store.database import Database
from cds_service.store.tables import event_sweeps
from cds_service.store.work_item import Searched


class Sweeps:
    """One mark for each source. What is noted belongs to the transaction under way: it is kept
    together with the work that it goes with. Raises StoreUnavailable when the database fails.
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
        """The next search goes back to `since`, or further where that is still to come."""
        self._note(connection, source, since, stays=operator.lt)

    def move_on(self, connection: Connection, source: str, searched: Searched) -> None:
        """A search has ended. What was sent back meanwhile to before it began is still to be
        searched.
        """

        def stays(noted: Any, given: Any) -> ColumnElement[bool]:
            return or_(noted > given, noted < searched.since)

        self._note(connection, source, searched.until, stays)

    def _note(
        self,
        connection: Connection,
        source: str,
        until: datetime,
        stays: Callable[[Any, Any], ColumnElement[bool]],
    ) -> None:
        """The mark, unless what is noted already `stays`."""
        row = self._database.insert(event_sweeps)
        noted, given = event_sweeps.c.swept_until, row.excluded.swept_until
        connection.execute(
            row.on_conflict_do_update(
                index_elements=[event_sweeps.c.source],
                set_={"swept_until": case((stays(noted, given), noted), else_=given)},
            ),
            {"source": source, "swept_until": until},
        )
