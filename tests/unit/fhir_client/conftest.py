"""A misbehaving FHIR server and a client that may call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

import fhir_fixtures
from cds_service.core.knowledge import KnowledgeBase
from cds_service.fhir.access import NoAccess, ServerAccess, server_access
from cds_service.fhir.calls.addresses import Reach
from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.breaker import FAILURES_TO_OPEN, Admission, CallEnding, OriginBreaker
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import Fetched
from cds_service.fhir.calls.network import Network
from cds_service.fhir.calls.session import FhirSession, Limits
from cds_service.fhir.client import FhirClient
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import Service
from cds_service.origins import AllowList, FhirBase, LoopbackRule, PlainHttp
from cds_service.strict_json import parse_object
from tests.breaker_clock import Standing, standing
from tests.fault_server import FaultServer
from tests.unit.fhir_client.answering import service_of
from tests.unit.fhir_client.gathering import ON_THIS_MACHINE, Grants

GENEROUS_MS = 20_000
"""A deadline that no answer of the fault server comes near, unless the server hangs."""
SHORT_MS = 300
"""A deadline to run into, and not before the request was begun, should the machine pause."""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def client() -> Iterator[FhirClient]:
    allowed = AllowList(frozenset(), LoopbackRule.ALLOWED)
    network = Network(reach=Reach.ANYWHERE)
    made = FhirClient(allowed, network=network, limits=Limits(body_bytes=256 * 1024))
    yield made
    made.close()


@pytest.fixture
def base(server: FaultServer) -> FhirBase:
    return FhirBase.parse(server.base, PlainHttp.LOOPBACK)


Opens = Callable[..., FhirSession]


@pytest.fixture
def session_of(client: FhirClient, base: FhirBase) -> Iterator[Opens]:
    """Opens sessions on the fault server: `session_of()` or `session_of(SHORT_MS)`."""
    opened: list[FhirSession] = []

    def open_one(milliseconds: int = GENEROUS_MS) -> FhirSession:
        opened.append(client.session(base, NoToken(), Deadline.after(milliseconds)))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


@pytest.fixture
def access(server: FaultServer, client: FhirClient) -> Iterator[Grants]:
    """Access to the fault server: `access()` without a token, `access(authorization)` with one."""
    with ExitStack() as stack:

        def grant(
            authorization: Mapping[str, object] | None = None,
            *,
            allowed: AllowList = ON_THIS_MACHINE,
        ) -> ServerAccess | NoAccess:
            return stack.enter_context(
                server_access(
                    server=server.base,
                    authorization=dict(authorization or {}),
                    patient_id="1",
                    allowed=allowed,
                    client=client,
                    deadline=Deadline.after(20_000),
                )
            )

        yield grant


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """For the breakers time stands still, but for what a test moves."""
    return standing(monkeypatch)


def opened() -> OriginBreaker:
    """A breaker after so many failures in a row."""
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.admit() is Admission.GRANTED
        breaker.report(CallEnding.FAILED)
    return breaker


def read(client: FhirClient, base: str, milliseconds: int = GENEROUS_MS) -> Fetched:
    """What a client gets of one patient, from a server whose base address is this."""
    address = FhirBase.parse(base, PlainHttp.LOOPBACK)
    with client.session(address, NoToken(), Deadline.after(milliseconds)) as session:
        return session.fetch("Patient/1")


@pytest.fixture(scope="module")
def service(sil2r: KnowledgeBase) -> Service:
    """What is asked when a chart is opened."""
    return service_of(sil2r, Trigger.PATIENT_VIEW)


@pytest.fixture
def chart(server: FaultServer) -> dict[str, Any]:
    """A chart whose prescriptions name their drugs by reference, as it comes from this server."""
    text = fhir_fixtures.path("patient_view_drugs_by_reference").read_text(encoding="utf-8")
    sent = parse_object(text.replace("https://ehr.example.org/fhir", server.base).encode())
    return {**sent, "fhirServer": server.base}
