"""What a database keeps, written for tests: records, their cards, and what was said of these.

Of noon on 21 November 2026 and one client, unless said otherwise, under one key that never changes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Door, EvaluationRecord, Records, SentCard

KEY = DataKey(bytes(range(32)))
PSEUDONYMS = Pseudonymiser(KEY)
CLIENT, SERVICE = "general-hospital", "sil2r-patient-view"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def put_database(file: Path) -> None:
    """A database of SQLite in which nothing is kept yet, unless there is one; made once for all.

    For tests that are not about the making of one.
    """
    if not file.exists():
        file.touch(0o600)
        file.write_bytes(_new_database())


@cache
def _new_database() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "new.sqlite3"
        with Database.open(f"sqlite:///{file}") as database:
            database.upgrade()
        return file.read_bytes()


def pseudonym(patient: str, client: str = CLIENT) -> str:
    return PSEUDONYMS.of(client, "Patient", patient)


def evaluation(id_: str = "evaluation", **changes: Any) -> EvaluationRecord:
    """The record of one call at a hook."""
    given: dict[str, Any] = {"at": NOON, "door": Door.HOOK, "service": SERVICE, "client": CLIENT}
    return EvaluationRecord(id=id_, **{**given, **changes})


def keep(database: Database, *records: EvaluationRecord) -> None:
    for record in records:
        Records(database, PSEUDONYMS).save(record)


def keep_card(database: Database, patient: str, card: str, at: datetime, **changes: Any) -> None:
    """The record of one patient, with a card, a result, and feedback on the card."""
    client = changes.get("client", CLIENT)
    results = (PSEUDONYMS.of(client, "Observation", card),)
    sent = {"patient": pseudonym(patient, client), "cards": (SentCard(uuid=card, results=results),)}
    keep(database, evaluation(at=at, **{"id_": f"evaluation-{card}", **sent, **changes}))
    said = FeedbackItem(card=card, outcome=FeedbackOutcome.OVERRIDDEN, at=at)
    Feedback(database, KEY).save([said], client, SERVICE)
