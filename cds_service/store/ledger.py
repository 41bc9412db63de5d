"""The ledger: a file beside the database by which it shows what was changed there afterwards.

Each line is a page: a code, and as JSON the evaluation records of an hour or more in the order of
their time, each with a code over all that it says. The code of the line is over the page and the
line before, so that the pages are a chain. Codes are HMACs (RFC 2104, SHA-256) under a key derived
from the data key: who can write to database and ledger and has no data key can make none. A page
holds times and codes, and nothing of what was recorded.

The codes of records that were purged or erased stay in the file: they show how many records there
were and when they were made, and no more.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Row, case, or_, select, type_coerce
from sqlalchemy.types import NULLTYPE

from cds_service.store.database import Database
from cds_service.store.lots import LOT
from cds_service.store.pseudonym import DataKey
from cds_service.store.tables import evaluations

SETTLED: Final = timedelta(hours=1)
"""The record of a call that began so long ago has been written by now."""
_HOUR: Final = timedelta(hours=1)
_DIGITS: Final = 32
"""Hexadecimal digits of a code: 128 bits."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)
_UNREADABLE: Final = _BEGINNING
"""Stands for a time that cannot be read: before every page, and on none."""
_RAW: Final = {column.name: type_coerce(column, NULLTYPE) for column in evaluations.columns}
_AT: Final = case((evaluations.c.at.between(_BEGINNING, _END), _RAW["at"]))
"""NULL for what PostgreSQL takes for a time and Python does not, as `infinity`."""
_SAID: Final[Sequence[ColumnElement[Any]]] = [
    said.label(name) for name, said in (_RAW | {"at": _AT}).items() if name != "number"
]
"""All that a record says, without conversion: a row that was not written by this software may hold
what cannot be converted. The number is left out, being only the place in the table."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One record: when it was made, and the code over it."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """The records from `since` on and before `until`. `key` is the id of the data key."""

    since: datetime
    until: datetime
    key: str
    records: tuple[Noted, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A page as it stands in the file, after the code that chains it to the line before."""

    code: str
    page: Page
    text: bytes

    def written(self) -> bytes:
        """The whole line."""
        return self.code.encode() + b" " + self.text + b"\n"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line that is not what was written there, and why. What follows proves nothing."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Every line is as it was written."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that is not as it was when its page was written, or came in since.

    Both are texts, since they are told as they stand there.
    """

    id: str
    at: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a database says beside its ledger, oldest first."""

    records: int
    """How many the pages hold."""
    changed: tuple[Changed, ...]
    purged: tuple[datetime, ...]
    """The times of records that are gone and were made before `kept_since`."""
    missing: tuple[datetime, ...]
    """The times of other records that are gone, and of which nobody noted why."""
    erased: tuple[datetime, ...] = ()
    """The times of those that are gone, and were noted as erased."""


