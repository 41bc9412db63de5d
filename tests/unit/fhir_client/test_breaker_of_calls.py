"""T-62: a call of many exchanges counts once, by what came of all of them."""

from __future__ import annotations

import threading

import pytest

from cds_service.fhir.calls.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, OriginBreaker, OriginCall
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault
from tests.breaker_clock import Standing
from tests.unit.fhir_client.conftest import opened

WELL = HttpAnswer("application/fhir+json", b"{}")
ILL = Refused(UpstreamFault.STATUS_5XX)
OPEN = Refused(UpstreamFault.BREAKER_OPEN)

pytestmark = pytest.mark.usefixtures("now")


def _call(breaker: OriginBreaker, *outcomes: HttpAnswer | Refused) -> list[HttpAnswer | Refused]:
    """A whole call; what came of each of its exchanges."""
    with OriginCall(breaker) as call:
        return [call.exchange(lambda outcome=outcome: outcome) for outcome in outcomes]  # type: ignore[misc]


def test_t62_many_failed_reads_of_one_call_are_one_failure() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        assert _call(breaker, *[ILL] * FAILURES_TO_OPEN) == [ILL] * FAILURES_TO_OPEN
    assert _call(breaker, ILL) == [ILL]
    assert _call(breaker, ILL) == [OPEN]


def test_one_failed_read_makes_a_call_a_failure_whatever_else_was_answered() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        _call(breaker, WELL, ILL, WELL)
    assert _call(breaker, WELL) == [OPEN]


def test_a_call_that_was_answered_starts_the_count_of_failures_again() -> None:
    breaker = OriginBreaker()
    almost: list[HttpAnswer | Refused] = [ILL] * (FAILURES_TO_OPEN - 1)
    for outcome in (*almost, WELL, *almost):
        assert _call(breaker, outcome) == [outcome]
    assert _call(breaker, WELL) == [WELL]


def test_a_trial_call_that_sent_nothing_leaves_the_trial_to_the_next(
    now: Standing,
) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS)
    too_late = Refused(UpstreamFault.DEADLINE)
    assert _call(breaker, too_late) == [too_late]
    assert _call(breaker, ILL) == [ILL]
    assert _call(breaker, ILL) == [OPEN]


def test_t62_the_trial_call_gets_all_of_its_reads_and_no_other_call_any(
    now: Standing,
) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS)
    with OriginCall(breaker) as trial:
        assert trial.exchange(lambda: WELL) == WELL
        assert _call(breaker, WELL, WELL) == [OPEN, OPEN]
        assert trial.exchange(lambda: WELL) == WELL
    assert _call(breaker, WELL, WELL) == [WELL, WELL]


def test_a_call_that_was_admitted_goes_on_when_others_open_the_breaker() -> None:
    breaker = OriginBreaker()
    with OriginCall(breaker) as early:
        assert early.exchange(lambda: WELL) == WELL
        for _ in range(FAILURES_TO_OPEN):
            _call(breaker, ILL)
        assert _call(breaker, WELL) == [OPEN]
        assert early.exchange(lambda: WELL) == WELL


def test_a_call_with_nothing_to_ask_takes_no_trial(now: Standing) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS)
    with OriginCall(breaker):
        assert _call(breaker, WELL) == [WELL]


def test_a_trial_call_that_ends_in_an_exception_is_a_failure(
    now: Standing,
) -> None:
    breaker = opened()
    now.shift(OPEN_SECONDS)

    def break_off() -> HttpAnswer:
        raise RuntimeError

    with pytest.raises(RuntimeError), OriginCall(breaker) as call:
        call.exchange(break_off)
    assert _call(breaker, WELL) == [OPEN]


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


def test_a_read_that_began_late_counts_as_any_other_where_it_was_answered() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        with OriginCall(breaker) as call:
            call.exchange(lambda: ILL, late=True)
    assert _call(breaker, WELL) == [OPEN]


def test_what_began_late_and_is_still_waited_for_says_nothing_either() -> None:
    breaker = OriginBreaker()
    for _ in range(FAILURES_TO_OPEN):
        with OriginCall(breaker) as call:

            def outlasts(call: OriginCall = call) -> HttpAnswer:
                call.end()
                return WELL

            call.exchange(outlasts, late=True)
    assert _call(breaker, WELL) == [WELL]


def test_a_call_that_has_ended_asks_for_nothing_more() -> None:
    with OriginCall(OriginBreaker()) as call:
        assert call.exchange(lambda: WELL) == WELL
    assert call.exchange(lambda: WELL) == Refused(UpstreamFault.DEADLINE)
