"""Whom a sound token names: the client, its tenant, and what it may call."""

from __future__ import annotations

import pytest

from cds_service.access.registry import ClientRegistry
from tests.unit.access.minting import HOSPITAL, NOW, caller, claiming, of_other_hospital, verifier


@pytest.mark.parametrize("tenant", ["north", "south"])
def test_the_tenant_is_part_of_the_name_and_not_of_the_account(
    clients: ClientRegistry, tenant: str
) -> None:
    found = caller(verifier(clients), of_other_hospital(tenant=tenant))
    assert (found.account, found.tenant) == ("other-hospital", tenant)
    assert found.name == f"other-hospital/{tenant}"


def test_without_tenants_the_name_is_that_of_the_client(clients: ClientRegistry) -> None:
    found = caller(verifier(clients), claiming(tenant="north"))
    assert (found.name, found.account, found.tenant) == (HOSPITAL,) * 2 + ("",)


def test_a_caller_may_call_what_its_client_was_granted(clients: ClientRegistry) -> None:
    granted = caller(verifier(clients), of_other_hospital())
    assert granted.may_call("sil2r-patient-view")
    assert not granted.may_call("sil2r-lab-result")


@pytest.mark.parametrize("times", [{"exp": NOW + 1}, {"exp": NOW + 900}, {"nbf": 0}, {"nbf": 1}])
def test_the_shortest_and_the_longest_life_and_a_start_long_ago_are_taken(
    clients: ClientRegistry, times: dict[str, int]
) -> None:
    assert caller(verifier(clients), claiming(**times)).name == HOSPITAL
