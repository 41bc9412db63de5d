"""T-61, T-62: what the breaker means for sessions with a real server."""

from __future__ import annotations

import json
import time

import pytest

from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.breaker import FAILURES_TO_OPEN, OPEN_SECONDS
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import (
    HttpAnswer,
    JwksFaultError,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.calls.query import Read
from cds_service.fhir.client import FhirClient
from cds_service.origins import FhirBase, PlainHttp
from tests.breaker_clock import Standing
from tests.fault_server import FaultServer
from tests.faults import Conversation, bundle, hang_before_headers, observation, reply, reply_json
from tests.unit.fhir_client.conftest import Opens

ILL = Refused(UpstreamFault.STATUS_5XX)
OPEN = Refused(UpstreamFault.BREAKER_OPEN)
PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_t61_a_4xx_never_opens_it(status: int, server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=status))
    for _ in range(2 * FAILURES_TO_OPEN):
        with session_of() as session:
            session.fetch("Patient/1")
    assert len(server.calls) == 2 * FAILURES_TO_OPEN


def test_an_open_breaker_makes_no_connection(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=503))
    faults = []
    for _ in range(FAILURES_TO_OPEN + 1):
        with session_of() as session:
            faults.append(session.fetch("Patient/1"))
    assert faults == [ILL] * FAILURES_TO_OPEN + [OPEN]
    assert server.connections == FAILURES_TO_OPEN


def test_t62_a_chart_whose_reads_all_fail_counts_once(
    server: FaultServer, session_of: Opens
) -> None:
    chart = {str(id_): Read("Patient", str(id_)) for id_ in range(FAILURES_TO_OPEN)}
    for id_ in chart:
        server.on(f"/fhir/Patient/{id_}", reply(b"", status=503))
    for _ in range(FAILURES_TO_OPEN):
        with session_of() as session:
            assert set(session.fetch_all(chart).values()) == {ILL}
    with session_of() as session:
        assert set(session.fetch_all(chart).values()) == {OPEN}


def test_t62_a_server_is_not_left_alone_for_pages_that_there_was_no_time_for(
    server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    ahead = 0.0

    def clock() -> float:
        return time.monotonic() + ahead

    def takes_most_of_the_time(talk: Conversation) -> None:
        nonlocal ahead
        ahead += 2.7
        reply_json(bundle(observation(1), next_link=f"{server.base}?page=2"))(talk)

    server.on("/fhir/Observation", takes_most_of_the_time)
    server.on("/fhir", hang_before_headers)
    for _ in range(2 * FAILURES_TO_OPEN):
        with client.session(base, NoToken(), Deadline(clock() + 3, clock)) as session:
            read = session.fetch("Observation?patient=1")
            assert isinstance(read, Resource)
            assert len(read.json["entry"]) == 1


def test_t62_what_a_session_sends_runs_under_its_admission(
    server: FaultServer, session_of: Opens, now: Standing
) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=503))
    for _ in range(FAILURES_TO_OPEN):
        with session_of() as session:
            session.fetch("Patient/1")
    now.shift(OPEN_SECONDS)
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    server.on("/fhir", reply_json(PATIENT))
    with session_of() as trial:
        assert trial.fetch("Patient/1") == Resource(PATIENT)
        assert isinstance(trial.send(Sending("POST", body=b"{}")), HttpAnswer)


def test_it_holds_across_hook_calls_and_for_one_origin_only(
    server: FaultServer, client: FhirClient, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=503))
    for _ in range(FAILURES_TO_OPEN):
        with session_of() as session:
            session.fetch("Patient/1")
    assert session_of().fetch("Patient/1") == OPEN
    with FaultServer() as healthy:
        healthy.on("/fhir/Patient/1", reply_json(PATIENT))
        base = FhirBase.parse(healthy.base, PlainHttp.LOOPBACK)
        with client.session(base, NoToken(), Deadline.after(20_000)) as session:
            assert session.fetch("Patient/1") == Resource(PATIENT)


def test_a_key_set_that_cannot_be_had_keeps_nobody_from_that_of_another_origin(
    server: FaultServer, client: FhirClient
) -> None:
    def fetch(origin: str) -> bytes:
        return client.jwks_fetch(f"{origin}/jwks", Deadline.after(20_000), PlainHttp.LOOPBACK)

    server.on("/jwks", reply(b"", status=503))
    for fault in [*[UpstreamFault.STATUS_5XX] * FAILURES_TO_OPEN, UpstreamFault.BREAKER_OPEN]:
        with pytest.raises(JwksFaultError) as raised:
            fetch(server.origin)
        assert raised.value.fault is fault
    with FaultServer() as healthy:
        healthy.on("/jwks", reply_json({"keys": []}))
        assert json.loads(fetch(healthy.origin)) == {"keys": []}
