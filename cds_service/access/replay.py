"""Replay protection: a token is good once (CDS Hooks best practices; S-07).

What a store of seen tokens must do. The SQL one is in `store.replay`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Remembered(StrEnum):
    """Whether a token had been seen before it was remembered."""

    FRESH = "fresh"
    SEEN = "seen"


class ReplayStore(Protocol):
    """Remembers tokens by issuer and `jti` until they have expired, for all workers together."""

    def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
        """Remembers the token; FRESH for exactly one caller, however many ask at once.

        To be called only after the signature was checked, so that nobody can burn the `jti` of
        another. `expires` is `exp` with its leeway, with a time zone. Raises StoreUnavailable:
        the token is then refused, never let through.
        """
        ...
