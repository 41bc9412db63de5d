"""A stop signal, however it comes: the service ends its workers, and they end their requests."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.processes import eventually, have_ended
from tests.unit.web.rooms import URL, hook_request
from tests.unit.web.serving import await_metrics, is_free, listening, running, still_starting


def test_t67_workers_count_together_and_a_stop_signal_lets_a_request_finish(tmp_path: Path) -> None:
    answers: list[int] = []
    with running(tmp_path / "log") as server:
        for _ in range(12):
            assert server.call("POST", URL, json.dumps(hook_request()))[0] == 200
        status, text = server.call("GET", "/metrics", port=server.management_port)
        assert status == 200
        assert b'service="toy-patient-view",status="200"} 12.0' in text

        def ask(until_stopped: int) -> None:
            body = json.dumps(hook_request(hookInstance=str(until_stopped)))
            answers.append(server.call("POST", URL, body)[0])

        with listening() as (port, next_call):
            asking = threading.Thread(target=ask, args=[port])
            asking.start()
            next_call().close()
            assert answers == []
            server.process.send_signal(signal.SIGTERM)
            asking.join(timeout=20)
        assert answers == [200]
        assert server.process.wait(timeout=30) == 0
    assert (server.told()[0], server.told()[-1]) == ("CDS-L001", "CDS-L002")


def test_ctrl_c_reaches_the_workers_too_and_it_is_the_service_that_ends_them(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as started:
        before = started.children()
        for child in before:
            os.kill(child, signal.SIGINT)
        for _ in range(20):
            assert started.call("GET", "/health/live")[0] == 200
        assert started.children() == before
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait(timeout=30) == 0
    assert started.told()[-1] == "CDS-L002"


def test_a_stop_signal_to_every_process_is_a_stop_like_any_other(tmp_path: Path) -> None:
    """As `kill -- -PGID` sends it, and systemd: no process that hears it has died."""
    with running(tmp_path / "log") as started, listening() as (port, next_call):
        body = json.dumps(hook_request(hookInstance=str(port)))
        asking = threading.Thread(target=started.call, args=["POST", URL, body])
        asking.start()
        next_call().close()
        await_metrics(started.management_port)
        metrics, *_workers = started.children()
        os.kill(metrics, signal.SIGTERM)
        await_metrics(started.management_port)
        assert metrics in started.children(), "it is the service that ends it"
        started.process.send_signal(signal.SIGTERM)
        asking.join(timeout=20)
        assert started.process.wait(timeout=30) == 0
        eventually(lambda: is_free(started.management_port))
    assert started.told() == ["CDS-L001", "CDS-L101", "CDS-L002"]


def test_workers_that_hear_a_stop_signal_before_the_service_are_not_said_to_die(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as started:
        workers = started.children()[1:]
        started.process.send_signal(signal.SIGSTOP)
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        eventually(lambda: have_ended(workers))
        started.process.send_signal(signal.SIGTERM)
        started.process.send_signal(signal.SIGCONT)
        assert started.process.wait(timeout=30) == 0
    assert started.told() == ["CDS-L001", "CDS-L002"]


def test_a_service_whose_terminal_is_closed_ends_as_at_any_stop_signal(tmp_path: Path) -> None:
    with running(tmp_path / "log") as started:
        for child in started.children():
            os.kill(child, signal.SIGHUP)
        for _ in range(20):
            assert started.call("GET", "/health/live")[0] == 200
        started.process.send_signal(signal.SIGHUP)
        assert started.process.wait(timeout=30) == 0
    assert started.told()[-1] == "CDS-L002"


def test_a_service_that_was_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    with running(tmp_path / "log", "nohup") as started:
        before = started.children()
        for process in (*before, started.process.pid):
            os.kill(process, signal.SIGHUP)
        for _ in range(20):
            assert started.call("GET", "/health/live")[0] == 200
        assert started.children() == before


def test_a_worker_that_is_told_to_stop_while_it_still_starts_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with still_starting(tmp_path, monkeypatch) as (_, workers):
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        eventually(lambda: have_ended(workers))
