"""The evaluation record: one for every invocation, whatever the door and whatever came of it.

It says who asked, when, with which knowledge, what was found, what was missing and what was sent;
also when no card was shown, and also for errors. Patients and resources stand in it only as
pseudonyms. Beside it stand the cards that were sent, which feedback is matched against, and the
results they were about, so that a withdrawn result is known to have been carded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    PoolProxiedConnection,
    Row,
    desc,
    insert,
    literal_column,
    select,
)

from cds_service.core.verdict import Reason
from cds_service.errors import NotFound
from cds_service.store.by_hand import as_written, require_texts
from cds_service.store.database import Database
from cds_service.store.engine import Durability
from cds_service.store.pseudonym import Pseudonymiser
from cds_service.store.tables import carded_results, cards, evaluations

MOST_RESULTS = 10_000
"""How many carded results of one patient are looked back on; the newest come first."""
MOST_RECORDS = 100
"""How many records of one evaluation id are given back; the newest come first."""


class Door(StrEnum):
    """The way by which an evaluation was asked for."""

    HOOK = "hook"
    SHADOW = "shadow"
    """A hook too; the caller is in shadow mode, so its cards were withheld."""
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCard:
    """A card as far as it is kept: never its text, which holds values."""

    uuid: str
    """As sent: a UUID in lower case."""
    findings: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    """The uuid of each suggestion on it."""
    override_reasons: tuple[str, ...] = ()
    """The code of each reason it offered."""
    results: tuple[str, ...] = ()
    """Pseudonyms of the Observations it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """One invocation. `client` is the registered client, with its tenant where it has one."""

    id: str
    """`id` of the evaluation extension on the cards: the same request has the same id."""
    at: datetime
    """When it began, with a time zone."""
    door: Door
    service: str
    client: str
    hook_instance: str = ""
    """As received; kept as it is only when it is a UUID, else as pseudonym."""
    knowledge: str = ""
    """`sil2r@2026.1`"""
    software: str = ""
    outcomes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    status: int = 200
    """The HTTP status answered, or what it would have been at another door."""
    error: str = ""
    """The public code of the error answered (`CDS-3001`), empty when there was none."""
    duration_ms: float = 0.0
    patient: str = ""
    """Pseudonym of the patient, empty when no patient was named."""
    inputs: tuple[str, ...] = ()
    """The resources used, each as `Observation/<pseudonym>`."""
    cards: tuple[SentCard, ...] = ()

    @property
    def said(self) -> int:
        """How many of the cards say something of a result, not only that it was withdrawn."""
        return len(self.outcomes) - self.reasons.count(Reason.STATUS_WITHDRAWN)


