"""T-86: who cannot show the secret is refused, whatever comes near it."""

from __future__ import annotations

import hashlib
import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.events.proof import FirstLook, Proof, SharedSecret, first_look, is_signed

SECRET = b"a-shared-secret-of-the-test"
BODY = b'{"resourceType": "Bundle"}'


def signature(body: bytes = BODY, secret: bytes = SECRET, method: str = "sha256") -> str:
    return f"{method}={hmac.new(secret, body, getattr(hashlib, method)).hexdigest()}"


def proved(proof: Proof, headers: dict[str, list[str]], body: bytes = BODY) -> bool:
    secret = SharedSecret(SECRET)
    match first_look(secret, proof, headers):
        case FirstLook.PROVED:
            return True
        case FirstLook.BY_THE_BODY:
            return is_signed(secret, headers, body)
        case FirstLook.REFUSED:
            return False


def test_t86_the_right_signature_proves_the_right_body() -> None:
    for header in ("X-Hub-Signature", "X-Hub-Signature-256"):
        assert proved(Proof.HMAC, {header: [signature()]})
        assert proved(Proof.HMAC, {header: [signature().upper().replace("SHA", "sha")]})


@pytest.mark.parametrize(
    "given_",
    [
        [],
        [""],
        ["sha256="],
        ["sha256=" + "0" * 64],
        [signature(method="sha1")],
        [signature(secret=b"another-secret-of-the-test")],
        [signature().removeprefix("sha256=")],
        [signature() + "00"],
        [signature(), signature()],
    ],
)
def test_t86_any_other_signature_proves_nothing(given_: list[str]) -> None:
    assert not proved(Proof.HMAC, {"X-Hub-Signature": given_})


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_t86_one_byte_changed_and_the_signature_is_void(place: int, change: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= change
    assert not proved(Proof.HMAC, {"X-Hub-Signature": [signature()]}, bytes(changed))


def test_the_token_is_taken_from_either_header_and_only_once() -> None:
    token = SECRET.decode()
    assert proved(Proof.TOKEN, {"Authorization": [f"Bearer {token}"]})
    assert proved(Proof.TOKEN, {"Authorization": [f"bearer  {token}"]})
    assert proved(Proof.TOKEN, {"X-Events-Token": [token]})
    both = {"Authorization": [f"Bearer {token}"], "X-Events-Token": [token]}
    assert not proved(Proof.TOKEN, both)
    assert not proved(Proof.TOKEN, {"Authorization": [f"Bearer {token}"] * 2})
    assert not proved(Proof.TOKEN, {"Authorization": ["Basic eDp5", f"Bearer {token}"]})
    assert not proved(Proof.TOKEN, {"X-Events-Token": [token, token]})
    assert not proved(Proof.TOKEN, {"Authorization": ["Basic eDp5"] * 2, "X-Events-Token": [token]})


@pytest.mark.parametrize("token", ["", "wrong", SECRET.decode() + "x", SECRET.decode()[:-1], "é"])
def test_a_wrong_token_proves_nothing(token: str) -> None:
    assert not proved(Proof.TOKEN, {"Authorization": [f"Bearer {token}"]})


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Bearer:", "Bearers", "xBearer", ""])
def test_a_secret_under_another_scheme_proves_nothing(scheme: str) -> None:
    assert not proved(Proof.TOKEN, {"Authorization": [f"{scheme} {SECRET.decode()}"]})


def test_one_proof_does_not_stand_for_the_other() -> None:
    assert not proved(Proof.HMAC, {"Authorization": [f"Bearer {SECRET.decode()}"]})
    assert not proved(Proof.TOKEN, {"X-Hub-Signature": [signature()]})


def test_the_secret_shows_itself_to_nobody() -> None:
    secret = SharedSecret(SECRET)
    assert SECRET.decode() not in f"{secret!r} {secret}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
