"""Whether the results that sources notified of late could be interpreted: for the metrics.

Workers have no metrics of their own, so this is read from their records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select

from cds_service.store.database import Database
from cds_service.store.records import Door
from cds_service.store.tables import evaluations

OF_LATE: Final = timedelta(days=1)
LOOKED_AT: Final = 20_000
"""The newest records are looked at and no others: it is asked every few seconds."""
_DONE: Final = 200


@dataclass(frozen=True, slots=True)
class EventOutcomes:
    """How many evaluations of a source's results could be interpreted, and how many not."""

    interpreted: int = 0
    not_interpreted: int = 0


_newest = select(func.max(evaluations.c.number)).scalar_subquery()
_OUTCOMES = (
    select(evaluations.c.client, func.count(), func.count().filter(evaluations.c.reasons != ()))
    .where(
        evaluations.c.number > _newest - bindparam("looked_at"),
        evaluations.c.door == Door.EVENT.value,
        evaluations.c.status == _DONE,
        evaluations.c.at > bindparam("since"),
    )
    .group_by(evaluations.c.client)
)


def outcomes_of_late(database: Database, now: datetime) -> dict[str, EventOutcomes]:
    """The outcomes by client, as records name a source. Raises StoreUnavailable."""
    bounds = {"since": now - OF_LATE, "looked_at": LOOKED_AT}
    with database.reading() as connection:
        rows = connection.execute(_OUTCOMES, bounds).all()
    return {client: EventOutcomes(done - unread, unread) for client, done, unread in rows}
