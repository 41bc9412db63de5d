"""`cds-service clients check`: whether a registry can be used, with all that it names.

The key sets of clients, and the files with the secrets of sources, are read as the service would
read them at its start; the services granted are held against those that it would have. Nothing that
is secret is part of the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.access.check import NotFetched, TokenReport, read_keys
from cds_service.access.key_set import KeySet
from cds_service.access.keys import Fetch, NoKeySet
from cds_service.access.registry import Client, ClientRegistry, KeyFile, KeyUrl, Source
from cds_service.callers import known_services, service_ids
from cds_service.commands.input import settings_of
from cds_service.config import Mode
from cds_service.errors import ConfigurationError, KnowledgeError
from cds_service.events.source import event_sources
from cds_service.knowledge.files import read_library


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A client or a source, in words and for a machine."""

    line: str
    members: Mapping[str, Any]
    faults: tuple[str, ...]
    """What keeps it from being used."""


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """The services are not known: the knowledge they are made from could not be read."""

    why: str


@dataclass(frozen=True, slots=True)
class RegistryReport:
    """What is registered, and perhaps what is wrong with a token."""

    clients: tuple[CheckedRow, ...]
    sources: tuple[CheckedRow, ...]
    warnings: tuple[str, ...]
    """What may keep the service from starting, though the registry itself is not at fault."""
    tokens: tuple[TokenReport, ...] = ()
    """Empty, or one."""

    @property
    def faults(self) -> list[str]:
        """All that must be mended."""
        return [fault for each in (*self.clients, *self.sources) for fault in each.faults]

    @property
    def is_acceptable(self) -> bool:
        """Whether nothing wrong was found."""
        return not self.faults and not any(token.faults for token in self.tokens)

    def lines(self) -> Iterator[str]:
        """The report for a person."""
        yield from (each.line for each in (*self.clients, *self.sources))
        yield from self.faults
        yield from self.warnings
        for token in self.tokens:
            yield from token.lines()

    def as_json(self) -> dict[str, Any]:
        """The report for a machine."""
        report: dict[str, Any] = {
            "clients": [dict(each.members) for each in self.clients],
            "sources": [dict(each.members) for each in self.sources],
            "faults": self.faults,
            "warnings": list(self.warnings),
        }
        for token in self.tokens:
            report["token"] = token.as_json()
        return report


def check_registry(
    registry: ClientRegistry,
    mode: Mode,
    fetch: Fetch,
    services: frozenset[str] | NotLoaded,
) -> RegistryReport:
    """Look into everything that the rows of a registry name; `services` are the ids there are."""
    return RegistryReport(
        tuple(_client(client, fetch, services) for client in registry.clients),
        tuple(_source(source, mode) for source in registry.sources),
        tuple(_warnings(registry, mode, services)),
    )


def services_of(config: Path | None) -> frozenset[str] | NotLoaded:
    """The ids of the services that a start with these settings would have."""
    try:
        settings = settings_of(config)
        return service_ids(read_library(settings.knowledge, terminologies=settings.terminologies))
    except (ConfigurationError, KnowledgeError) as error:
        return NotLoaded(error.one_line())


def _warnings(
    registry: ClientRegistry, mode: Mode, services: frozenset[str] | NotLoaded
) -> Iterator[str]:
    if mode is Mode.PRODUCTION and not registry.clients:
        yield (
            "No client is registered: `cds-service serve` starts with this registry in sandbox mode"
            " only. Add a [[client]] row."
        )
    if isinstance(services, NotLoaded):
        yield f"Whether the granted services exist could not be checked. {services.why}"


def _client(client: Client, fetch: Fetch, services: frozenset[str] | NotLoaded) -> CheckedRow:
    match client.keys:
        case KeyFile(path):
            place = path.name
        case KeyUrl(url):
            place = url
    keys = read_keys(client, fetch)
    faults = [f"client {client.name}: {place} {fault}." for fault in _key_faults(keys, client)]
    if isinstance(services, frozenset):
        unknown = client.unknown_services(services)
        faults += [f"{sentence} {known_services(services)}" for sentence in unknown]
    members = {
        "name": client.name,
        "issuer": client.issuer,
        "keys": place,
        "usable": not faults,
        "fetched": not isinstance(keys, NotFetched),
        "fhirServers": sorted(map(str, client.fhir_servers)),
        "inShadow": client.in_shadow,
        "smartApps": [{"label": app.label, "url": app.url} for app in client.smart_apps],
    }
    return CheckedRow(_client_line(client, keys, place), members, tuple(faults))


def _key_faults(keys: KeySet | NotFetched | NoKeySet, client: Client) -> Iterator[str]:
    match keys:
        case KeySet() if not keys.suits(client.algorithms):
            yield f"holds no key for {' or '.join(client.algorithms)}"
        case NoKeySet(why):
            yield f"cannot be used ({why})"
        case KeySet() | NotFetched():
            return


def _client_line(client: Client, keys: KeySet | NotFetched | NoKeySet, place: str) -> str:
    match keys:
        case KeySet(by_kid):
            held = f"keys in {place}: {len(by_kid)}"
        case NotFetched():
            held = f"keys at {place} (not fetched; --fetch does)"
        case NoKeySet():
            held = f"no keys from {place}"
    servers = len(client.fhir_servers)
    line = f"client {client.name}: issuer {client.issuer}, {held}, FHIR servers: {servers}"
    if client.in_shadow:
        line += ", in shadow: answered without cards"
    if client.smart_apps:
        line += f", SMART apps on its cards: {', '.join(app.label for app in client.smart_apps)}"
    return line


def _source(source: Source, mode: Mode) -> CheckedRow:
    line = f"source {source.name}: {source.fhir_server}"
    faults: tuple[str, ...] = ()
    try:
        event_sources([source], mode)
    except ConfigurationError as error:
        faults = (error.one_line(),)
    members = {
        "name": source.name,
        "fhirServer": str(source.fhir_server),
        "usable": not faults,
    }
    return CheckedRow(line, members, faults)
