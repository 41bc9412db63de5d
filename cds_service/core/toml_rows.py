"""The tables of one folder of TOML files as rows of closed types; complaints name file and row."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from cds_service.core.schema import Row
from cds_service.core.schema.row import PATTERNS
from cds_service.core.slips import capitalised, first_slip
from cds_service.errors import KnowledgeError

R = TypeVar("R", bound=Row)


class TomlRows:
    """The files of one folder. `files` are all texts by name; `tables` names the tables that each
    file of the folder may have.

    A file that is not there has no rows. Every method raises KnowledgeError for a faulty file.
    """

    def __init__(
        self, files: Mapping[str, str], folder: str, tables: Mapping[str, frozenset[str]]
    ) -> None:
        self._files = files
        self._folder = folder
        self._tables = tables
        self._read: dict[str, Mapping[str, Any]] = {}

    def name(self, file: str) -> str:
        """The name of the file with its folder, for complaints."""
        return f"{self._folder}{file}"

    def require(self, file: str) -> None:
        """Raises KnowledgeError for a file that is not there."""
        name = self.name(file)
        if name not in self._files:
            raise KnowledgeError("the file is missing.", where=name, remedy="Create it.")

    def text(self, file: str) -> str:
        """The text of a file that must be there."""
        self.require(file)
        return self._files[self.name(file)]

    def document(self, file: str) -> Mapping[str, Any]:
        """The whole content of a file, read once. All its tables must be known."""
        if file not in self._read:
            self._read[file] = self._parsed(file)
        return self._read[file]

    def one(self, file: str, table: str, row: type[R]) -> R:
        """The row of `[table]`, which must be there."""
        return _row(f"{self.name(file)} [{table}]", self.document(file).get(table), row)

    def rows(self, file: str, table: str, row: type[R]) -> tuple[R, ...]:
        """All rows of `[[table]]`."""
        found = self.document(file).get(table, [])
        if not isinstance(found, list):
            raise KnowledgeError(
                "this must be a list of rows.",
                where=f"{self.name(file)} {table}",
                remedy=f"Write [[{table}]].",
            )
        return tuple(
            _row(f"{self.name(file)} [[{table}]] {number}", content, row)
            for number, content in enumerate(found, start=1)
        )

    def by(self, key: str, file: str, table: str, row: type[R]) -> dict[str, R]:
        """All rows of `[[table]]` by their `key`, which no two may share."""
        return rows_by(key, self.rows(file, table, row), self.name(file))

    def _parsed(self, file: str) -> Mapping[str, Any]:
        name = self.name(file)
        if name not in self._files:
            return {}
        try:
            document = tomllib.loads(self._files[name])
        except tomllib.TOMLDecodeError as error:
            raise KnowledgeError(
                f"this is not TOML: {error}.", where=name, remedy="Mend the syntax."
            ) from error
        known = self._tables[file]
        for table in document:
            if table not in known:
                raise KnowledgeError(
                    f"unknown table '{table}'.",
                    where=name,
                    remedy=f"Known here: {', '.join(sorted(known))}.",
                )
        return document


def rows_by(key: str, rows: tuple[R, ...], where: str) -> dict[str, R]:
    """Rows by their `key`. Raises KnowledgeError when two share it."""
    found: dict[str, R] = {}
    for row in rows:
        name = getattr(row, key)
        if name in found:
            raise stands_twice(name, where)
        found[name] = row
    return found


def stands_twice(name: str, where: str) -> KnowledgeError:
    """The error for two rows of one name: only one could count, and nobody could tell which."""
    return KnowledgeError(
        f"'{name}' stands here twice.", where=where, remedy="Remove one of the rows."
    )


def _row(where: str, content: object, row: type[R]) -> R:
    try:
        return row.model_validate(content)
    except ValidationError as error:
        slip = first_slip(error, row, PATTERNS)
        path = ".".join(str(part) for part in slip.place)
        raise KnowledgeError(
            f"{path}: {slip.text}" if path else capitalised(slip.text),
            where=f"{where}{_label(content)}",
            remedy=slip.remedy,
        ) from error


def _label(content: object) -> str:
    """The id, name, code or text by which a reader finds the row, in parentheses; else empty."""
    if isinstance(content, dict):
        for key in ("id", "name", "loinc", "text", "code"):
            if isinstance(content.get(key), str):
                return f" ({content[key]})"
    return ""
