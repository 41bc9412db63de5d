"""Writes docs/conformance.md: each requirement, what we do, and the tests that carry its id.

A test belongs to a requirement by its name: `test_f04_t46_…` shows F-04 and T-46. Run
`python -m tests.conformance` to write the page anew; a test holds it fresh.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "docs" / "conformance.toml"
PAGE = ROOT / "docs" / "conformance.md"
_ID = re.compile(r"_(t_?\d{2,3}|(?:tr|[jdprafhcbs])_?\d{2})(?=_)")
_IDS = re.compile(rf"test(?:{_ID.pattern})+")
"""The ids stand first in a name: `test_a_good_request_never_gives_a_500` holds none."""

TITLES = {
    "protocol": "The protocol (CDS Hooks 2.0.1, with the discovery version of 3.0)",
    "traps": "Traps that other services fell into",
    "matrix": "Attacks, faults and clinical properties",
}


@cache
def shown_by_requirement() -> Mapping[str, list[str]]:
    """Requirement id -> `path::name` of every test that carries it in its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name in _test_names(tree):
            for requirement in _requirements_in(name):
                found[requirement].append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return found


def _requirements_in(name: str) -> Iterator[str]:
    if leading := _IDS.match(name):
        for found in _ID.findall(f"{leading[0]}_"):
            letters = found.rstrip("0123456789_")
            yield f"{letters.upper()}-{found.removeprefix(letters).strip('_')}"


def _test_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def rows() -> Mapping[str, Mapping[str, list[str]]]:
    """The requirements by part: id -> what is asked, what we do, and perhaps why no test."""
    return tomllib.loads(SOURCE.read_text(encoding="utf-8"))


def page() -> str:
    """The whole page."""
    shown = shown_by_requirement()
    lines = [
        "# Conformance",
        "",
        "Written by `python -m tests.conformance` from conformance.toml and the tests' names.",
    ]
    for part, requirements in rows().items():
        lines += ["", f"## {TITLES[part]}", "", "| id | asked | what we do | shown by |"]
        lines.append("|---|---|---|---|")
        for requirement, (asked, done, *why) in requirements.items():
            proof = _proof(shown.get(requirement, []), why)
            lines.append(f"| {requirement} | {asked} | {done} | {proof} |")
    return "\n".join(lines) + "\n"


def _proof(tests: list[str], why: list[str]) -> str:
    if not tests:
        return why[0] if why else "**no test**"
    links = []
    for test in tests[:3]:
        path, _, name = test.partition("::")
        links.append(f"[`{name}`](../{path})")
    more = " and more" if len(tests) > 3 else ""
    return ", ".join(links) + more


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
