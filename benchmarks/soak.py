"""`python -m benchmarks.soak [MINUTES]`: ten by default, at 16 connections (`make soak`).

It passes if no call fails and memory stays flat.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import load, payload, servers

MINUTES = 10
CONNECTIONS = 16
SLICE_SECONDS = 15.0


def main(minutes: float) -> int:
    """Run for so long. Returns 0 when memory stayed flat, else 1."""
    memory: list[float] = []
    answers = 0
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        port = servers.free_port()
        settings = {"CDS_DATABASE_URL": f"sqlite:///{folder}/soak.sqlite3"}
        command = servers.service_command(port, "--sandbox")
        with servers.started("soak", command, port=port, environment=settings, folder=folder) as it:
            posts = (
                load.Post(payload.PATH, payload.results()),
                load.Post(payload.PATH, [payload.chart(200)]),
            )
            for number in range(int(minutes * 60 / SLICE_SECONDS)):
                post = posts[number % 4 == 3]
                said = load.run(port, post, connections=CONNECTIONS, seconds=SLICE_SECONDS)
                answers += len(said.latencies)
                memory.append(it.mebibytes())
                p99 = said.quantile(0.99) * 1000
                print(
                    f"{memory[-1]:.0f} MiB, {said.rate:.0f} a second, p99 {p99:.1f} ms", flush=True
                )
    return _verdict(answers, memory)


def _verdict(answers: int, memory: list[float]) -> int:
    halves = servers.Halves.of(memory, warm_up=int(60 / SLICE_SECONDS))
    said = f"{halves.first:.0f} MiB then {halves.second:.0f} MiB"
    print(f"{answers} answers, no failure; {said}", end=": ")
    print("memory is flat" if halves.are_flat else "memory grows")
    return 0 if halves.are_flat else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else MINUTES))
