"""How often one client may call: 429 with Retry-After for that client only (T-57).

Counted per registered client and worker process, after the token was checked, so that nobody can
use up the calls of another. Sandbox mode has no limit.
"""

from __future__ import annotations

from time import time

from flask import Flask, g
from flask_limiter import Limiter, RequestLimit

from cds_service.config import Mode, Settings
from cds_service.errors import TooManyRequests


class RateLimit:
    """The limit of one application."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._limiter = Limiter(
            key_func=_client,
            app=app,
            enabled=settings.mode is Mode.PRODUCTION,
            storage_uri="memory://",
            strategy="moving-window",
            on_breach=_refuse,
        )
        self._limit = self._limiter.shared_limit(f"{settings.rate_limit}/minute", scope="client")

    def count(self) -> None:
        """Count one call of the client in `g.client`. Raises TooManyRequests."""
        if self._limiter.enabled:
            with self._limit:
                pass


def _client() -> str:
    return str(g.client)


def _refuse(breached: RequestLimit) -> None:
    wait = max(1, int(breached.reset_at - time()) + 1)
    raise TooManyRequests("This client has called too often.", retry_after=min(wait, 60))
