"""A token as a whole: what is no token, and what its header may say (T-01 to T-04, T-20, T-30)."""

from __future__ import annotations

import hashlib
import hmac
import json
import string
from pathlib import Path

import pytest

from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.access.registry import ClientRegistry
from cds_service.errors import Unauthorised
from tests.unit.access.minting import (
    EC,
    HOSPITAL,
    JWKS,
    NOW,
    REGISTRY,
    RSA,
    Hosts,
    bearer,
    claiming,
    claims,
    header,
    key_set,
    refusal,
    registry,
    taken,
    token,
    unsigned,
)


def test_s03_a_sound_token_names_its_client(clients: ClientRegistry) -> None:
    assert taken(clients, token()) == HOSPITAL


def test_s04_rs384_is_taken_too(clients: ClientRegistry) -> None:
    """Epic's shape: RS384, `jku`, `sub`, `nbf`, 15 minutes, a `kid` with + and =."""
    head = header(alg="RS384", kid="rsa+1=", jku=JWKS)
    body = claims(sub="client-id", nbf=NOW - 300, exp=NOW + 900)
    assert taken(clients, token(head, body, RSA)) == HOSPITAL


def test_the_shape_of_the_cds_hooks_sandbox_is_taken(tmp_path: Path) -> None:
    """ES384, `jku`, five minutes, keys registered as a file."""
    (tmp_path / "sandbox.jwks.json").write_bytes(key_set(EC))
    text = (
        '[[client]]\nname = "sandbox"\nissuer = "https://sandbox.example.org"\n'
        'jwks_file = "sandbox.jwks.json"\n'
        'jwks_url = "https://sandbox.example.org/.well-known/jwks.json"\n'
    )
    hosts = Hosts({})
    head = header(jku="https://sandbox.example.org/.well-known/jwks.json")
    body = claims(iss="https://sandbox.example.org")
    assert taken(registry(tmp_path, text), token(head, body), hosts=hosts) == "sandbox"
    assert hosts.asked == []


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ((), TokenFault.NO_TOKEN),
        (("Bearer a.b.c", "Bearer a.b.c"), TokenFault.NO_TOKEN),
        (("Basic dXNlcjpwYXNz",), TokenFault.NOT_BEARER),
        (("Bearer",), TokenFault.NOT_BEARER),
        (("Bearer a b",), TokenFault.NOT_BEARER),
        (("Bearer not-a-token",), TokenFault.MALFORMED),
        (("Bearer two-parts.only",), TokenFault.MALFORMED),
        (("Bearer two.parts-only",), TokenFault.MALFORMED),
    ],
)
def test_t01_no_token_another_scheme_or_two_headers(
    clients: ClientRegistry, headers: tuple[str, ...], fault: TokenFault
) -> None:
    assert refusal(clients, *headers) is fault


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_t02_alg_none_in_any_spelling(clients: ClientRegistry, name: str) -> None:
    forged = unsigned(header(alg=name), claims(), b"x")
    assert refusal(clients, bearer(forged)) is TokenFault.WRONG_ALGORITHM
    assert refusal(clients, bearer(forged.rsplit(".", 1)[0] + ".")) is TokenFault.MALFORMED


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_t03_a_public_key_is_no_shared_secret(clients: ClientRegistry, bits: int) -> None:
    for secret in (EC.as_pem(private=False), EC.as_der(private=False), key_set(EC)):
        head = header(alg=f"HS{bits}")
        signed = unsigned(head, claims(), b"").rsplit(".", 1)[0].encode()
        mac = hmac.new(secret, signed, getattr(hashlib, f"sha{bits}")).digest()
        forged = unsigned(head, claims(), mac)
        assert refusal(clients, bearer(forged)) is TokenFault.WRONG_ALGORITHM


def test_t04_s04_only_the_algorithms_of_the_clients_own_list(tmp_path: Path) -> None:
    head = header(alg="RS256", kid="rsa+1=")
    minted = token(head, None, RSA)
    assert refusal(registry(tmp_path), bearer(minted)) is TokenFault.WRONG_ALGORITHM
    widened = REGISTRY.replace(
        'fhir_servers = ["https://ehr', 'algorithms = ["RS256"]\nfhir_servers = ["https://ehr'
    )
    assert taken(registry(tmp_path, widened), minted) == HOSPITAL


def test_every_character_of_base64url_may_stand_in_a_token(clients: ClientRegistry) -> None:
    """RFC 4648, section 5: a token must not be refused for what its bytes happen to be."""
    every = "".join(map(chr, range(32, 127))) * 3
    minted = token(header(cty=every[:160]), claims(note=every))
    for part in minted.split(".")[:2]:
        assert set(part) == set(string.ascii_letters + string.digits + "-_")
    assert taken(clients, minted) == HOSPITAL


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(claims())[:-1] + f', "exp": {NOW + 900}}}',
        json.dumps([claims()]),
        '"text"',
        "{" * 100,
        "\ufeff" + json.dumps(claims()),
    ],
)
def test_t20_claims_that_two_readers_would_read_differently(
    clients: ClientRegistry, text: str
) -> None:
    assert refusal(clients, bearer(token(None, text))) is TokenFault.MALFORMED


def test_t20_a_header_with_alg_twice(clients: ClientRegistry) -> None:
    head = json.dumps(header())[:-1] + ', "alg": "ES384"}'
    assert refusal(clients, bearer(unsigned(head, claims(), b"x"))) is TokenFault.MALFORMED


def test_t20_a_token_inside_a_token_an_encrypted_one_and_a_huge_one(
    clients: ClientRegistry,
) -> None:
    assert refusal(clients, bearer(token(None, token()))) is TokenFault.MALFORMED
    assert refusal(clients, bearer("a.b.c.d.e")) is TokenFault.MALFORMED
    assert refusal(clients, bearer("a" * 1_000_000)) is TokenFault.TOO_LARGE
    assert refusal(clients, bearer("a" * 8193)) is TokenFault.TOO_LARGE
    assert refusal(clients, bearer("a" * 8192)) is TokenFault.MALFORMED


@pytest.mark.parametrize("kind", ["jwt", "JOSE", "", None])
def test_the_type_is_jwt(clients: ClientRegistry, kind: object) -> None:
    forged = unsigned(header(typ=kind), claims(), b"x")
    assert refusal(clients, bearer(forged)) is TokenFault.WRONG_TYPE


def test_every_fault_has_its_sentence() -> None:
    assert set(IN_WORDS) == set(TokenFault)


def test_t30_s08_no_error_holds_a_part_of_the_token(clients: ClientRegistry) -> None:
    minted = claiming(jti="CANARY-JTI", aud="CANARY-AUD")
    with pytest.raises(Unauthorised) as refused:
        taken(clients, minted)
    told = f"{refused.value!r} {refused.value.one_line()} {refused.value.cause}"
    assert "CANARY" not in told
    assert minted[:40] not in told
