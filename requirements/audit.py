"""Ask the advisory service about every locked package: green only when it really answered.

`pip-audit` alone reports "no known vulnerabilities" when it could ask about nothing. Exit codes:
0 audited and nothing found; 1 vulnerabilities found; 3 NOT AUDITED.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("runtime.txt")
FOUND, NOT_AUDITED = 1, 3


def main(pip_audit: str) -> int:
    """Audit the runtime lock and say what came of it."""
    ran = subprocess.run(  # noqa: S603 - our own tool, fixed arguments
        [
            *(pip_audit, "--strict", "--disable-pip", "--require-hashes"),
            *("--format", "json", "--progress-spinner", "off", "--requirement", str(LOCK)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return verdict(ran.returncode, ran.stdout)


def verdict(returncode: int, said: str) -> int:
    """The exit code for what pip-audit said; prints it in one line for each finding."""
    try:
        asked: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _say(NOT_AUDITED, ["NOT AUDITED: the advisory service gave no answer."])
    skipped = [package["name"] for package in asked if "skip_reason" in package]
    if skipped or not asked:
        return _say(NOT_AUDITED, [f"NOT AUDITED: {', '.join(skipped) or 'nothing was asked'}."])
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}"
        for package in asked
        for flaw in package["vulns"]
    ]
    if found:
        return _say(FOUND, found)
    if returncode:
        return _say(NOT_AUDITED, ["NOT AUDITED: pip-audit failed."])
    return _say(0, [f"{len(asked)} packages audited, nothing found."])


def _say(code: int, lines: Iterable[str]) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
