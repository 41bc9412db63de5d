"""What became of the cards with each finding, counted in the database: it needs no data key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import desc, func, select

from cds_service.core.feedback import FeedbackOutcome
from cds_service.store.by_hand import as_written
from cds_service.store.database import Database
from cds_service.store.tables import cards, evaluations, feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCounts:
    """How one finding fared at one client. A card counts once, with its newest outcome.

    `shown` cards were sent, `sent` times in all. CDS Hooks never reports ignored cards: they are
    those of `shown` that are neither `accepted` nor `overridden`. `withheld` counts the answers,
    each once, that had such a card and were shown to nobody: in shadow, or about an event that is
    only recorded.
    """

    client: str
    finding: str
    shown: int
    sent: int
    accepted: int
    overridden: int
    withheld: int


# Counted by the database for each set of findings that a card had: few sets, however many cards.
_SHOWN = select(
    cards.c.client, cards.c.findings, func.count(), func.sum(cards.c.times_sent)
).group_by(cards.c.client, cards.c.findings)

_newest_first = func.row_number().over(
    partition_by=(feedback.c.client, feedback.c.service, feedback.c.card),
    order_by=(desc(feedback.c.at), desc(feedback.c.number)),
)
_ranked = (
    select(
        feedback.c.client,
        feedback.c.service,
        feedback.c.card,
        feedback.c.outcome,
        _newest_first.label("rank"),
    )
    .where(feedback.c.matched)
    .subquery()
)
_STATES = (
    select(cards.c.client, cards.c.findings, _ranked.c.outcome, func.count())
    .join(
        _ranked,
        (cards.c.client == _ranked.c.client)
        & (cards.c.service == _ranked.c.service)
        & (cards.c.uuid == _ranked.c.card),
    )
    .where(_ranked.c.rank == 1)
    .group_by(cards.c.client, cards.c.findings, _ranked.c.outcome)
)
_WITHHELD = (
    select(evaluations.c.client, evaluations.c.findings, func.count(evaluations.c.id.distinct()))
    .where(evaluations.c.cards == ())
    .group_by(evaluations.c.client, evaluations.c.findings)
)


def finding_counts(database: Database) -> tuple[FindingCounts, ...]:
    """How each finding fared at each client, in alphabetical order.

    Raises StoreUnavailable, and InputError for rows that were written by hand and cannot be read.
    """
    shown: Counter[tuple[str, str]] = Counter()
    sent: Counter[tuple[str, str]] = Counter()
    states: Counter[tuple[str, str, str]] = Counter()
    withheld: Counter[tuple[str, str]] = Counter()
    with as_written(cards), database.reading() as connection:
        for client, findings, distinct, times in connection.execute(_SHOWN):
            for finding in findings:
                shown[client, finding] += distinct
                sent[client, finding] += times
        for client, findings, outcome, distinct in connection.execute(_STATES):
            for finding in findings:
                states[client, finding, outcome] += distinct
        for client, findings, distinct in connection.execute(_WITHHELD):
            for finding in findings:
                withheld[client, finding] += distinct
    return tuple(
        FindingCounts(
            client=client,
            finding=finding,
            shown=shown[client, finding],
            sent=sent[client, finding],
            accepted=states[client, finding, FeedbackOutcome.ACCEPTED.value],
            overridden=states[client, finding, FeedbackOutcome.OVERRIDDEN.value],
            withheld=withheld[client, finding],
        )
        for client, finding in sorted(shown.keys() | withheld.keys())
    )
