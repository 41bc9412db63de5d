"""Who calls: every way for a token to be wrong, and the same answer to all (T-01 to T-20)."""

from __future__ import annotations

import hashlib
import hmac
import json
import string
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.access.keys import KeyRing
from cds_service.access.registry import ClientRegistry
from cds_service.access.replay import Remembered
from cds_service.access.tokens import RegisteredCaller, Times
from cds_service.errors import StoreUnavailable, Unauthorised
from cds_service.fhir.fetched import JwksFaultError, UpstreamFault
from tests.unit.access.minting import (
    EC,
    FILE_CLIENT,
    ISSUER,
    JWKS,
    LEFT_OUT,
    NOW,
    OTHER_EC,
    PUBLIC_URL,
    REGISTRY,
    RSA,
    SERVICE,
    Clock,
    Hosts,
    Memory,
    at,
    claiming,
    claims,
    header,
    key_set,
    of_other_hospital,
    registry,
    token,
    unsigned,
    verifier,
)


def refusal(clients: ClientRegistry, *headers: str, **parts: Any) -> TokenFault:
    with pytest.raises(Unauthorised) as refused:
        verifier(clients, **parts).verify(headers, (SERVICE,))
    assert refused.value.text == "This call needs a valid token."
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return TokenFault(refused.value.cause)


def bearer(text: str) -> str:
    return f"Bearer {text}"


def taken(clients: ClientRegistry, minted: str, **parts: Any) -> RegisteredCaller:
    """Who calls with this token, which must be a good one."""
    return verifier(clients, **parts).verify([bearer(minted)], (SERVICE,))


def test_s03_a_sound_token_names_its_client(clients: ClientRegistry) -> None:
    assert taken(clients, token()).client.name == "general-hospital"


def test_s04_rs384_is_taken_too(clients: ClientRegistry) -> None:
    """Epic's shape: RS384, `jku`, `sub`, `nbf`, 15 minutes, a `kid` with + and =."""
    head = header(alg="RS384", kid="rsa+1=", jku=JWKS)
    body = claims(sub="client-id", nbf=NOW - 300, exp=NOW + 900)
    assert taken(clients, token(head, body, RSA))


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
    assert taken(registry(tmp_path, text), token(head, body), hosts=hosts)
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
    assert taken(registry(tmp_path, widened), minted)


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
    assert len(hosts.asked) <= 2
    clock.at += 31
    refusal(clients, bearer(token(header(kid="ec-9"))), keys=keys, now=clock)
    assert len(hosts.asked) == 2


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
    assert checks.verify([bearer(token())], (SERVICE,))
    new = ECKey.generate_key("P-384", {"kid": "ec-new"})
    hosts.answers[JWKS] = key_set(new)
    clock.at += 31
    fresh = claims(iat=NOW + 31, exp=NOW + 300, jti="two")
    assert checks.verify([bearer(token(header(kid="ec-new"), fresh, new))], (SERVICE,))
    clock.at += 601
    old = bearer(at(clock.at, "three"))
    assert refusal(clients, old, keys=keys, now=clock) is TokenFault.UNKNOWN_KEY


def test_t10_with_the_key_set_down_old_keys_serve_for_an_hour(clients: ClientRegistry) -> None:
    hosts, clock = Hosts(), Clock()
    keys = KeyRing(hosts, clock)
    checks = verifier(clients, keys=keys, now=clock)
    assert checks.verify([bearer(token())], (SERVICE,))
    hosts.answers[JWKS] = JwksFaultError(UpstreamFault.CONNECT)
    clock.at += 3000
    assert checks.verify([bearer(at(clock.at, "two"))], (SERVICE,))
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
    assert taken(clients, minted, keys=ring, now=clock)


