"""The client registry, `clients.toml`: who may call, with which keys, for which FHIR servers.

Everything is checked when the service starts: a registry with one bad row is not used at all, and
the error names file, row and remedy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from cds_service.access.key_set import KeySetRefusedError, read_key_set
from cds_service.access.rows import PATTERNS, ClientRow, EventSourceRow, Row
from cds_service.config import Mode
from cds_service.core.card import SmartApp
from cds_service.core.slips import capitalised, first_slip, known_names
from cds_service.errors import ConfigurationError
from cds_service.origins import FhirBase, PlainHttp, Url, UrlRefusedError

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys are in a file. `jku` is the only address of theirs that a token may name, or empty
    where it may name none.
    """

    path: Path
    jku: str = ""


@dataclass(frozen=True, slots=True)
class KeyUrl:
    """The keys are published at this address, the only one that a token's `jku` may name."""

    jku: str


@dataclass(frozen=True, slots=True)
class AllServices:
    """Every service is granted."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered caller."""

    name: str
    issuer: str
    keys: KeyFile | KeyUrl
    algorithms: tuple[str, ...]
    tenants: frozenset[str] = frozenset()
    """When there are any, a token must name one of them."""
    fhir_servers: frozenset[FhirBase] = frozenset()
    services: frozenset[str] | AllServices = AllServices()
    in_shadow: bool = False
    """Whether its calls are answered without cards."""
    smart_apps: tuple[SmartApp, ...] = ()
    """The apps that its cards link to, beside their sources."""

    def may_call(self, service: str) -> bool:
        """Whether the client was granted the service of this id."""
        match self.services:
            case AllServices():
                return True
            case frozenset() as granted:
                return service in granted

    def unknown_services(self, known: Collection[str]) -> list[str]:
        """One sentence for each granted service that does not exist."""
        match self.services:
            case AllServices():
                return []
            case frozenset() as granted:
                return [
                    f"Client {self.name} is granted '{service}', which is not a service here."
                    for service in sorted(granted.difference(known))
                ]


@dataclass(frozen=True, slots=True)
class Source:
    """A registered sender of FHIR Subscription notifications; the words are those of its row."""

    row: EventSourceRow
    fhir_server: FhirBase
    folder: Path
    """Where the relative paths of the row start."""
    where: str
    """The row, as a fault in it names it: `clients.toml [[source]] 1 (lab)`."""

    @property
    def name(self) -> str:
        """The `{source}` of `/events/{source}`."""
        return self.row.name


@dataclass(frozen=True, slots=True)
class UnknownIssuer:
    """No client has this issuer."""


@dataclass(frozen=True, slots=True)
class ClientRegistry:
    """All registered clients and event sources."""

    clients: tuple[Client, ...]
    sources: tuple[Source, ...] = ()

    def by_issuer(self, issuer: object) -> Client | UnknownIssuer:
        """The client whose issuer is exactly this text. Any other value names nobody."""
        for client in self.clients:
            if client.issuer == issuer:
                return client
        return UnknownIssuer()

    @property
    def fhir_servers(self) -> frozenset[FhirBase]:
        """Every FHIR server that may be called for anyone."""
        bases = [client.fhir_servers for client in self.clients]
        return frozenset().union(*bases, (source.fhir_server for source in self.sources))


def read_registry(path: Path, mode: Mode = Mode.PRODUCTION) -> ClientRegistry:
    """The registry of a file. Raises ConfigurationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            "The file cannot be read as UTF-8 text.",
            where=str(path),
            remedy="Check path, permissions and encoding.",
        ) from None
    return load_registry(text, path.parent, mode, file=path.name)


def load_registry(
    text: str, folder: Path, mode: Mode = Mode.PRODUCTION, *, file: str = "clients.toml"
) -> ClientRegistry:
    """The registry of a text; relative paths in it start at `folder`.

    In sandbox mode addresses may be plain http: key sets on this machine only, FHIR servers
    anywhere. Raises ConfigurationError with file, row and remedy.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"This is not TOML: {error}.", where=file, remedy="Mend the syntax."
        ) from None
    for table in document:
        if table not in ("client", "source"):
            remedy = known_names(table, ("client", "source"))
            raise ConfigurationError(f"There is no table '{table}'.", where=file, remedy=remedy)
    clients = tuple(
        _client(row, _Place(where, folder, mode))
        for where, row in _rows(document, "client", ClientRow, file)
    )
    sources = tuple(
        _source(row, _Place(where, folder, mode))
        for where, row in _rows(document, "source", EventSourceRow, file)
    )
    if not clients and not sources:
        raise ConfigurationError(
            "No client is registered.", where=file, remedy="Add a [[client]] row."
        )
    _refuse_twice([client.name for client in clients], "name", f"{file} [[client]]")
    _refuse_twice([client.issuer for client in clients], "issuer", f"{file} [[client]]")
    _refuse_twice([source.name for source in sources], "name", f"{file} [[source]]")
    return ClientRegistry(clients, sources)


