"""One token, checked: who calls (CDS Hooks 2.0.1, "Trusting CDS Clients"; S-03 to S-08).

The registry decides which keys, algorithms and addresses count; nothing in the token does. The
signature is checked before the `jti` is remembered, so that nobody can burn another's token. Every
refusal is the same 401; its cause is a code for our log. No token, key or claim is ever part of a
text, a log line or an exception.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from joserfc.util import urlsafe_b64decode

from cds_service import strict_json
from cds_service.access.faults import TokenFault
from cds_service.access.keys import KeyRing, NoKey
from cds_service.access.registry import Client, ClientRegistry, UnknownIssuer
from cds_service.access.replay import Remembered, ReplayStore
from cds_service.access.signature import is_signed
from cds_service.core.card import SmartApp
from cds_service.core.json_object import JsonObject
from cds_service.errors import MalformedJson, Unauthorised

MAX_LENGTH: Final = 8 * 1024
"""Characters of a token."""
MAX_JTI: Final = 256
MAX_KID: Final = 512
LATEST: Final = 253_402_300_799
"""The last second of the year 9999, and of what Python can express."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_BEARER = re.compile(r"bearer ([^ ]+)", re.IGNORECASE | re.ASCII)
_FORBIDDEN_HEADERS = frozenset({"crit", "b64", "jwk", "x5c", "x5u"})


@dataclass(frozen=True, slots=True)
class Times:
    """Bounds on a token's times, in seconds."""

    lifetime: int
    """Longest `exp - iat`."""
    leeway: int
    """By how much clocks may differ."""


@dataclass(frozen=True, slots=True)
class RegisteredCaller:
    """A client that has proved itself, with the tenant it named (empty where none counts)."""

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

    @property
    def in_shadow(self) -> bool:
        """Whether the client is registered to be answered without cards."""
        return self.client.in_shadow

    @property
    def smart_apps(self) -> tuple[SmartApp, ...]:
        """The apps of the client's EHR."""
        return self.client.smart_apps

    def may_call(self, service: str) -> bool:
        """Whether the client was granted the service of this id."""
        return self.client.may_call(service)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks tokens. One per process, shared by its threads."""

    registry: ClientRegistry
    keys: KeyRing
    replay: ReplayStore
    now: Callable[[], float]
    """Seconds since the epoch."""
    times: Times

    def verify(self, authorization: Sequence[str], audiences: Collection[str]) -> RegisteredCaller:
        """Who sent these Authorization headers to one of `audiences` (exact public addresses).

        Raises Unauthorised; StoreUnavailable when the token cannot be remembered.
        """
        token = _bearer(authorization)
        header, claims = _parts(token)
        kid = _kid(header)
        client = self._client(claims)
        _check_header(header, client)
        _check_audience(claims, audiences)
        expires = self._check_times(claims)
        jti = _text(claims, "jti", MAX_JTI, TokenFault.NO_JTI)
        tenant = _tenant(claims, client)
        self._check_signature(token, client, kid, header)
        until = datetime.fromtimestamp(min(expires + self.times.leeway, LATEST), UTC)
        match self.replay.remember(client.issuer, jti, until):
            case Remembered.FRESH:
                return RegisteredCaller(client, tenant)
            case Remembered.SEEN:
                raise _refused(TokenFault.REPLAYED)

    def _client(self, claims: JsonObject) -> Client:
        match self.registry.by_issuer(claims.get("iss")):
            case UnknownIssuer():
                raise _refused(TokenFault.UNKNOWN_ISSUER)
            case client:
                return client

    def _check_times(self, claims: JsonObject) -> int:
        """`exp`, once all times are in order. In the last second of its leeway a token holds."""
        expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
        begins = _moment(claims, "nbf") if "nbf" in claims else issued
        now, leeway = self.now(), self.times.leeway
        if not 0 < expires - issued <= self.times.lifetime:
            raise _refused(TokenFault.LIVES_TOO_LONG)
        if max(issued, begins) > now + leeway:
            raise _refused(TokenFault.NOT_YET_VALID)
        if expires + leeway < now:
            raise _refused(TokenFault.EXPIRED)
        return expires

    def _check_signature(self, token: str, client: Client, kid: str, header: JsonObject) -> None:
        match self.keys.key(client, kid):
            case NoKey.UNKNOWN:
                raise _refused(TokenFault.UNKNOWN_KEY)
            case NoKey.UNAVAILABLE:
                raise _refused(TokenFault.KEYS_UNAVAILABLE)
            case key:
                if not is_signed(token, header, key):
                    raise _refused(TokenFault.BAD_SIGNATURE)


def _refused(fault: TokenFault) -> Unauthorised:
    return Unauthorised(fault.value)


def _bearer(authorization: Sequence[str]) -> str:
    if len(authorization) != 1:
        raise _refused(TokenFault.NO_TOKEN)
    if len(authorization[0]) > MAX_LENGTH + len("Bearer "):
        raise _refused(TokenFault.TOO_LARGE)
    found = _BEARER.fullmatch(authorization[0])
    if found is None:
        raise _refused(TokenFault.NOT_BEARER)
    return found[1]


def _parts(token: str) -> tuple[JsonObject, JsonObject]:
    """Header and claims, read strictly: a member that stands twice has two meanings (T-20), and
    base64url has one way to write the same bytes (RFC 4648, section 3.5).
    """
    if not _COMPACT.fullmatch(token):
        raise _refused(TokenFault.MALFORMED)
    header, claims, _signature = token.split(".")
    try:
        return json_of(header), json_of(claims)
    except (MalformedJson, binascii.Error):
        raise _refused(TokenFault.MALFORMED) from None


def json_of(part: str) -> JsonObject:
    """The JSON object of a part. Raises MalformedJson, binascii.Error."""
    return strict_json.parse_object(urlsafe_b64decode(part.encode("ascii")))


def _kid(header: JsonObject) -> str:
    if header.get("typ") != "JWT":
        raise _refused(TokenFault.WRONG_TYPE)
    if not _FORBIDDEN_HEADERS.isdisjoint(header):
        raise _refused(TokenFault.HEADER_FORBIDDEN)
    return _text(header, "kid", MAX_KID, TokenFault.NO_KID)


def _check_header(header: JsonObject, client: Client) -> None:
    if header.get("alg") not in client.algorithms:
        raise _refused(TokenFault.WRONG_ALGORITHM)
    if "jku" in header and (not client.keys.jku or header["jku"] != client.keys.jku):
        raise _refused(TokenFault.WRONG_JKU)


def _check_audience(claims: JsonObject, audiences: Collection[str]) -> None:
    named = claims.get("aud")
    texts = named if isinstance(named, list) else [named]
    are_texts = all(isinstance(text, str) for text in texts)
    if not are_texts or not any(text in audiences for text in texts):
        raise _refused(TokenFault.WRONG_AUDIENCE)


def _moment(claims: JsonObject, name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LATEST:
        raise _refused(TokenFault.NO_TIMES)
    return value


def _tenant(claims: JsonObject, client: Client) -> str:
    """The tenant. For a client without tenants it is empty, and what the token says is ignored."""
    if not client.tenants:
        return ""
    tenant = claims.get("tenant")
    if not isinstance(tenant, str) or tenant not in client.tenants:
        raise _refused(TokenFault.WRONG_TENANT)
    return tenant


def _text(members: JsonObject, name: str, longest: int, fault: TokenFault) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _refused(fault)
    return value
