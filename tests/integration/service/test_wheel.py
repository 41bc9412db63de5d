"""The wheel as a stranger installs it: it holds all it needs, and what was locked is enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import fhir_fixtures
from tests.integration.service.running import CARD, Service

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel brings, beside the locked dependencies of this run."""
    sources = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, sources / name)
    for package in ("cds_service", "cards", "fhir_fixtures"):
        shutil.copytree(
            ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    _run(sources, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist")
    (wheel,) = (sources / "dist").glob("*.whl")
    target = tmp_path_factory.mktemp("installed")
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target")
    _run(sources, *install, str(target), str(wheel))
    return target


def _run(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tr26_what_is_installed_is_what_runs(installed: Path, tmp_path: Path) -> None:
    found = _run(
        tmp_path, "-c", "import cards, cds_service; print(cds_service.__file__, cards.__file__)",
        PYTHONPATH=str(installed),
    )  # fmt: skip
    assert all(path.startswith(str(installed)) for path in found.split())


def test_tr26_the_knowledge_of_the_wheel_is_whole(installed: Path, tmp_path: Path) -> None:
    command = ("-m", "cds_service", "knowledge", "check")
    assert "sil2r@" in _run(tmp_path, *command, PYTHONPATH=str(installed))


def test_tr26_the_wheel_starts_and_answers_with_a_card(installed: Path, tmp_path: Path) -> None:
    with Service(tmp_path, environment={"PYTHONPATH": str(installed)}) as service:
        (card,) = service.invoke(CARD).json()["cards"]
        listed = requests.get(service.url("/cds-services"), timeout=10).json()["services"]
    assert "U/mL (serum/plasma" in card["summary"]
    assert fhir_fixtures.story(CARD).service in {entry["id"] for entry in listed}
