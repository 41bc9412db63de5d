"""What the multi-process tests run in processes of their own: `process.py TASK URL …`.

Every task reports a line only after the store has returned, so a line is an acknowledgement.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Records
from cds_service.store.replay import SqlReplayStore
from tests.kept import CLIENT, SERVICE, evaluation


def say(line: str) -> None:
    """Reports one line to the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def upgrade(database: Database, _: str) -> None:
    """Upgrades as soon as the test says so, and reports the revision."""
    say("ready")
    sys.stdin.readline()
    database.upgrade()
    say(database.revision())


def remember(database: Database, jti: str) -> None:
    """Presents one token 16 times at once and reports each answer."""
    store = SqlReplayStore(database)
    expires = datetime.now(UTC) + timedelta(minutes=15)
    with ThreadPoolExecutor(max_workers=16) as threads:
        say("ready")
        sys.stdin.readline()
        answers = threads.map(lambda _: store.remember("issuer", jti, expires), range(16))
        for answer in answers:
            say(answer.value)


def write(database: Database, key: str) -> None:
    """Writes records and feedback until it is killed, and reports the id of each."""
    data_key = DataKey.from_base64(key)
    records = Records(database, Pseudonymiser(data_key))
    feedback = Feedback(database, data_key)
    while True:
        identifier = str(uuid4())
        now = datetime.now(UTC)
        records.save(evaluation(identifier, at=now, status=200))
        say(f"record {identifier}")
        item = FeedbackItem(card=identifier, outcome=FeedbackOutcome.OVERRIDDEN, at=now)
        feedback.save([item], CLIENT, SERVICE)
        say(f"feedback {identifier}")


TASKS: dict[str, Callable[[Database, str], None]] = {
    "upgrade": upgrade,
    "remember": remember,
    "write": write,
}

if __name__ == "__main__":
    task, url, argument = sys.argv[1:]
    with Database.open(url) as opened:
        TASKS[task](opened, argument)
