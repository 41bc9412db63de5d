"""What a key set may hold, what becomes of one that may not, and headers that are merely unusual.

The content side of T-08; the transport side is in `tests/unit/fhir_client/test_hygiene.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from cds_service.access.faults import TokenFault
from cds_service.access.key_set import (
    MAX_KEYS,
    KeySet,
    KeySetFault,
    KeySetRefusedError,
    parse_key_set,
)
from cds_service.access.keys import KeyRing
from cds_service.errors import Unauthorised
from cds_service.fhir.calls.fetched import JWKS_LIMIT
from tests.unit.access.minting import (
    EC,
    HOSPITAL,
    ISSUER,
    JWKS,
    NOW,
    RSA,
    Clock,
    Hosts,
    b64,
    bearer,
    caller,
    claims,
    header,
    key_set,
    refusal,
    registry,
    taken,
    token,
    verifier,
)

PUBLIC = EC.as_dict(private=False)
SECRET: dict[str, Any] = {**OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True)}


def written(*entries: object) -> bytes:
    return json.dumps({"keys": entries}).encode()


REFUSED: dict[KeySetFault, list[bytes]] = {
    KeySetFault.PRIVATE_KEY: [
        written(EC.as_dict(private=True)),
        written(PUBLIC, RSA.as_dict(private=True)),
        # any one of them alone gives the key away (RFC 7518, sections 6.2.2 and 6.3.2)
        *(
            written(RSA.as_dict(private=False) | {member: "AQAB"})
            for member in ("d", "p", "q", "dp", "dq", "qi", "oth")
        ),
    ],
    KeySetFault.SYMMETRIC_KEY: [
        written(SECRET),
        written(PUBLIC, SECRET),
        written({"kty": "oct", "kid": "shared"}),
        written(PUBLIC | {"k": SECRET["k"]}),
    ],
    KeySetFault.DUPLICATE_KID: [
        written(PUBLIC, RSA.as_dict(private=False) | {"kid": EC.kid}),
        written(PUBLIC, PUBLIC),
    ],
    KeySetFault.TOO_LARGE: [
        written() + b" " * JWKS_LIMIT,
        written(*({"kty": "EC", "kid": str(number)} for number in range(MAX_KEYS + 1))),
    ],
    KeySetFault.NOT_A_KEY_SET: [
        b"<html></html>",
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": [1]}',
        b'{"keys": [], "keys": []}',
        b"\xff\xfe",
    ],
}
BAD_SETS = [(fault, data) for fault, sets in REFUSED.items() for data in sets]


@pytest.mark.parametrize(("fault", "data"), BAD_SETS, ids=range(len(BAD_SETS)))
def test_t08_a_set_that_holds_what_it_must_not_is_refused_whole(
    fault: KeySetFault, data: bytes
) -> None:
    """Whoever published a private key has lost it; a kid given twice names nothing."""
    with pytest.raises(KeySetRefusedError) as refused:
        parse_key_set(data)
    assert refused.value.fault is fault
    assert "shared" not in str(refused.value)
    assert str(SECRET["k"]) not in str(refused.value)


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "AKP", "kid": "later"},
        {"kty": []},
        {key: value for key, value in PUBLIC.items() if key != "kid"},
        PUBLIC | {"kid": ""},
        PUBLIC | {"kid": 7},
        PUBLIC | {"use": "enc"},
        PUBLIC | {"use": ["sig"]},
        PUBLIC | {"crv": "P-999"},
        PUBLIC | {"crv": []},
        PUBLIC | {"x": 7},
        PUBLIC | {"x": "AA"},
        {"kty": "RSA", "kid": "zero", "n": "A" * 342, "e": "AQAB"},
        {"kty": "RSA", "kid": "huge", "n": "f" + "_" * 4000, "e": "AQAB"},
    ],
)
def test_a_key_of_no_use_here_is_left_out_and_the_others_serve(odd: dict[str, Any]) -> None:
    """RFC 7517, section 5: a key that is not understood does not spoil the set."""
    keys = parse_key_set(written(odd, RSA.as_dict(private=False)))
    assert set(keys.by_kid) == {RSA.kid}


def test_a_set_may_be_as_large_as_we_say() -> None:
    full = written(*({"kty": "EC", "kid": str(number)} for number in range(MAX_KEYS)))
    assert parse_key_set(full + b" " * (JWKS_LIMIT - len(full))) == KeySet({})


@pytest.mark.parametrize(
    ("bits", "is_taken"), [(2040, False), (2047, False), (2048, True), (6144, True), (6145, False)]
)
def test_an_rsa_key_has_2048_to_6144_bits(bits: int, is_taken: bool) -> None:
    """Fewer can be broken (NIST SP 800-131A); more would cost us too much at every call."""
    modulus = (1 << (bits - 1)) + 1
    number = b64(modulus.to_bytes((bits + 7) // 8))
    entry = {"kty": "RSA", "kid": "rsa", "n": number, "e": "AQAB"}
    assert ("rsa" in parse_key_set(written(entry)).by_kid) == is_taken


def test_a_set_suits_the_algorithms_that_its_keys_fit() -> None:
    keys = parse_key_set(key_set(EC))
    assert keys.suits(["RS384", "ES384"])
    assert not keys.suits(["RS384", "ES256"])


@pytest.mark.parametrize("data", [data for _fault, data in BAD_SETS], ids=range(len(BAD_SETS)))
def test_t08_when_a_set_goes_bad_the_old_keys_serve_and_it_is_reported(
    tmp_path: Path, data: bytes
) -> None:
    """What was good an hour ago serves; the operator is told, with the client's name."""
    clock, hosts, told = Clock(), Hosts(), list[tuple[str, str]]()
    keys = KeyRing(hosts, clock, report=lambda client, fault: told.append((client, fault.value)))
    checks = verifier(registry(tmp_path), keys=keys, now=clock)
    assert caller(checks, token()).name == HOSPITAL

    hosts.answers[JWKS] = data
    clock.at += 601
    later = claims(iat=NOW + 601, exp=NOW + 901, jti="later")
    assert caller(checks, token(None, later)).name == HOSPITAL
    assert [client for client, _fault in told] == [HOSPITAL]

    clock.at += 3600
    last = claims(iat=NOW + 4201, exp=NOW + 4501, jti="last")
    with pytest.raises(Unauthorised) as refused:
        caller(checks, token(None, last))
    assert refused.value.cause == TokenFault.KEYS_UNAVAILABLE.value


