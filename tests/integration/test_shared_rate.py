"""T-57 over several workers: one rate for a client, counted in the Redis that they share."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
import time_machine

from cds_service.config import Mode, Settings, Tls
from cds_service.errors import TooManyRequests
from cds_service.web import limits
from cds_service.web.limits import RateLimit
from tests.integration.redis_server import Redis, running_redis

pytestmark = pytest.mark.integration

LIMIT = 5


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Redis]:
    with running_redis(tmp_path) as server:
        yield server


def worker(queue_url: str) -> RateLimit:
    """The limit as one worker process counts it."""
    return RateLimit(
        Settings(
            mode=Mode.PRODUCTION,
            public_url="https://cds.example.org",
            clients=Path("clients.toml"),
            tls=Tls.PROXY,
            data_key=base64.b64encode(bytes(range(32))).decode(),
            rate_limit=LIMIT,
            queue_url=queue_url,
        )
    )


def let_in(limit: RateLimit, client: str, calls: int) -> int:
    """How many of so many calls were let in."""
    return sum(is_let_in(limit, client) for _ in range(calls))


def is_let_in(limit: RateLimit, client: str) -> bool:
    try:
        limit.count(client)
    except TooManyRequests:
        return False
    return True


def test_t57_two_workers_with_a_redis_let_a_client_in_as_often_as_one(shared: Redis) -> None:
    one, other = worker(shared.url), worker(shared.url)
    assert let_in(one, "north", 3) + let_in(other, "north", 10) + let_in(one, "north", 10) == LIMIT
    assert let_in(other, "south", 10) == LIMIT


def test_t57_calls_that_were_counted_while_the_clock_was_ahead_shut_nobody_out(
    shared: Redis,
) -> None:
    """Each counts by the time of day, and Redis forgets by it."""
    limit = worker(shared.url)
    with time_machine.travel("2026-10-25T02:30:00Z") as clock:
        assert let_in(limit, "north", 10) == LIMIT
        clock.shift(timedelta(seconds=-30))
        assert let_in(limit, "north", 10) == 0
        clock.shift(timedelta(hours=-1))
        assert let_in(limit, "north", 10) == LIMIT


def test_t57_without_a_redis_each_worker_counts_by_itself() -> None:
    assert [let_in(worker(""), "north", 10) for _ in range(2)] == [LIMIT, LIMIT]


def test_t57_a_redis_that_is_lost_shuts_nobody_out_and_lifts_no_limit(
    shared: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = worker(shared.url)
    assert let_in(limit, "north", 2) == 2
    shared.stop()
    assert let_in(limit, "north", 20) == LIMIT
    (line,) = capsys.readouterr().err.splitlines()  # said once, not with every call
    assert json.loads(line)["code"] == "CDS-L304"


def test_t57_a_redis_that_is_back_is_counted_in_again(
    tmp_path: Path, shared: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = worker(shared.url)
    shared.stop()
    assert let_in(limit, "north", 1) == 1
    later = monotonic() + 6
    monkeypatch.setattr(limits, "monotonic", lambda: later)
    port = int(shared.url.rpartition(":")[2].partition("/")[0])
    with running_redis(tmp_path, port) as back:
        assert let_in(worker(back.url), "north", 4) == 4
        assert let_in(limit, "north", 10) == LIMIT - 4
