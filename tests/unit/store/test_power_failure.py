"""What is on the disk once it is answered, and what a power failure may take (decision 81).

On SQLite the level of `PRAGMA synchronous` tells: FULL waits for the disk at each commit, NORMAL
does not. It is set anew by the first write of a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.feedback import Feedback
from cds_service.store.replay import SqlReplayStore
from cds_service.store.work_item import Kind, Target, Way
from tests.kept import KEY, NOON, PSEUDONYMS, evaluation, keep

FULL, NORMAL = "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"


def levels_of(write: Callable[[Database], object], file: Path) -> set[str]:
    """The levels at which a write of a new process is committed."""
    told: list[str] = []
    with Database.open(f"sqlite:///{file}") as database:
        database.upgrade()
        database.close()

        def listen(connection: Any, _record: object) -> None:
            connection.set_trace_callback(told.append)

        event.listen(database._engine, "connect", listen)
        write(database)
    return {statement for statement in told if statement.startswith("PRAGMA synchronous = ")}


def keep_feedback(database: Database) -> None:
    said = FeedbackItem(card="c", outcome=FeedbackOutcome.OVERRIDDEN, at=NOON, comment="text")
    Feedback(database, KEY).save([said], "north", "sil2r-patient-view")


def keep_event(database: Database) -> None:
    store = EventStore(database, KEY, PSEUDONYMS)
    store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, NOON)


def keep_record(database: Database) -> None:
    keep(database, evaluation())


def keep_token(database: Database) -> None:
    SqlReplayStore(database).remember("https://ehr.example.org", "jti", NOON)


@pytest.mark.parametrize("write", [keep_feedback, keep_event])
def test_what_is_acknowledged_is_on_the_disk(
    write: Callable[[Database], object], tmp_path: Path
) -> None:
    assert levels_of(write, tmp_path / "cds.sqlite3") == {FULL}


@pytest.mark.parametrize("write", [keep_record, keep_token])
def test_no_call_waits_for_the_disk(write: Callable[[Database], object], tmp_path: Path) -> None:
    assert levels_of(write, tmp_path / "cds.sqlite3") == {NORMAL}
