"""T-62: a server that keeps failing is left alone; others, and refusals by design, are not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
import time_machine

from cds_service.fhir.authorization import NoToken
from cds_service.fhir.breaker import (
    FAILURES_TO_OPEN,
    OPEN_SECONDS,
    Admission,
    Breakers,
    CallEnding,
    OriginBreaker,
    OriginCall,
    ending_of,
)
from cds_service.fhir.client import FhirClient
from cds_service.fhir.deadline import Deadline
from cds_service.fhir.exchange import Sending
from cds_service.fhir.fetched import HttpAnswer, JwksFaultError, Refused, Resource, UpstreamFault
from cds_service.fhir.query import Read
from cds_service.origins import FhirBase, PlainHttp
from tests.fault_server import FaultServer
from tests.faults import Conversation, bundle, hang_before_headers, observation, reply, reply_json
from tests.unit.fhir_client.conftest import Opens

WELL = HttpAnswer("application/fhir+json", b"{}")
ILL = Refused(UpstreamFault.STATUS_5XX)
OPEN = Refused(UpstreamFault.BREAKER_OPEN)
PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as traveller:
        yield traveller


def _opened() -> OriginBreaker:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.admit() is Admission.GRANTED
        breaker.report(CallEnding.FAILED)
    return breaker


@pytest.mark.usefixtures("now")
def test_five_failures_in_a_row_open_it() -> None:
    assert _opened().admit() is Admission.DENIED


@pytest.mark.usefixtures("now")
def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = OriginBreaker()
    four_failures = [CallEnding.FAILED] * (FAILURES_TO_OPEN - 1)
    for ending in [*four_failures, CallEnding.ANSWERED, *four_failures]:
        assert breaker.admit() is Admission.GRANTED
        breaker.report(ending)
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
    breaker.report(CallEnding.ANSWERED)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.GRANTED


def test_a_trial_call_that_fails_opens_it_for_another_rest(now: time_machine.Traveller) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    assert breaker.admit() is Admission.GRANTED
    breaker.report(CallEnding.FAILED)
    now.shift(OPEN_SECONDS - 1)
    assert breaker.admit() is Admission.DENIED
    now.shift(1)
    assert breaker.admit() is Admission.GRANTED


def test_a_trial_call_that_was_never_made_decides_nothing(now: time_machine.Traveller) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    assert breaker.admit() is Admission.GRANTED
    breaker.report(CallEnding.NOT_ASKED)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.DENIED


@pytest.mark.usefixtures("now")
def test_answers_that_come_after_it_opened_change_nothing() -> None:
    breaker = _opened()
    breaker.report(CallEnding.ANSWERED)
    assert breaker.admit() is Admission.DENIED


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        (Refused(UpstreamFault.CONNECT), CallEnding.FAILED),
        (Refused(UpstreamFault.TLS), CallEnding.FAILED),
        (Refused(UpstreamFault.TIMEOUT), CallEnding.FAILED),
        (Refused(UpstreamFault.BROKEN), CallEnding.FAILED),
        (Refused(UpstreamFault.STATUS_5XX), CallEnding.FAILED),
        (Refused(UpstreamFault.STATUS_403), CallEnding.ANSWERED),
        (Refused(UpstreamFault.STATUS_501), CallEnding.ANSWERED),
        (Refused(UpstreamFault.TOO_LARGE), CallEnding.ANSWERED),
        (WELL, CallEnding.ANSWERED),
        (Refused(UpstreamFault.DEADLINE), CallEnding.NOT_ASKED),
        (Refused(UpstreamFault.NOT_ALLOWED), CallEnding.NOT_ASKED),
    ],
)
def test_faults_of_the_server_count_and_nothing_else(
    outcome: HttpAnswer | Refused, ending: CallEnding
) -> None:
    assert ending_of(outcome) is ending


# ------------------------------------------------------------------ one call, many exchanges


def _call(breaker: OriginBreaker, *outcomes: HttpAnswer | Refused) -> list[HttpAnswer | Refused]:
    """A whole call; what came of each of its exchanges."""
    with OriginCall(breaker) as call:
        return [call.exchange(lambda outcome=outcome: outcome) for outcome in outcomes]  # type: ignore[misc]


@pytest.mark.usefixtures("now")
def test_t62_many_failed_reads_of_one_call_are_one_failure() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        assert _call(breaker, *[ILL] * FAILURES_TO_OPEN) == [ILL] * FAILURES_TO_OPEN
    assert _call(breaker, ILL) == [ILL]
    assert _call(breaker, ILL) == [OPEN]


@pytest.mark.usefixtures("now")
def test_one_failed_read_makes_a_call_a_failure_whatever_else_was_answered() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        _call(breaker, WELL, ILL, WELL)
    assert _call(breaker, WELL) == [OPEN]


@pytest.mark.usefixtures("now")
def test_a_call_that_was_answered_starts_the_count_of_failures_again() -> None:
    breaker = OriginBreaker()
    almost: list[HttpAnswer | Refused] = [ILL] * (FAILURES_TO_OPEN - 1)
    for outcome in (*almost, WELL, *almost):
        assert _call(breaker, outcome) == [outcome]
    assert _call(breaker, WELL) == [WELL]


def test_a_trial_call_that_sent_nothing_leaves_the_trial_to_the_next(
    now: time_machine.Traveller,
) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    too_late = Refused(UpstreamFault.DEADLINE)
    assert _call(breaker, too_late) == [too_late]
    assert _call(breaker, ILL) == [ILL]
    assert _call(breaker, ILL) == [OPEN]


def test_t62_the_trial_call_gets_all_of_its_reads_and_no_other_call_any(
    now: time_machine.Traveller,
) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    with OriginCall(breaker) as trial:
        assert trial.exchange(lambda: WELL) == WELL
        assert _call(breaker, WELL, WELL) == [OPEN, OPEN]
        assert trial.exchange(lambda: WELL) == WELL
    assert _call(breaker, WELL, WELL) == [WELL, WELL]


@pytest.mark.usefixtures("now")
def test_a_call_that_was_admitted_goes_on_when_others_open_the_breaker() -> None:
    breaker = OriginBreaker()
    with OriginCall(breaker) as early:
        assert early.exchange(lambda: WELL) == WELL
        for _ in range(FAILURES_TO_OPEN):
            _call(breaker, ILL)
        assert _call(breaker, WELL) == [OPEN]
        assert early.exchange(lambda: WELL) == WELL


def test_a_call_with_nothing_to_ask_takes_no_trial(now: time_machine.Traveller) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)
    with OriginCall(breaker):
        assert _call(breaker, WELL) == [WELL]


def test_a_trial_call_that_ends_in_an_exception_is_a_failure(
    now: time_machine.Traveller,
) -> None:
    breaker = _opened()
    now.shift(OPEN_SECONDS)

    def break_off() -> HttpAnswer:
        raise RuntimeError

    with pytest.raises(RuntimeError), OriginCall(breaker) as call:
        call.exchange(break_off)
    assert _call(breaker, WELL) == [OPEN]


@pytest.mark.usefixtures("now")
def test_what_is_still_waited_for_when_the_call_ends_was_not_answered_in_time() -> None:
    breaker = OriginBreaker()
    answered = threading.Event()
    asked = threading.Semaphore(0)

    def wait_on() -> HttpAnswer:
        asked.release()
        answered.wait(10)
        return WELL

    waiting = []
    for _ in range(FAILURES_TO_OPEN):
        with OriginCall(breaker) as call:
            assert call.exchange(lambda: WELL) == WELL
            waiting.append(threading.Thread(target=call.exchange, args=(wait_on,)))
            waiting[-1].start()
            assert asked.acquire(timeout=10)
    answered.set()
    for thread in waiting:
        thread.join(10)
    assert _call(breaker, WELL) == [OPEN]


LATE = Refused(UpstreamFault.TIMEOUT)


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(("late", "outcome"), [(True, WELL), (False, OPEN)])
def test_a_read_that_began_late_and_ran_out_of_time_says_nothing_of_the_server(
    late: bool, outcome: HttpAnswer | Refused
) -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        with OriginCall(breaker) as call:
            assert call.exchange(lambda: WELL) == WELL
            assert call.exchange(lambda: LATE, late=late) == LATE
    assert _call(breaker, WELL) == [outcome]


@pytest.mark.usefixtures("now")
def test_a_read_that_began_late_counts_as_any_other_where_it_was_answered() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        with OriginCall(breaker) as call:
            call.exchange(lambda: ILL, late=True)
    assert _call(breaker, WELL) == [OPEN]


@pytest.mark.usefixtures("now")
def test_what_began_late_and_is_still_waited_for_says_nothing_either() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        with OriginCall(breaker) as call:

            def outlasts(call: OriginCall = call) -> HttpAnswer:
                call.end()
                return WELL

            call.exchange(outlasts, late=True)
    assert _call(breaker, WELL) == [WELL]


@pytest.mark.usefixtures("now")
def test_a_call_that_has_ended_asks_for_nothing_more() -> None:
    with OriginCall(OriginBreaker()) as call:
        assert call.exchange(lambda: WELL) == WELL
    assert call.exchange(lambda: WELL) == Refused(UpstreamFault.DEADLINE)


# ------------------------------------------------------------------ sessions


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
    server: FaultServer, session_of: Opens, now: time_machine.Traveller
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


def test_calls_under_way_do_not_wait_for_each_other_in_the_breaker() -> None:
    breaker = Breakers().of("https://ehr.example.org")
    assert breaker.admit() is Admission.GRANTED
    other = threading.Thread(target=lambda: breaker.report(CallEnding.ANSWERED))
    other.start()
    other.join(10)
    assert not other.is_alive()
    assert breaker.admit() is Admission.GRANTED
