"""The page: machine, versions, date, tables, noise, what the figures mean; and the plot's data."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.load import Slice
from benchmarks.measure import ROUNDS, SLICE_SECONDS, Spread

PAGE = Path("docs/performance.md")
PLOT = Path("docs/performance.png")
_DATA = Path("build/bench/results.json")

HEALTHCHAIN = "0.16.1"
"""The version of the peer."""
NAMES = {
    "bare": "floor `bare`",
    "flask": "floor `flask`",
    "flask_fhir": "floor `flask+fhir`",
    "flask_duties": "floor `flask+fhir` with token and record",
    "healthchain": f"HealthChain {HEALTHCHAIN}",
    "ours": "this service, no token",
    "ours_rs384": "this service, RS384 token (as Epic signs)",
    "ours_es384": "this service, ES384 token (as the CDS Hooks Sandbox signs)",
}
_TARGETS = {"flask_fhir": 0.75, "healthchain": 1.2}
_VERSIONS = ("fhir.resources", "flask", "granian", "orjson", "pydantic", "sqlalchemy")


def now() -> str:
    """The moment, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def machine() -> str:
    """The machine it ran on, without its name."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({cpu}), {platform.system()}, load {load:.2f} at the start"


@dataclass
class Results:
    """Everything measured in one run."""

    started: str
    machine: str
    rounds: dict[int, Mapping[str, Sequence[Slice]]] = field(default_factory=dict)
    sizes: list[dict[str, Any]] = field(default_factory=list)
    stages: list[tuple[str, float]] = field(default_factory=list)
    events: str = ""
    memory: dict[str, float] = field(default_factory=dict)
    memory_after_charts: float = 0.0
    start: Spread = field(default_factory=lambda: Spread(0, 0, 0))

    def add(self, connections: int, slices: Mapping[str, Sequence[Slice]]) -> None:
        """Keep the slices of one number of connections."""
        self.rounds[connections] = slices

    def write(self, plot_python: Path) -> None:
        """The page, and the plot by the Python that has the plotting library."""
        PAGE.write_text("\n".join(self._page()) + "\n", encoding="utf-8")
        _DATA.write_text(json.dumps(self._plot_data()), encoding="utf-8")
        script = Path(__file__).with_name("plot.py")
        subprocess.run([plot_python, script, _DATA, PLOT], check=True)

    def ratio(self, connections: int, ours: str, other: str) -> Spread:
        """Our rate by another's, round by round."""
        slices = self.rounds[connections]
        pairs = zip(slices[ours], slices[other], strict=True)
        return Spread.of([mine.rate / theirs.rate for mine, theirs in pairs])

    def _page(self) -> Iterator[str]:
        yield from _words("introduction")
        versions = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
        yield f"\nRun on {self.started}; {self.machine}; Python {platform.python_version()};"
        yield f"{versions}."
        yield (
            f"{ROUNDS} rounds of {SLICE_SECONDS:.0f} s for each server in turn, after one to warm "
            "up. Figures are the median of the rounds, with least and most in brackets."
        )
        for connections in self.rounds:
            yield from self._one_result(connections)
        yield from self._targets()
        yield from self._where_it_goes()
        yield from self._by_size()
        yield from self._start_and_memory()
        yield f"\n## Events: acknowledged, then drained\n\n```text\n{self.events}\n```"
        yield from ("", *_words("meaning"))

    def _one_result(self, connections: int) -> Iterator[str]:
        yield f"\n## One result, {connections} at a time\n"
        yield "| server | answers a second | half within, ms | 99 of 100 within, ms |"
        yield "|---|---|---|---|"
        for name, slices in self.rounds[connections].items():
            rate = Spread.of([each.rate for each in slices])
            half, most = (
                Spread.of([each.quantile(share) * 1000 for each in slices]) for share in (0.5, 0.99)
            )
            yield f"| {NAMES[name]} | {_spread(rate, 0)} | {_spread(half)} | {_spread(most)} |"

    def _targets(self) -> Iterator[str]:
        ours = "ours_rs384"
        yield "\n## Against the targets\n"
        yield f"Measured: {NAMES[ours]}, one at a time, round by round.\n"
        yield "| ratio | measured | target | |"
        yield "|---|---|---|---|"
        for other, target in _TARGETS.items():
            ratio = self.ratio(1, ours, other)
            yield _target(
                f"answers a second, by {NAMES[other]}",
                _spread(ratio),
                target,
                ratio.middle >= target,
            )
        for name in ("ours", "ours_es384", "flask_duties"):
            ratio = self.ratio(1, name, "flask_fhir")
            yield f"| the same of {NAMES[name]} | {_spread(ratio)} | | |"
        slow = [
            mine.quantile(0.99) / floor.quantile(0.99)
            for mine, floor in zip(self.rounds[1][ours], self.rounds[1]["flask_fhir"], strict=True)
        ]
        ratio = Spread.of(slow)
        yield _target(
            "p99, by that of floor `flask+fhir`", _spread(ratio), 2.0, ratio.middle <= 2.0
        )
        largest = self.sizes[-1]
        times = largest["whole"].middle / largest["plain"].middle
        words = f"whole answer by `orjson.loads`, {largest['observations']} Observations"
        yield _target(f"{words}, by their medians", f"{times:.2f}", 2.5, times <= 2.5)
        yield _target("start to ready, s", _spread(self.start), 1.5, self.start.middle < 1.5)

    def _where_it_goes(self) -> Iterator[str]:
        yield "\n## Where the time of one answer goes\n"
        yield "Each step by itself, in one process, the best of nine rounds. What the whole has"
        yield "beside is Flask, the server, the log and the counts.\n"
        yield "| step | microseconds |"
        yield "|---|---|"
        for name, seconds in self.stages:
            yield f"| {name} | {seconds * 1e6:.0f} |"

    def _by_size(self) -> Iterator[str]:
        yield "\n## Size of the request\n"
        yield "One at a time, no token. Milliseconds.\n"
        names = ("Observations", "KiB", "`orjson.loads`", "our reading of the JSON", "whole answer")
        yield f"| {' | '.join(names)} | by `orjson.loads` |"
        yield "|---|---|---|---|---|---|"
        for row in self.sizes:
            plain, strict, whole = (row[name] for name in ("plain", "strict", "whole"))
            in_ms = (_spread(_times(each, 1000), 2) for each in (plain, strict, whole))
            ratio = whole.middle / plain.middle
            size = f"{row['observations']} | {row['bytes'] / 1024:.0f}"
            yield f"| {size} | {' | '.join(in_ms)} | {ratio:.1f} |"

    def _start_and_memory(self) -> Iterator[str]:
        yield "\n## Start and memory\n"
        yield f"From the start of the process to `ready`: {_spread(self.start)} s.\n"
        yield "| server | memory of all its processes after the load, MiB (PSS) |"
        yield "|---|---|"
        for name, mebibytes in self.memory.items():
            yield f"| {NAMES[name]} | {mebibytes:.0f} |"
        yield f"| {NAMES['ours']}, after the largest charts | {self.memory_after_charts:.0f} |"

    def _plot_data(self) -> dict[str, Any]:
        return {
            "rates": {
                NAMES[name].replace("`", "").partition(" (")[0]: [each.rate for each in slices]
                for name, slices in self.rounds[1].items()
            },
            "sizes": [
                {
                    "observations": row["observations"],
                    **{name: row[name].middle * 1000 for name in ("plain", "strict", "whole")},
                }
                for row in self.sizes
            ],
        }


def _times(spread: Spread, factor: float) -> Spread:
    return Spread(spread.least * factor, spread.middle * factor, spread.most * factor)


def _spread(spread: Spread, digits: int = 2) -> str:
    return f"{spread.middle:.{digits}f} ({spread.least:.{digits}f} to {spread.most:.{digits}f})"


def _target(words: str, measured: str, target: float, met: bool) -> str:
    return f"| {words} | {measured} | {target} | {'met' if met else 'not met'} |"


def _words(name: str) -> list[str]:
    return Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8").splitlines()
