"""Tokens that were seen, shared by all workers, kept across a restart until they have expired.

The database decides: the first insert of (issuer, jti) wins, every other one finds it there. The
`jti` is kept as its SHA-256 only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import delete, select, tuple_

from cds_service.access.replay import Remembered, ReplayStore
from cds_service.store.database import Database
from cds_service.store.engine import Durability
from cds_service.store.tables import tokens_seen

PURGE_EVERY = 512
"""Fresh tokens between two purges: a call that purges takes longer, so few do."""
PURGE_AT_MOST = 2048
"""Most rows that one purge removes: more than come in between two, so no backlog can grow."""
GRACE = timedelta(minutes=5)
"""How long an expired token is kept: clocks of several machines differ."""


def _now() -> datetime:
    return datetime.now(UTC)


class SqlReplayStore(ReplayStore):
    """The ReplayStore in the database. Raises StoreUnavailable when the database fails."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._now = now
        self._calls = count()
        once = database.insert(tokens_seen).on_conflict_do_nothing()
        self._insert = database.prepare(tokens_seen, once)

    def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
        """FRESH for the first call with this issuer and jti, SEEN for each one after it."""
        digest = hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
        row = {"issuer": issuer, "jti_sha256": digest, "expires": expires}
        # Before the token is remembered: a purge that fails must not use it up.
        if next(self._calls) % PURGE_EVERY == 0:
            self._purge()
        with self._database.inserting(Durability.PROCESS_LOSS) as connection:
            inserted = self._insert.run(connection, [row])
        return Remembered.FRESH if inserted == 1 else Remembered.SEEN

    def _purge(self) -> None:
        key = tokens_seen.c.issuer, tokens_seen.c.jti_sha256
        expired = (
            select(*key)
            .where(tokens_seen.c.expires < self._now() - GRACE)
            .limit(PURGE_AT_MOST)
            .with_for_update(skip_locked=True)  # two purges at once never wait for each other
        )
        with self._database.writing(Durability.PROCESS_LOSS) as connection:
            connection.execute(delete(tokens_seen).where(tuple_(*key).in_(expired)))
