"""Feedback items as the wire may give them (cds-fb-1 to cds-fb-3, B-01 to B-06)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.core.elements import Coding
from cds_service.core.feedback import FeedbackOutcome
from cds_service.errors import BadRequest
from cds_service.hooks.feedback import MOST_ITEMS, read_feedback

CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
AT = "2026-01-31T12:00:00Z"


def accepted(**more: object) -> dict[str, Any]:
    return {
        "card": CARD,
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}],
        "outcomeTimestamp": AT,
        **more,
    }


def overridden(**more: object) -> dict[str, Any]:
    return {"card": CARD, "outcome": "overridden", "outcomeTimestamp": AT, **more}


def refused(*items: object) -> str:
    with pytest.raises(BadRequest) as caught:
        read_feedback({"feedback": list(items)})
    return caught.value.where


def test_an_accepted_card_names_its_suggestions() -> None:
    (item,) = read_feedback({"feedback": [accepted()]})
    assert item.card == CARD
    assert item.outcome is FeedbackOutcome.ACCEPTED
    assert item.suggestions == {"s1", "s2"}
    assert item.at == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_b03_an_overridden_card_needs_no_reason() -> None:
    (item,) = read_feedback({"feedback": [overridden()]})
    assert item.outcome is FeedbackOutcome.OVERRIDDEN
    assert (item.reason, item.comment) == (Coding("", ""), "")


def test_the_reason_of_the_sandbox_has_no_display() -> None:
    reason = {"code": "c", "system": "https://terminology.example"}
    (item,) = read_feedback({"feedback": [overridden(overrideReason={"reason": reason})]})
    assert item.reason == Coding("https://terminology.example", "c")


def test_b06_a_comment_is_kept_and_never_shown() -> None:
    (item,) = read_feedback({"feedback": [overridden(overrideReason={"userComment": "Zyxgarten"})]})
    assert item.comment == "Zyxgarten"
    assert "Zyxgarten" not in repr(item)


def test_a_reason_may_stand_beside_a_comment() -> None:
    reason = {"code": "c", "system": "s", "display": "Not now"}
    both = {"reason": reason, "userComment": "Zyxgarten"}
    (item,) = read_feedback({"feedback": [overridden(overrideReason=both)]})
    assert (item.reason, item.comment) == (Coding("s", "c", "Not now"), "Zyxgarten")


def test_of_a_card_that_was_overridden_no_suggestion_was_accepted() -> None:
    """Whatever the item says of suggestions: it must not count as care that was given."""
    (item,) = read_feedback({"feedback": [overridden(acceptedSuggestions=[{"id": "s1"}])]})
    assert item.suggestions == frozenset()


@pytest.mark.parametrize(
    ("member", "longest"),
    [("userComment", 10_000), ("system", 512), ("display", 512), ("code", 128)],
)
def test_texts_are_of_bounded_length(member: str, longest: int) -> None:
    def saying(text: str) -> dict[str, Any]:
        if member == "userComment":
            return overridden(overrideReason={member: text})
        return overridden(overrideReason={"reason": {"code": "c", "system": "s"} | {member: text}})

    (item,) = read_feedback({"feedback": [saying("x" * longest)]})
    kept = item.reason
    assert "x" * longest in (item.comment, kept.system, kept.display, kept.code)
    assert refused(saying("x" * (longest + 1))).endswith(f".{member}")


def test_b01_a_batch_may_repeat_itself() -> None:
    assert len(read_feedback({"feedback": [accepted(), accepted(), overridden()]})) == 3


def test_a_batch_may_be_empty() -> None:
    assert read_feedback({"feedback": []}) == ()


@pytest.mark.parametrize("body", [{}, {"feedback": None}, {"feedback": {}}, {"feedback": "x"}])
def test_feedback_is_an_array(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        read_feedback(body)
    assert caught.value.where == "feedback"


@pytest.mark.parametrize("name", ["card", "outcome", "outcomeTimestamp"])
def test_t91_cds_fb_1_what_is_required_is_named_when_it_is_missing(name: str) -> None:
    item = overridden()
    del item[name]
    assert refused(accepted(), item) == f"feedback[1].{name}"


def test_t91_an_outcome_is_one_of_two() -> None:
    assert refused(overridden(outcome="ignored")) == "feedback[0].outcome"


@pytest.mark.parametrize("value", [None, [], {}, "s1"])
def test_t91_cds_fb_2_accepted_says_what_was_accepted(value: object) -> None:
    assert refused(accepted(acceptedSuggestions=value)) == "feedback[0].acceptedSuggestions"


def test_a_suggestion_is_named_by_its_id() -> None:
    where = refused(accepted(acceptedSuggestions=[{"id": "s1"}, {"uuid": "s2"}]))
    assert where == "feedback[0].acceptedSuggestions[1].id"


@pytest.mark.parametrize("reason", [{}, {"reason": None}, {"userComment": None}])
def test_t91_cds_fb_3_an_override_reason_holds_a_reason_or_a_comment(reason: object) -> None:
    assert refused(overridden(overrideReason=reason)) == "feedback[0].overrideReason"


@pytest.mark.parametrize("name", ["code", "system"])
def test_a_reason_is_a_coding(name: str) -> None:
    reason = {"code": "c", "system": "s"}
    del reason[name]
    where = refused(overridden(overrideReason={"reason": reason}))
    assert where == f"feedback[0].overrideReason.reason.{name}"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520000, UTC)),
        ("2026-11-21T01:02:03.004Z", datetime(2026, 11, 21, 1, 2, 3, 4000, UTC)),
        ("2026-11-21t01:02:03z", datetime(2026, 11, 21, 1, 2, 3, 0, UTC)),
        ("1990-12-31T23:59:60Z", datetime(1990, 12, 31, 23, 59, 59, 0, UTC)),
        ("2026-01-31T13:00:00+01:00", datetime(2026, 1, 31, 12, 0, 0, 0, UTC)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)),
        ("0001-01-01T00:00:00+14:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-12:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_rfc_3339(text: str, moment: datetime) -> None:
    (item,) = read_feedback({"feedback": [overridden(outcomeTimestamp=text)]})
    assert item.at == moment


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "2026-01-31T25:00:00Z", "now",
     "2026-01-31 12:00:00Z", "2026-01-31T12:00Z", "2026-01-31T12:00:61Z",
     "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0100", "x2026-01-31T12:00:00Z",
     "2026-01-31T12:00:00Zx", "\u0662026-01-31T12:00:00Z"],
)  # fmt: skip
def test_any_other_timestamp_is_refused(text: str) -> None:
    assert refused(overridden(outcomeTimestamp=text)) == "feedback[0].outcomeTimestamp"


def test_t25_further_members_change_nothing() -> None:
    plain = read_feedback({"feedback": [overridden()]})
    more = read_feedback({"feedback": [overridden(ruleStatus="off", tenant="north")], "mute": True})
    assert plain == more


def test_t91_a_batch_of_a_thousand_is_taken_and_one_that_would_hold_up_others_is_not() -> None:
    assert MOST_ITEMS >= 1_000
    assert len(read_feedback({"feedback": [overridden()] * MOST_ITEMS})) == MOST_ITEMS
    assert refused(*[overridden()] * (MOST_ITEMS + 1)) == "feedback"
