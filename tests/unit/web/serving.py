"""The real server in processes of its own: started, asked, and awaited."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.processes import children, eventually

ROOT = Path(__file__).parents[3]
JSON = {"Content-Type": "application/json"}


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

    def children(self) -> list[int]:
        """The process of the metrics first, then the workers."""
        return sorted(children(self.process.pid))

    def told(self) -> list[str]:
        """The codes of our lines in its log; a library may write others."""
        lines = self.log_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["code"] for line in lines if line.startswith("{")]


@contextmanager
def running(log_file: Path, *before: str) -> Iterator[Running]:
    """The server with two workers, ready, its command behind that of another program."""
    port, management_port = free_port(), free_port()
    served = [sys.executable, "-m", "tests.unit.web.served", str(port), "2", str(management_port)]
    with (
        log_file.open("wb") as log,
        subprocess.Popen([*before, *served], cwd=ROOT, stdout=log, stderr=log) as process,
    ):
        started = Running(process, port, management_port, log_file)
        try:
            await_ready(started)
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


def await_ready(started: Running) -> None:
    def is_ready() -> bool:
        assert started.process.poll() is None, started.log_file.read_text(encoding="utf-8")
        with suppress(OSError):
            return started.call("GET", "/health/ready")[0] == 200
        return False

    eventually(is_ready)


def await_metrics(port: int) -> None:
    def are_told() -> bool:
        with (
            suppress(ConnectionError),
            closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection,
        ):
            connection.request("GET", "/metrics")
            assert connection.getresponse().status == 200
            return True
        return False

    eventually(are_told)


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        return False
    return True


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
                workers = children(service.pid)
                assert len(workers) == 2
                yield service, workers
        finally:
            service.kill()
            service.wait(timeout=30)
