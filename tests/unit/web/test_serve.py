"""The real server: bodies by length and by chunks, slow callers, a stop signal, several workers."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import operator
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import cast
from unittest.mock import Mock
from uuid import UUID

import pytest

from cds_service.config import Settings
from cds_service.errors import ConfigurationError
from cds_service.web import serve as module
from cds_service.web.app import create_app
from cds_service.web.serve import serve
from tests.ports import free_port
from tests.unit.web.rooms import URL, hook_request, library

ROOT = Path(__file__).parents[3]
JSON = {"Content-Type": "application/json"}
LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True)
class Running:
    """A server process."""

    process: subprocess.Popen[bytes]
    port: int
    management_port: int
    log_file: Path

    def call(
        self,
        method: str,
        path: str,
        body: str | bytes | Iterable[bytes] | None = None,
        *,
        port: int | None = None,
        encode_chunked: bool = False,
    ) -> tuple[int, bytes]:
        address = "127.0.0.1", port or self.port
        with closing(http.client.HTTPConnection(*address, timeout=20)) as connection:
            connection.request(method, path, body, JSON, encode_chunked=encode_chunked)
            response = connection.getresponse()
            return response.status, response.read()


@contextmanager
def running(log_file: Path, *before: str) -> Iterator[Running]:
    port, management_port = free_port(), free_port()
    served = [sys.executable, "-m", "tests.unit.web.served", str(port), "2", str(management_port)]
    with (
        log_file.open("wb") as log,
        subprocess.Popen([*before, *served], cwd=ROOT, stdout=log, stderr=log) as process,
    ):
        started = Running(process, port, management_port, log_file)
        try:
            _await_ready(started)
            yield started
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def listening() -> Iterator[tuple[int, Callable[[], socket.socket]]]:
    """A port, and the next call that comes in there."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(30)
        yield int(listener.getsockname()[1]), lambda: listener.accept()[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("served") / "log") as started:
        yield started


def _await_ready(started: Running) -> None:
    for _ in range(600):
        assert started.process.poll() is None, started.log_file.read_text(encoding="utf-8")
        try:
            if started.call("GET", "/health/ready")[0] == 200:
                return
        except OSError:
            threading.Event().wait(0.05)
    pytest.fail("the server did not become ready")


def test_t50_a_body_over_the_limit_is_413_by_length_and_by_chunks(server: Running) -> None:
    large = b'{"a":"' + b"x" * LIMIT + b'"}'
    chunks = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    by_length = server.call("POST", URL, large)
    by_chunks = server.call("POST", URL, chunks, encode_chunked=True)
    assert by_length == by_chunks
    assert by_length[0] == 413
    assert json.loads(by_length[1])["resourceType"] == "OperationOutcome"
    small = iter([json.dumps(hook_request()).encode()])
    assert server.call("POST", URL, small, encode_chunked=True)[0] == 200


def test_head_answers_as_get_does_without_the_body(server: Running) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        lengths = []
        for method in ("HEAD", "GET", "HEAD"):  # over one connection: nothing is left over
            connection.request(method, "/cds-services")
            response = connection.getresponse()
            assert (response.status, bool(response.read())) == (200, method == "GET")
            lengths.append(response.headers["Content-Length"])
    assert len(set(lengths)) == 1


@pytest.mark.parametrize(
    ("path", "status"), [(URL.upper(), 404), ("/health/live", 405), (f"{URL}/feedback", 413)]
)
def test_a_refused_caller_can_read_why_after_sending_everything(
    server: Running, path: str, status: int
) -> None:
    assert server.call("POST", path, b"x" * (2 * LIMIT))[0] == status


def test_t56_slow_callers_do_not_shut_out_the_next_one(server: Running) -> None:
    head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with ExitStack() as slow:
        for _ in range(500):
            caller = slow.enter_context(
                closing(socket.create_connection(("127.0.0.1", server.port)))
            )
            caller.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        for _ in range(20):
            assert server.call("POST", URL, json.dumps(hook_request()))[0] == 200


def test_t56_refused_callers_that_send_no_body_are_answered_all_the_same(server: Running) -> None:
    """Of each worker's threads only 64 wait for such callers, so nobody without a token can hold
    all of them.
    """
    callers, waited_for = 300, 2 * 64
    head = f"POST {URL.upper()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode()
    with ExitStack() as silent, DefaultSelector() as answers:
        for _ in range(callers):
            caller = silent.enter_context(
                closing(socket.create_connection(("127.0.0.1", server.port)))
            )
            caller.sendall(head)
            answers.register(caller, EVENT_READ)
        answered = 0
        while answered < callers - waited_for:
            heard = answers.select(timeout=20)
            assert heard, f"only {answered} were answered"
            for key, _ in heard:
                answers.unregister(key.fileobj)
                assert cast("socket.socket", key.fileobj).recv(64).startswith(b"HTTP/1.1 404")
                answered += 1
        assert server.call("GET", "/health/live")[0] == 200


