"""`cds-service clients check`: whether a registry holds, and why a token would be refused.

For the person who registers a client. The caller itself is never told why; here, on the operator's
own machine, every step is named. The token is neither printed nor kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.access.key_set import KeySetRefusedError, parse_key_set
from cds_service.access.keys import KeyRing
from cds_service.access.registry import Client, ClientRegistry, KeyFile, KeyUrl, read_registry
from cds_service.access.replay import Remembered
from cds_service.access.tokens import Times, Verifier
from cds_service.config import Mode
from cds_service.errors import ConfigurationError, Unauthorised
from cds_service.fhir.client import JwksFaultError
from cds_service.fhir.fetched import UpstreamFault


def check_registry(path: Path, mode: Mode = Mode.PRODUCTION) -> list[str]:
    """One line for each client and source. Raises ConfigurationError for what cannot be used."""
    registry = read_registry(path, mode)
    lines = [_about(client) for client in registry.clients]
    lines += [f"source {source.name}: {source.fhir_server}" for source in registry.sources]
    return lines


def _about(client: Client) -> str:
    match client.keys:
        case KeyFile(path):
            try:
                keys = parse_key_set(path.read_bytes())
            except KeySetRefusedError as error:
                raise ConfigurationError(
                    f"The key set cannot be used ({error.fault}).",
                    where=f"{path.name} of client {client.name}",
                    remedy="Put the client's public keys there, each with its own kid.",
                ) from None
            if not keys.suits(client.algorithms):
                raise ConfigurationError(
                    "The key set holds no key for the client's algorithms.",
                    where=f"{path.name} of client {client.name}",
                    remedy=f"Add a key for {' or '.join(client.algorithms)}.",
                )
            source = f"{len(keys.by_kid)} keys in {path.name}"
        case KeyUrl(url):
            source = f"keys at {url} (not fetched by this check)"
    servers = len(client.fhir_servers)
    return f"client {client.name}: issuer {client.issuer}, {source}, {servers} FHIR servers"


class _Forgetful:
    """Remembers nothing: a check must not use a token up."""

    def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
        return Remembered.FRESH


def explain_token(
    token: str, audience: str, registry: ClientRegistry, now: Callable[[], float] = time.time
) -> str:
    """Why this token would be refused at `audience`, or that it holds. Keys from files only."""

    def fetch(_url: str, /) -> bytes:
        raise JwksFaultError(UpstreamFault.NOT_ALLOWED)

    verifier = Verifier(registry, KeyRing(fetch, now), _Forgetful(), now, Times())
    try:
        verified = verifier.verify([f"Bearer {token.strip()}"], (audience,))
    except Unauthorised as error:
        return IN_WORDS[TokenFault(error.cause)]
    return f"The token holds: client {verified.client.name}."
