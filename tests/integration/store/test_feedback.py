"""Feedback is kept once, whole batches at a time, against the cards that were sent (B-01..B-06)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from cds_service.core.elements import Coding
from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.errors import ConfigurationError, StoreUnavailable
from cds_service.store import feedback as module
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.finding_counts import FindingCounts, finding_counts
from cds_service.store.pseudonym import DataKey
from cds_service.store.records import Door, SentCard
from cds_service.store.tables import feedback as rows
from tests.kept import CLIENT, KEY, NOON, SERVICE, evaluation, keep

pytestmark = pytest.mark.integration

OTHER_CLIENT = "south"
REASON = Coding("http://terminology.example.org/reason", "not-applicable")


def card_id(number: int) -> str:
    return str(UUID(int=number, version=4))


def overridden(card: str, *, minutes: int = 0, comment: str = "") -> FeedbackItem:
    at = NOON + timedelta(minutes=minutes)
    return FeedbackItem(card=card, outcome=FeedbackOutcome.OVERRIDDEN, at=at, comment=comment)


def accepted(card: str, *, minutes: int = 0) -> FeedbackItem:
    at = NOON + timedelta(minutes=minutes)
    suggestions = frozenset({card_id(900)})
    return FeedbackItem(card=card, outcome=FeedbackOutcome.ACCEPTED, at=at, suggestions=suggestions)


def send(database: Database, client: str, *sent: tuple[str, tuple[str, ...]]) -> None:
    cards = tuple(SentCard(uuid=uuid, findings=findings) for uuid, findings in sent)
    keep(database, evaluation(client=client, cards=cards))


def counts(
    shown: int, sent: int, accepted: int, overridden: int, withheld: int = 0
) -> FindingCounts:
    return FindingCounts(
        client=CLIENT,
        finding="csf-above-150",
        shown=shown,
        sent=sent,
        accepted=accepted,
        overridden=overridden,
        withheld=withheld,
    )


def kept(database: Database) -> int:
    """How many items are kept, of whatever card."""
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(rows)).scalar_one()


@pytest.fixture
def feedback(database: Database) -> Feedback:
    """The feedback of an up-to-date database."""
    return Feedback(database, KEY)


def test_what_was_said_is_given_back_newest_first(feedback: Feedback) -> None:
    first = replace(overridden(card_id(1), comment="known already"), reason=REASON)
    second = accepted(card_id(1), minutes=5)
    feedback.save([first, second], CLIENT, SERVICE)
    assert feedback.of(card_id(1), CLIENT, SERVICE) == (second, first)


def test_b01_t91_a_repeated_item_is_the_same_item(feedback: Feedback) -> None:
    item = overridden(card_id(1), comment="known already")
    feedback.save([item, item], CLIENT, SERVICE)
    feedback.save([item], CLIENT, SERVICE)
    assert feedback.of(card_id(1), CLIENT, SERVICE) == (item,)


@pytest.mark.parametrize(
    "other",
    [
        accepted(card_id(1)),
        overridden(card_id(2)),
        overridden(card_id(1), minutes=1),
        overridden(card_id(1), comment="a comment"),
        replace(overridden(card_id(1)), reason=REASON),
        replace(overridden(card_id(1)), suggestions=frozenset({card_id(3)})),
    ],
    ids=["outcome", "card", "moment", "comment", "reason", "suggestions"],
)
def test_b01_an_item_that_differs_in_anything_is_another_item(
    feedback: Feedback, database: Database, other: FeedbackItem
) -> None:
    feedback.save([overridden(card_id(1)), other], CLIENT, SERVICE)
    assert kept(database) == 2


def test_the_same_moment_in_another_time_zone_is_the_same_item(
    feedback: Feedback, database: Database
) -> None:
    item = overridden(card_id(1))
    zone = datetime.fromisoformat("2026-11-21T13:00:00+01:00")
    feedback.save([item, replace(item, at=zone)], CLIENT, SERVICE)
    assert kept(database) == 1


def test_t91_a_batch_of_a_thousand_is_kept_whole(feedback: Feedback, database: Database) -> None:
    send(database, CLIENT, (card_id(7), ("csf-above-150",)))
    items = [overridden(card_id(number)) for number in range(1_000)]
    assert feedback.save(items, CLIENT, SERVICE) == {FeedbackOutcome.OVERRIDDEN: 1}
    assert kept(database) == 1_000


def test_a_batch_that_fails_half_way_leaves_nothing(
    feedback: Feedback, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOT", 1)
    with database.writing() as connection:
        connection.execute(text("CREATE UNIQUE INDEX only_one ON feedback (client)"))
    with pytest.raises(StoreUnavailable):
        feedback.save([overridden(card_id(1)), overridden(card_id(2))], CLIENT, SERVICE)
    assert feedback.of(card_id(1), CLIENT, SERVICE) == ()
    assert feedback.of(card_id(2), CLIENT, SERVICE) == ()


def test_batches_at_once_in_any_order_neither_block_each_other_nor_store_twice(
    feedback: Feedback, database: Database
) -> None:
    items = [overridden(card_id(number)) for number in range(200)]
    batches = [items, items[::-1], items[100:] + items[:100], items[::-2] + items] * 2
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(lambda batch: feedback.save(batch, CLIENT, SERVICE), batches))
    assert kept(database) == 200


def test_t24_feedback_for_a_card_of_another_client_or_never_sent_is_unmatched_and_not_counted(
    feedback: Feedback, database: Database
) -> None:
    send(database, CLIENT, (card_id(1), ("csf-above-150",)))
    assert feedback.save([overridden(card_id(1))], OTHER_CLIENT, SERVICE) == {}
    assert feedback.save([overridden(card_id(2))], CLIENT, SERVICE) == {}
    assert feedback.save([overridden(card_id(1))], CLIENT, "sil2r-order-sign") == {}
    assert finding_counts(database) == (counts(shown=1, sent=1, accepted=0, overridden=0),)
    counted = feedback.save([overridden(card_id(1))], CLIENT, SERVICE)
    assert counted == {FeedbackOutcome.OVERRIDDEN: 1}
    assert feedback.save([overridden(card_id(1))], CLIENT, SERVICE) == {}
    assert finding_counts(database) == (counts(shown=1, sent=1, accepted=0, overridden=1),)


def test_t23_a_client_reads_only_its_own_feedback(feedback: Feedback) -> None:
    feedback.save([overridden(card_id(1))], CLIENT, SERVICE)
    assert feedback.of(card_id(1), OTHER_CLIENT, SERVICE) == ()


def test_t28_a_card_counts_once_however_often_it_is_overridden(
    feedback: Feedback, database: Database
) -> None:
    send(database, CLIENT, (card_id(1), ("csf-above-150",)), (card_id(2), ("csf-above-150",)))
    feedback.save([overridden(card_id(1), minutes=minute) for minute in range(50)], CLIENT, SERVICE)
    assert finding_counts(database) == (counts(shown=2, sent=2, accepted=0, overridden=1),)


def test_the_newest_outcome_is_the_state_of_a_card_whatever_arrives_last(
    feedback: Feedback, database: Database
) -> None:
    send(database, CLIENT, (card_id(1), ("csf-above-150",)))
    send(database, CLIENT, (card_id(1), ("csf-above-150",)))
    feedback.save([accepted(card_id(1), minutes=9)], CLIENT, SERVICE)
    feedback.save([overridden(card_id(1), minutes=3)], CLIENT, SERVICE)
    assert finding_counts(database) == (counts(shown=1, sent=2, accepted=1, overridden=0),)


def test_a_card_counts_for_each_of_its_findings(feedback: Feedback, database: Database) -> None:
    send(database, CLIENT, (card_id(1), ("context-child", "csf-above-150")))
    send(database, CLIENT, (card_id(2), ("csf-above-150",)))
    feedback.save([accepted(card_id(1))], CLIENT, SERVICE)
    child, csf = finding_counts(database)
    assert (child.finding, child.shown, child.accepted) == ("context-child", 1, 1)
    assert (csf.finding, csf.shown, csf.accepted) == ("csf-above-150", 2, 1)


def test_t106_answers_in_shadow_count_once_each_as_withheld_and_never_as_shown(
    database: Database,
) -> None:
    withheld = evaluation("a", door=Door.SHADOW, findings=("csf-above-150",))
    keep(database, withheld, withheld, replace(withheld, id="b"))
    keep(database, evaluation("c"))
    assert finding_counts(database) == (
        counts(shown=0, sent=0, accepted=0, overridden=0, withheld=2),
    )
    send(database, CLIENT, (card_id(1), ("csf-above-150",)))
    assert finding_counts(database) == (
        counts(shown=1, sent=1, accepted=0, overridden=0, withheld=2),
    )


def test_b06_a_comment_is_kept_only_encrypted(feedback: Feedback, database: Database) -> None:
    item = overridden(card_id(1), comment="comment-canary")
    feedback.save([item], CLIENT, SERVICE)
    assert "canary" not in repr(item)
    with database.reading() as connection:
        kept = connection.execute(select(rows)).one()
    assert "canary" not in str(kept)
    assert kept.comment_key == KEY.id()
    assert feedback.of(card_id(1), CLIENT, SERVICE)[0].comment == "comment-canary"


def test_after_a_change_of_the_key_the_former_one_still_opens_comments(
    feedback: Feedback, database: Database
) -> None:
    feedback.save([overridden(card_id(1), comment="before")], CLIENT, SERVICE)
    new_key = DataKey.random()
    changed = Feedback(database, new_key, former=(KEY,))
    changed.save([overridden(card_id(1), minutes=1, comment="after")], CLIENT, SERVICE)
    said = changed.of(card_id(1), CLIENT, SERVICE)
    assert [item.comment for item in said] == ["after", "before"]
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Feedback(database, new_key).of(card_id(1), CLIENT, SERVICE)


@pytest.mark.parametrize("nasty", ["a\x00b", "\ud800", "Müller, Anna 1970-01-01"])
def test_texts_of_a_caller_are_kept_so_that_nothing_breaks_and_nothing_shows(
    feedback: Feedback, database: Database, nasty: str
) -> None:
    item = FeedbackItem(
        card=nasty,
        outcome=FeedbackOutcome.ACCEPTED,
        at=NOON,
        suggestions=frozenset({nasty}),
        reason=Coding("http://terminology.example.org", "a\x00\ud800"),
        comment=nasty,
    )
    feedback.save([item, item], CLIENT, SERVICE)
    with database.reading() as connection:
        row = connection.execute(select(rows)).one()
    assert nasty not in str(row)
    (back,) = feedback.of(nasty, CLIENT, SERVICE)
    assert (back.comment, back.reason) == (nasty, item.reason)


def test_the_display_of_a_reason_is_not_kept(feedback: Feedback) -> None:
    said = replace(overridden(card_id(1)), reason=Coding("system", "code", "display"))
    feedback.save([said], CLIENT, SERVICE)
    (back,) = feedback.of(card_id(1), CLIENT, SERVICE)
    assert back.reason == Coding("system", "code")


@pytest.mark.parametrize("year", [1, 9999])
def test_any_moment_that_utc_can_express_is_kept(feedback: Feedback, year: int) -> None:
    item = replace(overridden(card_id(1)), at=datetime(year, 12, 31, 23, 59, 59, 1, tzinfo=UTC))
    feedback.save([item], CLIENT, SERVICE)
    assert feedback.of(card_id(1), CLIENT, SERVICE) == (item,)


few_items = st.builds(
    FeedbackItem,
    card=st.sampled_from([card_id(1), card_id(2)]),
    outcome=st.sampled_from(FeedbackOutcome),
    at=st.sampled_from([NOON, NOON + timedelta(microseconds=1)]),
    suggestions=st.frozensets(st.sampled_from([card_id(3), card_id(4)])),
    reason=st.sampled_from([Coding("", ""), REASON]),
    comment=st.sampled_from(["", "why", "why not"]),
)


@pytest.fixture(scope="module")
def kept_open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One SQLite database for all examples of a property."""
    folder: Path = tmp_path_factory.mktemp("feedback")
    with Database.open(f"sqlite:///{folder / 'cds.sqlite3'}") as database:
        database.upgrade()
        yield database


@given(data=st.data(), items=st.lists(few_items, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_b01_t91_in_any_order_and_any_repetition_the_same_set_is_stored(
    kept_open: Database, data: st.DataObject, items: list[FeedbackItem]
) -> None:
    with kept_open.writing() as connection:
        connection.execute(text("DELETE FROM feedback"))
    feedback = Feedback(kept_open, KEY)
    for _ in range(data.draw(st.integers(1, 3), label="deliveries")):
        batch = data.draw(st.permutations(items + items[:3]), label="batch")
        cut = data.draw(st.integers(0, len(batch)), label="cut")
        for part in (batch[:cut], batch[cut:]):
            feedback.save(part, CLIENT, SERVICE)

    said = [*feedback.of(card_id(1), CLIENT, SERVICE), *feedback.of(card_id(2), CLIENT, SERVICE)]
    assert len(said) == len(set(said)) == kept(kept_open)
    assert set(said) == set(items)
