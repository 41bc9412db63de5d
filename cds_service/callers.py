"""Who may call, and which FHIR server may be called for them: access and the way out, put together.

In sandbox mode without a registry anybody may call, and servers on this machine may be read. With a
registry every caller proves itself, in sandbox mode too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Final

from cds_service.access.gate import TokenGate
from cds_service.access.key_set import KeySetFault
from cds_service.access.keys import Fetch, KeyRing
from cds_service.access.registry import ClientRegistry, read_registry
from cds_service.access.tokens import RegisteredCaller, Times, Verifier
from cds_service.config import Mode, Settings
from cds_service.errors import ConfigurationError
from cds_service.fhir.access import NoAccess, ServerAccess, server_access
from cds_service.fhir.calls import breaker
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.fhir.calls.network import Network
from cds_service.fhir.client import FhirClient
from cds_service.hooks.request import HookRequest, Trigger
from cds_service.knowledge.files import Library
from cds_service.logs import Event, log
from cds_service.origins import AllowList, LoopbackRule, PlainHttp
from cds_service.store.database import Database
from cds_service.store.replay import SqlReplayStore
from cds_service.web.ports import NOBODY_REGISTERED, Caller, Gate

NO_CLIENTS: Final = ClientRegistry(())
KEY_SET_DEADLINE_MS: Final = 1_500
"""How long a call may wait for the key set that it needs to be fetched."""


def registered_clients(settings: Settings) -> ClientRegistry:
    """The registered clients; none where no registry is configured. Raises ConfigurationError."""
    if settings.clients is None:
        return NO_CLIENTS
    return read_registry(settings.clients, settings.mode)


def require_clients(registry: ClientRegistry, mode: Mode) -> None:
    """Raises ConfigurationError where nobody could call: outside sandbox mode without clients."""
    if mode is Mode.PRODUCTION and not registry.clients:
        raise ConfigurationError(
            "No client is registered, so nobody could call.",
            where="CDS_CLIENTS",
            remedy="Add a [[client]] row.",
        )


def gate_of(settings: Settings, registry: ClientRegistry, database: Database) -> Gate:
    """The gate: open in sandbox mode without registered clients, else asking for a token."""
    require_clients(registry, settings.mode)
    if not registry.clients:
        return NOBODY_REGISTERED
    return TokenGate(
        settings.public_url,
        Verifier(
            registry,
            KeyRing(key_fetch(settings.mode), time.monotonic, report=_log_not_renewed),
            SqlReplayStore(database),
            time.time,
            Times(settings.token_lifetime, settings.token_leeway),
        ),
    )


def key_fetch(mode: Mode) -> Fetch:
    """Fetches key sets at registered addresses, through the one door out."""
    plain = PlainHttp.LOOPBACK if mode is Mode.SANDBOX else PlainHttp.REFUSED
    outward = FhirClient(AllowList.of([]), network=Network.of(mode))

    def fetch(url: str) -> bytes:
        return outward.jwks_fetch(url, Deadline.after(KEY_SET_DEADLINE_MS), plain)

    return fetch


def _log_not_renewed(client: str, fault: KeySetFault | UpstreamFault) -> None:
    log(Event.KEYS_NOT_RENEWED, client=client, cause=fault.value)


def service_ids(library: Library) -> frozenset[str]:
    """The ids of all services there are."""
    return frozenset(trigger.service_id(base) for base in library.bases for trigger in Trigger)


def refuse_unknown_services(registry: ClientRegistry, library: Library) -> None:
    """Raises ConfigurationError for a granted service that does not exist: better than a 403."""
    known = service_ids(library)
    for client in registry.clients:
        for sentence in client.unknown_services(known):
            raise ConfigurationError(sentence, where="CDS_CLIENTS", remedy=known_services(known))


def known_services(known: Iterable[str]) -> str:
    """The remedy for a granted service that does not exist: those that do."""
    return f"Known: {', '.join(sorted(known))}."


class FhirReach:
    """Whether and how a caller's FHIR server may be called: by the caller's own allow list."""

    def __init__(self, settings: Settings, registry: ClientRegistry = NO_CLIENTS) -> None:
        sandbox = settings.mode is Mode.SANDBOX
        loopback = LoopbackRule.ALLOWED if sandbox else LoopbackRule.REFUSED
        further = settings.fhir_servers
        self._open = AllowList.of(further, loopback)
        self._deadline_ms = settings.deadline_ms
        everyone = AllowList.of([*further, *registry.fhir_servers], loopback)
        self._granted = {
            client.name: AllowList.of([*client.fhir_servers, *further], loopback)
            for client in registry.clients
        }
        self._client = FhirClient(everyone, network=Network.of(settings.mode))

    def __call__(
        self, caller: Caller, request: HookRequest
    ) -> AbstractContextManager[ServerAccess | NoAccess]:
        """Access for the length of one call, within its deadline."""
        if request.fhir.server:
            breaker.load()
        return server_access(
            server=request.fhir.server,
            authorization=request.fhir.authorization,
            patient_id=request.context.patient_id,
            allowed=self._allowed(caller),
            client=self._client,
            deadline=Deadline.after(self._deadline_ms),
        )

    def _allowed(self, caller: Caller) -> AllowList:
        match caller:
            case RegisteredCaller(client):
                return self._granted[client.name]
            case _:
                return self._open
