"""T-57: how often one client may call within a minute, and when it may call again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from limits.errors import StorageError

from cds_service.config import Settings
from cds_service.errors import TooManyRequests
from cds_service.web import limits
from cds_service.web.limits import RateLimit
from tests.unit.web.conftest import SECURE


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock."""
    clock = [1000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: clock[0])

    def move(seconds: float) -> None:
        clock[0] = 1000.0 + seconds

    return move


def wait(rate: RateLimit, client: str = "north") -> int:
    """0 for a call that may go on, else the seconds of Retry-After."""
    try:
        rate.count(client)
    except TooManyRequests as refused:
        return refused.retry_after
    return 0


def test_t57_the_calls_of_any_sixty_seconds_are_counted(at: Callable[[float], None]) -> None:
    rate = RateLimit(SECURE)
    for second in (0, 10, 20, 30, 40):
        at(second)
        assert wait(rate) == 0
    at(45)
    assert wait(rate) == 16, "in fifteen seconds the first call is a minute old"
    at(59.5)
    assert wait(rate) == 1
    at(60)
    assert wait(rate) == 0
    assert wait(rate) == 11, "the second is ten seconds younger; refused calls do not count"
    at(70)
    assert wait(rate) == 0


def test_t57_whoever_is_refused_is_told_to_wait_a_minute_at_most(
    at: Callable[[float], None],
) -> None:
    rate = RateLimit(SECURE)
    at(0)
    assert [wait(rate) for _ in range(7)] == [0] * 5 + [60] * 2


def test_t57_each_client_has_a_count_of_its_own(at: Callable[[float], None]) -> None:
    rate = RateLimit(SECURE)
    at(0)
    assert [wait(rate, client) for client in ("north", "south") * 5] == [0] * 10
    assert wait(rate, "north") == wait(rate, "south") == 60


def test_a_shared_count_that_is_away_is_left_alone_for_a_while_and_each_worker_counts(
    at: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Away:
        def count(self, client: str) -> float:
            asked.append(client)
            raise StorageError(OSError("away"))

    rate = RateLimit(SECURE)
    monkeypatch.setattr(rate, "_shared", Away())
    at(0)
    assert [wait(rate) for _ in range(6)] == [0] * 5 + [60]
    assert asked == ["north"]
    at(5)
    wait(rate)
    assert asked == ["north"] * 2


def test_in_sandbox_mode_nobody_is_counted(at: Callable[[float], None]) -> None:
    rate = RateLimit(Settings(rate_limit=1))
    at(0)
    assert [wait(rate) for _ in range(3)] == [0, 0, 0]
