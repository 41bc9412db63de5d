"""The threads for outbound calls: who waits for one, and whom nobody has to wait for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import Refused, UpstreamFault
from cds_service.fhir.calls.workers import Workers

SLOW, OTHER = "https://slow.example.org", "https://other.example.org"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self._now = 0.0

    def set(self, now: float) -> str:
        self._now = now
        return "done"

    def __call__(self) -> float:
        return self._now


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(1)
    yield made
    made.close()


def test_t62_a_slow_origin_uses_up_its_own_threads_and_no_others(workers: Workers) -> None:
    began, released = Event(), Event()

    def hold() -> bool:
        began.set()
        return released.wait(30)

    with ThreadPoolExecutor(1) as caller:
        held = caller.submit(workers.run_all, SLOW, {"": hold}, Deadline.after(60_000))
        assert began.wait(30)
        other = workers.run_all(OTHER, {"": lambda: "answer"}, Deadline.after(30_000))
        released.set()
    assert (other, held.result()) == ({"": "answer"}, {"": True})


@pytest.mark.parametrize(
    ("waited", "expected"),
    [(0.19, "answer"), (0.21, Refused(UpstreamFault.DEADLINE))],
    ids=["for less than half of its time", "for more than half of its time"],
)
def test_what_waits_too_long_for_a_thread_is_not_asked_for(
    workers: Workers, waited: float, expected: object
) -> None:
    clock = Clock()
    tasks = {"first": lambda: clock.set(waited), "second": lambda: "answer"}
    assert workers.run_all(SLOW, tasks, Deadline(0.4, clock))["second"] == expected
