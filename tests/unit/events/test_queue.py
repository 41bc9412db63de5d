"""The queue: one word, and nothing that takes long stands in its way."""

from __future__ import annotations

import json
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cds_service.errors import ConfigurationError, StoreUnavailable
from cds_service.events import queue
from cds_service.events.queue import Queue
from cds_service.store.pseudonym import DataKey
from tests.unit.events.stopping import told_by

PATIENCE = 30
"""Seconds that only a test that fails waits for."""


@pytest.fixture
def end() -> Iterator[Callable[[], None]]:
    """Ends the queue that runs."""
    with told_by(signal.SIGTERM) as send:
        yield send


def waiting_in(made: Queue) -> int:
    """How many messages wait in it."""
    huey, _ = made._opened()
    return int(huey.pending_count())


def test_one_message_that_waits_is_as_good_as_many(tmp_path: Path) -> None:
    one = Queue("", tmp_path, DataKey.random())
    for _ in range(3):
        one.wake()
    assert waiting_in(one) == 1


def test_a_queue_is_made_once_however_many_threads_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 sees to that itself, later ones do not; huey refuses to know a task twice."""
    made: list[object] = []
    make = queue._new_huey

    def slow(*given: Any) -> Any:
        made.append(given)
        time.sleep(0.05)
        return make(*given)

    monkeypatch.setattr(queue, "_new_huey", slow)
    one = Queue("", tmp_path, DataKey.random())
    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(one.wake)
    assert (len(made), waiting_in(one) > 0) == (1, True)


def test_a_queue_that_nobody_uses_is_not_made(tmp_path: Path) -> None:
    Queue("", tmp_path / "new", DataKey.random())
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_the_queue_is_for_its_owner_only(tmp_path: Path) -> None:
    Queue("", tmp_path, DataKey.random()).wake()
    files = list(tmp_path.iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_second_queue_leaves_the_file_of_the_first_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To close a file drops all locks that this process has on it: those of SQLite as well."""
    key = DataKey.random()
    Queue("", tmp_path, key).open()
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    Queue("", tmp_path, key).open()
    assert closed == []


def test_a_folder_in_which_no_file_can_be_made_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError) as refused:
        Queue("", tmp_path / "file", DataKey.random()).open()
    assert refused.value.where == "CDS_QUEUE_URL"
    assert "Give a Redis" in refused.value.remedy


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PULSE_SECONDS", 0.02)
    monkeypatch.setattr(queue, "CARE_SECONDS", 0.02)


@pytest.mark.usefixtures("_no_pauses")
def test_while_a_server_keeps_the_looking_after_waiting_a_single_worker_works(
    tmp_path: Path, end: Callable[[], None]
) -> None:
    is_waiting, is_worked = threading.Event(), threading.Event()
    rounds: list[bool] = []

    def look_after() -> None:
        is_waiting.set()
        rounds.append(is_worked.wait(PATIENCE))

    def pulse() -> None:
        if is_worked.is_set() or len(rounds) > 0:
            end()
        elif is_waiting.is_set():
            ours.wake()

    ours = Queue("", tmp_path, DataKey.random(), work=is_worked.set)
    ours.run(1, pulse, look_after)
    assert rounds[0]


@pytest.mark.usefixtures("_no_pauses")
def test_what_is_under_way_hears_at_once_that_the_worker_is_told_to_stop(
    tmp_path: Path, end: Callable[[], None]
) -> None:
    heard: list[bool] = []

    def work() -> None:
        end()
        heard.append(ours.stopping.wait(PATIENCE))

    ours = Queue("", tmp_path, DataKey.random(), work=work)
    ours.run(1, ours.wake, lambda: None)
    assert heard[0]


@pytest.mark.usefixtures("_no_pauses")
def test_a_worker_whose_terminal_is_closed_ends_and_does_not_start_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_anew: list[str] = []
    monkeypatch.setattr(os, "execl", lambda path, *_: started_anew.append(path))
    with told_by(signal.SIGHUP) as hang_up:
        Queue("", tmp_path, DataKey.random()).run(1, hang_up, lambda: None)
    assert started_anew == []


@pytest.mark.usefixtures("_no_pauses")
def test_rounds_of_looking_after_never_overlap(tmp_path: Path, end: Callable[[], None]) -> None:
    is_worked = threading.Event()
    under_way, seen = 0, []

    def look_after() -> None:
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        is_worked.wait(0.1)
        under_way -= 1

    def pulse() -> None:
        if len(seen) >= 3 and is_worked.is_set():
            end()
        ours.wake()

    ours = Queue("", tmp_path, DataKey.random(), work=is_worked.set)
    ours.run(2, pulse, look_after)
    assert set(seen) == {1}


AWAY, LOOK_FAILED = "CDS-L305", "CDS-L407"


def nobody(folder: Path, work: Callable[[], object] = lambda: None) -> Queue:
    """A queue whose Redis is not there."""
    return Queue(f"unix://{folder / 'nobody.sock'}", folder, DataKey.random(), work)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The codes of what was logged since the last look."""
    return [json.loads(line)["code"] for line in capsys.readouterr().err.splitlines()]


def test_while_the_queue_is_away_a_worker_works_here_and_now_and_a_sender_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worked: list[str] = []
    ours = nobody(tmp_path, lambda: worked.append("worked"))
    ours.wake()
    assert worked == []
    ours.work()
    assert worked == ["worked"]
    assert told(capsys) == [AWAY], "which is not tried again with every message"


def test_a_queue_that_is_away_is_tried_again_after_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = [1_000.0]
    monkeypatch.setattr(queue, "monotonic", lambda: moment[0])
    ours = nobody(tmp_path)
    for later, lines in ((0, [AWAY]), (4.9, []), (5, [AWAY])):
        moment[0] = 1_000.0 + later
        ours.wake()
        assert told(capsys) == lines


def test_while_the_queue_is_there_whoever_looks_leaves_the_work_to_the_others(
    tmp_path: Path,
) -> None:
    worked: list[str] = []
    ours = Queue("", tmp_path, DataKey.random(), work=lambda: worked.append("worked"))
    ours.work()
    assert (worked, waiting_in(ours)) == ([], 1)


@pytest.mark.parametrize(
    ("lost", "more"),
    [
        (StoreUnavailable("o1 of p1", cause="disk-full"), {"cause": "disk-full"}),
        (ValueError("o1 of p1"), {}),
    ],
)
def test_work_that_fails_is_told_without_its_words_and_ends_no_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lost: Exception, more: dict[str, str]
) -> None:
    def fail() -> None:
        raise lost

    nobody(tmp_path, fail).work()
    _away, line = map(json.loads, capsys.readouterr().err.splitlines())
    expected = {"code": LOOK_FAILED, "exception": type(lost).__name__, **more}
    assert {name: line.get(name) for name in expected} == expected
    assert "p1" not in json.dumps(line)