@pytest.mark.parametrize(
    "audience",
    [
        f"{PUBLIC_URL}/cds-services",
        f"{SERVICE}/",
        f"{SERVICE}x",
        SERVICE[:-1],
        SERVICE.upper(),
        SERVICE.replace("https", "http"),
        SERVICE.replace("cds.example.org", "evil.example"),
        SERVICE.replace("cds.example.org", "CDS.example.org"),
        SERVICE.replace("cds.example.org", "cds.example.org:443"),
        SERVICE.replace("cds.example.org", "cds.example.org."),
        "",
        None,
        7,
        [],
        [f"{PUBLIC_URL}/cds-services/other"],
        {"aud": SERVICE},
    ],
)
def test_t11_only_the_exact_address(clients: ClientRegistry, audience: object) -> None:
    assert refusal(clients, bearer(claiming(aud=audience))) is TokenFault.WRONG_AUDIENCE


def test_t11_a_list_that_holds_the_address_is_taken(clients: ClientRegistry) -> None:
    assert taken(clients, claiming(aud=["https://elsewhere.example", SERVICE]))


@pytest.mark.parametrize(
    ("members", "leeway", "fault"),
    [
        ({"iat": NOW - 359, "exp": NOW - 59}, 60, None),
        ({"iat": NOW - 360, "exp": NOW - 60}, 60, None),
        ({"iat": NOW - 361, "exp": NOW - 61}, 60, TokenFault.EXPIRED),
        ({"iat": NOW + 60, "exp": NOW + 300}, 60, None),
        ({"iat": NOW + 61, "exp": NOW + 300}, 60, TokenFault.NOT_YET_VALID),
        ({"nbf": NOW + 60}, 60, None),
        ({"nbf": NOW + 61}, 60, TokenFault.NOT_YET_VALID),
        ({"iat": NOW + 1, "exp": NOW + 300}, 0, TokenFault.NOT_YET_VALID),
        ({"iat": NOW - 300, "exp": NOW - 1}, 0, TokenFault.EXPIRED),
    ],
)
def test_t12_the_leeway_is_exact_to_the_second(
    clients: ClientRegistry, members: dict[str, Any], leeway: int, fault: TokenFault | None
) -> None:
    minted, times = claiming(**members), Times(lifetime=900, leeway=leeway)
    if fault is None:
        assert taken(clients, minted, times=times)
    else:
        assert refusal(clients, bearer(minted), times=times) is fault


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"exp": NOW + 315_360_000}, TokenFault.LIVES_TOO_LONG),
        ({"exp": NOW + 901}, TokenFault.LIVES_TOO_LONG),
        ({"exp": NOW - 1}, TokenFault.LIVES_TOO_LONG),
        ({"exp": NOW}, TokenFault.LIVES_TOO_LONG),
        ({"exp": str(NOW + 300)}, TokenFault.NO_TIMES),
        ({"exp": NOW + 300.5}, TokenFault.NO_TIMES),
        ({"exp": True}, TokenFault.NO_TIMES),
        ({"exp": -1}, TokenFault.NO_TIMES),
        ({"exp": 10**30}, TokenFault.NO_TIMES),
        ({"exp": LEFT_OUT}, TokenFault.NO_TIMES),
        ({"iat": LEFT_OUT}, TokenFault.NO_TIMES),
        ({"nbf": "soon"}, TokenFault.NO_TIMES),
    ],
)
def test_t13_senseless_times(
    clients: ClientRegistry, members: dict[str, Any], fault: TokenFault
) -> None:
    assert refusal(clients, bearer(claiming(**members))) is fault


def test_t13_a_number_with_an_exponent_is_no_moment(clients: ClientRegistry) -> None:
    text = json.dumps(claims()).replace(str(NOW + 300), "1e400")
    assert refusal(clients, bearer(token(None, text))) is TokenFault.NO_TIMES


def test_every_character_of_base64url_may_stand_in_a_token(clients: ClientRegistry) -> None:
    """RFC 4648, section 5: a token must not be refused for what its bytes happen to be."""
    every = "".join(map(chr, range(32, 127))) * 3
    minted = token(header(cty=every[:160]), claims(note=every))
    for part in minted.split(".")[:2]:
        assert set(part) == set(string.ascii_letters + string.digits + "-_")
    assert taken(clients, minted)


