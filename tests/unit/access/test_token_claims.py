"""For whom a token is, from when until when, and of which tenant (T-11 to T-14, T-19)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.access.faults import TokenFault
from cds_service.access.registry import ClientRegistry
from cds_service.access.tokens import Times
from tests.unit.access.minting import (
    HOSPITAL,
    ISSUER,
    LEFT_OUT,
    NOW,
    PUBLIC_URL,
    SERVICE,
    bearer,
    caller,
    claiming,
    claims,
    of_other_hospital,
    refusal,
    taken,
    token,
    verifier,
)


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
        [SERVICE, 7],
        [None, SERVICE],
        [[SERVICE], SERVICE],
        {"aud": SERVICE},
    ],
)
def test_t11_only_the_exact_address(clients: ClientRegistry, audience: object) -> None:
    assert refusal(clients, bearer(claiming(aud=audience))) is TokenFault.WRONG_AUDIENCE


def test_t11_a_list_that_holds_the_address_is_taken(clients: ClientRegistry) -> None:
    assert taken(clients, claiming(aud=["https://elsewhere.example", SERVICE])) == HOSPITAL


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
        assert taken(clients, minted, times=times) == HOSPITAL
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


@pytest.mark.parametrize("jti", [LEFT_OUT, "", 7, None, "j" * 257, ["a"]])
def test_t14_a_jti_is_a_text_of_bounded_length(clients: ClientRegistry, jti: object) -> None:
    assert refusal(clients, bearer(claiming(jti=jti))) is TokenFault.NO_JTI


@pytest.mark.parametrize("jti", ["j", "j" * 256])
def test_t14_the_shortest_and_the_longest_jti_are_taken(clients: ClientRegistry, jti: str) -> None:
    assert taken(clients, claiming(jti=jti)) == HOSPITAL


@pytest.mark.parametrize("tenant", [LEFT_OUT, "west", "", 7, ["north"]])
def test_t19_a_client_with_tenants_must_name_one(clients: ClientRegistry, tenant: object) -> None:
    assert refusal(clients, bearer(of_other_hospital(tenant=tenant))) is TokenFault.WRONG_TENANT


def test_t19_without_tenants_in_the_registry_the_claim_is_ignored(clients: ClientRegistry) -> None:
    assert caller(verifier(clients), claiming(tenant="anything")).tenant == ""


def test_an_issuer_that_is_not_registered_is_nobody(clients: ClientRegistry) -> None:
    for issuer in (f"{ISSUER}/", ISSUER.upper(), "", None, 7):
        assert refusal(clients, bearer(claiming(iss=issuer))) is TokenFault.UNKNOWN_ISSUER
