"""What the service is made of is locked, listed and built the same way twice."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("runtime.txt", "dev.txt", "build.txt")
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.14"}
"""The SBOM is of this one, whichever runs here."""
FOR_OTHERS = {"redis"}
"""Needed and not imported: huey and limits reach a Redis by it."""


def requirements(lock: str) -> list[str]:
    """The entries of a lock file, each with its hashes."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return re.sub(r"\\\n\s*", "", text).strip().splitlines()


def pinned(lock: str) -> dict[str, str]:
    """Name and version of every package of a lock that Python 3.11 installs, as for the SBOM."""
    found: dict[str, str] = {}
    for line in requirements(lock):
        requirement = Requirement(line.split("--hash", 1)[0].strip())
        if requirement.marker is None or requirement.marker.evaluate(PYTHON):
            (version,) = requirement.specifier
            found[canonicalize_name(requirement.name)] = version.version
    return found


def components() -> dict[str, dict[str, Any]]:
    document = json.loads((ROOT / "docs" / "sbom.json").read_text(encoding="utf-8"))
    return {canonicalize_name(part["name"]): part for part in document["components"]}


def imported() -> set[str]:
    """The packages that the service imports itself, by the names they are installed under."""
    installed_as = packages_distributions()
    found = set()
    for file in (ROOT / "cds_service").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    found |= {alias.name.partition(".")[0] for alias in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.partition(".")[0])
                case _:
                    pass
    foreign = found - set(sys.stdlib_module_names) - {"cds_service", "_typeshed"}
    return {canonicalize_name(installed_as[name][0]) for name in foreign}


def test_what_the_service_imports_is_what_it_says_it_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [Requirement(text) for text in project["dependencies"]]
    assert {canonicalize_name(each.name) for each in named} == imported() | FOR_OTHERS
    unbounded = [str(each) for each in named if not re.search(r">=.*<|<.*>=", str(each.specifier))]
    assert unbounded == []


@pytest.mark.parametrize("lock", LOCKS)
def test_t72_every_package_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    unlocked = [
        line for line in requirements(lock) if not re.search(r"==\S+.*--hash=sha256:", line)
    ]
    assert requirements(lock)
    assert unlocked == []


def test_t72_the_makefile_installs_from_the_lock_by_hash_only() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install .*-r .*", makefile)
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_t73_every_runtime_package_of_the_lock_is_in_the_sbom_and_nothing_else() -> None:
    listed = {name: part["version"] for name, part in components().items()}
    assert listed == pinned("runtime.txt"), "the lock has changed: run `make sbom`"


def test_t78_every_package_of_the_sbom_is_in_the_list_of_licences() -> None:
    said = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    for part in components().values():
        assert re.search(
            rf"^\| {re.escape(part['name'])} \| {part['version']} \| \S", said, re.MULTILINE
        )


def test_t78_of_every_package_the_licence_is_known() -> None:
    """Of one that names none it is read in its own file (`_READ` in requirements/sbom.py)."""
    assert [name for name, part in components().items() if not part.get("licenses")] == []


def test_no_package_is_copyleft_beyond_what_a_service_may_link_to() -> None:
    said = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert not re.search(r"\| (A?GPL|SSPL|BUSL)", said)


def test_the_sbom_names_no_place_on_the_machine_it_was_made_on() -> None:
    said = (ROOT / "docs" / "sbom.json").read_text(encoding="utf-8")
    assert "file://" not in said
    assert str(ROOT) not in said


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "requirements" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
FLAWED = {"name": "flask", "version": "0.1", "vulns": [{"id": "PYSEC-1"}]}
SKIPPED = {"name": "flask", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("returncode", "said", "code", "words"),
    [
        (0, {"dependencies": [CLEAN]}, 0, "1 packages audited"),
        (1, {"dependencies": [CLEAN, FLAWED]}, 1, "flask 0.1: PYSEC-1"),
        (0, {"dependencies": [SKIPPED]}, 3, "NOT AUDITED"),
        (0, {"dependencies": []}, 3, "NOT AUDITED"),
        (1, {"dependencies": [CLEAN]}, 3, "NOT AUDITED"),
        (1, None, 3, "NOT AUDITED"),
    ],
)
def test_t74_an_audit_is_green_only_when_every_package_was_really_asked_about(
    returncode: int,
    said: object,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "" if said is None else json.dumps(said)
    assert loaded("audit").verdict(returncode, text) == code
    assert words in capsys.readouterr().out


def wheel_of(folder: Path) -> str:
    """The digest of the wheel built from a copy of the sources."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, folder / name)
    for package in ("cds_service", "cards", "fhir_fixtures"):
        source, hidden = folder.parent / "sources" / package, shutil.ignore_patterns("__pycache__")
        if not source.exists():
            shutil.copytree(ROOT / package, source, ignore=hidden)
        shutil.copytree(source, folder / package, copy_function=shutil.copyfile)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_t75_the_same_sources_give_the_same_wheel_byte_for_byte(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "another-place"):
        (tmp_path / name).mkdir()
        digests.add(wheel_of(tmp_path / name))
    assert len(digests) == 1
