"""The signature is checked over the text that came, by the header that was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from cds_service.access.faults import TokenFault
from cds_service.access.signature import is_signed
from tests.unit.access.minting import (
    EC,
    ISSUER,
    OTHER_EC,
    RSA,
    b64,
    bearer,
    claims,
    header,
    key_set,
    refusal,
    registry,
    taken,
    token,
)


def signed_by_hand(head: str, body: str, key: ECKey | RSAKey = EC, algorithm: str = "ES384") -> str:
    """A sound signature over any two texts, which no library would write so."""
    made = jws.JWSRegistry.algorithms[algorithm].sign(f"{head}.{body}".encode(), key)
    return f"{head}.{body}.{b64(made)}"


def written(members: dict[str, Any]) -> str:
    return b64(json.dumps(members).encode())


KEYS: dict[str, ECKey | RSAKey] = {
    "ES256": ECKey.generate_key("P-256", {"kid": "ec-256"}),
    "ES384": EC,
    "ES512": ECKey.generate_key("P-521", {"kid": "ec-512"}),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_s04_each_algorithm_that_may_be_registered_is_checked_as_such(
    tmp_path: Path, algorithm: str
) -> None:
    key = KEYS[algorithm]
    (tmp_path / "keys.json").write_bytes(key_set(key))
    row = f'[[client]]\nname = "a"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
    clients = registry(tmp_path, f'{row}algorithms = ["{algorithm}"]\n')
    head = header(alg=algorithm, kid=key.kid)
    minted = signed_by_hand(written(head), written(claims()), key, algorithm)
    assert taken(clients, minted) == "a"


@pytest.mark.parametrize(("algorithm", "key"), [("ES384", EC), ("RS384", RSA), ("PS256", RSA)])
def test_a_key_knows_its_signature_and_no_other(algorithm: str, key: ECKey | RSAKey) -> None:
    head = header(alg=algorithm)
    minted = signed_by_hand(written(head), written(claims()), key, algorithm)
    assert is_signed(minted, head, key)
    assert not is_signed(minted[:-4] + "AAAA", head, key)
    assert not is_signed(minted.replace(".", ".A", 1), head, key)
    assert not is_signed(minted, head, OTHER_EC)


def test_the_algorithm_must_suit_the_key() -> None:
    head = header(alg="RS384")
    assert not is_signed(token(), head, EC)
    assert not is_signed(token(header(alg="RS384"), None, RSA), header(alg="ES384"), RSA)
    assert not is_signed(token(), header(alg="ES512"), EC), "another curve"


@pytest.mark.parametrize("algorithm", ["none", "HS384", "unheard-of", "", 7, ["ES384"]])
def test_what_is_no_public_key_algorithm_signs_nothing(algorithm: object) -> None:
    head = header(alg=algorithm)
    assert not is_signed(token(), head, EC)
    assert not is_signed(f"{written(head)}.{written(claims())}.", head, EC)
    assert not is_signed(token(), {}, EC)


@pytest.mark.parametrize(
    "members", [{"cty": 7}, {"x5t": ["a"]}, {"crit": ["exp"]}, {"alg": "ES384", "jku": "ftp://x"}]
)
def test_registered_members_of_a_header_are_what_the_standard_says(members: dict[str, Any]) -> None:
    """RFC 7515, section 4.1."""
    head = header(**members)
    assert not is_signed(signed_by_hand(written(head), written(claims())), head, EC)


def test_a_signature_longer_than_any_is_refused() -> None:
    assert not is_signed(f"{token()}{'A' * 2000}", header(), EC)


@pytest.mark.parametrize("part", ["header", "claims", "signature"])
def test_t20_one_token_can_be_written_in_one_way_only(tmp_path: Path, part: str) -> None:
    """RFC 4648, section 3.5: the bits after the last byte are zero."""
    # With one or two characters to spare at its end: then there are such bits.
    head = header(alg="RS384", kid="rsa+1=", x=".")
    body = claims(x=".")
    while len(written(head)) % 4 == 0:
        head["x"] += "."
    while len(written(body)) % 4 == 0:
        body["x"] += "."
    texts = {"header": written(head), "claims": written(body)}
    if part in texts:
        texts[part] = _other_spelling(texts[part])
    minted = signed_by_hand(texts["header"], texts["claims"], RSA, "RS384")
    if part == "signature":
        minted = _other_spelling(minted)
    fault = refusal(registry(tmp_path), bearer(minted))
    assert fault in (TokenFault.MALFORMED, TokenFault.BAD_SIGNATURE)


def _other_spelling(text: str) -> str:
    """Other last bits, the same bytes to a careless reader."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
