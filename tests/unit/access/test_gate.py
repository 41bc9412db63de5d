"""Who is let in where: the address that a token is for, and the services of its grant."""

from __future__ import annotations

import pytest

from cds_service.access.gate import TokenGate
from cds_service.access.registry import ClientRegistry
from cds_service.access.tokens import RegisteredCaller
from tests.unit.access.minting import (
    PUBLIC_URL,
    SERVICE,
    claiming,
    of_other_hospital,
    token,
    verifier,
)

RESULT = "/cds-services/sil2r-lab-result"


def called(clients: ClientRegistry, minted: str, path: str) -> RegisteredCaller:
    """Who is let in at this path with the token."""
    return TokenGate(PUBLIC_URL, verifier(clients)).check([f"Bearer {minted}"], path)


def test_a_caller_may_call_the_services_of_its_grant_and_no_other(clients: ClientRegistry) -> None:
    caller = called(clients, of_other_hospital(), RESULT)
    assert caller.may_call("sil2r-patient-view")
    assert not caller.may_call("sil2r-lab-result")
    unrestricted = called(clients, token(), RESULT)
    assert unrestricted.may_call("sil2r-lab-result"), "a row without `services` grants all"


@pytest.mark.parametrize("path", ["/cds-services", "/knowledge/sil2r"])
def test_d07_what_is_no_service_is_open_to_a_client_of_few_services(
    clients: ClientRegistry, path: str
) -> None:
    """Discovery and the knowledge that it links to, where they ask for a token too."""
    minted = of_other_hospital(aud=PUBLIC_URL + path)
    assert called(clients, minted, path).name == "other-hospital/north"


def test_a_caller_is_named_with_its_tenant(clients: ClientRegistry) -> None:
    view = "/cds-services/sil2r-patient-view"
    caller = called(clients, of_other_hospital(aud=PUBLIC_URL + view), view)
    assert (caller.name, caller.account) == ("other-hospital/north", "other-hospital")


@pytest.mark.parametrize("audience", [f"{SERVICE}/feedback", SERVICE])
def test_b05_feedback_takes_its_own_address_and_the_services(
    clients: ClientRegistry, audience: str
) -> None:
    assert called(clients, claiming(aud=audience), f"{RESULT}/feedback").client


def test_t11_a_slash_at_the_end_of_a_path_changes_nothing(clients: ClientRegistry) -> None:
    """The same service answers there, so the same token is good for it."""
    assert called(clients, token(), f"{RESULT}/").client


def test_d07_discovery_has_an_audience_of_its_own(clients: ClientRegistry) -> None:
    assert called(clients, claiming(aud=f"{PUBLIC_URL}/cds-services"), "/cds-services").client
