"""What the web room borrows from other rooms, and what it does without them.

Every port has a default that makes the service whole on its own: nobody is asked for a token,
nothing is fetched, nothing is kept. `wiring` plugs in the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from cds_service.core.card import SmartApp
from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.events.inbox import Inbox
from cds_service.fhir.access import NoAccess, NoAccessReason, ServerAccess
from cds_service.hooks.call import Answered
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import Service
from cds_service.metrics import Reading


class Degraded(Exception):  # noqa: N818 - a state, not an error
    """Raised by a check: the service does its work, and an operator should look.

    `causes` are public words; docs/operations.md says what to do on each.
    """

    def __init__(self, *causes: str) -> None:
        super().__init__(*causes)
        self.causes = causes


@dataclass(frozen=True, slots=True)
class NoInbox:
    """No source of events is registered."""


class Caller(Protocol):
    """Who calls."""

    @property
    def name(self) -> str:
        """The name of the client in our registry, with its tenant where it has one."""

    @property
    def account(self) -> str:
        """What its calls are counted under: all tenants of a client are one."""

    @property
    def in_shadow(self) -> bool:
        """Whether it is answered without cards; its calls are evaluated and recorded as any."""

    @property
    def smart_apps(self) -> tuple[SmartApp, ...]:
        """The SMART apps that its cards link to, beside their sources."""

    def may_call(self, service: str) -> bool:
        """Whether it was granted the service of this id."""


@dataclass(frozen=True, slots=True)
class Anybody:
    """A caller who was not asked for a token: sandbox mode."""

    name: str = "sandbox"
    account: str = "sandbox"
    in_shadow: bool = False
    smart_apps: tuple[SmartApp, ...] = ()

    def may_call(self, service: str) -> bool:
        """Every service."""
        return True


class Gate(Protocol):
    """Asks a caller who it is."""

    def check(self, authorization: Sequence[str], path: str) -> Caller:
        """The caller, by its Authorization headers, for the path called. Raises Unauthorised."""


OpenAccess = Callable[[Caller, HookRequest], AbstractContextManager[ServerAccess | NoAccess]]
"""Access to the caller's FHIR server for the length of one call, within its deadline."""


@dataclass(frozen=True, slots=True)
class Unread:
    """The body could not be read as a request."""


UNREAD: Final = Unread()


@dataclass(frozen=True, slots=True)
class Failed:
    """No cards were given: the HTTP status of the error, and its public code (`CDS-3001`)."""

    status: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One invocation by a known caller and what it came to; recorded, also when it failed."""

    at: datetime
    request_id: str
    caller: Caller
    service: Service
    request: HookRequest | Unread
    came_to: Answered | Failed
    duration_ms: float


class Journal(Protocol):
    """The record of what was asked and answered. Raises StoreUnavailable."""

    @property
    def id_secret(self) -> str:
        """A secret that goes into the ids of cards, so that kept ids tell nothing of a patient."""

    def record(self, invocation: Invocation) -> None:
        """Keep one invocation."""

    def carded_before(
        self, caller: Caller, patient_id: str, references: Iterable[str]
    ) -> frozenset[str]:
        """Those of the patient's results (`Observation/123`) about which the caller had a card."""


class FeedbackShelf(Protocol):
    """Where feedback is kept. Raises StoreUnavailable."""

    def save(
        self, caller: Caller, service: Service, items: Sequence[FeedbackItem]
    ) -> Mapping[FeedbackOutcome, int]:
        """Keep a batch, all of it or nothing; a repeated item is the same item.

        Returns how many were new and of a card that was sent, by their outcome.
        """


class OpenGate:
    """Lets anybody in: sandbox mode without a client registry."""

    def check(self, authorization: Sequence[str], path: str) -> Caller:
        """Nobody is asked."""
        return Anybody()


NOBODY_REGISTERED: Final = OpenGate()
"""The gate of sandbox mode where no registry is configured, or one of event sources only."""


class _NoJournal:
    id_secret = ""

    def record(self, invocation: Invocation) -> None:
        pass

    def carded_before(
        self,
        caller: Caller,
        patient_id: str,
        references: Iterable[str],
    ) -> frozenset[str]:
        return frozenset()


class _NoShelf:
    def save(
        self, caller: Caller, service: Service, items: Sequence[FeedbackItem]
    ) -> Mapping[FeedbackOutcome, int]:
        return {}


def _no_reach(
    _caller: Caller, _request: HookRequest
) -> AbstractContextManager[ServerAccess | NoAccess]:
    return nullcontext(NoAccess(NoAccessReason.NO_SERVER))


def utc_now() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports of one application."""

    gate: Gate = field(default_factory=OpenGate)
    reach: OpenAccess = _no_reach
    journal: Journal = field(default_factory=_NoJournal)
    shelf: FeedbackShelf = field(default_factory=_NoShelf)
    inbox: Inbox | NoInbox = field(default_factory=NoInbox)
    checks: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """Readiness: name -> a check that raises when it fails, Degraded when somebody should look."""
    readings: Callable[[], Iterable[Reading]] = tuple
    """Numbers that stand in the database, for the metrics. Raises StoreUnavailable."""
    now: Callable[[], datetime] = utc_now
    """The clock, in UTC."""
