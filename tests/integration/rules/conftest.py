"""Prometheus' own tool for testing rules, which starts no server.

`.ci/run` takes it out of Debian's package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HOW_TO_GET = "no promtool: `apt-get install prometheus` (Debian, Ubuntu)"

Promtool = Callable[[Path], str]
"""Runs the tests of one file; what they found wrong, empty if nothing."""


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip(HOW_TO_GET)

    def run(file: Path) -> str:
        tried = subprocess.run(
            [program, "test", "rules", str(file)],
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        said = tried.stdout + tried.stderr
        assert ("SUCCESS" in said) is (tried.returncode == 0), said
        return said if tried.returncode else ""

    return run
