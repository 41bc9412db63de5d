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
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.access.gate import TokenGate
from cds_service.access.keys import KeyRing
from cds_service.access.registry import ClientRegistry
from cds_service.access.replay import Remembered
from cds_service.access.tokens import Times
from cds_service.errors import StoreUnavailable, Unauthorised
from tests.unit.access.minting import (
    EC,
    ISSUER,
    LEFT_OUT,
    NOW,
    OTHER_EC,
    OTHER_ISSUER,
    PUBLIC_URL,
    REGISTRY,
    RSA,
    SERVICE,
    Clock,
    Hosts,
    Memory,
    claims,
    header,
    key_set,
    registry,
    token,
    unsigned,
    verifier,
)


@pytest.fixture
def clients(tmp_path: Path) -> ClientRegistry:
    return registry(tmp_path)


def refusal(clients: ClientRegistry, *headers: str, **parts: Any) -> TokenFault:
    with pytest.raises(Unauthorised) as refused:
        verifier(clients, **parts).verify(headers, (SERVICE,))
    assert refused.value.text == "This call needs a valid token."
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return TokenFault(refused.value.cause)


def bearer(text: str) -> str:
    return f"Bearer {text}"


def test_s03_a_sound_token_names_its_client(clients: ClientRegistry) -> None:
    assert verifier(clients).verify([bearer(token())], (SERVICE,)).client.name == "general-hospital"


def test_s04_rs384_is_taken_too(clients: ClientRegistry) -> None:
    """Epic's shape: RS384, `jku`, `sub`, `nbf`, 15 minutes, a `kid` with + and =."""
    head = header(alg="RS384", kid="rsa+1=", jku="https://ehr.example.org/jwks")
    body = claims(sub="client-id", nbf=NOW - 300, exp=NOW + 900)
    assert verifier(clients).verify([bearer(token(head, body, RSA))], (SERVICE,))


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
    checks = verifier(registry(tmp_path, text), hosts=hosts)
    assert checks.verify([bearer(token(head, body))], (SERVICE,))
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
    minted = bearer(token(head, None, RSA))
    assert refusal(registry(tmp_path), minted) is TokenFault.WRONG_ALGORITHM
    widened = REGISTRY.replace(
        'fhir_servers = ["https://ehr', 'algorithms = ["RS256"]\nfhir_servers = ["https://ehr'
    )
    assert verifier(registry(tmp_path, widened)).verify([minted], (SERVICE,))


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
        ("jku", ["https://ehr.example.org/jwks"], TokenFault.WRONG_JKU),
    ],
)
def test_t07_t20_s05_keys_come_from_the_registry_and_nothing_is_called(
    clients: ClientRegistry, member: str, value: object, fault: TokenFault
) -> None:
    hosts = Hosts()
    forged = unsigned(header(**{member: value}), claims(), b"x")
    assert refusal(clients, bearer(forged), hosts=hosts) is fault
    assert hosts.asked == []


@pytest.mark.parametrize("jku", ["", "https://ehr.example.org/jwks"])
def test_s05_a_client_whose_keys_are_in_a_file_alone_names_no_address(
    tmp_path: Path, jku: str
) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    row = f'[[client]]\nname = "a"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
    forged = unsigned(header(jku=jku), claims(), b"x")
    assert refusal(registry(tmp_path, row), bearer(forged)) is TokenFault.WRONG_JKU


def test_t09_a_new_key_is_taken_after_one_refresh_and_a_removed_one_ages_out(
    clients: ClientRegistry,
) -> None:
    hosts, clock = Hosts(), Clock()
    keys = KeyRing(hosts, clock)
    checks = verifier(clients, keys=keys, now=clock)
    assert checks.verify([bearer(token())], (SERVICE,))
    new = ECKey.generate_key("P-384", {"kid": "ec-new"})
    hosts.answers["https://ehr.example.org/jwks"] = key_set(new)
    clock.at += 31
    fresh = claims(iat=NOW + 31, exp=NOW + 300, jti="two")
    assert checks.verify([bearer(token(header(kid="ec-new"), fresh, new))], (SERVICE,))
    clock.at += 601
    later = claims(iat=int(clock.at), exp=int(clock.at) + 300, jti="three")
    old = bearer(token(None, later))
    assert refusal(clients, old, keys=keys, now=clock) is TokenFault.UNKNOWN_KEY


