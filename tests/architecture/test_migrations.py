"""Migrations only add: the release before goes on working on the database (docs/operations.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cds_service.store import upgrade

VERSIONS = sorted((Path(upgrade.__file__).parent / "migrations" / "versions").glob("r*.py"))
ADDING = {"add_column", "create_index", "create_table"}
LOOSENING = {"alter_column", "batch_alter_table", "get_bind"}
"""What lets a column be empty that nobody writes any more."""


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_adds_and_takes_nothing_away(path: Path) -> None:
    (upward,) = (
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    steps = [
        (node.func.attr, node)
        for node in ast.walk(upward)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"op", "table"}
    ]
    assert steps, "a migration that does nothing"
    assert {name for name, _ in steps} <= ADDING | LOOSENING
    for name, step in steps:
        if name == "alter_column":
            assert [ast.unparse(changed) for changed in step.keywords] == ["nullable=True"]
