"""Rows that were not written by this software, as after a change by hand: told, and no crash.

SQLite keeps whatever is put into a column, of whatever kind. Where there is a ledger it shows what
was changed; what reads a row for its words only needs to say that it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row, Table, Text

from cds_service.errors import InputError


@contextmanager
def as_written(table: Table) -> Iterator[None]:
    """A block that reads rows of this table. Raises InputError for what cannot be read there."""
    try:
        yield
    except (TypeError, ValueError, RecursionError):
        raise InputError(
            "A row cannot be read: this software did not write it so.",
            where=table.name,
            remedy="Of records, `cds-service records verify` names it, where a ledger is kept.",
        ) from None


def require_texts(row: Row[Any], table: Table) -> None:
    """Raises TypeError where something else than a text stands in a column of texts."""
    said = row._asdict()
    texts = [each.name for each in table.columns if type(each.type) is Text]
    if not all(isinstance(said[name], str) for name in texts):
        raise TypeError
