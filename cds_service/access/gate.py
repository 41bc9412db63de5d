"""The gate in front of every call: who calls.

The address a token must be for is the configured public one plus the path that was called; the Host
header has no say (T-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.access.tokens import RegisteredCaller, Verifier

FEEDBACK = "/feedback"


@dataclass(frozen=True, slots=True)
class TokenGate:
    """Asks every caller for a token."""

    public_url: str
    """Without a slash at the end."""
    verifier: Verifier

    def check(self, authorization: Sequence[str], path: str) -> RegisteredCaller:
        """The caller of `path`. Raises Unauthorised, StoreUnavailable."""
        return self.verifier.verify(authorization, self._audiences(path.rstrip("/")))

    def _audiences(self, path: str) -> tuple[str, ...]:
        """The address called; for feedback also the service's own (B-05: unspecified)."""
        own = f"{self.public_url}{path}"
        return own, own.removesuffix(FEEDBACK)
