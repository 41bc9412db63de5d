"""The house: who may import whom, what is pure, what holds no code, and how long a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "cds_service" / "core").rglob("*.py"))
CODE = sorted((ROOT / "cds_service").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
SHARED = sorted({*(ROOT / "tests").rglob("*.py")} - {*TESTS})
"""What several tests need."""
LONGEST = 350
CLOCKS = {"today", "now", "utcnow", "time", "monotonic"}


def test_who_imports_whom_is_as_the_contracts_say() -> None:
    """The contracts stand in pyproject.toml; the linter prints what is broken."""
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "0 broken" in ran.stdout


@pytest.mark.parametrize("file", CORE, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_core_looks_at_no_clock_and_opens_no_file(file: Path) -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    assert not called & (CLOCKS | {"open", "read_text", "print", "getenv"})


def test_the_knowledge_holds_no_code() -> None:
    kinds = {file.suffix for file in (ROOT / "cards").rglob("*") if file.is_file()}
    assert kinds - {".pyc"} == {".toml", ".md", ".py"}
    (only,) = (ROOT / "cards").rglob("*.py")
    body = ast.parse(only.read_text(encoding="utf-8")).body
    assert [type(node) for node in body] == [ast.Expr]


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_is_short_enough_to_be_read(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_a_file_of_tests_is_short_enough_to_be_read_too() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in (*TESTS, *SHARED)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_what_several_tests_need_stands_in_no_module_of_tests() -> None:
    borrowed = {
        f"{file.relative_to(ROOT)}: {node.module}"
        for file in (*TESTS, *SHARED)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        if node.module.startswith("tests.") and ".test_" in node.module
    }
    assert borrowed == set()


MENDED_BY_WHOEVER_READS_IT = {
    *("BadRequest", "ConfigurationError", "InputError", "KnowledgeError", "MalformedJson"),
    *("MethodNotAllowed", "NotFound", "PayloadTooLarge", "UnsupportedMediaType"),
}
LISTS_FAULTS_WITH_THEIR_REMEDIES = "faults"


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT)))
def test_an_error_says_what_to_do(file: Path) -> None:
    """Of errors with a text; `NotFound()` of the FHIR room is an answer and no error."""
    made = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args
        if getattr(node.func, "id", "") in MENDED_BY_WHOEVER_READS_IT
    ]
    said = {node.lineno: {keyword.arg for keyword in node.keywords} for node in made}
    enough = {"remedy", LISTS_FAULTS_WITH_THEIR_REMEDIES}
    assert [line for line, keywords in said.items() if not keywords & enough] == []


def _tests(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def _asserts(function: ast.FunctionDef) -> bool:
    """An assert, a `raises` or `warns`, or a call of a function that is named after its assert."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in {"raises", "warns", "fail"} or "assert" in name or "expect" in name:
                return True
    return False


def _names(function: ast.AST) -> set[str]:
    return {
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
    }


def _asserting_helpers() -> set[str]:
    """Functions anywhere in the tests that assert, by name."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "tests").rglob("*.py"))
    return {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("test_")
        and _asserts(node)
    } | {"validate", "call_and_validate", "run_state_machine_as_test"}


def test_no_test_asserts_nothing() -> None:
    helpers = _asserting_helpers()
    idle = [
        f"{file.relative_to(ROOT)}::{test.name}"
        for file in TESTS
        for test in _tests(ast.parse(file.read_text(encoding="utf-8")))
        if not _asserts(test) and not _names(test) & helpers
    ]
    assert idle == []