class Ledger:
    """Writes lines, reads them, and holds the database against them.

    Raises StoreUnavailable when the database fails.
    """

    def __init__(self, database: Database, key: DataKey, former: Sequence[DataKey] = ()) -> None:
        self._database = database
        self._key_id = key.id()
        self._secrets = {each.id(): each.subkey("ledger") for each in (*former, key)}

    def read(self, lines: Iterable[bytes]) -> tuple[Sequence[Line], Sound | Broken]:
        """The lines up to the first that is not what was written there."""
        sound: list[Line] = []
        for number, written in enumerate(lines, start=1):
            code, _, text = written.removesuffix(b"\n").partition(b" ")
            if not written.endswith(b"\n"):
                return sound, Broken(number, "a run was ended in it; `records ledger` mends that")
            try:
                page = _PAGE.validate_json(text)
            except ValidationError:
                return sound, Broken(number, "it is no page")
            if page.key not in self._secrets:
                return sound, Broken(number, f"it names data key {page.key}, which was not given")
            if code.decode("ascii", "replace") != self._chained(text, page.key, sound):
                return sound, Broken(number, "it was changed, or does not follow the one before")
            sound.append(Line(code.decode(), page, text))
        return sound, Sound()

    def due(self, before: Sequence[Line], now: datetime) -> Iterator[Line]:
        """The lines that are to follow: full hours that have settled, each with a record.

        The last may have none: it covers the quiet hours up to now, so that a record that is put
        there later shows too.
        """
        last = list(before[-1:])
        since = last[0].page.until if last else _BEGINNING
        at = evaluations.c.at
        settled = _full_hour(now - SETTLED)
        kept = self._rows(at >= since, at < settled)
        readable = (row for row in kept if _moment(row) != _UNREADABLE)
        for hour, rows in groupby(readable, key=lambda row: _full_hour(_moment(row))):
            noted = tuple([self._noted(row, self._key_id) for row in rows])
            start = last[0].page.until if last else hour
            last = [self._line(last, Page(start, hour + _HOUR, self._key_id, noted))]
            yield last[0]
        if last and last[0].page.until < settled:
            yield self._line(last, Page(last[0].page.until, settled, self._key_id, ()))

    def compare(
        self,
        lines: Sequence[Line],
        kept_since: datetime,
        step: Callable[[], object],
        erased: Iterable[datetime] = (),
    ) -> Comparison:
        """Compare the database with these lines; `step` is called after each of them.

        Records made before `kept_since` may have been purged, and those made at the times of
        `erased` were. Of these some may never have come into a line.
        """
        changed: list[Changed] = []
        gone: list[datetime] = []
        at = evaluations.c.at
        # Also records older than the first line, of which there were none when it was written; and
        # records of a time after all times, of which there can be none.
        those = [or_(at < line.page.until, at > _END) for line in lines[-1:]]
        rows = self._rows(*those) if those else iter(())
        row = next(rows, None)
        for page in (line.page for line in lines):
            noted = Counter(page.records)
            altered: Counter[datetime] = Counter()
            while row and _moment(row) < page.until:
                own = self._noted(row, page.key)
                if noted[own]:
                    noted[own] -= 1
                else:
                    changed.append(Changed(_text(row.id), _told(row)))
                    altered[own.at] += 1
                row = next(rows, None)
            left = Counter(each.at for each in noted.elements())
            gone += sorted((left - altered).elements())
            step()
        young = Counter([at for at in gone if at >= kept_since])
        missing = young - Counter(erased)
        return Comparison(
            records=sum(len(line.page.records) for line in lines),
            changed=tuple(changed),
            purged=tuple([at for at in gone if at < kept_since]),
            missing=tuple(missing.elements()),
            erased=tuple((young - missing).elements()),
        )

    def _rows(self, *those: ColumnElement[bool]) -> Iterator[Row[Any]]:
        asked = select(*_SAID).where(*those).order_by(evaluations.c.at, evaluations.c.number)
        with self._database.reading() as connection:
            if connection.dialect.name == "postgresql":  # to sort years of records takes longer
                from cds_service.store.postgresql import take_as_long_as_needed  # noqa: PLC0415

                take_as_long_as_needed(connection)
            _take_any_text(connection)
            yield from connection.execution_options(yield_per=LOT).execute(asked)

    def _noted(self, row: Row[Any], key_id: str) -> Noted:
        at = _moment(row)
        said = row._asdict() | {"at": at.isoformat()}
        text = json.dumps(list(said.values()), default=lambda odd: [repr(odd)])
        return Noted(at, self._code(key_id, b"record", text.encode()))

    def _line(self, before: Sequence[Line], page: Page) -> Line:
        text = _PAGE.dump_json(page)
        return Line(self._chained(text, page.key, before), page, text)

    def _chained(self, text: bytes, key_id: str, before: Sequence[Line]) -> str:
        """The code of a page that follows the last of these lines."""
        link = before[-1].code if before else "the first"
        return self._code(key_id, b"page", link.encode(), text)

    def _code(self, key_id: str, *parts: bytes) -> str:
        code = hmac.new(self._secrets[key_id], b"\n".join(parts), "sha256")
        return code.hexdigest()[:_DIGITS]


_PAGE: Final = TypeAdapter(Page)


def _take_any_text(connection: Connection) -> None:
    """Reads texts of SQLite that are no UTF-8 too, and each differently from any other text."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        connection.detach()  # from the pool: nobody else is to take it
        driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")


def _full_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _moment(row: Row[Any]) -> datetime:
    """When the record was made, or `_UNREADABLE`: what was not written as we write it.

    SQLite compares moments as texts, so another way to write one would be another order.
    """
    match row.at:
        case datetime() as moment:
            return moment.astimezone(UTC)
        case str() as text:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                return _UNREADABLE
            written = moment.replace(tzinfo=None).isoformat(" ", "microseconds")
            return moment.replace(tzinfo=UTC) if written == text else _UNREADABLE
        case _:
            return _UNREADABLE


def _told(row: Row[Any]) -> str:
    moment = _moment(row)
    return _text(row.at or "no time") if moment == _UNREADABLE else moment.isoformat()


def _text(value: object) -> str:
    r"""What stands there; a byte that is no UTF-8 as `\xff`."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
