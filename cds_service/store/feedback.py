"""Feedback: what clinicians did with the cards (CDS Hooks 2.0.1, "Feedback").

Feedback may come many times for one card (B-01), so every distinct item is kept and the state of a
card is derived: its newest outcome. A repeated item is the same item. What is said of a card that
this client was never sent is kept as unmatched and not counted. Of a reason only the code is kept.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, desc, select

from cds_service.core.elements import Coding
from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.store.by_hand import as_written, require_texts
from cds_service.store.comments import NO_COMMENT, CommentCipher, Sealed
from cds_service.store.database import Database
from cds_service.store.lots import LOT, in_lots
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.tables import cards, feedback

MOST_ITEMS = 1_000
"""How many items of one card are given back; the newest come first."""


class Feedback:
    """Writes and reads feedback. Raises StoreUnavailable when the database fails."""

    def __init__(self, database: Database, key: DataKey, former: tuple[DataKey, ...] = ()) -> None:
        self._database = database
        self._pseudonyms = Pseudonymiser(key)
        self._comments = CommentCipher(key, former)
        self._identity_key = key.subkey("feedback-identity")
        kept_once = database.insert(feedback).on_conflict_do_nothing(
            index_elements=[feedback.c.identity]
        )
        self._insert = kept_once.returning(feedback.c.outcome, feedback.c.matched)

    def save(
        self, items: Sequence[FeedbackItem], client: str, service: str
    ) -> Mapping[FeedbackOutcome, int]:
        """Keeps the batch, all of it or nothing; once this returns it outlives a power failure.

        Returns how many items were new and of a card that was sent, by what they say.
        """
        received = datetime.now(UTC)
        # By identity, so that repeats within the batch become one row; and sorted, so that two
        # batches take the locks of PostgreSQL in the same order.
        rows = [self._row(item, client, service, received) for item in items]
        by_identity = {row["identity"]: row for row in rows}
        distinct = [by_identity[identity] for identity in sorted(by_identity)]
        new: list[Row[Any]] = []
        with self._database.writing() as connection:
            for lot in in_lots(distinct, LOT):
                known = _known_cards(connection, lot, client, service)
                marked = [row | {"matched": row["card"] in known} for row in lot]
                new += connection.execute(self._insert, marked)
        return Counter(FeedbackOutcome(row.outcome) for row in new if row.matched)

    def _row(
        self, item: FeedbackItem, client: str, service: str, received: datetime
    ) -> dict[str, Any]:
        opaque = self._pseudonyms.unless_uuid
        row = {
            "client": client,
            "service": service,
            "card": opaque(client, "card", item.card),
            "outcome": item.outcome.value,
            "at": item.at,
            "suggestions": tuple(
                sorted(opaque(client, "suggestion", each) for each in item.suggestions)
            ),
            "reason": (item.reason.system, item.reason.code),
        }
        identity = self._identity(row, item.comment)
        sealed = self._comments.seal(item.comment, bound_to=identity)
        return row | {
            "identity": identity,
            "received": received,
            "comment_key": sealed.key_id,
            "comment": sealed.data,
        }

    def _identity(self, row: dict[str, Any], comment: str) -> str:
        """A hash of everything that the item says; with a key, since the comment is part of it."""
        said = [*(str(row[name]) for name in sorted(row)), comment]
        return hmac.digest(self._identity_key, json.dumps(said).encode(), "sha256").hex()

    def of(
        self, card: str, client: str, service: str, *, comments: bool = True
    ) -> tuple[FeedbackItem, ...]:
        """What was said of one card, newest first, comments in clear: for those who may read it;
        or without them.

        Raises ConfigurationError when a comment was sealed with a key that was not given, and
        InputError for what was written by hand and cannot be read.
        """
        said = (
            select(feedback)
            .where(
                feedback.c.client == client,
                feedback.c.service == service,
                feedback.c.card == self._pseudonyms.unless_uuid(client, "card", card),
            )
            .order_by(desc(feedback.c.at), desc(feedback.c.number))
            .limit(MOST_ITEMS)
        )
        with as_written(feedback), self._database.reading() as connection:
            return tuple(self._item(row, comments) for row in connection.execute(said))

    def _item(self, row: Row[Any], comments: bool) -> FeedbackItem:
        require_texts(row, feedback)
        sealed = Sealed(row.comment_key, row.comment) if comments else NO_COMMENT
        return FeedbackItem(
            card=row.card,
            outcome=FeedbackOutcome(row.outcome),
            at=row.at,
            suggestions=frozenset(row.suggestions),
            reason=Coding(*row.reason),
            comment=self._comments.open(sealed, bound_to=row.identity),
        )


def _known_cards(
    connection: Connection, lot: list[dict[str, Any]], client: str, service: str
) -> frozenset[str]:
    known = select(cards.c.uuid).where(
        cards.c.client == client,
        cards.c.service == service,
        cards.c.uuid.in_({row["card"] for row in lot}),
    )
    return frozenset(connection.scalars(known))
