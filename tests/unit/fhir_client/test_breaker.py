"""T-62: a server that keeps failing is left alone; others, and refusals by design, are not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import time_machine

from cds_service.fhir.authorization import NoToken
from cds_service.fhir.breaker import (
    FAILURES_TO_OPEN,
    OPEN_SECONDS,
    Admission,
    Breakers,
    OriginBreaker,
)
from cds_service.fhir.client import FhirClient
from cds_service.fhir.deadline import Deadline
from cds_service.fhir.fetched import Answer, Refused, Resource, UpstreamFault
from cds_service.fhir.origins import FhirBase, PlainHttp
from tests.fault_server import FaultServer
from tests.faults import reply, reply_json
from tests.unit.fhir_client.conftest import Opens

WELL = Answer("application/fhir+json", b"{}")
ILL = Refused(UpstreamFault.STATUS_5XX)
PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as traveller:
        yield traveller


def _opened() -> OriginBreaker:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.admit() is Admission.GRANTED
        breaker.report(ILL)
    return breaker


@pytest.mark.usefixtures("now")
def test_five_failures_in_a_row_open_it() -> None:
    assert _opened().admit() is Admission.DENIED


@pytest.mark.usefixtures("now")
def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = OriginBreaker()
    for result in [ILL, ILL, ILL, ILL, WELL, ILL, ILL, ILL, ILL]:
        assert breaker.admit() is Admission.GRANTED
        breaker.report(result)
    assert breaker.admit() is Admission.GRANTED


def test_after_a_rest_one_trial_call_is_let_through_and_closes_it(
    now: time_machine.Traveller,
) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS - 1)
    assert breaker.admit() is Admission.DENIED
    now.shift(1)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.DENIED
    breaker.report(WELL)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.GRANTED


def test_a_trial_call_that_fails_opens_it_for_another_rest(now: time_machine.Traveller) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    assert breaker.admit() is Admission.GRANTED
    breaker.report(ILL)
    now.shift(OPEN_SECONDS - 1)
    assert breaker.admit() is Admission.DENIED
    now.shift(1)
    assert breaker.admit() is Admission.GRANTED


def test_a_trial_call_that_was_never_made_decides_nothing(now: time_machine.Traveller) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    assert breaker.admit() is Admission.GRANTED
    breaker.report(Refused(UpstreamFault.DEADLINE))
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.DENIED


@pytest.mark.usefixtures("now")
def test_answers_that_come_after_it_opened_change_nothing() -> None:
    breaker = _opened()
    breaker.report(WELL)
    assert breaker.admit() is Admission.DENIED


@pytest.mark.parametrize(
    "fault",
    [
        UpstreamFault.CONNECT,
        UpstreamFault.TLS,
        UpstreamFault.TIMEOUT,
        UpstreamFault.BROKEN,
        UpstreamFault.STATUS_5XX,
    ],
)
def test_faults_of_the_server_count(fault: UpstreamFault) -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.report(Refused(fault))
    assert breaker.admit() is Admission.DENIED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_t61_a_4xx_never_opens_it(status: int, server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=status))
    session = session_of()
    for _ in range(2 * FAILURES_TO_OPEN):
        session.read("Patient/1")
    assert len(server.calls) == 2 * FAILURES_TO_OPEN


def test_an_open_breaker_makes_no_connection(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=503))
    session = session_of()
    faults = [session.read("Patient/1") for _ in range(FAILURES_TO_OPEN + 1)]
    assert faults == [ILL] * FAILURES_TO_OPEN + [Refused(UpstreamFault.BREAKER_OPEN)]
    assert server.connections == FAILURES_TO_OPEN


def test_it_holds_across_hook_calls_and_for_one_origin_only(
    server: FaultServer, client: FhirClient, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=503))
    for _ in range(FAILURES_TO_OPEN):
        session_of().read("Patient/1")
    assert session_of().read("Patient/1") == Refused(UpstreamFault.BREAKER_OPEN)
    with FaultServer() as healthy:
        healthy.on("/fhir/Patient/1", reply_json(PATIENT))
        base = FhirBase.parse(healthy.base, PlainHttp.LOOPBACK)
        with client.session(base, NoToken(), Deadline.after(20_000)) as session:
            assert session.read("Patient/1") == Resource(PATIENT)


def test_calls_under_way_do_not_wait_for_each_other_in_the_breaker() -> None:
    breaker = Breakers().of("https://ehr.example.org")
    assert breaker.admit() is Admission.GRANTED
    other = threading.Thread(target=lambda: breaker.report(WELL))
    other.start()
    other.join(10)
    assert not other.is_alive()
    assert breaker.admit() is Admission.GRANTED
