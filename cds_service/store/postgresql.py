"""Connections to PostgreSQL that wait for no answer for ever.

The server itself ends a statement that takes too long, and the system notices a machine that is
gone. Neither helps where the machine answers and the server on it stands still: its disk hangs, or
its container is paused. Without a bound on this side, a call would wait until it goes on.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Final, TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, event

RESULT = TypeVar("RESULT")

WITHOUT_END: Final = float("inf")


class BoundedConnection(Connection[Any]):
    """One whose statements each come to an end within `patience` seconds.

    If one does not, the connection is closed: nobody knows what the server will make of it.
    """

    patience = WITHOUT_END

    def wait(self, gen: PQGen[RESULT], *how: Any, **more: Any) -> RESULT:
        """What psycopg waits for, looking up every tenth of a second. Raises OperationalError."""
        return super().wait(self._bounded(gen), *how, **more)

    def _bounded(self, gen: PQGen[RESULT]) -> PQGen[RESULT]:
        until = monotonic() + self.patience
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() > until:
                    self.pgconn.finish()
                    raise OperationalError("The server does not answer.")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: RESULT = end.value
            return result


def open_bounded(engine: Engine, patience: float) -> None:
    """Lets the engine open such connections, of so much patience in seconds."""

    def connect(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> Any:
        made = BoundedConnection.connect(**options)
        made.patience = patience
        return made

    def given_back(connection: object, _record: object) -> None:
        if isinstance(connection, BoundedConnection):  # else it was closed
            connection.patience = patience

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkin", given_back)


def take_as_long_as_needed(connection: SqlConnection) -> None:
    """Lets the statements of the transaction under way take any time, here and on the server."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    driver = connection.connection.driver_connection
    if isinstance(driver, BoundedConnection):
        driver.patience = WITHOUT_END
