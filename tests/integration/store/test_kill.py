"""What was acknowledged survives `kill -9`, and the store opens clean afterwards (T-67)."""

from __future__ import annotations

import pytest

from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Records
from tests.integration.store.conftest import Start
from tests.kept import CLIENT, SERVICE

pytestmark = pytest.mark.integration

ROUNDS = 10
LINES_BEFORE_THE_KILL = 20


def test_t67_every_acknowledged_record_and_feedback_is_there_after_kill_9(
    database_url: str, start: Start
) -> None:
    key = DataKey.random()
    with Database.open(database_url) as database:
        database.upgrade()
    acknowledged: list[str] = []
    for _ in range(ROUNDS):
        process = start("write", database_url, key.base64())
        assert process.stdout is not None
        acknowledged += [process.stdout.readline() for _ in range(LINES_BEFORE_THE_KILL)]
        process.kill()
        # Whole lines that were still in the pipe are acknowledgements too.
        rest, _ = process.communicate(timeout=30)
        acknowledged += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]

    assert len(acknowledged) >= ROUNDS * LINES_BEFORE_THE_KILL
    with Database.open(database_url) as database:
        database.upgrade()
        records, feedback = Records(database, Pseudonymiser(key)), Feedback(database, key)
        for line in acknowledged:
            kind, identifier = line.split()
            if kind == "record":
                assert len(records.find(identifier, CLIENT)) == 1
            else:
                assert len(feedback.of(identifier, CLIENT, SERVICE)) == 1
