"""A worker that is told to stop sleeps through nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huey.consumer import BaseProcess

from cds_service.events import queue
from cds_service.events.queue import Queue
from cds_service.store.pseudonym import DataKey


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.Event]]:
    """What each thread of huey wakes up by when it sleeps; nobody listens to signals afterwards."""
    given: list[threading.Event] = []
    made = BaseProcess.__init__

    def note(self: Any, huey: Any, stop_flag: threading.Event) -> None:
        given.append(stop_flag)
        made(self, huey, stop_flag)

    monkeypatch.setattr(BaseProcess, "__init__", note)
    monkeypatch.setattr(queue, "PULSE_SECONDS", 0.01)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield given
    for each, handler in before.items():
        signal.signal(each, handler)


def test_every_thread_of_the_queue_wakes_up_when_it_is_told_to_stop(
    tmp_path: Path, flags: list[threading.Event]
) -> None:
    once = iter([signal.SIGTERM])  # a second one would interrupt what is under way
    before = signal.getsignal(signal.SIGTERM)

    def pulse() -> None:
        if signal.getsignal(signal.SIGTERM) == before:
            return  # nobody listens yet: the signal would end the run of the tests
        for each in once:
            os.kill(os.getpid(), each)

    ours = Queue("", tmp_path, DataKey.random())
    ours.run(2, pulse, lambda: None)
    assert len(flags) == 3, "two workers and a scheduler"
    assert all(flag.is_set() for flag in flags)
    assert ours.stopping.is_set()
