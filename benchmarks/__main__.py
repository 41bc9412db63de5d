"""`make bench`: measure, write `docs/performance.md` and its plot."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benchmarks import measure, report, stages

BUILD = Path("build/bench")
EVENTS = 2000


def environment(name: str, *packages: str) -> Path:
    """The Python of a virtual environment that holds these packages."""
    folder = (BUILD / name).absolute()
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / ".installed").touch()
    return python


def main() -> None:
    """Run everything once; about five minutes."""
    peer = environment(
        "peer", f"healthchain=={report.HEALTHCHAIN}", f"granian=={version('granian')}"
    )
    plot = environment("plot", "matplotlib")
    results = report.Results(started=report.now(), machine=report.machine())
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder = Path(name)
        _say("start-up")
        results.start = measure.starts(folder)
        found = measure.contenders(stack, folder, peer)
        for connections in measure.CONNECTIONS:
            _say(f"one result, {connections} at a time")
            results.add(connections, measure.one_result(found, connections))
        results.memory = {name: each.server.mebibytes() for name, each in found.items()}
        _say("size of the request")
        results.sizes = list(measure.sizes(found["ours"].server.port))
        results.stages = list(stages.stages(folder))
        results.memory_after_charts = found["ours"].server.mebibytes()
    _say("events")
    results.events = _events()
    results.write(plot)
    _say(f"written: {report.PAGE}, {report.PLOT}")


def _events() -> str:
    """What the benchmark of events prints, which includes whether its promises were kept."""
    command = [sys.executable, "-m", "benchmarks.events", str(EVENTS)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
