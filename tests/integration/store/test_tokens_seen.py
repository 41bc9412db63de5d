"""A token is good once: over threads, processes and restarts, on both databases (T-15..T-17)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from cds_service.access.replay import Remembered
from cds_service.store.database import Database
from cds_service.store.replay import GRACE, PURGE_AT_MOST, PURGE_EVERY, SqlReplayStore
from cds_service.store.tables import tokens_seen
from tests.integration.store.conftest import AtOnce

pytestmark = pytest.mark.integration

SOON = datetime.now(UTC) + timedelta(minutes=15)


def _count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(tokens_seen)) or 0


def test_t15_s07_of_64_replays_over_4_processes_exactly_one_is_fresh(
    database: Database, database_url: str, at_once: AtOnce
) -> None:
    said = at_once(4, "remember", database_url, "one-jti")
    assert Counter(" ".join(said).split()) == {"fresh": 1, "seen": 63}
    assert _count(database) == 1


def test_t16_a_replay_after_a_restart_is_seen(database: Database, database_url: str) -> None:
    assert SqlReplayStore(database).remember("issuer", "jti", SOON) is Remembered.FRESH
    database.close()
    with Database.open(database_url) as reopened:
        reopened.upgrade()
        assert SqlReplayStore(reopened).remember("issuer", "jti", SOON) is Remembered.SEEN


def test_the_same_jti_of_two_issuers_is_two_tokens(database: Database) -> None:
    store = SqlReplayStore(database)
    assert store.remember("north", "jti", SOON) is Remembered.FRESH
    assert store.remember("south", "jti", SOON) is Remembered.FRESH
    assert store.remember("south", "jti", SOON) is Remembered.SEEN


def test_t16_a_purge_forgets_what_has_expired_and_nothing_else(database: Database) -> None:
    """Not the other tokens of that client, and not the same jti of another one."""
    start_of_day = datetime(2026, 11, 21, tzinfo=UTC)
    clock = [start_of_day]
    store = SqlReplayStore(database, now=lambda: clock[0])
    later = start_of_day + timedelta(hours=1)
    for issuer, jti, expires in (
        ("north", "one", start_of_day),
        ("north", "two", later),
        ("south", "one", later),
    ):
        assert store.remember(issuer, jti, expires) is Remembered.FRESH
    clock[0] += GRACE + timedelta(seconds=1)
    after_restart = SqlReplayStore(database, now=lambda: clock[0])  # purges with its first token
    assert after_restart.remember("west", "any", later) is Remembered.FRESH
    assert _count(database) == 3
    assert after_restart.remember("north", "two", later) is Remembered.SEEN
    assert after_restart.remember("south", "one", later) is Remembered.SEEN


def test_a_jti_is_kept_only_as_its_digest(database: Database) -> None:
    SqlReplayStore(database).remember("issuer", "jti-canary", SOON)
    with database.reading() as connection:
        kept = connection.execute(select(tokens_seen)).one()
    assert "canary" not in str(kept)
    assert len(kept.jti_sha256) == 64


@pytest.mark.parametrize(
    "jti", ["a\x00b", "\ud800", "x" * 100_000], ids=["nul", "surrogate", "long"]
)
def test_t14_any_text_can_be_a_jti(database: Database, jti: str) -> None:
    store = SqlReplayStore(database)
    assert store.remember("issuer", jti, SOON) is Remembered.FRESH
    assert store.remember("issuer", jti, SOON) is Remembered.SEEN


def test_expired_tokens_are_purged_in_bounded_batches(database: Database) -> None:
    start_of_day = datetime(2026, 11, 21, tzinfo=UTC)
    clock = [start_of_day]
    store = SqlReplayStore(database, now=lambda: clock[0])
    expires = start_of_day + timedelta(minutes=15)
    for number in range(PURGE_AT_MOST + PURGE_EVERY):
        store.remember("issuer", f"old-{number}", expires)
    before = _count(database)

    clock[0] = expires + GRACE
    for number in range(PURGE_EVERY):
        store.remember("issuer", f"new-{number}", clock[0] + timedelta(minutes=15))
    assert _count(database) == before + PURGE_EVERY, "within the grace nothing is forgotten"

    clock[0] += timedelta(seconds=1)
    for number in range(PURGE_EVERY):
        store.remember("issuer", f"newer-{number}", clock[0] + timedelta(minutes=15))
    assert _count(database) == before + 2 * PURGE_EVERY - PURGE_AT_MOST

    for number in range(PURGE_EVERY):
        store.remember("issuer", f"newest-{number}", clock[0] + timedelta(minutes=15))
    assert _count(database) == 3 * PURGE_EVERY, "only tokens that are still good are left"
