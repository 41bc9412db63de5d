"""A feedback item holds a moment in UTC and no display text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cds_service.core.model import Coding
from cds_service.store.feedback import NO_REASON, FeedbackItem, FeedbackOutcome


def _item(at: datetime, reason: Coding = NO_REASON) -> FeedbackItem:
    return FeedbackItem(card="card", outcome=FeedbackOutcome.OVERRIDDEN, at=at, reason=reason)


def test_the_moment_is_held_in_utc() -> None:
    item = _item(datetime.fromisoformat("1985-04-13T00:20:50.52+01:00"))
    assert item.at.isoformat() == "1985-04-12T23:20:50.520000+00:00"


@pytest.mark.parametrize("at", ["2026-11-21T12:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_utc_cannot_express_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match="outcomeTimestamp"):
        _item(datetime.fromisoformat(at))


def test_the_display_of_a_reason_is_not_kept() -> None:
    item = _item(datetime(2026, 11, 21, tzinfo=UTC), Coding("system", "code", "display"))
    assert item.reason == Coding("system", "code")
