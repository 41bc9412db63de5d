"""How often one client may call: 429 with Retry-After for that client only (T-57).

Counted per registered client, after the token was checked, so that nobody can use up the calls of
another. With a Redis all workers on all machines count together; without one, or while it cannot be
reached, each worker counts by itself. Sandbox mode has no limit.
"""

from __future__ import annotations

from time import monotonic, time

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter

from cds_service.config import Mode, Settings
from cds_service.errors import TooManyRequests
from cds_service.logs import Event, log_fault

_REDIS_SECONDS = 0.25
"""How long a call may wait for the shared count."""
_AWAY_SECONDS = 5.0
"""After a failure the shared count is left alone for so long."""
_KEYS = "cds-service-rate"
"""What the names of its keys begin with; names of clients follow, nothing of a patient."""


class RateLimit:
    """The limit of one application."""

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.mode is Mode.PRODUCTION
        self._item = RateLimitItemPerMinute(settings.rate_limit)
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_shared(settings.queue_url))
        self._away_until = 0.0 if settings.queue_url else float("inf")

    def count(self, client: str) -> None:
        """Count one call of a client. Raises TooManyRequests."""
        if not self._limits:
            return
        if monotonic() >= self._away_until:
            try:
                self._count(self._shared, client)
            except StorageError as lost:
                self._away_until = monotonic() + _AWAY_SECONDS
                log_fault(Event.RATE_NOT_SHARED, lost)
            else:
                return
        self._count(self._alone, client)

    def _count(self, limiter: MovingWindowRateLimiter, client: str) -> None:
        if not limiter.hit(self._item, client):
            wait = int(limiter.get_window_stats(self._item, client).reset_time - time()) + 1
            raise TooManyRequests(
                "This client has called too often.", retry_after=min(max(1, wait), 60)
            )


def _shared(url: str) -> Storage:
    """The count that all workers share; nothing is asked of it before the first call."""
    if not url:
        return MemoryStorage()
    return RedisStorage(
        url.replace("unix://", "redis+unix://", 1),
        key_prefix=_KEYS,
        wrap_exceptions=True,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )
