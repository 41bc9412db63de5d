"""Says how many of the engine's mutants the tests killed, by module; `make mutation` makes them.

A mutant is the engine with one small fault put in. One that no test notices is a hole in the
tests, or means the same as the engine. Which modules are mutated, and which tests are asked,
stands in pyproject.toml under `tool.mutmut`; what was found so far, in the folder `mutants`.
`python -m tests.mutation` shows it at any time, `mutmut results` names the survivors, and
`mutmut show NAME` shows one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

LEAST = 85
"""Of 100 mutants, how many must be killed (T-114)."""
KILLED = frozenset({"killed", "timeout"})
NOT_TRIED = frozenset({"not checked", "check was interrupted by user", "skipped"})
_RESULT = re.compile(r"^ +(?P<module>[\w.]+)\.[^.:]+: (?P<status>[\w ]+)$", re.MULTILINE)

Score = Counter[str]
"""How many mutants came to which status."""


def scores(results: str) -> Mapping[str, Score]:
    """Module -> its mutants, from what `mutmut results --all true` prints."""
    found: dict[str, Score] = {}
    for module, status in _RESULT.findall(results):
        found.setdefault(module, Counter())[status] += 1
    return found


def tried(score: Score) -> int:
    """How many mutants have a verdict. One that no test reaches has: it lives."""
    return sum(number for status, number in score.items() if status not in NOT_TRIED)


def killed(score: Score) -> int:
    """How many were noticed; one that never comes to an end is."""
    return sum(number for status, number in score.items() if status in KILLED)


def is_enough(score: Score) -> bool:
    """Whether something was tried, and enough of it killed."""
    return tried(score) > 0 and tried(score) * LEAST <= killed(score) * 100


def table(found: Mapping[str, Score]) -> Iterator[str]:
    """A line for each module of which something was tried, and one for all there are."""
    yield f"{'module':44}{'mutants':>8}{'tried':>8}{'killed':>8}{'score':>8}"
    shown = {module: score for module, score in sorted(found.items()) if tried(score)}
    for name, score in {**shown, "all": sum(found.values(), Counter())}.items():
        share = f"{100 * killed(score) / tried(score):.1f} %" if tried(score) else "none"
        counts = (score.total(), tried(score), killed(score))
        yield f"{name:44}" + "".join(f"{number:8}" for number in counts) + f"{share:>8}"


def of_module(path: str, found: Mapping[str, Score]) -> Mapping[str, Score]:
    """Those of one module, named by its path; of all modules when there is no path."""
    name = path.removesuffix(".py").replace("/", ".")
    return {module: score for module, score in found.items() if not path or module == name}


def main(path: str = "") -> int:
    """Print the table; 0 if enough were killed, else 1."""
    mutmut = Path(sys.executable).with_name("mutmut")
    answer = subprocess.run(
        [mutmut, "results", "--all", "true"], capture_output=True, text=True, check=True
    )
    found = of_module(path, scores(answer.stdout))
    click.echo("\n".join(table(found)))
    return 0 if is_enough(sum(found.values(), Counter())) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