# ------------------------------------------------------------------ unusual, but sound, headers


class _LongHeaders(jws.JWSRegistry):
    """Signs what the library by itself would find too long or does not know."""

    max_header_length = 8192


def minted(head: dict[str, Any], key: ECKey | RSAKey) -> str:
    allowed = _LongHeaders(algorithms=[head["alg"]], strict_check_header=False)
    return jws.serialize_compact(head, json.dumps(claims()), key, registry=allowed)


def test_a_header_member_that_nobody_knows_is_ignored(tmp_path: Path) -> None:
    """RFC 7515, section 4; what must be understood would stand in crit, and that is refused."""
    text = minted(header(**{"org.example.trace": "1"}), EC)
    assert taken(registry(tmp_path), text) == HOSPITAL


@pytest.mark.parametrize("kid", ["vM5Yb+NTTmPFYiFMrO4+GvfU3mhjQ0PcLBf9gXsjXyo=", "k" * 512])
def test_t06_a_kid_may_be_as_long_as_we_say(tmp_path: Path, kid: str) -> None:
    """An opaque text, compared whole."""
    key = ECKey.import_key(EC.as_dict(private=True) | {"kid": kid})
    hosts = Hosts({JWKS: key_set(key)})
    text = minted(header(kid=kid), key)
    assert taken(registry(tmp_path), text, hosts=hosts) == HOSPITAL


def test_s05_a_registered_jku_may_be_long(tmp_path: Path) -> None:
    """The address compares equal to the registered one, whatever its length."""
    url = f"https://ehr.example.org/{'path/' * 200}jwks"
    row = f'[[client]]\nname = "a"\nissuer = "{ISSUER}"\njwks_url = "{url}"\n'
    hosts = Hosts({url: key_set(EC)})
    text = minted(header(jku=url), EC)
    assert taken(registry(tmp_path, row), text, hosts=hosts) == "a"
    assert hosts.asked == [url]


def test_a_long_header_with_a_false_signature_is_still_refused(tmp_path: Path) -> None:
    """What was let in above is the length and the unknown member, never the signature."""
    stranger = ECKey.generate_key("P-384", {"kid": "ec-1"})
    forged = minted(header(note="n" * 600), stranger)
    assert refusal(registry(tmp_path), bearer(forged)) is TokenFault.BAD_SIGNATURE