def test_t56_http_2_is_not_spoken(server: Running) -> None:
    """A few bytes of it stand for megabytes of headers, and one connection for 200 callers."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    address = ("127.0.0.1", server.port)
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(preface + settings)
        assert connection.recv(64) == b"", "it hangs up"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/zz", 404),
        ("POST", URL, 404),
    ],
)
def test_the_management_port_answers_as_the_service_does(
    server: Running, method: str, path: str, status: int
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.management_port)) as connection:
        connection.request(method, path, body=b"{}" if method == "POST" else None)
        response = connection.getresponse()
        body = response.read()
    assert response.status == status
    assert response.headers["Knowledge-Version"] == "toy@2026.1"
    assert UUID(response.headers["X-Request-Id"])
    assert response.headers["Server"] == "cds-service"
    if status == 200:
        assert response.headers["Content-Type"].startswith("text/plain")
    else:
        assert response.headers["Content-Type"] == "application/fhir+json"
        assert json.loads(body)["resourceType"] == "OperationOutcome"


def test_t67_workers_count_together_and_a_stop_signal_lets_a_request_finish(tmp_path: Path) -> None:
    log_file = tmp_path / "log"
    answers: list[int] = []
    with running(log_file) as server:
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
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    assert lines[0]["code"] == "CDS-L001"
    assert lines[-1]["code"] == "CDS-L002"


def test_ctrl_c_reaches_the_workers_too_and_it_is_the_service_that_ends_them(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as started:
        before = _children(started.process)
        for child in before:
            os.kill(child, signal.SIGINT)
        for _ in range(20):
            assert started.call("GET", "/health/live")[0] == 200
        assert _children(started.process) == before
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait(timeout=30) == 0
    last = (tmp_path / "log").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["code"] == "CDS-L002"


def test_a_stop_signal_to_every_process_is_a_stop_like_any_other(tmp_path: Path) -> None:
    """As `kill -- -PGID` sends it, and systemd: no process that hears it has died."""
    with running(tmp_path / "log") as started, listening() as (port, next_call):
        body = json.dumps(hook_request(hookInstance=str(port)))
        asking = threading.Thread(target=started.call, args=["POST", URL, body])
        asking.start()
        next_call().close()
        _await_metrics(started.management_port)
        metrics, *_workers = sorted(_children(started.process))
        os.kill(metrics, signal.SIGTERM)
        _await_metrics(started.management_port)
        assert metrics in _children(started.process), "it is the service that ends it"
        started.process.send_signal(signal.SIGTERM)
        asking.join(timeout=20)
        assert started.process.wait(timeout=30) == 0
        assert _is_free_at_last(started.management_port)
    assert _codes(tmp_path / "log") == ["CDS-L001", "CDS-L101", "CDS-L002"]


def test_workers_that_hear_a_stop_signal_before_the_service_are_not_said_to_die(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as started:
        workers = sorted(_children(started.process))[1:]
        started.process.send_signal(signal.SIGSTOP)
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        assert _left_at_last(workers) == []
        started.process.send_signal(signal.SIGTERM)
        started.process.send_signal(signal.SIGCONT)
        assert started.process.wait(timeout=30) == 0
    assert _codes(tmp_path / "log") == ["CDS-L001", "CDS-L002"]


def _codes(log_file: Path) -> list[str]:
    """Of our lines; a library may write others."""
    lines = log_file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["code"] for line in lines if line.startswith("{")]


def test_a_service_whose_terminal_is_closed_ends_as_at_any_stop_signal(tmp_path: Path) -> None:
    with running(tmp_path / "log") as started:
        for child in _children(started.process):
            os.kill(child, signal.SIGHUP)
        for _ in range(20):
            assert started.call("GET", "/health/live")[0] == 200
        started.process.send_signal(signal.SIGHUP)
        assert started.process.wait(timeout=30) == 0
    last = (tmp_path / "log").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["code"] == "CDS-L002"


def test_a_service_that_was_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    with running(tmp_path / "log", "nohup") as started:
        before = _children(started.process)
        for process in (*before, started.process.pid):
            os.kill(process, signal.SIGHUP)
        for _ in range(20):
            assert started.call("GET", "/health/live")[0] == 200
        assert _children(started.process) == before


def test_workers_that_die_are_replaced_until_it_is_hopeless_and_that_is_said(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log") as started:
        _kill_children(started.process)
        _await_ready(started)
        for _ in range(600):
            if started.process.poll() is not None:
                break
            _kill_children(started.process)
            threading.Event().wait(0.05)
        assert started.process.poll() == 1
    codes = [
        json.loads(line)["code"]
        for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()
        if line.startswith("{")
    ]
    assert codes[-1] == "CDS-L003"
    assert "CDS-L002" not in codes


def test_nothing_outlives_a_service_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(tmp_path / "log") as started:
        assert list(tmp_path.glob("cds-metrics-*"))
        started.process.kill()
        started.process.wait(timeout=30)
        assert _is_free_at_last(started.port), "and so the next start gets the address"
        assert _is_free_at_last(started.management_port)
    assert list(tmp_path.glob("cds-metrics-*")) == []


@contextmanager
def still_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A service, and its two workers, which are held before they begin to serve."""
    command = [sys.executable, "-m", "tests.unit.web.served", str(free_port()), "2", "0"]
    with (tmp_path / "log").open("wb") as log, listening() as (port, next_call):
        monkeypatch.setenv("START_AT", str(port))
        service = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            with next_call(), next_call():
                workers = _children(service)
                assert len(workers) == 2
                yield service, workers
        finally:
            service.kill()
            service.wait(timeout=30)


