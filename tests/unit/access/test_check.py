"""A token that is shown to `clients check`: judged as the gate does, and never repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from cds_service.access.check import Offline, TokenReport, check_token
from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.access.gate import TokenGate
from cds_service.access.keys import Fetch
from cds_service.access.registry import ClientRegistry
from cds_service.access.tokens import Times
from cds_service.errors import Unauthorised
from cds_service.fhir.calls.fetched import JwksFaultError, UpstreamFault
from tests.unit.access.minting import (
    FILE_CLIENT,
    JWKS,
    LEFT_OUT,
    NOW,
    PUBLIC_URL,
    SERVICE,
    TIMES,
    Clock,
    Hosts,
    bearer,
    claiming,
    claims,
    header,
    of_other_hospital,
    refusal,
    registry,
    token,
    unsigned,
    verifier,
)


def found(
    clients: ClientRegistry,
    minted: str,
    *,
    audience: str = SERVICE,
    times: Times = TIMES,
    fetch: Fetch | None = None,
) -> TokenReport:
    return check_token(minted, audience, clients, times=times, now=Clock(), fetch=fetch or Hosts())


ONE_FAULT: Mapping[TokenFault, str] = {
    TokenFault.NOT_BEARER: "a b",
    TokenFault.TOO_LARGE: "a" * 9000,
    TokenFault.MALFORMED: "nonsense",
    TokenFault.WRONG_TYPE: token(header(typ="at+jwt")),
    TokenFault.NO_KID: unsigned(header(kid=7), claims(), b"x"),
    TokenFault.HEADER_FORBIDDEN: unsigned(header(x5u="https://evil.example"), claims(), b"x"),
    TokenFault.WRONG_JKU: token(header(jku="https://evil.example/jwks")),
    TokenFault.UNKNOWN_ISSUER: claiming(iss="https://nobody.example"),
    TokenFault.WRONG_ALGORITHM: unsigned(header(alg="none"), claims(), b"x"),
    TokenFault.WRONG_AUDIENCE: claiming(aud="https://elsewhere.example"),
    TokenFault.NO_TIMES: claiming(exp=NOW + 1.5),
    TokenFault.EXPIRED: claiming(iat=NOW - 500, exp=NOW - 200),
    TokenFault.NOT_YET_VALID: claiming(nbf=NOW + 100),
    TokenFault.LIVES_TOO_LONG: claiming(exp=NOW + 901),
    TokenFault.NO_JTI: claiming(jti=LEFT_OUT),
    TokenFault.WRONG_TENANT: of_other_hospital(tenant="west"),
    TokenFault.UNKNOWN_KEY: token(header(kid="ec-9")),
    TokenFault.BAD_SIGNATURE: token(None, None, ECKey.generate_key("P-384")),
}


@pytest.mark.parametrize("fault", ONE_FAULT)
def test_what_the_gate_refuses_a_token_for_is_found(
    clients: ClientRegistry, fault: TokenFault
) -> None:
    minted = ONE_FAULT[fault]
    assert refusal(clients, bearer(minted)) is fault
    report = found(clients, minted)
    assert report.faults == (fault,)
    assert IN_WORDS[fault] in report.lines()
    assert not any("holds:" in line for line in report.lines())
    assert report.as_json()["holds"] is False
    assert report.as_json()["faults"] == [{"code": fault.value, "text": IN_WORDS[fault]}]


def test_a_fault_that_only_a_request_can_have_is_not_looked_for() -> None:
    only_there = {TokenFault.NO_TOKEN, TokenFault.REPLAYED, TokenFault.KEYS_UNAVAILABLE}
    assert set(TokenFault) - set(ONE_FAULT) == only_there


def test_all_faults_are_said_at_once_in_the_order_of_the_gate(clients: ClientRegistry) -> None:
    body = claims(aud="https://elsewhere.example", iat=NOW - 5000, exp=NOW - 3000, nbf=NOW + 100)
    del body["jti"]
    minted = token(
        header(typ="at+jwt", jku="https://evil.example"), body, ECKey.generate_key("P-384")
    )
    assert found(clients, minted).faults == (
        TokenFault.WRONG_TYPE,
        TokenFault.WRONG_JKU,
        TokenFault.WRONG_AUDIENCE,
        TokenFault.EXPIRED,
        TokenFault.NOT_YET_VALID,
        TokenFault.LIVES_TOO_LONG,
        TokenFault.NO_JTI,
        TokenFault.BAD_SIGNATURE,
    )


def test_of_an_unknown_issuer_all_is_said_that_no_row_would_decide(clients: ClientRegistry) -> None:
    body = claims(iss="https://nobody.example", aud="https://elsewhere.example", jti="")
    report = found(clients, token(header(jku="https://nobody.example/jwks"), body))
    assert report.faults == (
        TokenFault.UNKNOWN_ISSUER,
        TokenFault.WRONG_AUDIENCE,
        TokenFault.NO_JTI,
    )
    assert report.unchecked


@pytest.mark.parametrize("algorithm", ["RS384", "PS512"])
def test_of_an_unknown_issuer_the_algorithm_is_not_judged(
    clients: ClientRegistry, algorithm: str
) -> None:
    minted = unsigned(header(alg=algorithm), claims(iss="https://nobody.example"), b"x")
    assert found(clients, minted).faults == (TokenFault.UNKNOWN_ISSUER,)


def test_a_wrong_type_does_not_hide_a_member_that_the_header_may_not_have(
    clients: ClientRegistry,
) -> None:
    minted = unsigned(header(typ="at+jwt", crit=["x"]), claims(), b"x")
    assert found(clients, minted).faults == (TokenFault.WRONG_TYPE, TokenFault.HEADER_FORBIDDEN)


def test_a_token_that_names_a_tenant_of_its_client_holds(clients: ClientRegistry) -> None:
    report = found(clients, of_other_hospital(tenant="south"))
    assert list(report.lines()) == ["The token holds: client other-hospital."]


@pytest.mark.parametrize(
    ("minted", "signature", "because"),
    [
        (token(), "checked", ""),
        (ONE_FAULT[TokenFault.BAD_SIGNATURE], "checked", ""),
        ("nonsense", "not-checked", "the token cannot be read"),
        (ONE_FAULT[TokenFault.NO_KID], "not-checked", "the header must be mended first"),
        (ONE_FAULT[TokenFault.WRONG_ALGORITHM], "not-checked", "the header must be mended first"),
        (ONE_FAULT[TokenFault.UNKNOWN_KEY], "not-checked", "there is no key for it"),
    ],
)
def test_the_report_says_whether_the_signature_was_checked_and_why_not(
    clients: ClientRegistry, minted: str, signature: str, because: str
) -> None:
    told = found(clients, minted).as_json()
    assert (told["signature"], told["because"]) == (signature, because)


def test_a_good_token_holds_and_is_not_used_up(clients: ClientRegistry) -> None:
    for _ in range(2):
        report = found(clients, f"{token()}\n")
        assert list(report.lines()) == ["The token holds: client general-hospital."]
        assert report.as_json()["holds"] is True


@pytest.mark.parametrize("before", ["Bearer ", "bearer ", "Authorization: Bearer "])
def test_a_token_may_be_given_as_it_stood_in_the_header(
    clients: ClientRegistry, before: str
) -> None:
    """Else the answer to a sound header would be that it is no such header."""
    assert list(found(clients, f"{before}{token()}\n").lines())[-1].startswith("The token holds")


def test_an_address_with_a_slash_at_the_end_is_judged_as_the_gate_judges_it(
    clients: ClientRegistry,
) -> None:
    gate = TokenGate(PUBLIC_URL, verifier(clients))
    called = f"{SERVICE}/".removeprefix(PUBLIC_URL)
    good, with_slash = claiming(aud=SERVICE), claiming(aud=f"{SERVICE}/")
    assert gate.check([f"Bearer {good}"], called).name == "general-hospital"
    assert found(clients, good, audience=f"{SERVICE}/").faults == ()
    with pytest.raises(Unauthorised):
        gate.check([f"Bearer {with_slash}"], called)
    told = found(clients, with_slash, audience=f"{SERVICE}/").faults
    assert told == (TokenFault.WRONG_AUDIENCE,)


@pytest.mark.parametrize("host", ["CDS.example.org", "cds.example.org:443", "cds.example.org."])
def test_another_spelling_of_the_address_is_another_address_as_for_the_gate(
    clients: ClientRegistry, host: str
) -> None:
    minted = token(None, claims(aud=SERVICE.replace("cds.example.org", host)))
    with pytest.raises(Unauthorised):
        TokenGate(PUBLIC_URL, verifier(clients)).check(
            [f"Bearer {minted}"], SERVICE.removeprefix(PUBLIC_URL)
        )
    assert found(clients, minted).faults == (TokenFault.WRONG_AUDIENCE,)


@pytest.mark.parametrize("named", [SERVICE, f"{SERVICE}/feedback"])
def test_for_feedback_the_address_of_the_service_will_do(
    clients: ClientRegistry, named: str
) -> None:
    assert found(clients, claiming(aud=named), audience=f"{SERVICE}/feedback").faults == ()


@pytest.mark.parametrize(
    ("members", "times", "faults"),
    [
        ({"exp": NOW + 300}, Times(lifetime=300, leeway=60), ()),
        ({"exp": NOW + 301}, Times(lifetime=300, leeway=60), (TokenFault.LIVES_TOO_LONG,)),
        ({"iat": NOW + 90, "exp": NOW + 300}, TIMES, (TokenFault.NOT_YET_VALID,)),
        ({"iat": NOW + 90, "exp": NOW + 300}, Times(lifetime=900, leeway=90), ()),
        ({"iat": NOW - 300, "exp": NOW - 90}, TIMES, (TokenFault.EXPIRED,)),
        ({"iat": NOW - 300, "exp": NOW - 90}, Times(lifetime=900, leeway=90), ()),
    ],
)
def test_times_are_judged_as_the_service_is_set(
    clients: ClientRegistry, members: dict[str, int], times: Times, faults: tuple[TokenFault, ...]
) -> None:
    assert found(clients, claiming(**members), times=times).faults == faults


def test_without_fetching_it_is_said_that_the_signature_was_not_checked(
    clients: ClientRegistry,
) -> None:
    forged = token(None, None, ECKey.generate_key("P-384"))
    report = found(clients, forged, fetch=Offline())
    first, last = report.lines()
    assert "The signature was not checked" in first
    assert "https://ehr.example.org/jwks" in first
    assert last == "Nothing else is wrong: client general-hospital."
    assert report.as_json()["holds"] is False
    assert report.as_json()["signature"] == "not-checked"


def test_a_key_set_that_cannot_be_fetched_is_a_fault_with_its_reason(
    clients: ClientRegistry,
) -> None:
    hosts = Hosts()
    hosts.answers[JWKS] = JwksFaultError(UpstreamFault.TLS)
    report = found(clients, token(), fetch=hosts)
    assert report.faults == (TokenFault.KEYS_UNAVAILABLE,)
    assert "tls" in report.unchecked
    assert report.as_json()["because"] == report.unchecked
    assert report.as_json()["client"] == "general-hospital"


def test_a_key_file_that_is_gone_is_a_fault_and_not_a_crash(folder: Path) -> None:
    clients = registry(folder, FILE_CLIENT)
    (folder / "keys.json").unlink()
    report = found(clients, token(), fetch=Offline())
    assert report.faults == (TokenFault.KEYS_UNAVAILABLE,)
    assert "unreadable" in report.unchecked


def test_nothing_of_the_token_is_repeated(clients: ClientRegistry) -> None:
    body = claims(jti="canary-jti", sub="canary-sub", aud="canary-aud")
    minted = token(header(kid="canary-kid"), body)
    told = json.dumps(found(clients, minted).as_json())
    assert "canary" not in told
    assert not any(part in told for part in minted.split("."))
