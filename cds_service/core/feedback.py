"""Feedback: what a clinician did with one card (CDS Hooks 2.0.1, "Feedback")."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from cds_service.core.elements import Coding

NO_REASON = Coding("", "")


class FeedbackOutcome(StrEnum):
    """`outcome`: the closed set of the specification."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackItem:
    """One item of a feedback call; `reason` has no code when none of the card's list was picked.

    The comment is patient data and never part of the representation. Raises ValueError for a moment
    without a time zone, and for one that UTC cannot express.
    """

    card: str
    outcome: FeedbackOutcome
    at: datetime
    """outcomeTimestamp, in UTC."""
    suggestions: frozenset[str] = frozenset()
    """The accepted ones, without order."""
    reason: Coding = NO_REASON
    comment: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("outcomeTimestamp has no time zone")
        try:
            moment = self.at.astimezone(UTC)
        except OverflowError:
            raise ValueError("outcomeTimestamp is outside the years 1 to 9999") from None
        object.__setattr__(self, "at", moment)
