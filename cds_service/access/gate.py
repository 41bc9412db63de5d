"""The gate in front of every call: who calls, and which services were granted to them.

The address a token must be for is the configured public one plus the path that was called; the Host
header has no say (T-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.access.registry import Client
from cds_service.access.tokens import Verifier

FEEDBACK = "/feedback"


@dataclass(frozen=True, slots=True)
class RegisteredCaller:
    """A client that has proved itself, with the tenant it named."""

    client: Client
    tenant: str = ""

    @property
    def account(self) -> str:
        """The client, whichever tenant it named."""
        return self.client.name

    @property
    def name(self) -> str:
        """`general-hospital`, or `general-hospital/north`: what is logged and stored."""
        return f"{self.client.name}/{self.tenant}" if self.tenant else self.client.name

    def may_call(self, service: str) -> bool:
        """Whether the client was granted the service of this id."""
        return self.client.may_call(service)


@dataclass(frozen=True, slots=True)
class TokenGate:
    """Asks every caller for a token."""

    public_url: str
    """Without a slash at the end."""
    verifier: Verifier

    def check(self, authorization: Sequence[str], path: str) -> RegisteredCaller:
        """The caller of `path`. Raises Unauthorised, StoreUnavailable."""
        verified = self.verifier.verify(authorization, self._audiences(path.rstrip("/")))
        return RegisteredCaller(verified.client, verified.tenant)

    def _audiences(self, path: str) -> tuple[str, ...]:
        """The address called; for feedback also the service's own (B-05: no text settles it)."""
        own = f"{self.public_url}{path}"
        return (own, own.removesuffix(FEEDBACK)) if path.endswith(FEEDBACK) else (own,)
