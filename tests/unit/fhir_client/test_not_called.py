"""T-40, T-45, T-46: where no request goes, whatever the caller or the server says."""

from __future__ import annotations

import pytest

from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import Refused, UpstreamFault
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase, PlainHttp
from tests import faults
from tests.fault_server import FaultServer
from tests.unit.fhir_client.conftest import Opens, read


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_t45_a_redirect_is_not_followed(
    status: int, server: FaultServer, session_of: Opens
) -> None:
    with FaultServer() as elsewhere:
        server.on("/fhir/Patient/1", faults.redirect(f"{elsewhere.base}/Patient/1", status))
        assert session_of().fetch("Patient/1") == Refused(UpstreamFault.REDIRECT)
        assert elsewhere.connections == 0
    assert len(server.calls) == 1


def test_t45_a_redirect_loop_is_not_entered(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", faults.redirect(f"{server.base}/Patient/1"))
    assert session_of().fetch("Patient/1") == Refused(UpstreamFault.REDIRECT)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "path",
    [
        "",
        "Patient",
        "Patient/",
        "Patient/..",
        "Patient/.",
        "Patient/../Observation",
        "Patient/1/_history/2",
        "Patient/1?_elements=id",
        "Patient/1#x",
        "../Patient/1",
        "/Patient/1",
        "https://evil.example/Patient/1",
        "//evil.example/Patient/1",
        "Patient/%2e%2e",
        "Patient/1\r\nX: y",
        "Observation?a=b#c",
        "Observation?a=b c",
        "?_getpages=1",
    ],
)
def test_what_is_neither_a_read_nor_a_search_is_never_sent(
    path: str, server: FaultServer, session_of: Opens
) -> None:
    assert session_of().fetch(path) == Refused(UpstreamFault.NOT_ALLOWED)
    assert server.connections == 0


def test_t40_a_base_that_is_not_registered_is_not_called(server: FaultServer) -> None:
    client = FhirClient(AllowList.of([]))
    assert read(client, server.base) == Refused(UpstreamFault.NOT_ALLOWED)
    client.close()
    assert server.connections == 0


def test_t40_nothing_is_written_to_a_base_that_is_not_registered(server: FaultServer) -> None:
    client = FhirClient(AllowList.of([]))
    elsewhere = FhirBase.parse(server.base, PlainHttp.LOOPBACK)
    writing, deadline = Sending("POST", "Flag", b"{}"), Deadline.after(20_000)
    assert client.send(elsewhere, writing, NoToken(), deadline) == Refused(
        UpstreamFault.NOT_ALLOWED
    )
    with client.session(elsewhere, NoToken(), deadline) as session:
        assert session.send(writing) == Refused(UpstreamFault.NOT_ALLOWED)
    client.close()
    assert server.connections == 0


@pytest.mark.parametrize(
    "relative", ["../admin", "Flag/../../admin", "/evil", "Flag/%2e%2e", "Flag#x", "Flag\\x"]
)
def test_t46_nothing_is_written_outside_a_registered_base(
    relative: str, server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    writing, deadline = Sending("PUT", relative, b"{}"), Deadline.after(20_000)
    assert client.send(base, writing, NoToken(), deadline) == Refused(UpstreamFault.NOT_ALLOWED)
    with client.session(base, NoToken(), deadline) as session:
        assert session.send(writing) == Refused(UpstreamFault.NOT_ALLOWED)
    assert server.connections == 0


@pytest.mark.parametrize("relative", ["../admin", "/evil", "Flag/%2e%2e", "Flag#x"])
def test_t46_nothing_is_read_outside_a_registered_base(
    relative: str, server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    with client.session(base, NoToken(), Deadline.after(20_000)) as session:
        assert session.get(relative, 1_000) == Refused(UpstreamFault.NOT_ALLOWED)
    assert server.connections == 0


def test_a_deadline_that_has_passed_asks_nothing(server: FaultServer, session_of: Opens) -> None:
    assert session_of(0).fetch("Patient/1") == Refused(UpstreamFault.DEADLINE)
    writing = Sending("POST", "Flag", b"{}")
    assert session_of(0).send(writing) == Refused(UpstreamFault.DEADLINE), "no fault of the server"
    second_page = session_of(0).get("Patient?page=2", 1_000)
    assert second_page == Refused(UpstreamFault.DEADLINE), "the first one took all the time"
    assert server.connections == 0
