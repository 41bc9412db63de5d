"""The tables of the packaged knowledge as they stand in their files, row by row."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from cds_service.core import schema

R = TypeVar("R", bound=schema.Row)


@cache
def document(name: str) -> dict[str, Any]:
    return tomllib.loads(files("cards").joinpath("sil2r", name).read_text(encoding="utf-8"))


def rows(name: str, table: str, row: type[R]) -> list[R]:
    return [row.model_validate(content) for content in document(name)[table]]


SNOMED_CT = "http://snomed.info/sct"
SNOMED_SPECIMENS = rows("snomed.toml", "specimen_code", schema.SpecimenCode)
