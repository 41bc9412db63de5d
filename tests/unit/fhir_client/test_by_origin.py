"""What is kept for each origin does not grow with the number of origins that callers name."""

from __future__ import annotations

import threading
import time

from cds_service.fhir.calls.breaker import Breakers, CallEnding
from cds_service.fhir.calls.by_origin import MOST_ORIGINS, ByOrigin
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.workers import Workers


def _origins(number: int) -> list[str]:
    return [f"http://127.0.0.1:{20_000 + port}" for port in range(number)]


def test_what_was_asked_for_last_is_kept() -> None:
    kept = ByOrigin(object, most=2)
    first, second = kept.of("first"), kept.of("second")
    assert kept.of("first") is first
    third = kept.of("third")
    assert (kept.of("first"), kept.of("third")) == (first, third)
    assert kept.of("second") is not second


def _threads() -> int:
    return sum(each.name.startswith("fhir-client") for each in threading.enumerate())


def test_threads_of_origins_that_are_not_used_any_more_end() -> None:
    before, workers = _threads(), Workers(2)
    for origin in _origins(MOST_ORIGINS + 10):
        answer = workers.run_all(origin, {"": lambda: "answer"}, Deadline.after(30_000))
        assert answer == {"": "answer"}
    until = time.monotonic() + 30
    while _threads() - before > MOST_ORIGINS and time.monotonic() < until:
        time.sleep(0.01)
    assert _threads() - before <= MOST_ORIGINS
    workers.close()


def test_a_task_under_way_ends_though_its_origin_is_no_longer_kept() -> None:
    workers = Workers(1)

    def asks_all_others() -> str:
        for origin in _origins(MOST_ORIGINS + 1):
            workers.run_all(origin, {"": lambda: "answer"}, Deadline.after(30_000))
        return "done"

    tasks = {"first": asks_all_others, "second": lambda: "answer"}
    outcomes = workers.run_all("http://127.0.0.1:1", tasks, Deadline.after(60_000))
    assert outcomes == {"first": "done", "second": "answer"}
    workers.close()


def test_an_origin_that_is_called_keeps_its_breaker_among_many() -> None:
    breakers = Breakers(failures=1)
    registered = breakers.of("https://ehr.example.org")
    for origin in _origins(2 * MOST_ORIGINS):
        breakers.of(origin).report(CallEnding.FAILED)
        assert breakers.of("https://ehr.example.org") is registered