@pytest.mark.parametrize("jti", [LEFT_OUT, "", 7, None, "j" * 257, ["a"]])
def test_t14_a_jti_is_a_text_of_bounded_length(clients: ClientRegistry, jti: object) -> None:
    assert refusal(clients, bearer(claiming(jti=jti))) is TokenFault.NO_JTI


@pytest.mark.parametrize("jti", ["j", "j" * 256])
def test_t14_the_shortest_and_the_longest_jti_are_taken(clients: ClientRegistry, jti: str) -> None:
    assert taken(clients, claiming(jti=jti))


def test_t15_a_token_is_good_once_however_many_threads_ask(clients: ClientRegistry) -> None:
    class Guarded(Memory):
        lock = Lock()

        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            with self.lock:
                return super().remember(issuer, jti, expires)

    checks = verifier(clients, replay=Guarded())
    minted = bearer(token())

    def outcome(_: int) -> str:
        try:
            return checks.verify([minted], (SERVICE,)).client.name
        except Unauthorised as refused:
            return refused.cause

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(outcome, range(64)))
    assert outcomes == {"general-hospital": 1, TokenFault.REPLAYED: 63}


def test_t16_a_token_is_remembered_for_as_long_as_it_would_be_taken(
    clients: ClientRegistry,
) -> None:
    """Until `exp` and the leeway are over: not a second less, or it could be used again."""
    asked = []

    class Noting(Memory):
        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            asked.append((issuer, jti, expires))
            return super().remember(issuer, jti, expires)

    taken(clients, token(), replay=Noting())
    assert asked == [(ISSUER, "once", datetime.fromtimestamp(NOW + 300 + 60, UTC))]


def test_t17_without_the_store_nobody_passes(clients: ClientRegistry) -> None:
    class Broken:
        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            raise StoreUnavailable("The database cannot be used.")

    with pytest.raises(StoreUnavailable):
        taken(clients, token(), replay=Broken())


def test_t18_s07_a_forged_token_burns_nothing(clients: ClientRegistry) -> None:
    memory = Memory()
    impostor = ECKey.generate_key("P-384", {"kid": "ec-1"})
    forged = bearer(token(None, None, impostor))
    assert refusal(clients, forged, replay=memory) is TokenFault.BAD_SIGNATURE
    assert memory.seen == set()
    assert taken(clients, token(), replay=memory)


@pytest.mark.parametrize("tenant", [LEFT_OUT, "west", "", 7, ["north"]])
def test_t19_a_client_with_tenants_must_name_one(clients: ClientRegistry, tenant: object) -> None:
    assert refusal(clients, bearer(of_other_hospital(tenant=tenant))) is TokenFault.WRONG_TENANT


def test_t19_without_tenants_in_the_registry_the_claim_is_ignored(clients: ClientRegistry) -> None:
    assert taken(clients, claiming(tenant="anything")).tenant == ""


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


def test_an_issuer_that_is_not_registered_is_nobody(clients: ClientRegistry) -> None:
    for issuer in (f"{ISSUER}/", ISSUER.upper(), "", None, 7):
        assert refusal(clients, bearer(claiming(iss=issuer))) is TokenFault.UNKNOWN_ISSUER


def test_a_short_rsa_key_signs_nothing(clients: ClientRegistry) -> None:
    hosts = Hosts()
    with pytest.warns(SecurityWarning, match="2048"):
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    hosts.answers[JWKS] = key_set(weak)
    head = header(alg="RS384", kid="weak")
    assert refusal(clients, bearer(token(head, None, weak)), hosts=hosts) is TokenFault.UNKNOWN_KEY


def test_every_fault_has_its_sentence() -> None:
    assert set(IN_WORDS) == set(TokenFault)


def test_t30_s08_no_error_holds_a_part_of_the_token(clients: ClientRegistry) -> None:
    minted = claiming(jti="CANARY-JTI", aud="CANARY-AUD")
    with pytest.raises(Unauthorised) as refused:
        taken(clients, minted)
    told = f"{refused.value!r} {refused.value.one_line()} {refused.value.cause}"
    assert "CANARY" not in told
    assert minted[:40] not in told