def test_t10_with_the_key_set_down_old_keys_serve_for_an_hour(clients: ClientRegistry) -> None:
    from cds_service.fhir.fetched import JwksFaultError, UpstreamFault

    hosts, clock = Hosts(), Clock()
    keys = KeyRing(hosts, clock)
    checks = verifier(clients, keys=keys, now=clock)
    assert checks.verify([bearer(token())], (SERVICE,))
    hosts.answers["https://ehr.example.org/jwks"] = JwksFaultError(UpstreamFault.CONNECT)
    clock.at += 3000
    body = claims(iat=int(clock.at), exp=int(clock.at) + 300, jti="two")
    assert checks.verify([bearer(token(None, body))], (SERVICE,))
    clock.at += 601
    body = claims(iat=int(clock.at), exp=int(clock.at) + 300, jti="three")
    down = refusal(clients, bearer(token(None, body)), keys=keys, now=clock)
    assert down is TokenFault.KEYS_UNAVAILABLE


def test_t10_with_the_key_set_down_from_the_start_calls_are_refused_until_it_is_there(
    clients: ClientRegistry,
) -> None:
    from cds_service.fhir.fetched import JwksFaultError, UpstreamFault

    hosts, clock = Hosts(), Clock()
    keys = hosts.answers["https://ehr.example.org/jwks"]
    hosts.answers["https://ehr.example.org/jwks"] = JwksFaultError(UpstreamFault.CONNECT)
    ring = KeyRing(hosts, clock)
    minted = bearer(token())
    assert refusal(clients, minted, keys=ring, now=clock) is TokenFault.KEYS_UNAVAILABLE
    hosts.answers["https://ehr.example.org/jwks"] = keys
    clock.at += 31
    assert verifier(clients, keys=ring, now=clock).verify([minted], (SERVICE,))


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
    minted = token(None, claims(aud=audience))
    assert refusal(clients, bearer(minted)) is TokenFault.WRONG_AUDIENCE


def test_t11_a_list_that_holds_the_address_is_taken(clients: ClientRegistry) -> None:
    minted = token(None, claims(aud=["https://elsewhere.example", SERVICE]))
    assert verifier(clients).verify([bearer(minted)], (SERVICE,))


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
    minted = bearer(token(None, claims(**members)))
    times = Times(leeway=leeway)
    if fault is None:
        assert verifier(clients, times=times).verify([minted], (SERVICE,))
    else:
        assert refusal(clients, minted, times=times) is fault


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
    assert refusal(clients, bearer(token(None, claims(**members)))) is fault


def test_t13_a_number_with_an_exponent_is_no_moment(clients: ClientRegistry) -> None:
    text = json.dumps(claims()).replace(str(NOW + 300), "1e400")
    assert refusal(clients, bearer(token(None, text))) is TokenFault.NO_TIMES


def test_every_character_of_base64url_may_stand_in_a_token(clients: ClientRegistry) -> None:
    """RFC 4648, section 5: a token must not be refused for what its bytes happen to be."""
    every = "".join(map(chr, range(32, 127))) * 3
    minted = token(header(cty=every[:160]), claims(note=every))
    for part in minted.split(".")[:2]:
        assert set(part) == set(string.ascii_letters + string.digits + "-_")
    assert verifier(clients).verify([bearer(minted)], (SERVICE,))


@pytest.mark.parametrize("jti", [LEFT_OUT, "", 7, None, "j" * 257, ["a"]])
def test_t14_a_jti_is_a_text_of_bounded_length(clients: ClientRegistry, jti: object) -> None:
    assert refusal(clients, bearer(token(None, claims(jti=jti)))) is TokenFault.NO_JTI


def test_t15_a_token_is_good_once_however_many_threads_ask(clients: ClientRegistry) -> None:
    from threading import Lock

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

    verifier(clients, replay=Noting()).verify([bearer(token())], (SERVICE,))
    assert asked == [(ISSUER, "once", datetime.fromtimestamp(NOW + 300 + 60, UTC))]


def test_t17_without_the_store_nobody_passes(clients: ClientRegistry) -> None:
    class Broken:
        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            raise StoreUnavailable("The database cannot be used.")

    with pytest.raises(StoreUnavailable):
        verifier(clients, replay=Broken()).verify([bearer(token())], (SERVICE,))


def test_t18_s07_a_forged_token_burns_nothing(clients: ClientRegistry) -> None:
    memory = Memory()
    impostor = ECKey.generate_key("P-384", {"kid": "ec-1"})
    forged = bearer(token(None, None, impostor))
    assert refusal(clients, forged, replay=memory) is TokenFault.BAD_SIGNATURE
    assert memory.seen == set()
    assert verifier(clients, replay=memory).verify([bearer(token())], (SERVICE,))


