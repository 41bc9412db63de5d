"""Tokens and keys for tests, minted here: well-formed ones, and every way to be wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from cds_service.access.faults import TokenFault
from cds_service.access.keys import KeyRing
from cds_service.access.registry import ClientRegistry, load_registry
from cds_service.access.replay import Remembered
from cds_service.access.tokens import RegisteredCaller, Times, Verifier
from cds_service.config import Mode
from cds_service.errors import Unauthorised

NOW = 1_800_000_000
TIMES = Times(lifetime=900, leeway=60)
PUBLIC_URL = "https://cds.example.org"
SERVICE = f"{PUBLIC_URL}/cds-services/sil2r-lab-result"
ISSUER = "https://ehr.example.org/fhir"
JWKS = "https://ehr.example.org/jwks"
OTHER_ISSUER = "https://other.example.org/fhir"
EC = ECKey.generate_key("P-384", {"kid": "ec-1"})
OTHER_EC = ECKey.generate_key("P-384", {"kid": "ec-2"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa+1="})
FILE_CLIENT = f'[[client]]\nname = "hospital"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
SOURCE = (
    '[[source]]\nname = "lab"\nfhir_server = "https://lab.example.org/fhir"\n'
    'secret_file = "secret"\n'
)
HOSPITAL = "general-hospital"
REGISTRY = f"""
[[client]]
name = "{HOSPITAL}"
issuer = "{ISSUER}"
jwks_url = "{JWKS}"
fhir_servers = ["https://ehr.example.org/fhir"]

[[client]]
name = "other-hospital"
issuer = "{OTHER_ISSUER}"
tenants = ["north", "south"]
jwks_url = "https://other.example.org/jwks"
services = ["sil2r-patient-view"]
"""


def key_set(*keys: ECKey | RSAKey) -> bytes:
    """The public halves as a JSON Web Key Set."""
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


@dataclass
class Hosts:
    """What the registered addresses answer; every fetch is counted."""

    answers: dict[str, bytes | Exception] = field(
        default_factory=lambda: {
            JWKS: key_set(EC, RSA),
            "https://other.example.org/jwks": key_set(OTHER_EC),
        }
    )
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str, /) -> bytes:
        self.asked.append(url)
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Memory:
    """A replay store in memory."""

    seen: set[tuple[str, str]] = field(default_factory=set)

    def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
        if (issuer, jti) in self.seen:
            return Remembered.SEEN
        self.seen.add((issuer, jti))
        return Remembered.FRESH


@dataclass
class Clock:
    """A clock that tests move."""

    at: float = NOW

    def __call__(self) -> float:
        return self.at


def registry(tmp: Any, text: str = REGISTRY) -> ClientRegistry:
    return load_registry(text, tmp, Mode.PRODUCTION)


def verifier(clients: ClientRegistry, **parts: Any) -> Verifier:
    now: Callable[[], float] = parts.get("now", Clock())
    return Verifier(
        clients,
        parts.get("keys") or KeyRing(parts.get("hosts") or Hosts(), now),
        parts.get("replay") or Memory(),
        now,
        parts.get("times") or TIMES,
    )


def header(**members: Any) -> dict[str, Any]:
    return {"alg": "ES384", "kid": "ec-1", "typ": "JWT"} | members


def claims(**members: Any) -> dict[str, Any]:
    fresh = {"iss": ISSUER, "aud": SERVICE, "iat": NOW, "exp": NOW + 300, "jti": "once"}
    return {name: value for name, value in (fresh | members).items() if value is not LEFT_OUT}


LEFT_OUT = object()
"""Takes a claim out."""


def token(
    head: dict[str, Any] | None = None,
    body: dict[str, Any] | str | None = None,
    key: ECKey | RSAKey = EC,
) -> str:
    """A signed token; `body` may be a text, to hold what no JSON writer writes."""
    head = header() if head is None else head
    text = body if isinstance(body, str) else json.dumps(claims() if body is None else body)
    return jws.serialize_compact(head, text, key, algorithms=[head["alg"]])


def claiming(**members: Any) -> str:
    """A token that is sound but for these claims."""
    return token(None, claims(**members))


def of_other_hospital(**members: Any) -> str:
    """A token of the client that has tenants, `north` unless said otherwise."""
    body = claims(**({"iss": OTHER_ISSUER, "tenant": "north"} | members))
    return token(header(kid="ec-2"), body, OTHER_EC)


def at(moment: float, jti: str) -> str:
    """A sound token of this moment."""
    return claiming(iat=int(moment), exp=int(moment) + 300, jti=jti)


def unsigned(head: dict[str, Any] | str, body: dict[str, Any] | str, signature: bytes) -> str:
    """Three parts put together by hand."""
    parts = (
        (part if isinstance(part, str) else json.dumps(part)).encode() for part in (head, body)
    )
    return ".".join(map(b64, (*parts, signature)))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def refusal(clients: ClientRegistry, *headers: str, **parts: Any) -> TokenFault:
    """Why nobody is let in with these headers; the caller is told no more than that."""
    with pytest.raises(Unauthorised) as refused:
        verifier(clients, **parts).verify(headers, (SERVICE,))
    assert refused.value.text == "This call needs a valid token."
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return TokenFault(refused.value.cause)


def bearer(text: str) -> str:
    return f"Bearer {text}"


def caller(checks: Verifier, minted: str) -> RegisteredCaller:
    """Who calls with this token, which must be a good one."""
    return checks.verify([bearer(minted)], (SERVICE,))


def taken(clients: ClientRegistry, minted: str, **parts: Any) -> str:
    """From whom this token is taken, which must be a good one."""
    return caller(verifier(clients, **parts), minted).name