def _rows(
    document: Mapping[str, Any], table: str, row: type[R], file: str
) -> Iterator[tuple[str, R]]:
    """The rows of `[[table]]` as their closed type, each with its place."""
    found = document.get(table, [])
    if not isinstance(found, list):
        raise ConfigurationError(
            "This must be a list of rows.", where=f"{file} {table}", remedy=f"Write [[{table}]]."
        )
    for number, content in enumerate(found, start=1):
        name = content.get("name", "") if isinstance(content, dict) else ""
        where = f"{file} [[{table}]] {number}"
        if isinstance(name, str) and name:
            where = f"{where} ({name})"
        try:
            yield where, row.model_validate(content)
        except ValidationError as error:
            slip = first_slip(error, row, PATTERNS)
            key = ".".join(map(str, _place_in_row(slip.place)))
            raise ConfigurationError(
                capitalised(slip.text),
                where=f"{where} {key}".rstrip(),
                remedy=slip.remedy,
            ) from None


def _place_in_row(location: Sequence[int | str]) -> Sequence[int | str]:
    """The keys and list positions in a place, without the types of a union that pydantic tried."""
    return [part for part in location if isinstance(part, int) or part.isidentifier()]


def _refuse_twice(values: Sequence[str], key: str, where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigurationError(
                f"The {key} '{value}' stands here twice.",
                where=where,
                remedy="Keep one row for each; an organisation's parts are its tenants.",
            )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row stands, and what that means for its paths and addresses."""

    where: str
    folder: Path
    mode: Mode

    def fault(self, key: str, text: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(text, where=f"{self.where} {key}", remedy=remedy)

    def fhir_base(self, key: str, text: str) -> FhirBase:
        plain = PlainHttp.ALLOWED if self.mode is Mode.SANDBOX else PlainHttp.REFUSED
        try:
            return FhirBase.parse(text, plain)
        except UrlRefusedError as error:
            raise self.fault(
                key, f"This is no address to call: {error}.", "Write https://host/base."
            ) from None

    def address(self, key: str, text: str, whose: str) -> str:
        """The address exactly as written: `jku` is compared character by character, and a slash at
        the end may count.
        """
        plain = PlainHttp.LOOPBACK if self.mode is Mode.SANDBOX else PlainHttp.REFUSED
        try:
            FhirBase.parse(Url.parse(text).origin, plain)
        except UrlRefusedError as error:
            raise self.fault(
                key, f"This is no address of {whose}: {error}.", "Write https://host/path."
            ) from None
        return text

    def file(self, key: str, text: str) -> Path:
        path = self.folder / text
        if not path.is_file():
            folder = path.absolute().parent
            raise self.fault(key, "The file is not there.", f"It is looked for in {folder}.")
        return path


def _client(row: ClientRow, place: _Place) -> Client:
    return Client(
        name=row.name,
        issuer=row.issuer,
        keys=_keys(row, place),
        algorithms=tuple(row.algorithms),
        tenants=frozenset(row.tenants),
        fhir_servers=frozenset(
            place.fhir_base("fhir_servers", server) for server in row.fhir_servers
        ),
        services=frozenset(row.services) or AllServices(),
        in_shadow=row.rollout == "shadow",
        smart_apps=tuple(
            SmartApp(app.label, place.address("smart_app", app.url, "an app"))
            for app in row.smart_app
        ),
    )


def _keys(row: ClientRow, place: _Place) -> KeyFile | KeyUrl:
    jku = place.address("jwks_url", row.jwks_url, "a key set") if row.jwks_url else ""
    if not row.jwks_file:
        return KeyUrl(jku)
    path = place.file("jwks_file", row.jwks_file)
    try:
        suits = read_key_set(path).suits(row.algorithms)
    except KeySetRefusedError as error:
        raise place.fault(
            "jwks_file",
            f"The key set cannot be used ({error.fault}).",
            "Give a JSON Web Key Set of public keys, each with its own kid.",
        ) from None
    if not suits:
        wanted = " or ".join(row.algorithms)
        raise place.fault(
            "jwks_file",
            "No key in it can be used with the client's algorithms.",
            f"Add one for {wanted}: with a kid, to sign, RSA from 2048 bits on.",
        )
    return KeyFile(path, jku)


def _source(row: EventSourceRow, place: _Place) -> Source:
    fhir_server = place.fhir_base("fhir_server", row.fhir_server)
    place.file("secret_file", row.secret_file)  # must be there; it is read where the events are
    return Source(row, fhir_server, place.folder, place.where)
