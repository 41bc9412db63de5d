"""The results that were evaluated: each version once by each knowledge, and what was said of it."""

from __future__ import annotations

from sqlalchemy import Connection, desc, func, select

from cds_service.errors import InputError, NotFound
from cds_service.store.database import Database
from cds_service.store.records import Records
from cds_service.store.tables import event_evaluations
from cds_service.store.work_item import Claimed, Evaluated, NeverEvaluated, Past, client_name


class EvaluatedResults:
    """What was kept of results that events told of. Raises StoreUnavailable."""

    def __init__(self, database: Database, records: Records) -> None:
        self._database = database
        self._records = records

    def holds(self, source: str, item: str, version: str, knowledge: str) -> bool:
        """Whether this version of the result was evaluated with this knowledge."""
        found = select(event_evaluations.c.number).where(
            event_evaluations.c.source == source,
            event_evaluations.c.item == item,
            event_evaluations.c.version == version,
            event_evaluations.c.knowledge == knowledge,
        )
        with self._database.reading() as connection:
            return connection.execute(found).first() is not None

    def last(self, claimed: Claimed, analyte: str) -> Past | NeverEvaluated:
        """What was kept last of this result for this analyte (`sil2r`).

        Nothing is known of it where its record is not there, as while an erasure is under way, or
        was changed by hand.
        """
        newest = (
            select(event_evaluations)
            .where(
                event_evaluations.c.source == claimed.source,
                event_evaluations.c.item == claimed.item,
                event_evaluations.c.knowledge.startswith(f"{analyte}@", autoescape=True),
            )
            .order_by(desc(event_evaluations.c.number))
            .limit(2)
        )
        with self._database.reading() as connection:
            rows = connection.execute(newest).all()
        if not rows:
            return NeverEvaluated()
        row = rows[0]
        try:
            said = self._cards_said(claimed.source, row.evaluation) if row.said else 0
        except (NotFound, InputError):
            return NeverEvaluated()
        told = any(each.said for each in rows)
        return Past(row.evaluation, row.version, row.knowledge, said, told)

    def _cards_said(self, source: str, evaluation: str) -> int:
        """How many cards were delivered, by the record kept in the same transaction."""
        newest, *_before = self._records.find(evaluation, client_name(source))
        return newest.said

    def keep(self, connection: Connection, claimed: Claimed, each: Evaluated) -> None:
        """Keeps an evaluation and its record in a transaction under way, if it is not kept yet."""
        of_item = (event_evaluations.c.source == claimed.source) & (
            event_evaluations.c.item == claimed.item
        )
        last = select(func.coalesce(func.max(event_evaluations.c.number), 0)).where(of_item)
        row = {
            "source": claimed.source,
            "item": claimed.item,
            "version": each.version,
            "knowledge": each.record.knowledge,
            "evaluation": each.record.id,
            "said": each.record.said > 0,
            "way": claimed.way.value,
            "replaces": each.replaces,
            "number": connection.execute(last).scalar_one() + 1,
            "at": each.record.at,
        }
        once = self._database.insert(event_evaluations).on_conflict_do_nothing()
        if connection.execute(once, row).rowcount == 1:
            self._records.save_in(connection, each.record)
