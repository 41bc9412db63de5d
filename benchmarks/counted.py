"""`make count`: what one answer costs a processor, counted by cachegrind and not timed.

A machine that is busy with something else measures another time, and counts the same. So this is
where to look whether a change made an answer dearer. Calls are counted twice, once with more of
them, and the difference is that of the calls alone: starting up and warming up drop out. So does
what it takes to make a request, which is what an application that does nothing costs.

The caches are those of one core of a present server processor: 32 KiB for instructions and 48 KiB
for data beside it, 1 MiB behind them. What does not fit into these must come from a cache that is
shared with every other core, or from memory.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from benchmarks import floors, report, secured

PAGE = Path("docs/performance-counted.md")
CONTENDERS = ("flask", "flask_fhir", "flask_duties", "ours", "ours_rs384")
_FLOOR = "flask_fhir"
_WARM_UP = 100
_CALLS = 200
_CACHES = ("--I1=32768,8,64", "--D1=49152,12,64", "--LL=1048576,16,64")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one answer, or of a whole run."""

    instructions: float
    misses: float
    """How often a line of 64 bytes was not in the caches of the core."""

    def less(self, other: Cost) -> Cost:
        """What is left of it without the other."""
        return Cost(self.instructions - other.instructions, self.misses - other.misses)

    def each_of(self, calls: int) -> Cost:
        """The share of one call."""
        return Cost(self.instructions / calls, self.misses / calls)


def read(said: str) -> Cost:
    """The sum in what cachegrind wrote."""
    lines = dict(line.partition(": ")[::2] for line in said.splitlines() if ": " in line)
    events = dict(zip(lines["events"].split(), map(int, lines["summary"].split()), strict=True))
    return Cost(events["Ir"], events["ILmr"] + events["DLmr"] + events["DLmw"])


def count(name: str, folder: Path, key: secured.Key) -> Cost:
    """The cost of making one request and answering it, by a contender or by `nothing`."""
    # Made here and not once for all: they expire.
    tokens = folder / f"{name}.tokens"
    tokens.write_text("\n".join(secured.tokens(key, _WARM_UP + _CALLS)), encoding="ascii")
    with ThreadPoolExecutor(2) as at_once:
        warm_up = at_once.submit(_run, name, tokens, _WARM_UP, key)
        whole = at_once.submit(_run, name, tokens, _WARM_UP + _CALLS, key)
    return whole.result().less(warm_up.result()).each_of(_CALLS)


def _run(name: str, tokens: Path, calls: int, key: secured.Key) -> Cost:
    folder = tokens.with_name(f"{name}-{calls}")
    folder.mkdir()
    found = folder / "cachegrind.out"
    said = subprocess.run(
        [
            *("valgrind", "--tool=cachegrind", "--cache-sim=yes", *_CACHES),
            f"--cachegrind-out-file={found}",
            *(sys.executable, "-m", "benchmarks.answers"),
            *(name.removesuffix("_rs384"), str(tokens), str(calls)),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0", **_settings(name, folder, key)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr[-2000:]
    return read(found.read_text(encoding="utf-8"))


def _settings(name: str, folder: Path, key: secured.Key) -> Mapping[str, str]:
    guarded = secured.environment(folder / "settings", key)
    match name:
        case "ours_rs384":
            return guarded
        case "ours":
            return {"CDS_DATABASE_URL": f"sqlite:///{folder}/open.sqlite3"}
        case _:
            keys = str(folder / "settings" / "jwks.json")
            return {floors.KEYS: keys, floors.DATABASE: f"{folder}/floor.sqlite3"}


def page(costs: Mapping[str, Cost]) -> str:
    """The page, by contender."""
    least = costs[_FLOOR].instructions
    rows = "\n".join(
        f"| {report.NAMES[name]} | {cost.instructions:,.0f} | {cost.instructions / least:.2f} "
        f"| {cost.misses:,.0f} |"
        for name, cost in costs.items()
    )
    words = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    return words.format(rows=rows, calls=_CALLS, warm_up=_WARM_UP, python=platform.python_version())


def main() -> None:
    """Count every contender and write the page."""
    if which("valgrind") is None:
        sys.exit("valgrind is not installed. Debian and Ubuntu: apt-get install valgrind")
    costs = {}
    with tempfile.TemporaryDirectory(prefix="count-") as name:
        folder = Path(name)
        key = secured.rs384()
        print("making a request", file=sys.stderr)
        request = count("nothing", folder, key)
        for number, each in enumerate(CONTENDERS, 1):
            print(f"{number} of {len(CONTENDERS)}: {report.NAMES[each]}", file=sys.stderr)
            costs[each] = count(each, folder, key).less(request)
    PAGE.write_text(page(costs), encoding="utf-8")
    print(f"written: {PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
