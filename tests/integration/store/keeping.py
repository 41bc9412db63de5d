"""Records of one moment with their cards and feedback, and how many rows are left of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.records import Door, SentCard
from cds_service.store.retention import Belongings, Retention
from cds_service.store.tables import feedback, metadata
from cds_service.store.work_item import Evaluated, Kind, Target, Way, client_name
from tests.kept import CLIENT, KEY, PSEUDONYMS, evaluation, keep_card, pseudonym

OLD, NEW = datetime(2019, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
OF_ONE_CARD = {"evaluations": 1, "cards": 1, "carded_results": 1, "feedback": 1}


def retention(database: Database, lot: int = 3) -> Retention:
    """What deletes, a few rows at a time and without a rest in between."""
    return Retention(database, lot=lot, rest=lambda _seconds: None)


def keep(
    database: Database, patient: str, card: int, at: datetime = NEW, client: str = CLIENT
) -> None:
    """One record of a patient, with a card, a result, and feedback on the card."""
    uuid = f"9d2c1c3e-6f0c-5a4f-9b7d-{card:012d}"
    keep_card(database, patient, uuid, at, client=client, id_=f"evaluation-{card}")
    with database.writing() as connection:  # received when it was said
        connection.execute(update(feedback).where(feedback.c.card == uuid).values(received=at))


def keep_event(
    database: Database, patient: str, result: str, *, at: datetime = NEW, card: str = ""
) -> None:
    """One result that was notified and evaluated, with a card where one is named."""
    store = EventStore(database, KEY, PSEUDONYMS)
    store.add("lab", [Target(Kind.OBSERVATION, result)], Way.NOTIFIED, at)
    (claimed,) = store.claim(at)
    client = client_name("lab")
    whose = pseudonym(patient, client) if patient else ""
    made: dict[str, Any] = {"at": at, "door": Door.EVENT, "client": client, "patient": whose}
    made |= {"knowledge": "sil2r@2026.1", "outcomes": ("interpreted",)}
    made |= {"cards": (SentCard(uuid=card, results=(claimed.item,)),) if card else ()}
    record = evaluation(f"evaluation-of-{result}-{patient}", **made)
    version = f"1 for {patient}" if patient else "deleted after 1"
    store.finish(claimed, at, evaluated=[Evaluated(version, "", record)])


def counts(database: Database) -> dict[str, int]:
    """Rows of every table that has any."""
    with database.reading() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in rows.items() if count}


def times(factor: int, of_one: Mapping[str, int] = OF_ONE_CARD) -> dict[str, int]:
    """The rows of so many."""
    return {name: count * factor for name, count in of_one.items()}


def erase(database: Database, patient: str, client: str = CLIENT) -> Belongings:
    found = retention(database).belongings(client, pseudonym(patient, client))
    removed = list(retention(database).erase(found))
    assert sum(lot.rows for lot in removed) == sum(found.counts().values())
    return found
