"""T-62: a server that keeps failing is left alone; others, and refusals by design, are not."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine

from cds_service.fhir.calls.breaker import (
    FAILURES_TO_OPEN,
    OPEN_SECONDS,
    Admission,
    Breakers,
    CallEnding,
    OriginBreaker,
    ending_of,
)
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault
from tests.breaker_clock import Standing
from tests.unit.fhir_client.conftest import opened

WELL = HttpAnswer("application/fhir+json", b"{}")

pytestmark = pytest.mark.usefixtures("now")


def test_five_failures_in_a_row_open_it() -> None:
    assert opened().admit() is Admission.DENIED


def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = OriginBreaker()
    four_failures = [CallEnding.FAILED] * (FAILURES_TO_OPEN - 1)
    for ending in [*four_failures, CallEnding.ANSWERED, *four_failures]:
        assert breaker.admit() is Admission.GRANTED
        breaker.report(ending)
    assert breaker.admit() is Admission.GRANTED


def test_after_a_rest_one_trial_call_is_let_through_and_closes_it(
    now: Standing,
) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS - 1)
    assert breaker.admit() is Admission.DENIED
    now.shift(1)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.DENIED
    breaker.report(CallEnding.ANSWERED)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.GRANTED


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_the_rest_is_as_long_whatever_becomes_of_the_time_of_day(now: Standing, hours: int) -> None:
    with time_machine.travel("2026-10-25T01:30:00+02:00", tick=False) as day:
        breaker = opened()
        day.shift(timedelta(hours=hours))
        assert breaker.admit() is Admission.DENIED
        now.shift(OPEN_SECONDS)
        assert breaker.admit() is Admission.GRANTED
        breaker.report(CallEnding.ANSWERED)
        assert [breaker.admit(), breaker.admit()] == [Admission.GRANTED, Admission.GRANTED]


def test_a_trial_call_that_fails_opens_it_for_another_rest(now: Standing) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS)
    assert breaker.admit() is Admission.GRANTED
    breaker.report(CallEnding.FAILED)
    now.shift(OPEN_SECONDS - 1)
    assert breaker.admit() is Admission.DENIED
    now.shift(1)
    assert breaker.admit() is Admission.GRANTED


def test_a_trial_call_that_was_never_made_decides_nothing(now: Standing) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS)
    assert breaker.admit() is Admission.GRANTED
    breaker.report(CallEnding.NOT_ASKED)
    assert breaker.admit() is Admission.GRANTED
    assert breaker.admit() is Admission.DENIED


def test_answers_that_come_after_it_opened_change_nothing() -> None:
    breaker = opened()
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


def test_calls_under_way_do_not_wait_for_each_other_in_the_breaker() -> None:
    breaker = Breakers().of("https://ehr.example.org")
    assert breaker.admit() is Admission.GRANTED
    other = threading.Thread(target=lambda: breaker.report(CallEnding.ANSWERED))
    other.start()
    other.join(10)
    assert not other.is_alive()
    assert breaker.admit() is Admission.GRANTED
