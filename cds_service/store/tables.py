"""The tables. What stands here is all that is kept: no resource, no value, no token, no name.

Lists are kept as JSON text in ASCII, moments in UTC. Every column is NOT NULL: where there is
nothing to say, the empty text or the empty list says so.

Who writes rows of several tables in one transaction locks them in this order, so that no two wait
for each other: event_work by item; event_evaluations, evaluations, cards, carded_results;
event_sweeps; event_subscriptions; event_gaps.

A change here needs a migration in `migrations/versions`; a test holds the two together.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite knows no time zones, so there it is UTC by agreement."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: the same moment in UTC. SQLite's type writes no zone."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: always with the time zone UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Words(TypeDecorator[tuple[str, ...]]):
    """A short list of words (ids, codes) as JSON text in ASCII."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """To the database: JSON whose every character is printable ASCII."""
        # What `json.dumps` writes; it builds an encoder each time, which takes five times as long.
        return f"[{', '.join(map(encode_basestring_ascii, value or ()))}]"

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...]:
        """From the database: the words in the order they were given.

        Raises TypeError, ValueError or RecursionError for what was never written here.
        """
        words = json.loads(value)
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise TypeError
        return tuple(words)


Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column of type INTEGER."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _required(name: str, kind: Any, *, key: bool = False) -> Column[Any]:
    return Column(name, kind, primary_key=key, nullable=False)


tokens_seen = Table(
    "tokens_seen",
    metadata,
    _required("issuer", Text, key=True),
    _required("jti_sha256", Text, key=True),
    _required("expires", Instant),
    Index("ix_tokens_seen_expires", "expires"),
    sqlite_with_rowid=False,
)

evaluations = Table(
    "evaluations",
    metadata,
    _required("number", Number, key=True),
    _required("id", Text),
    _required("at", Instant),
    _required("door", Text),
    _required("service", Text),
    _required("client", Text),
    _required("hook_instance", Text),
    _required("knowledge", Text),
    _required("software", Text),
    _required("outcomes", Words),
    _required("findings", Words),
    _required("reasons", Words),
    _required("missing", Words),
    _required("status", Integer),
    _required("error", Text),
    _required("duration_ms", Float),
    _required("patient", Text),
    _required("inputs", Words),
    _required("cards", Words),
    Index("ix_evaluations_id", "id"),
)

cards = Table(
    "cards",
    metadata,
    _required("client", Text, key=True),
    _required("service", Text, key=True),
    _required("uuid", Text, key=True),
    _required("findings", Words),
    _required("suggestions", Words),
    _required("override_reasons", Words),
    _required("results", Words),
    _required("first_sent", Instant),
    _required("last_sent", Instant),
    _required("times_sent", Integer),
)

carded_results = Table(
    "carded_results",
    metadata,
    _required("client", Text, key=True),
    _required("patient", Text, key=True),
    _required("result", Text, key=True),
    _required("first_sent", Instant),
    sqlite_with_rowid=False,
)

feedback = Table(
    "feedback",
    metadata,
    _required("number", Number, key=True),
    _required("identity", Text),
    _required("received", Instant),
    _required("client", Text),
    _required("service", Text),
    _required("card", Text),
    _required("matched", Boolean),
    _required("outcome", Text),
    _required("at", Instant),
    _required("suggestions", Words),
    _required("reason", Words),
    _required("comment_key", Text),
    _required("comment", LargeBinary),
    UniqueConstraint("identity"),
    Index("ix_feedback_card", "card"),
)

event_work = Table(
    "event_work",
    metadata,
    _required("number", Number, key=True),
    _required("source", Text),
    _required("item", Text),
    _required("kind", Text),
    _required("target", LargeBinary),
    _required("way", Text),
    _required("revision", Integer),
    _required("attempts", Integer),
    _required("leases_lost", Integer),
    _required("dead", Boolean),
    _required("cause", Text),
    _required("first_received", Instant),
    _required("due", Instant),
    _required("lease", Text),
    UniqueConstraint("source", "item"),
    Index("ix_event_work_due", "due"),
)

event_evaluations = Table(
    "event_evaluations",
    metadata,
    _required("source", Text, key=True),
    _required("item", Text, key=True),
    _required("version", Text, key=True),
    _required("knowledge", Text, key=True),
    _required("evaluation", Text),
    _required("said", Boolean),
    _required("way", Text),
    _required("replaces", Text),
    _required("number", Integer),
    _required("at", Instant),
)

event_subscriptions = Table(
    "event_subscriptions",
    metadata,
    _required("source", Text, key=True),
    _required("subscription", Text, key=True),
    _required("criteria", Text),
    _required("status", Text),
    _required("heartbeat_seconds", Integer),
    _required("next_number", BigInteger),
    _required("last_heard", Instant),
)

event_gaps = Table(
    "event_gaps",
    metadata,
    _required("source", Text, key=True),
    _required("subscription", Text, key=True),
    _required("number", BigInteger, key=True),
    _required("due", Instant),
)

event_sweeps = Table(
    "event_sweeps",
    metadata,
    _required("source", Text, key=True),
    _required("swept_until", Instant),
)
