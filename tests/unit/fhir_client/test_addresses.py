"""T-42, T-43: where a registered name may lead, and that the checked address is the one called."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cds_service.fhir.calls.addresses import AddressRefusedError, Reach, checked_addresses
from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import Refused, Resource, UpstreamFault
from cds_service.fhir.calls.network import Network
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase, PlainHttp, Url
from tests.fault_server import FaultServer
from tests.faults import bundle, reply_json

NAME = Url.parse("https://ehr.example.org/fhir")
SPECIAL = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
]
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "fd00::1"]
PUBLIC = ["8.8.8.8", "172.32.0.1", "2a00:1450:4001::1"]


def _leads_to(reach: Reach, *addresses: str) -> Sequence[str]:
    return checked_addresses(NAME, reach, lambda _host, _port: addresses)


@pytest.mark.parametrize("address", SPECIAL)
def test_t42_a_name_leading_to_a_special_address_in_whatever_disguise_is_refused(
    address: str,
) -> None:
    with pytest.raises(AddressRefusedError):
        _leads_to(Reach.SITE, address)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_hospital_may_keep_its_server_in_a_private_network(address: str) -> None:
    assert _leads_to(Reach.SITE, address) == (address,)


def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    with pytest.raises(AddressRefusedError):
        _leads_to(Reach.SITE, "8.8.8.8", "127.0.0.1")


def test_sandbox_mode_lets_a_name_lead_anywhere() -> None:
    assert _leads_to(Reach.ANYWHERE, "127.0.0.1") == ("127.0.0.1",)


def test_a_name_without_any_address_is_no_connection() -> None:
    with pytest.raises(OSError, match="no address"):
        _leads_to(Reach.SITE)


@pytest.mark.parametrize("reach", Reach)
def test_a_name_may_lead_to_every_address_of_the_public_network(reach: Reach) -> None:
    assert list(_leads_to(reach, *PUBLIC)) == PUBLIC


def _must_not_be_asked(_host: str, _port: int) -> Sequence[str]:
    raise AssertionError("an address needs no name server")


@pytest.mark.parametrize("host", ["10.1.2.3", "[fd00::5]", "127.0.0.1"])
def test_an_address_in_the_registered_base_names_itself(host: str) -> None:
    url = Url.parse(f"https://{host}/fhir")
    assert checked_addresses(url, Reach.SITE, _must_not_be_asked) == [url.host]


def test_localhost_in_the_registered_base_leads_to_this_machine_and_nowhere_else() -> None:
    here = Url.parse("http://localhost:8090/fhir")
    ours = ["::1", "127.0.0.1"]
    assert checked_addresses(here, Reach.SITE, lambda *_: ours) == ours
    with pytest.raises(AddressRefusedError):
        checked_addresses(here, Reach.ANYWHERE, lambda *_: ["8.8.8.8"])


class _ChangingNameServer:
    """Answers 127.0.0.1 once, and another address ever after."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return ["127.0.0.1"] if self.asked == 1 else ["192.0.2.66"]


def test_t43_a_name_is_resolved_once_and_only_the_checked_address_is_called(
    server: FaultServer,
) -> None:
    base = FhirBase.parse(f"http://ehr.example.org:{server.port}/fhir", PlainHttp.ALLOWED)
    names = _ChangingNameServer()
    client = FhirClient(AllowList.of([base]), network=Network(Reach.ANYWHERE, names))
    server.on("/fhir/Patient/1", reply_json({"resourceType": "Patient", "id": "1"}))
    server.on("/fhir/Observation", reply_json(bundle()))
    with client.session(base, NoToken(), Deadline.after(20_000)) as session:
        assert isinstance(session.fetch("Patient/1"), Resource)
        assert isinstance(session.fetch("Observation?patient=1"), Resource)
    client.close()
    assert names.asked == 1
    assert server.connections == 2
    assert {call.headers["host"] for call in server.calls} == {f"ehr.example.org:{server.port}"}


def test_t43_a_registered_name_that_leads_to_this_machine_is_not_called_in_production(
    server: FaultServer,
) -> None:
    base = FhirBase.parse(f"http://ehr.example.org:{server.port}/fhir", PlainHttp.ALLOWED)
    network = Network(Reach.SITE, lambda *_: ["127.0.0.1"])
    client = FhirClient(AllowList.of([base]), network=network)
    with client.session(base, NoToken(), Deadline.after(20_000)) as session:
        assert session.fetch("Patient/1") == Refused(UpstreamFault.NOT_ALLOWED)
    client.close()
    assert server.connections == 0
