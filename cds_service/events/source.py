"""A registered source as the events room uses it: addresses parsed, secrets read, words typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from cds_service.access.registry import Source
from cds_service.config import Mode
from cds_service.errors import ConfigurationError, MalformedJson
from cds_service.events.notification import Content
from cds_service.events.proof import Proof, SharedSecret
from cds_service.fhir.calls.authorization import AccessToken, NoToken
from cds_service.origins import FhirBase, PlainHttp, UrlRefusedError
from cds_service.strict_json import parse_object

_READS = (
    "Observation",
    "DiagnosticReport",
    "Specimen",
    "Patient",
    "Condition",
    "MedicationRequest",
    "Medication",
)

SHORTEST_SECRET = 16
"""Characters: what is shorter can be guessed by trying."""


class Numbering(StrEnum):
    """What the numbers of events count (`numbering`)."""

    SUBSCRIPTION = "subscription"
    BUNDLE = "bundle"
    NONE = "none"


class IssueKind(StrEnum):
    """What a write-back writes."""

    DETECTED_ISSUE = "DetectedIssue"
    FLAG = "Flag"


class NoticeKind(StrEnum):
    """What a write-back leaves for the clinician who ordered the test."""

    NONE = "none"
    COMMUNICATION = "Communication"
    TASK = "Task"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """OAuth 2 client credentials with a secret (RFC 6749, section 4.4)."""

    client_id: str
    secret: str = field(repr=False)
    token_url: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class SignedAssertion:
    """SMART Backend Services: an assertion signed with our private key."""

    client_id: str
    key: ECKey | RSAKey = field(repr=False)
    algorithm: str
    token_url: str
    scope: str = ""


ClientCredentials = ClientSecret | SignedAssertion
"""What a token is asked for with."""
Credentials = NoToken | AccessToken | ClientCredentials


@dataclass(frozen=True, slots=True)
class RecordOnly:
    """Nothing is delivered; the evaluation record is all."""


@dataclass(frozen=True, slots=True)
class WriteBack:
    """The answer is written to the FHIR server it came from."""

    issue: IssueKind
    notice: NoticeKind


@dataclass(frozen=True, slots=True)
class Relay:
    """The answer is posted to a CDS Hooks client that shows it."""

    address: FhirBase
    token: AccessToken | NoToken


Delivery = RecordOnly | WriteBack | Relay


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """A FHIR server that sends notifications."""

    name: str
    base: FhirBase
    secret: SharedSecret
    proof: Proof = Proof.TOKEN
    contents: frozenset[Content] = frozenset(Content)
    numbering: Numbering = Numbering.SUBSCRIPTION
    topic: str = ""
    credentials: Credentials = field(default_factory=NoToken)
    delivery: Delivery = field(default_factory=RecordOnly)
    heartbeat: timedelta = timedelta(0)
    reactivate: bool = False
    plain_http: PlainHttp = PlainHttp.REFUSED
    """Whether its token endpoint may be plain http: on this machine in sandbox mode."""


def event_sources(sources: Iterable[Source], mode: Mode) -> dict[str, EventSource]:
    """All sources by name, with their secrets. Raises ConfigurationError."""
    return {source.name: _event_source(source, mode) for source in sources}


def secret_files(source: Source) -> dict[str, Path]:
    """The key of a row -> the file with a secret that it names."""
    row = source.row
    named = {
        "secret_file": row.secret_file,
        "credentials_file": row.credentials_file,
        "relay_secret_file": row.relay_secret_file,
    }
    return {key: source.folder / file for key, file in named.items() if file}


def _event_source(source: Source, mode: Mode) -> EventSource:
    row = source.row
    return EventSource(
        name=source.name,
        base=source.fhir_server,
        secret=SharedSecret(_secret(source, row.secret_file, "secret_file").encode()),
        proof=Proof(row.proof),
        contents=frozenset(map(Content, row.payloads)),
        numbering=Numbering(row.numbering),
        topic=row.topic,
        credentials=_credentials(source),
        delivery=_delivery(source, mode),
        heartbeat=timedelta(seconds=row.heartbeat_seconds),
        reactivate=row.reactivate,
        plain_http=PlainHttp.LOOPBACK if mode is Mode.SANDBOX else PlainHttp.REFUSED,
    )


def _credentials(source: Source) -> Credentials:
    row = source.row
    match row.credentials:
        case "none":
            return NoToken()
        case "bearer":
            return AccessToken(_secret(source, row.credentials_file, "credentials_file"))
        case "basic":
            secret = _secret(source, row.credentials_file, "credentials_file")
            return ClientSecret(row.client_id, secret, row.token_url, _scope(source))
        case "backend-services":
            key, algorithm = _key(source)
            return SignedAssertion(row.client_id, key, algorithm, row.token_url, _scope(source))


def _scope(source: Source) -> str:
    """The scope that is asked for; a server may grant less. What we write we also read, since we
    look for it before.
    """
    row = source.row
    if row.scope:
        return row.scope
    writes: Sequence[str] = ()
    if row.delivery == "write-back":
        notices = () if row.notify == "none" else (row.notify,)
        writes = (row.issue, "GuidanceResponse", "Provenance", *notices)
    reads = dict.fromkeys((*_READS, *writes))
    return " ".join(
        [*(f"system/{each}.read" for each in reads), *(f"system/{each}.write" for each in writes)]
    )


def _delivery(source: Source, mode: Mode) -> Delivery:
    row = source.row
    match row.delivery:
        case "record":
            return RecordOnly()
        case "write-back":
            return WriteBack(IssueKind(row.issue), NoticeKind(row.notify))
        case "hook":
            plain = PlainHttp.ALLOWED if mode is Mode.SANDBOX else PlainHttp.REFUSED
            try:
                address = FhirBase.parse(row.relay, plain)
            except UrlRefusedError as error:
                raise _refusal(source, "relay", f"This is no address to call: {error}.") from None
            if not row.relay_secret_file:
                return Relay(address, NoToken())
            secret = _secret(source, row.relay_secret_file, "relay_secret_file")
            return Relay(address, AccessToken(secret))


def _secret(source: Source, file: str, key: str) -> str:
    text = _read(source, file, key).strip()
    if len(text) < SHORTEST_SECRET or not text.isascii() or not text.isprintable() or " " in text:
        raise _refusal(
            source, key, f"It must hold at least {SHORTEST_SECRET} characters of plain ASCII."
        )
    return text


def _key(source: Source) -> tuple[ECKey | RSAKey, str]:
    """The private key and the algorithm that goes with it (SMART: ES384 or RS384)."""
    text = _read(source, source.row.credentials_file, "credentials_file")
    try:
        key = JWKRegistry.import_key(parse_object(text.encode()))
    except (JoseError, MalformedJson, ValueError, TypeError, KeyError):
        raise _refusal(source, "credentials_file", "It holds no JSON Web Key.") from None
    match key:
        case ECKey() if key.is_private and key.curve_name == "P-384":
            return key, "ES384"
        case RSAKey() if key.is_private:
            return key, "RS384"
        case _:
            raise _refusal(
                source, "credentials_file", "It must hold a private key: EC on P-384, or RSA."
            )


def _read(source: Source, file: str, key: str) -> str:
    try:
        return (source.folder / Path(file)).read_text(encoding="utf-8")
    except (OSError, ValueError):  # no text in UTF-8, or a path with a NUL in it
        raise _refusal(source, key, "The file cannot be read.") from None


def _refusal(source: Source, key: str, text: str) -> ConfigurationError:
    return ConfigurationError(
        text, where=f"{source.where} {key}", remedy="Correct the row or the file."
    )