def test_a_worker_that_was_still_starting_does_not_outlive_it_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with still_starting(tmp_path, monkeypatch) as (service, workers):
        service.kill()
        service.wait(timeout=30)
    assert _left_at_last(workers) == []


def test_a_worker_that_is_told_to_stop_while_it_still_starts_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with still_starting(tmp_path, monkeypatch) as (_, workers):
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        left = _left_at_last(workers)
    assert left == []


def _left_at_last(processes: list[int]) -> list[int]:
    return _eventually(lambda: [each for each in processes if _lives(each)], operator.not_)


def _eventually(look: Callable[[], list[int]], is_so: Callable[[list[int]], bool]) -> list[int]:
    for _ in range(600):
        if is_so(found := look()):
            break
        threading.Event().wait(0.05)
    return found


def _children(process: subprocess.Popen[bytes]) -> list[int]:
    lines = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(child) for line in lines for child in line.read_text(encoding="ascii").split()]


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _is_free_at_last(port: int) -> bool:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return True
        threading.Event().wait(0.05)
    return False


def _kill_children(process: subprocess.Popen[bytes]) -> None:
    for child in _children(process):
        with suppress(OSError):  # gone meanwhile
            os.kill(child, signal.SIGKILL)


def test_ctrl_c_at_a_terminal_leaves_it_to_the_service_to_end_the_metrics(tmp_path: Path) -> None:
    port = free_port()
    arguments = (str(tmp_path), "toy@2026.1", "127.0.0.1", port)
    process = get_context("spawn").Process(target=module._serve_management, args=arguments)
    process.start()
    try:
        _await_metrics(port)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    finally:
        process.kill()
        process.join(30)
    (ignored,) = re.findall(r"^SigIgn:\s*([0-9a-f]+)$", status, re.MULTILINE)
    assert int(ignored, 16) & 1 << signal.SIGINT - 1


def _await_metrics(port: int) -> None:
    for _ in range(600):
        with (
            suppress(ConnectionError),
            closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection,
        ):
            connection.request("GET", "/metrics")
            assert connection.getresponse().status == 200
            return
        threading.Event().wait(0.05)
    pytest.fail("/metrics never answered")


def test_the_process_of_the_metrics_is_replaced_when_it_dies_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    log_file = tmp_path / "log"
    with running(log_file) as server:
        assert server.call("POST", URL, json.dumps(hook_request()))[0] == 200
        _await_metrics(server.management_port)
        os.kill(min(_children(server.process)), signal.SIGKILL)  # the first that is started
        _await_metrics(server.management_port)
        _status, text = server.call("GET", "/metrics", port=server.management_port)
        assert b'service="toy-patient-view",status="200"} 1.0' in text
        server.process.terminate()
        assert server.process.wait(timeout=30) == 0
        assert _is_free_at_last(server.management_port)
    codes = [json.loads(line)["code"] for line in log_file.read_text().splitlines()]
    assert (codes.count("CDS-L004"), codes[-1]) == (1, "CDS-L002")


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


def test_one_port_for_service_and_metrics_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    settings = Settings(management_port=port)
    app = partial(create_app, settings, library())
    with pytest.raises(ConfigurationError) as caught:
        serve(app, settings, knowledge="toy@2026.1", host="127.0.0.1", port=port, workers=1)
    assert "CDS_MANAGEMENT_PORT" in caught.value.where
    assert capsys.readouterr().err == ""


def test_an_address_that_is_taken_is_said_in_one_line() -> None:
    settings = Settings()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            serve(
                lambda: create_app(settings, library()),
                settings,
                knowledge="toy@2026.1",
                host="127.0.0.1",
                port=port,
                workers=1,
            )
    assert caught.value.where == f"127.0.0.1:{port}"


def test_of_a_taken_port_of_metrics_the_setting_is_named_that_gives_it() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        settings = Settings(management_port=listener.getsockname()[1])
        with pytest.raises(ConfigurationError) as caught:
            module.require_addresses(settings, "127.0.0.1", free_port())
    assert "CDS_MANAGEMENT_PORT" in caught.value.remedy
    assert "--port" not in caught.value.remedy
