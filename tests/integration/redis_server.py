"""A Redis of our own, in memory only, for as long as a test needs it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from tests.ports import free_port
from tests.processes import eventually

HOW_TO_GET = "no Redis server program: `apt-get install redis-server` (Debian, Ubuntu)"


@dataclass(frozen=True)
class Redis:
    """A Redis that answers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """End it, as when its machine is lost."""
        self.process.terminate()
        self.process.wait(timeout=30)


@contextmanager
def running_redis(folder: Path, port: int = 0) -> Iterator[Redis]:
    """A Redis on the loopback address; skips with the remedy where there is none to run."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip(HOW_TO_GET)
    port = port or free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *options], cwd=folder, stdout=subprocess.DEVNULL)
    server = Redis(port, process)
    try:
        eventually(lambda: _answers(server.url))
        yield server
    finally:
        server.stop()


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
