"""Faults in one file of the knowledge, with file, row and remedy for whoever mends them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.core.schema import AdviceRow, Gates, TableRow
from cds_service.core.table import wanted
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

    def impossible(
        self, row: str, gates: Gates, domains: Mapping[str, Collection[str]]
    ) -> Iterator[KnowledgeError]:
        """A fault for each fact that the gates of a row ask for and that does not exist, and for
        each value that it cannot have.
        """
        yield from self.absent(row, gates, domains)
        for fact in gates:
            values = wanted(gates, fact)
            yield from self.absent(row, values, domains.get(fact, values))

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
