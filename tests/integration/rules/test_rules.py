"""Every alert is raised by what it is for, and by nothing that only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.rules.conftest import Promtool

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_alerts_are_raised_when_they_should_be_and_not_before(
    file: Path, promtool: Promtool
) -> None:
    assert promtool(file) == ""
