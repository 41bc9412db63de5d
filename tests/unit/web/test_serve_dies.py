"""Processes of the service that die: which are replaced, and that none outlives it."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import threading
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import Mock

import pytest

from cds_service.web import serve as module
from tests.ports import free_port
from tests.processes import eventually, have_ended
from tests.unit.web.rooms import URL, hook_request
from tests.unit.web.serving import (
    Running,
    await_metrics,
    await_ready,
    is_free,
    running,
    still_starting,
)


def test_workers_that_die_are_replaced_until_it_is_hopeless_and_that_is_said(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as started:
        kill_children(started)
        await_ready(started)

        def gives_up() -> bool:
            kill_children(started)
            return started.process.poll() is not None

        eventually(gives_up)
        assert started.process.poll() == 1
    assert started.told()[-1] == "CDS-L003"
    assert "CDS-L002" not in started.told()


def test_nothing_outlives_a_service_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(tmp_path / "log") as started:
        assert list(tmp_path.glob("cds-metrics-*"))
        started.process.kill()
        started.process.wait(timeout=30)
        eventually(lambda: is_free(started.port))  # and so the next start gets the address
        eventually(lambda: is_free(started.management_port))
    assert list(tmp_path.glob("cds-metrics-*")) == []


def test_a_worker_that_was_still_starting_does_not_outlive_it_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with still_starting(tmp_path, monkeypatch) as (service, workers):
        service.kill()
        service.wait(timeout=30)
    eventually(lambda: have_ended(workers))


def kill_children(started: Running) -> None:
    for child in started.children():
        with suppress(OSError):  # gone meanwhile
            os.kill(child, signal.SIGKILL)


def test_ctrl_c_at_a_terminal_leaves_it_to_the_service_to_end_the_metrics(tmp_path: Path) -> None:
    port = free_port()
    arguments = (str(tmp_path), "toy@2026.1", "127.0.0.1", port)
    process = get_context("spawn").Process(target=module._serve_management, args=arguments)
    process.start()
    try:
        await_metrics(port)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    finally:
        process.kill()
        process.join(30)
    (ignored,) = re.findall(r"^SigIgn:\s*([0-9a-f]+)$", status, re.MULTILINE)
    assert int(ignored, 16) & 1 << signal.SIGINT - 1


def test_the_process_of_the_metrics_is_replaced_when_it_dies_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as server:
        assert server.call("POST", URL, json.dumps(hook_request()))[0] == 200
        await_metrics(server.management_port)
        os.kill(min(server.children()), signal.SIGKILL)  # the first that is started
        await_metrics(server.management_port)
        _status, text = server.call("GET", "/metrics", port=server.management_port)
        assert b'service="toy-patient-view",status="200"} 1.0' in text
        server.process.terminate()
        assert server.process.wait(timeout=30) == 0
        eventually(lambda: is_free(server.management_port))
    assert (server.told().count("CDS-L004"), server.told()[-1]) == (1, "CDS-L002")


def test_where_no_process_is_to_be_had_that_of_the_metrics_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done, dead, made = threading.Event(), Mock(**{"is_alive.return_value": False}), Mock()
    made.start.side_effect = [OSError("Resource temporarily unavailable"), None]

    def is_alive() -> bool:
        done.set()
        return True

    made.is_alive = is_alive
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(multiprocessing.get_context("spawn"), "Process", lambda **_: made)
    module._keep_management(dead, ("", "", "127.0.0.1", 0), done)
    assert made.start.call_count == 2
    made.kill.assert_called_once()
    told = [json.loads(line)["code"] for line in capsys.readouterr().err.splitlines()]
    assert told == ["CDS-L004"] * 2