class Records:
    """Writes and reads evaluation records.

    Raises StoreUnavailable when the database fails, and InputError for rows that were written by
    hand and cannot be read.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonymiser) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        sent = database.insert(cards)
        again = sent.on_conflict_do_update(
            index_elements=[cards.c.client, cards.c.service, cards.c.uuid],
            set_={
                "last_sent": sent.excluded.last_sent,
                "times_sent": cards.c.times_sent + literal_column("1"),
            },
        )
        once = database.insert(carded_results).on_conflict_do_nothing()
        self._keep_evaluation = database.prepare(evaluations, insert(evaluations))
        self._remember_cards = database.prepare(cards, again)
        self._remember_results = database.prepare(carded_results, once)

    def save(self, record: EvaluationRecord) -> None:
        """Keeps the record and its cards, in one transaction that outlives the process."""
        with self._database.inserting(Durability.PROCESS_LOSS) as connection:
            self._write(connection, record)

    def save_in(self, connection: Connection, record: EvaluationRecord) -> None:
        """The same inside a transaction under way: all written there is kept, or nothing."""
        self._write(connection.connection, record)

    def _write(self, connection: PoolProxiedConnection, record: EvaluationRecord) -> None:
        self._keep_evaluation.run(connection, [self._row(record)])
        if record.cards:
            self._remember_cards.run(connection, _card_rows(record))
        if results := _result_rows(record):
            self._remember_results.run(connection, results)

    def _row(self, record: EvaluationRecord) -> dict[str, Any]:
        return {
            "id": record.id,
            "at": record.at,
            "door": record.door.value,
            "service": record.service,
            "client": record.client,
            "hook_instance": self._pseudonyms.unless_uuid(
                record.client, "hookInstance", record.hook_instance
            ),
            "knowledge": record.knowledge,
            "software": record.software,
            "outcomes": record.outcomes,
            "findings": record.findings,
            "reasons": record.reasons,
            "missing": record.missing,
            "status": record.status,
            "error": record.error,
            "duration_ms": record.duration_ms,
            "patient": record.patient,
            "inputs": record.inputs,
            "cards": tuple([card.uuid for card in record.cards]),
        }

    def carded_before(self, patient: str, client: str) -> frozenset[str]:
        """Pseudonyms of this patient's Observations that this client was sent a card about."""
        known = (
            select(carded_results.c.result)
            .where(carded_results.c.client == client, carded_results.c.patient == patient)
            .order_by(desc(carded_results.c.first_sent))
            .limit(MOST_RESULTS)
        )
        with self._database.reading() as connection:
            return frozenset(connection.scalars(known))

    def find(self, evaluation_id: str, client: str) -> tuple[EvaluationRecord, ...]:
        """The records of one evaluation, newest first: one for each time it was asked for.

        Raises NotFound also when it belongs to another client: its existence is not told.
        """
        found = self._newest(client, MOST_RECORDS, evaluations.c.id == evaluation_id)
        if not found:
            raise NotFound(
                "There is no such evaluation.",
                remedy="Give `id` of a card's extension, and the client as it stands in the log.",
            )
        return found

    def newest(self, client: str, most: int) -> tuple[EvaluationRecord, ...]:
        """The newest records of a client, newest first."""
        return self._newest(client, most)

    def of_hook_instance(
        self, client: str, received: str, most: int, former: Sequence[Pseudonymiser] = ()
    ) -> tuple[EvaluationRecord, ...]:
        """The newest records of one `hookInstance` as the client sent it, newest first; also those
        that were kept under one of the former data keys.
        """
        keys = (self._pseudonyms, *former)
        kept = {key.unless_uuid(client, "hookInstance", received) for key in keys}
        return self._newest(client, most, evaluations.c.hook_instance.in_(kept))

    def _newest(
        self, client: str, most: int, *those: ColumnElement[bool]
    ) -> tuple[EvaluationRecord, ...]:
        rows = (
            select(evaluations)
            .where(evaluations.c.client == client, *those)
            .order_by(desc(evaluations.c.number))
            .limit(most)
        )
        with as_written(evaluations), self._database.reading() as connection:
            return tuple(_record(row, connection) for row in connection.execute(rows).all())


def recorded_clients(database: Database) -> tuple[str, ...]:
    """Every client of which an evaluation is stored, by name; also one that is registered no more.

    Raises StoreUnavailable when the database fails.
    """
    named = select(evaluations.c.client).distinct().order_by(evaluations.c.client)
    with database.reading() as connection:
        return tuple(connection.scalars(named))


# Rows of both tables are sorted, so that two transactions take PostgreSQL's locks in one order.


def _card_rows(record: EvaluationRecord) -> list[dict[str, Any]]:
    return [
        {
            "client": record.client,
            "service": record.service,
            "uuid": card.uuid,
            "findings": tuple(sorted(set(card.findings))),
            "suggestions": card.suggestions,
            "override_reasons": card.override_reasons,
            "results": card.results,
            "first_sent": record.at,
            "last_sent": record.at,
            "times_sent": 1,
        }
        for card in sorted(record.cards, key=lambda card: card.uuid)
    ]


def _result_rows(record: EvaluationRecord) -> list[dict[str, Any]]:
    """The results that cards were about, each once; none where no patient was named."""
    if not record.patient:
        return []
    row = {"client": record.client, "patient": record.patient, "first_sent": record.at}
    results = {result for card in record.cards for result in card.results}
    return [row | {"result": result} for result in sorted(results)]


def _record(row: Row[Any], connection: Connection) -> EvaluationRecord:
    require_texts(row, evaluations)
    stored = row._asdict()
    del stored["number"]
    sent = select(*(cards.c[name] for name in SentCard.__slots__)).where(
        cards.c.client == row.client, cards.c.service == row.service, cards.c.uuid.in_(row.cards)
    )
    by_uuid = {card.uuid: SentCard(**card._asdict()) for card in connection.execute(sent)}
    stored["door"] = Door(row.door)
    # A card may be gone before its record, where a deletion is under way or has been stopped.
    stored["cards"] = tuple(by_uuid[uuid] for uuid in row.cards if uuid in by_uuid)
    return EvaluationRecord(**stored)
