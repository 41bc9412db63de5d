"""Whether a notification comes from who it says: it shows that it knows the shared secret.

As a token, in `Authorization: Bearer …` or `X-Events-Token`, or by an HMAC-SHA-256 over the bytes
of the body in `X-Hub-Signature` (W3C WebSub, section 8; SHA-1 is not taken). Compared in constant
time; whoever fails learns nothing of why.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NoReturn, final

_SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")
_BEARER = "bearer "

TOKEN_HEADER = "X-Events-Token"  # noqa: S105 - the name of a header
SIGNATURE_HEADERS = ("X-Hub-Signature", "X-Hub-Signature-256")


class Proof(StrEnum):
    """How a source shows that it knows the secret."""

    TOKEN = "token"  # noqa: S105 - a word of the registry
    HMAC = "hmac-sha256"


class FirstLook(StrEnum):
    """What the headers tell before a byte of the body is read."""

    PROVED = "proved"
    REFUSED = "refused"
    BY_THE_BODY = "by-the-body"
    """One signature is there; only the body shows whether it is right."""


@final
class SharedSecret:
    """A secret that shows itself to nobody."""

    __slots__ = ("__secret",)

    def __init__(self, secret: bytes) -> None:
        self.__secret: Final = secret

    def is_token(self, given: str) -> bool:
        """Whether this is the secret itself."""
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.__secret)

    def signed(self, body: bytes, signature: bytes) -> bool:
        """Whether the signature was made over these bytes with the secret."""
        return hmac.compare_digest(signature, hmac.digest(self.__secret, body, "sha256"))

    def reveal(self) -> str:
        """The secret, to be written into a Subscription and nowhere else."""
        return self.__secret.decode()

    def __repr__(self) -> str:
        return "SharedSecret(redacted)"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a shared secret is not stored, copied or sent to another process")


def first_look(
    secret: SharedSecret, proof: Proof, headers: Mapping[str, Sequence[str]]
) -> FirstLook:
    """How far the headers prove knowledge of the secret. Header names are those used here."""
    match proof:
        case Proof.TOKEN:
            right = secret.is_token(_token(headers))
            return FirstLook.PROVED if right else FirstLook.REFUSED
        case Proof.HMAC:
            return FirstLook.BY_THE_BODY if _signature(headers) else FirstLook.REFUSED


def is_signed(secret: SharedSecret, headers: Mapping[str, Sequence[str]], body: bytes) -> bool:
    """Whether the signature was made over this body with the secret."""
    return secret.signed(body, _signature(headers))


def _signature(headers: Mapping[str, Sequence[str]]) -> bytes:
    """The one signature that was sent; empty when there is none, or more than one."""
    given = [each for name in SIGNATURE_HEADERS for each in headers.get(name, ())]
    found = _SIGNATURE.fullmatch(given[0].strip()) if len(given) == 1 else None
    return bytes.fromhex(found[1]) if found else b""


def _token(headers: Mapping[str, Sequence[str]]) -> str:
    """The one token that was sent; empty when there is none, or more than one."""
    bearers = headers.get("Authorization", ())
    tokens = [each[len(_BEARER) :] for each in bearers if each.lower().startswith(_BEARER)]
    given = (*tokens, *headers.get(TOKEN_HEADER, ()))
    return given[0].strip() if len(given) == 1 and len(bearers) <= 1 else ""
