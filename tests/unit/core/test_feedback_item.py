"""A feedback item holds a moment in UTC."""

from __future__ import annotations

from datetime import datetime

import pytest

from cds_service.core.feedback import FeedbackItem, FeedbackOutcome


def _item(at: datetime) -> FeedbackItem:
    return FeedbackItem(card="card", outcome=FeedbackOutcome.OVERRIDDEN, at=at)


def test_the_moment_is_held_in_utc() -> None:
    item = _item(datetime.fromisoformat("1985-04-13T00:20:50.52+01:00"))
    assert item.at.isoformat() == "1985-04-12T23:20:50.520000+00:00"


@pytest.mark.parametrize("at", ["2026-11-21T12:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_utc_cannot_express_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match="outcomeTimestamp"):
        _item(datetime.fromisoformat(at))
