"""Feedback (CDS Hooks 2.0.1, "Feedback"): what clinicians did with the cards, as typed items.

A repeated item, a card nobody remembers and an `overridden` without a reason are all valid (B-01,
B-03, B-04). The comment is patient data: it is never shown in a representation (B-06).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cds_service.core.elements import Coding
from cds_service.core.feedback import NO_REASON, FeedbackItem, FeedbackOutcome
from cds_service.core.json_object import JsonObject
from cds_service.hooks.members import Members

MOST_ITEMS = 5_000
"""Most items of one call. They are stored all or none, and nobody else can write meanwhile: for so
many about a tenth of a second (decision 43). A thousand are promised (T-91)."""
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
LONGEST_COMMENT = 10_000
LONGEST_URI = 512
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def read_feedback(body: JsonObject) -> tuple[FeedbackItem, ...]:
    """The items of a feedback call, at most MOST_ITEMS.

    Raises BadRequest with the path of the first fault.
    """
    members = Members(body)
    if len(members.array("feedback")) > MOST_ITEMS:
        raise members.fault(
            "feedback",
            f"There are more than {MOST_ITEMS} items.",
            "Send the items in several calls.",
        )
    return tuple(map(_item, members.objects("feedback")))


def _item(item: Members) -> FeedbackItem:
    card = item.text("card")
    outcome = _outcome(item)
    reason, comment = _override_reason(item)
    return FeedbackItem(
        card=card,
        outcome=outcome,
        at=_timestamp(item),
        suggestions=_accepted(item) if outcome is FeedbackOutcome.ACCEPTED else frozenset(),
        reason=reason,
        comment=comment,
    )


def _outcome(item: Members) -> FeedbackOutcome:
    try:
        return FeedbackOutcome(item.text("outcome"))
    except ValueError:
        raise item.fault(
            "outcome", "There is no such outcome.", "Send accepted or overridden."
        ) from None


def _accepted(item: Members) -> frozenset[str]:
    """cds-fb-2: `accepted` says which suggestions were."""
    suggestions = frozenset(each.text("id") for each in item.objects("acceptedSuggestions"))
    if not suggestions:
        raise item.fault(
            "acceptedSuggestions", "No suggestion is named.", "Send the id of each one accepted."
        )
    return suggestions


def _override_reason(item: Members) -> tuple[Coding, str]:
    """cds-fb-3: an override reason has a reason, a comment, or both."""
    given = item.optional_object("overrideReason")
    comment = given.optional_text("userComment", longest=LONGEST_COMMENT)
    if given.has("reason"):
        reason = given.object("reason")
        coding = Coding(
            reason.text("system", longest=LONGEST_URI),
            reason.text("code"),
            reason.optional_text("display", longest=LONGEST_URI),
        )
    else:
        coding = NO_REASON
    if item.has("overrideReason") and not (coding.code or comment):
        raise item.fault(
            "overrideReason", "It has neither reason nor userComment.", "Send one, or leave it out."
        )
    return coding, comment


def _timestamp(item: Members) -> datetime:
    """The moment, in UTC (RFC 3339, section 5.6). A leap second is read as the second before it, a
    moment outside the years 1 to 9999 of UTC as the nearest one inside.
    """
    found = _RFC_3339.fullmatch(item.text("outcomeTimestamp"))
    if found is not None:
        day, minute, second, fraction, zone = found.groups(default="")
        second = "59" if second == "60" else second
        text = f"{day}T{minute}:{second}{fraction[:7]}{zone.upper()}"
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except OverflowError:
            return _FIRST if day.startswith("0001") else _LAST
        except ValueError:
            pass
    raise item.fault(
        "outcomeTimestamp",
        "This is not a date and time of RFC 3339.",
        "Send UTC, such as 2026-01-31T12:00:00Z.",
    )
