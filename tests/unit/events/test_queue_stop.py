"""A worker that is told to stop sleeps through nothing."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from huey.consumer import BaseProcess

from cds_service.events import queue
from cds_service.events.queue import Queue
from cds_service.store.pseudonym import DataKey
from tests.unit.events.stopping import told_by


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> list[threading.Event]:
    """What each thread of huey wakes up by when it sleeps."""
    given: list[threading.Event] = []
    made = BaseProcess.__init__

    def note(self: Any, huey: Any, stop_flag: threading.Event) -> None:
        given.append(stop_flag)
        made(self, huey, stop_flag)

    monkeypatch.setattr(BaseProcess, "__init__", note)
    monkeypatch.setattr(queue, "PULSE_SECONDS", 0.01)
    return given


def test_every_thread_of_the_queue_wakes_up_when_it_is_told_to_stop(
    tmp_path: Path, flags: list[threading.Event]
) -> None:
    ours = Queue("", tmp_path, DataKey.random())
    with told_by(signal.SIGTERM) as end:
        ours.run(2, end, lambda: None)
    assert len(flags) == 3, "two workers and a scheduler"
    assert all(flag.is_set() for flag in flags)
    assert ours.stopping.is_set()
