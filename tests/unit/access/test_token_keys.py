"""Which key may sign a token, and where it comes from (T-05 to T-10)."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from cds_service.access.faults import TokenFault
from cds_service.access.keys import KeyRing
from cds_service.access.registry import ClientRegistry
from cds_service.fhir.calls.fetched import JwksFaultError, UpstreamFault
from tests.unit.access.minting import (
    FILE_CLIENT,
    HOSPITAL,
    JWKS,
    NOW,
    OTHER_EC,
    Clock,
    Hosts,
    at,
    bearer,
    caller,
    claims,
    header,
    key_set,
    refusal,
    registry,
    taken,
    token,
    unsigned,
    verifier,
)


def test_t05_the_key_of_another_registered_client_does_not_fit(clients: ClientRegistry) -> None:
    stolen = token(header(kid="ec-2"), None, OTHER_EC)
    assert refusal(clients, bearer(stolen)) is TokenFault.UNKNOWN_KEY
    impostor = ECKey.generate_key("P-384", {"kid": "ec-1"})
    assert refusal(clients, bearer(token(None, None, impostor))) is TokenFault.BAD_SIGNATURE


def test_t06_s06_unknown_kids_lead_to_one_refresh_in_thirty_seconds(
    clients: ClientRegistry,
) -> None:
    hosts, clock = Hosts(), Clock()
    keys = KeyRing(hosts, clock)
    for strange in ("ec-9", "../../dev/null", "a\nb", "' OR 1=1 --", "k" * 500):
        fault = refusal(clients, bearer(token(header(kid=strange))), keys=keys, now=clock)
        assert fault is TokenFault.UNKNOWN_KEY
    assert hosts.asked == [JWKS]
    clock.at += 31
    refusal(clients, bearer(token(header(kid="ec-9"))), keys=keys, now=clock)
    assert hosts.asked == [JWKS, JWKS]


@pytest.mark.parametrize("kid", ["", 1, None, "k" * 513])
def test_t06_a_kid_is_a_text_of_bounded_length(clients: ClientRegistry, kid: object) -> None:
    forged = unsigned(header(kid=kid), claims(), b"x")
    assert refusal(clients, bearer(forged)) is TokenFault.NO_KID


@pytest.mark.parametrize(
    ("member", "value", "fault"),
    [
        ("jwk", {"kty": "EC"}, TokenFault.HEADER_FORBIDDEN),
        ("x5c", ["MII"], TokenFault.HEADER_FORBIDDEN),
        ("x5u", "https://evil.example", TokenFault.HEADER_FORBIDDEN),
        ("crit", ["exp"], TokenFault.HEADER_FORBIDDEN),
        ("b64", False, TokenFault.HEADER_FORBIDDEN),
        ("jku", "https://evil.example/jwks", TokenFault.WRONG_JKU),
        ("jku", "https://ehr.example.org/jwks/", TokenFault.WRONG_JKU),
        ("jku", [JWKS], TokenFault.WRONG_JKU),
    ],
)
def test_t07_t20_s05_keys_come_from_the_registry_and_nothing_is_called(
    clients: ClientRegistry, member: str, value: object, fault: TokenFault
) -> None:
    hosts = Hosts()
    forged = unsigned(header(**{member: value}), claims(), b"x")
    assert refusal(clients, bearer(forged), hosts=hosts) is fault
    assert hosts.asked == []


@pytest.mark.parametrize("jku", ["", JWKS])
def test_s05_a_client_whose_keys_are_in_a_file_alone_names_no_address(
    folder: Path, jku: str
) -> None:
    forged = unsigned(header(jku=jku), claims(), b"x")
    assert refusal(registry(folder, FILE_CLIENT), bearer(forged)) is TokenFault.WRONG_JKU


def test_t09_a_new_key_is_taken_after_one_refresh_and_a_removed_one_ages_out(
    clients: ClientRegistry,
) -> None:
    hosts, clock = Hosts(), Clock()
    keys = KeyRing(hosts, clock)
    checks = verifier(clients, keys=keys, now=clock)
    assert caller(checks, token()).name == HOSPITAL
    new = ECKey.generate_key("P-384", {"kid": "ec-new"})
    hosts.answers[JWKS] = key_set(new)
    clock.at += 31
    fresh = claims(iat=NOW + 31, exp=NOW + 300, jti="two")
    assert caller(checks, token(header(kid="ec-new"), fresh, new)).name == HOSPITAL
    clock.at += 601
    old = bearer(at(clock.at, "three"))
    assert refusal(clients, old, keys=keys, now=clock) is TokenFault.UNKNOWN_KEY


def test_t10_with_the_key_set_down_old_keys_serve_for_an_hour(clients: ClientRegistry) -> None:
    hosts, clock = Hosts(), Clock()
    keys = KeyRing(hosts, clock)
    checks = verifier(clients, keys=keys, now=clock)
    assert caller(checks, token()).name == HOSPITAL
    hosts.answers[JWKS] = JwksFaultError(UpstreamFault.CONNECT)
    clock.at += 3000
    assert caller(checks, at(clock.at, "two")).name == HOSPITAL
    clock.at += 601
    down = refusal(clients, bearer(at(clock.at, "three")), keys=keys, now=clock)
    assert down is TokenFault.KEYS_UNAVAILABLE


def test_t10_with_the_key_set_down_from_the_start_calls_are_refused_until_it_is_there(
    clients: ClientRegistry,
) -> None:
    hosts, clock = Hosts(), Clock()
    keys = hosts.answers[JWKS]
    hosts.answers[JWKS] = JwksFaultError(UpstreamFault.CONNECT)
    ring = KeyRing(hosts, clock)
    minted = token()
    assert refusal(clients, bearer(minted), keys=ring, now=clock) is TokenFault.KEYS_UNAVAILABLE
    hosts.answers[JWKS] = keys
    clock.at += 31
    assert taken(clients, minted, keys=ring, now=clock) == HOSPITAL


def test_a_short_rsa_key_signs_nothing(clients: ClientRegistry) -> None:
    hosts = Hosts()
    with pytest.warns(SecurityWarning, match="2048"):
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    hosts.answers[JWKS] = key_set(weak)
    head = header(alg="RS384", kid="weak")
    assert refusal(clients, bearer(token(head, None, weak)), hosts=hosts) is TokenFault.UNKNOWN_KEY
