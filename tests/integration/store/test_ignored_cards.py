"""Who ignores a card sends no feedback: acceptance is counted against the cards that were sent."""

from __future__ import annotations

from uuid import UUID

import pytest

from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.finding_counts import finding_counts
from cds_service.store.records import SentCard
from tests.kept import CLIENT, KEY, NOON, SERVICE, evaluation, keep

pytestmark = pytest.mark.integration

FINDING = "csf-above-150"


def test_b02_ten_cards_of_which_one_was_accepted_and_eight_ignored_are_counted_as_ten(
    database: Database,
) -> None:
    cards = [SentCard(uuid=str(UUID(int=n, version=4)), findings=(FINDING,)) for n in range(10)]
    keep(database, evaluation(cards=tuple(cards)))
    feedback = Feedback(database, KEY)
    said = [
        FeedbackItem(card=cards[0].uuid, outcome=FeedbackOutcome.ACCEPTED, at=NOON),
        FeedbackItem(card=cards[1].uuid, outcome=FeedbackOutcome.OVERRIDDEN, at=NOON),
    ]
    feedback.save(said, CLIENT, SERVICE)
    (counted,) = finding_counts(database)
    assert (counted.shown, counted.accepted, counted.overridden) == (10, 1, 1)
