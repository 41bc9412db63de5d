"""`python -m benchmarks.events [COUNT]`: notifications drained by a worker, 10,000 by default.

Notified over HTTP as an EHR would (each acknowledged before the next is sent on its connection),
then drained: fetched, evaluated, written back, recorded. The FHIR server beside it answers at once
from memory, so the rate is the worker's own, whose memory stays flat.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, sleep

from benchmarks import servers
from cds_service.config import Mode, load_settings
from cds_service.wiring import open_events

SECRET = secrets.token_urlsafe(24)
"""Shared by the server and whoever notifies it, for this run."""
CONNECTIONS = 8
SLICE_SECONDS = 2.0
ACKNOWLEDGED_WITHIN_MS = 300
"""At the 99th percentile; one second for the slowest."""


def main(count: int) -> int:
    """Notify and drain so many. Returns 0 when all promises were kept, else 1."""
    with tempfile.TemporaryDirectory(prefix="events-") as name:
        folder = Path(name)
        fhir, ours = servers.free_port(), servers.free_port()
        environment = _configured(folder, fhir, ours)
        inbox = [sys.executable, "-m", "benchmarks.event_inbox", str(ours)]
        server = [sys.executable, "-m", "benchmarks.event_fhir", str(fhir)]
        with servers.started("inbox", inbox, port=ours, environment=environment, folder=folder):
            seconds, waits = _notify(ours, count)
        in_time = _p99(waits) * 1000 <= ACKNOWLEDGED_WITHIN_MS and waits[-1] <= 1.0
        print(
            f"notified: {count / seconds:.0f} a second, p99 {_p99(waits) * 1000:.0f} ms, "
            f"slowest {waits[-1] * 1000:.0f} ms"
        )
        with servers.started("fhir", server, port=fhir, environment={}, folder=folder):
            return _drain(environment, folder, count, in_time=in_time)


def _configured(folder: Path, fhir: int, ours: int) -> dict[str, str]:
    (folder / "lab.secret").write_text(SECRET)
    (folder / "clients.toml").write_text(
        f'[[source]]\nname = "lab"\nfhir_server = "http://127.0.0.1:{fhir}/fhir"\n'
        'secret_file = "lab.secret"\ndelivery = "write-back"\n'
    )
    return {
        "CDS_CLIENTS": str(folder / "clients.toml"),
        "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3",
        "CDS_PUBLIC_URL": f"http://127.0.0.1:{ours}",
    }


def _notify(port: int, count: int) -> tuple[float, list[float]]:
    """Seconds for all, and those of each acknowledgement, shortest first."""
    numbers = iter(range(count))
    lock = threading.Lock()
    latencies: list[float] = []
    begun = perf_counter()

    def send() -> None:
        line = HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Authorization": f"Bearer {SECRET}"}
        while True:
            with lock:
                number = next(numbers, -1)
            if number < 0:
                break
            sent = perf_counter()
            line.request("PUT", f"/events/lab/Observation/o{number}", headers=headers)
            answer = line.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            latencies.append(perf_counter() - sent)
        line.close()

    lanes = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
    return perf_counter() - begun, sorted(latencies)


def _drain(environment: dict[str, str], folder: Path, count: int, *, in_time: bool) -> int:
    """A worker as an operator starts it, watched until nothing waits."""
    store = open_events(load_settings(Mode.SANDBOX, environment)).room.store
    already = store.backlog("lab").evaluated
    memory: list[float] = []
    begun = perf_counter()
    with _worker(environment, folder) as process:
        while (backlog := store.backlog("lab")).waiting:
            assert process.poll() is None, "the worker has ended; see its log"
            sleep(SLICE_SECONDS)
            memory.append(servers.mebibytes(process.pid))
            print(f"{memory[-1]:.0f} MiB, {backlog.waiting} left", flush=True)
    seconds = perf_counter() - begun
    backlog = store.backlog("lab")
    rate = (backlog.evaluated - already) / seconds
    print(f"drained: {backlog.evaluated - already} in {seconds:.0f} s, {rate:.0f} a second")
    return _verdict(count, backlog.evaluated, backlog.dead, memory, in_time=in_time)


def _p99(waits: list[float]) -> float:
    return waits[int(len(waits) * 0.99)]


@contextmanager
def _worker(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = Path(sys.executable).with_name("cds-service")
    command = [str(program), "worker", "--sandbox"]
    with (folder / "worker.log").open("wb") as said:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=folder, stdout=said, stderr=said
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def _verdict(count: int, evaluated: int, dead: int, memory: list[float], *, in_time: bool) -> int:
    halves = servers.Halves.of(memory, warm_up=len(memory) // 5)
    held = {
        "none lost": evaluated == count and not dead,
        "acknowledged in time": in_time,
        "memory flat": halves.are_flat,
    }
    for promise, kept in held.items():
        print(f"{'ok  ' if kept else 'FAIL'} {promise}")
    print(f"memory: {halves.first:.0f} MiB, then {halves.second:.0f} MiB")
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 10_000))
