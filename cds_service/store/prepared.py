"""INSERTs compiled once, for the few rows that every call writes.

SQLAlchemy looks up, binds and converts a statement anew each time, which costs several times what
the database needs for the row. Here the SQL and the converters of the column types are taken from
it at the start, and a call needs only the driver. What is stored is what SQLAlchemy would store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Insert, Table
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.sql.compiler import SQLCompiler

Row = Mapping[str, Any]
"""A value for each column, by its name; a number that the database counts itself is left out."""


class PreparedInsert:
    """One INSERT into `table`, of at least two columns, in one dialect; threads may share it.

    Raises ValueError for a statement that needs more or less than a value for each column.
    """

    def __init__(self, table: Table, statement: Insert, dialect: Dialect) -> None:
        columns = [column for column in table.columns if column is not table.autoincrement_column]
        names = [column.name for column in columns]
        # Inline: PostgreSQL need not say which number a row got, since nobody reads it.
        compiled = statement.inline().compile(dialect=dialect, column_keys=names)
        if not isinstance(compiled, SQLCompiler) or compiled.positiontup != names:
            raise ValueError(f"An INSERT into {table.name} must take its columns, by position.")
        self._sql = compiled.string
        self._in_order = itemgetter(*names)
        processors = [
            column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns
        ]
        self._converters = [
            (position, convert) for position, convert in enumerate(processors) if convert
        ]

    def run(self, connection: DBAPIConnection, rows: Sequence[Row]) -> int:
        """Inserts rows in this order, in the transaction under way. Returns how many were written.

        Raises the errors of the driver.
        """
        cursor = connection.cursor()
        values = [self._converted(row) for row in rows]
        if len(values) == 1:
            cursor.execute(self._sql, values[0])
        else:
            cursor.executemany(self._sql, values)
        written: int = cursor.rowcount
        cursor.close()
        return written

    def _converted(self, row: Row) -> list[Any]:
        values = list(self._in_order(row))
        for position, convert in self._converters:
            values[position] = convert(values[position])
        return values
