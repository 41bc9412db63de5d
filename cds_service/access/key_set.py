"""A JSON Web Key Set (RFC 7517, section 5) as this service reads it: public keys, by `kid`.

A set that holds a private or a symmetric key is refused as a whole: whoever published it has lost
that key. So is one that gives a `kid` twice, because then `kid` names nothing. A key that is merely
of no use here (another type, too short, no `kid`, for encryption) is left out, as RFC 7517 says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from cds_service import strict_json
from cds_service.core.json_object import JsonObject
from cds_service.errors import MalformedJson
from cds_service.fhir.calls.fetched import JWKS_LIMIT
from cds_service.fhir.shape import a_text

MAX_KEYS: Final = 64
_RSA_BITS: Final = range(2048, 6145)
"""NIST SP 800-131A asks for 2048; joserfc reads signatures of up to 6144 bits (1024 characters)."""
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})

PublicKey = RSAKey | ECKey


class KeySetFault(StrEnum):
    """Why a key set cannot be used. A label: holds nothing of a key."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    NOT_A_KEY_SET = "not-a-key-set"
    PRIVATE_KEY = "private-key"
    SYMMETRIC_KEY = "symmetric-key"
    DUPLICATE_KID = "duplicate-kid"


class KeySetRefusedError(Exception):
    """The bytes are no key set that can be used; `fault` says why."""

    def __init__(self, fault: KeySetFault) -> None:
        super().__init__(f"The key set cannot be used ({fault}).")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class KeySet:
    """Public keys by `kid`, without those of no use here."""

    by_kid: Mapping[str, PublicKey] = field(repr=False)

    def suits(self, algorithms: Collection[str]) -> bool:
        """Whether any key can be used with any of these algorithms."""
        names = list(algorithms)
        return any(JWSRegistry.filter_algorithms(key, names) for key in self.by_kid.values())


def parse_key_set(data: bytes) -> KeySet:
    """Read a key set. Raises KeySetRefusedError."""
    entries = _entries(data)
    for entry in entries:
        if entry.get("kty") == "oct" or "k" in entry:
            raise KeySetRefusedError(KeySetFault.SYMMETRIC_KEY)
        if not _PRIVATE_MEMBERS.isdisjoint(entry):
            raise KeySetRefusedError(KeySetFault.PRIVATE_KEY)
    kids = [entry["kid"] for entry in entries if isinstance(entry.get("kid"), str)]
    if len(set(kids)) != len(kids):
        raise KeySetRefusedError(KeySetFault.DUPLICATE_KID)
    return KeySet({str(entry["kid"]): key for entry in entries for key in _usable(entry)})


def read_key_set(path: Path) -> KeySet:
    """Read the key set of a file. Raises KeySetRefusedError."""
    try:
        data = path.read_bytes()
    except OSError:
        raise KeySetRefusedError(KeySetFault.UNREADABLE) from None
    return parse_key_set(data)


def _entries(data: bytes) -> list[JsonObject]:
    if len(data) > JWKS_LIMIT:
        raise KeySetRefusedError(KeySetFault.TOO_LARGE)
    try:
        entries = strict_json.parse_object(data).get("keys")
    except MalformedJson:
        raise KeySetRefusedError(KeySetFault.NOT_A_KEY_SET) from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KeySetRefusedError(KeySetFault.NOT_A_KEY_SET)
    if len(entries) > MAX_KEYS:
        raise KeySetRefusedError(KeySetFault.TOO_LARGE)
    return entries


def _usable(entry: JsonObject) -> list[PublicKey]:
    """The key of an entry, or nothing."""
    kid, use = entry.get("kid"), entry.get("use", "sig")
    if not isinstance(kid, str) or not kid or use != "sig":
        return []
    try:
        match entry.get("kty"):
            case "EC":
                return [ECKey.import_key(entry)]
            case "RSA" if _modulus_bits(entry) in _RSA_BITS:
                return [RSAKey.import_key(entry)]
            case _:
                return []
    except (JoseError, ValueError, TypeError, KeyError):
        return []


def _modulus_bits(entry: JsonObject) -> int:
    """Counted before the key is imported: to import a short one warns, a huge one is slow."""
    modulus = a_text(entry.get("n"))
    return int.from_bytes(urlsafe_b64decode(modulus.encode())).bit_length()
