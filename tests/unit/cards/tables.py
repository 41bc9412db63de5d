"""The tables of the packaged knowledge as they stand in their files, row by row."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
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

ACCEPTED = rows("codes.toml", "accept", schema.AcceptedCode)
REFUSED = rows("codes.toml", "refuse", schema.RefusedCode)
FAMILIES = rows("units.toml", "family", schema.UnitFamily)
UNITS = rows("units.toml", "unit", schema.RowUnit)
COMPANIONS = rows("companions.toml", "companion", schema.Companion)
UNIT_TABLES = {"sil2r": UNITS} | {row.name: row.unit for row in COMPANIONS}


def loinc_codes() -> list[str]:
    """Every LOINC code that is read as something, as often as it stands there."""
    accepted = [row.loinc for row in ACCEPTED]
    refused = [row.loinc for row in REFUSED]
    return accepted + refused + [code.loinc for row in COMPANIONS for code in row.code]


def every_unit() -> Iterator[tuple[str, schema.RowUnit]]:
    """The test that a unit is for, and its row."""
    for table, units in UNIT_TABLES.items():
        for unit in units:
            yield table, unit