@pytest.mark.parametrize("tenant", [LEFT_OUT, "west", "", 7, ["north"]])
def test_t19_a_client_with_tenants_must_name_one(clients: ClientRegistry, tenant: object) -> None:
    body = claims(iss=OTHER_ISSUER, tenant=tenant)
    minted = token(header(kid="ec-2"), body, OTHER_EC)
    assert refusal(clients, bearer(minted)) is TokenFault.WRONG_TENANT


def test_t19_without_tenants_in_the_registry_the_claim_is_ignored(clients: ClientRegistry) -> None:
    minted = token(None, claims(tenant="anything"))
    assert verifier(clients).verify([bearer(minted)], (SERVICE,)).tenant == ""


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
        minted = token(None, claims(iss=issuer))
        assert refusal(clients, bearer(minted)) is TokenFault.UNKNOWN_ISSUER


def test_a_short_rsa_key_signs_nothing(clients: ClientRegistry) -> None:
    hosts = Hosts()
    with pytest.warns(SecurityWarning, match="2048"):
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    hosts.answers["https://ehr.example.org/jwks"] = key_set(weak)
    head = header(alg="RS384", kid="weak")
    assert refusal(clients, bearer(token(head, None, weak)), hosts=hosts) is TokenFault.UNKNOWN_KEY


def test_every_fault_has_its_sentence() -> None:
    assert set(IN_WORDS) == set(TokenFault)


# ---------------------------------------------------------------- the gate


def test_a_caller_may_call_the_services_of_its_grant_and_no_other(clients: ClientRegistry) -> None:
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    body = claims(iss=OTHER_ISSUER, tenant="north")
    minted = bearer(token(header(kid="ec-2"), body, OTHER_EC))
    caller = gate.check([minted], "/cds-services/sil2r-lab-result")
    assert caller.may_call("sil2r-patient-view")
    assert not caller.may_call("sil2r-lab-result")
    unrestricted = gate.check([bearer(token())], "/cds-services/sil2r-lab-result")
    assert unrestricted.may_call("sil2r-lab-result"), "a row without `services` grants all"


def test_d07_what_discovery_links_to_is_no_service_and_needs_no_grant(
    clients: ClientRegistry,
) -> None:
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    page = "/knowledge/sil2r"
    body = claims(iss=OTHER_ISSUER, tenant="north", aud=PUBLIC_URL + page)
    minted = bearer(token(header(kid="ec-2"), body, OTHER_EC))
    assert gate.check([minted], page).name == "other-hospital/north"


def test_whatever_is_no_service_is_open_to_a_client_of_few_services(
    clients: ClientRegistry,
) -> None:
    """Discovery and the knowledge, where they ask for a token too."""
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    for path in ("/cds-services", "/knowledge/sil2r"):
        body = claims(iss=OTHER_ISSUER, tenant="north", aud=PUBLIC_URL + path, jti=path)
        minted = bearer(token(header(kid="ec-2"), body, OTHER_EC))
        assert gate.check([minted], path).client.name == "other-hospital"


def test_a_caller_is_named_with_its_tenant(clients: ClientRegistry) -> None:
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    view = "/cds-services/sil2r-patient-view"
    body = claims(iss=OTHER_ISSUER, tenant="north", aud=PUBLIC_URL + view)
    minted = bearer(token(header(kid="ec-2"), body, OTHER_EC))
    caller = gate.check([minted], view)
    assert (caller.name, caller.account) == ("other-hospital/north", "other-hospital")


@pytest.mark.parametrize("audience", [f"{SERVICE}/feedback", SERVICE])
def test_b05_feedback_takes_its_own_address_and_the_services(
    clients: ClientRegistry, audience: str
) -> None:
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    minted = bearer(token(None, claims(aud=audience)))
    assert gate.check([minted], "/cds-services/sil2r-lab-result/feedback").client


def test_t11_a_slash_at_the_end_of_a_path_changes_nothing(clients: ClientRegistry) -> None:
    """The same service answers there, so the same token is good for it."""
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    assert gate.check([bearer(token())], "/cds-services/sil2r-lab-result/").client


def test_d07_discovery_has_an_audience_of_its_own(clients: ClientRegistry) -> None:
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    minted = bearer(token(None, claims(aud=f"{PUBLIC_URL}/cds-services")))
    assert gate.check([minted], "/cds-services").client


def test_t30_s08_no_error_holds_a_part_of_the_token(clients: ClientRegistry) -> None:
    minted = token(None, claims(jti="CANARY-JTI", aud="CANARY-AUD"))
    with pytest.raises(Unauthorised) as refused:
        verifier(clients).verify([bearer(minted)], (SERVICE,))
    told = f"{refused.value!r} {refused.value.one_line()} {refused.value.cause}"
    assert "CANARY" not in told
    assert minted[:40] not in told
