"""The servers under test: started, waited for, measured and stopped by their own process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

HERE = Path(__file__).resolve().parent
_START_SECONDS = 30
_DIRECT = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    port: int
    process: subprocess.Popen[bytes]
    start_seconds: float
    """From the start of the process to the first `ready`."""

    def mebibytes(self) -> float:
        """Memory of the process and its children."""
        return mebibytes(self.process.pid)


@dataclass(frozen=True, slots=True)
class Halves:
    """The most memory, in MiB, that each half of a run needed."""

    first: float
    second: float

    @classmethod
    def of(cls, figures: Sequence[float], *, warm_up: int) -> Halves:
        """Of at least one figure; the first few are dropped, unless there are no others."""
        warm = figures[warm_up:] or figures
        half = max(1, len(warm) // 2)
        return cls(max(warm[:half]), max(warm[half:] or warm))

    @property
    def are_flat(self) -> bool:
        """Whether the second is at most 5 % and 4 MiB above the first."""
        return self.second <= self.first * 1.05 + 4


@contextmanager
def started(
    name: str, command: Sequence[str], *, port: int, environment: Mapping[str, str], folder: Path
) -> Iterator[Running]:
    """A server for as long as the block runs; its output goes to a file in `folder`."""
    begun = perf_counter()
    with (folder / f"{name}.log").open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(HERE.parent), **environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        _wait(process, port, begun)
        yield Running(port, process, perf_counter() - begun)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], port: int, begun: float) -> None:
    while perf_counter() - begun < _START_SECONDS:
        assert process.poll() is None, "the server has ended; see its log"
        try:
            with _DIRECT.open(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            sleep(0.005)
    raise AssertionError("the server did not become ready")


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def floor_command(floor: str, port: int) -> list[str]:
    """How a floor is started."""
    return [sys.executable, "-m", "benchmarks.floor_server", floor, str(port)]


def service_command(port: int, *options: str) -> list[str]:
    """How the service is started: as an operator would."""
    program = Path(sys.executable).with_name("cds-service")
    return [str(program), "serve", "--port", str(port), *options]


def peer_command(python: Path, port: int) -> list[str]:
    """How the peer is started, by the Python of its own environment."""
    return [str(python), str(HERE / "healthchain_app.py"), str(port)]


def mebibytes(pid: int) -> float:
    """Memory of a process and its children, shared pages by their share (PSS)."""
    return sum(_pss(each) for each in _tree(pid)) / 1024


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _tree(int(child))


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
