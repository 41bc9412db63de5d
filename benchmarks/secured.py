"""The service as in production: a registered client, and tokens that are each good for one call."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from time import time
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from benchmarks import payload

PUBLIC_URL = "https://cds.example.org"
ISSUER = "https://ehr.example.org/fhir"
_LIFETIME = 840

Key = RSAKey | ECKey


def environment(folder: Path, key: Key) -> dict[str, str]:
    """Settings with one registered client, written to a folder of their own."""
    folder.mkdir()
    keys = {"keys": [key.as_dict(private=False)]}
    (folder / "jwks.json").write_text(json.dumps(keys), encoding="utf-8")
    (folder / "clients.toml").write_text(
        f'[[client]]\nname = "bench"\nissuer = "{ISSUER}"\njwks_file = "jwks.json"\n'
        f'fhir_servers = ["{ISSUER}"]\n',
        encoding="utf-8",
    )
    return {
        "CDS_PUBLIC_URL": PUBLIC_URL,
        "CDS_TLS": "proxy",
        "CDS_CLIENTS": str(folder / "clients.toml"),
        "CDS_DATA_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "CDS_DATABASE_URL": f"sqlite:///{folder}/secured.sqlite3",
        "CDS_RATE_LIMIT": "1000000",
    }


def rs384() -> RSAKey:
    """A client's key as Epic's are."""
    return RSAKey.generate_key(2048, {"kid": "bench", "use": "sig", "alg": "RS384"})


def es384() -> ECKey:
    """A client's key as the CDS Hooks Sandbox's is."""
    return ECKey.generate_key("P-384", {"kid": "bench", "use": "sig", "alg": "ES384"})


def tokens(key: Key, count: int) -> Iterator[str]:
    """So many tokens, made now, so that making them is not measured."""
    algorithm = str(key.alg)
    header = {"alg": algorithm, "typ": "JWT", "kid": "bench"}
    now = int(time())
    claims = {"iss": ISSUER, "aud": PUBLIC_URL + payload.PATH, "iat": now, "exp": now + _LIFETIME}
    made = [
        jwt.encode(header, {**claims, "jti": str(uuid4())}, key, [algorithm]) for _ in range(count)
    ]
    return iter(made)


def asks_for_a_token(port: int) -> bool:
    """Whether a call without a token is refused."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    connection.request("POST", payload.PATH, payload.one_result(), headers)
    return connection.getresponse().status == 401
