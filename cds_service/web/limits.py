"""How often one client may call: 429 with Retry-After for that client only (T-57).

Counted per registered client, after the token was checked, so that nobody can use up the calls of
another. With a Redis all workers on all machines count together; without one, or while it cannot be
reached, each worker counts by itself. Sandbox mode has no limit.
"""

from __future__ import annotations

from collections import defaultdict, deque
from threading import Lock
from time import monotonic, time
from typing import Protocol

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from cds_service.config import Mode, Settings
from cds_service.errors import TooManyRequests
from cds_service.logs import Event, log_fault
from cds_service.turn import waiting

_MINUTE = 60.0
_LONGEST_WAIT = 2 * _MINUTE
"""Longer than a full window makes anybody wait, also where the clocks of two machines differ."""
_REDIS_SECONDS = 0.25
"""How long a call may wait for the shared count."""
_AWAY_SECONDS = 5.0
"""How long the shared count is not tried again after a failure."""
_KEYS = "cds-service-rate"
"""The prefix of the keys in Redis. The name of a client follows, nothing of a patient."""


class _Window(Protocol):
    """The calls of each client within the last minute."""

    def count(self, client: str) -> float:
        """Count a call and return 0. If the client has used up its calls, count nothing and return
        the seconds until it may call again.
        """


class RateLimit:
    """The limit of one application."""

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.mode is Mode.PRODUCTION
        self._alone = _OfThisWorker(settings.rate_limit)
        self._shared: _Window = self._alone
        if settings.queue_url:
            self._shared = _OfAllWorkers(settings.queue_url, settings.rate_limit)
        self._away_until = 0.0

    def count(self, client: str) -> None:
        """Count one call of a client. Raises TooManyRequests."""
        if not self._limits:
            return
        seconds = self._counted(client)
        if seconds > 0:
            raise TooManyRequests(
                "This client has called too often.", retry_after=min(int(seconds) + 1, 60)
            )

    def _counted(self, client: str) -> float:
        if monotonic() < self._away_until:
            return self._alone.count(client)
        try:
            return self._shared.count(client)
        except StorageError as lost:
            self._away_until = monotonic() + _AWAY_SECONDS
            log_fault(Event.RATE_NOT_SHARED, lost)
            return self._alone.count(client)


class _OfThisWorker:
    """Counted in memory. At most `limit` moments are kept for each registered client."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def count(self, client: str) -> float:
        now = monotonic()
        with self._lock:
            calls = self._calls[client]
            while calls and calls[0] <= now - _MINUTE:
                calls.popleft()
            if len(calls) >= self._limit:
                return calls[0] + _MINUTE - now
            calls.append(now)
            return 0.0


class _OfAllWorkers:
    """Counted in a Redis. Raises StorageError when it cannot be reached in time."""

    def __init__(self, url: str, limit: int) -> None:
        storage = RedisStorage(
            url.replace("unix://", "redis+unix://", 1),
            key_prefix=_KEYS,
            wrap_exceptions=True,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
        )
        self._limiter = MovingWindowRateLimiter(storage)
        self._item = RateLimitItemPerMinute(limit)

    def count(self, client: str) -> float:
        with waiting():
            if self._limiter.hit(self._item, client):
                return 0.0
            seconds = self._limiter.get_window_stats(self._item, client).reset_time - time()
            if seconds > _LONGEST_WAIT:  # counted before the clock was set back
                self._limiter.clear(self._item, client)
                self._limiter.hit(self._item, client)
                return 0.0
            return max(0.1, seconds)
