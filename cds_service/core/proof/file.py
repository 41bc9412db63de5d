"""Faults in one file of the knowledge, with file, row and remedy for whoever mends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.core.schema import AdviceRow, TableRow
from cds_service.errors import KnowledgeError


@dataclass(frozen=True, slots=True)
class KnowledgeFile:
    """One file in the folder of an analyte."""

    analyte: str
    name: str

    def fault(self, row: str, text: str, remedy: str) -> KnowledgeError:
        """Something that is wrong with a row."""
        return KnowledgeError(text, where=f"{self.analyte}/{self.name} ({row})", remedy=remedy)

    def absent(
        self, row: str, names: Iterable[str], known: Iterable[str]
    ) -> Iterator[KnowledgeError]:
        """A fault for each name in a row that is not among the known ones."""
        there = set(known)
        for name in names:
            if name not in there:
                remedy = f"Known: {', '.join(sorted(there)) or 'none'}."
                yield self.fault(row, f"'{name}' does not exist.", remedy)

    def alternatives(
        self, rows: Iterable[TableRow | AdviceRow], alike: Iterable[str]
    ) -> Iterator[KnowledgeError]:
        """A fault for each row that differs from the first of its id in one of the members `alike`.

        Rows of one id are alternatives. A card takes these members from any or all of the rows,
        whichever fires; so all must say the same.
        """
        keys = tuple(alike)
        first: dict[str, TableRow | AdviceRow] = {}
        for row in rows:
            other = first.setdefault(row.id, row)
            for key in keys:
                if getattr(row, key) != getattr(other, key):
                    text = f"its rows differ in '{key}'."
                    yield self.fault(row.id, text, "Give all rows of this id the same.")
