"""What was written past this software, and cannot be read, is named as any other change (T-111)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from cds_service.errors import StoreUnavailable
from cds_service.store.database import Database
from cds_service.store.ledger import Changed, Comparison, Ledger
from cds_service.store.tables import evaluations
from tests.integration.store.ledgers import HOURS, LATER, START, compared, made, written
from tests.kept import KEY, evaluation, keep

pytestmark = pytest.mark.integration


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty database that takes anything in any column."""
    with Database.open(f"sqlite:///{tmp_path / 'odd.sqlite3'}") as opened:
        opened.upgrade()
        yield opened


WORDS = ("nonsense", "5", "null", '"ab"', '{"a": 1, "b": 2}', '["a","b"]')
"""Some no list, some that a reader might take for the list that was written."""


@pytest.mark.parametrize("words", WORDS)
def test_t111_words_that_were_written_by_hand_are_named(database: Database, words: str) -> None:
    keep(database, evaluation("e6", at=made(5), outcomes=("a", "b")))
    ledger = Ledger(database, KEY)
    lines = written(ledger)
    with database.writing() as connection:
        connection.execute(
            text("UPDATE evaluations SET outcomes = :words WHERE id = 'e6'"), {"words": words}
        )
    assert compared(ledger, lines).changed == (Changed("e6", made(5).isoformat()),)
    assert list(ledger.due([], LATER)) != []


ODD_TIMES = (
    "'nonsense'",
    "''",
    "5",
    "x'ff'",
    "substr(at, 1, 14) || 'zz'",
    "substr(at, 1, 10) || char(1) || '23:59:00'",  # before all of its day by its letters
    "'2026-11-20T12:00'",
    "at || '9'",
    "at || '+05:00'",
    "CAST(x'ff' AS TEXT)",
    "substr(at, 1, 14) || CAST(x'ff' AS TEXT)",
)


@pytest.mark.parametrize("time", ODD_TIMES)
def test_t111_a_time_that_was_written_by_hand_is_named_and_hides_nothing_else(
    sqlite: Database, time: str
) -> None:
    for number in range(len(HOURS)):
        keep(sqlite, evaluation(f"e{number}", at=made(number)))
    ledger = Ledger(sqlite, KEY)
    lines = written(ledger)
    with sqlite.writing() as connection:
        connection.execute(
            update(evaluations).where(evaluations.c.id == "e0").values(at=text(time))
        )
        connection.execute(update(evaluations).where(evaluations.c.id == "e3").values(status=500))
    found = compared(ledger, lines)
    assert {each.id for each in found.changed} == {"e0", "e3"}
    assert found.missing == (made(0),)
    noted = [each for line in ledger.due([], LATER) for each in line.page.records]
    assert len(noted) == 5, "what has no time is on no page"


@pytest.mark.parametrize("time", ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01"])
def test_t111_a_time_that_only_postgresql_knows_is_named(postgresql_url: str, time: str) -> None:
    with Database.open(postgresql_url) as opened:
        opened.upgrade()
        keep(opened, evaluation("e0", at=START), evaluation("e1", at=START))
        ledger = Ledger(opened, KEY)
        lines = written(ledger)
        with opened.writing() as connection:
            first = evaluations.c.id == "e0"
            connection.execute(update(evaluations).where(first).values(at=text(f"'{time}'")))
        found = compared(ledger, lines)
    assert (found.changed, found.missing) == ((Changed("e0", "no time"),), (START,))


@pytest.mark.parametrize("column", ["id", "error", "status", "duration_ms", "outcomes"])
def test_t111_bytes_that_were_written_by_hand_are_named(sqlite: Database, column: str) -> None:
    keep(sqlite, evaluation("e0", at=START))
    ledger = Ledger(sqlite, KEY)
    lines = written(ledger)
    with sqlite.writing() as connection:
        connection.execute(update(evaluations).values({column: text("x'00ff'")}))
    (changed,) = compared(ledger, lines).changed
    assert changed.at == START.isoformat()


@pytest.mark.parametrize("column", ["id", "error", "status", "outcomes"])
def test_t111_a_text_that_is_not_utf_8_is_named(sqlite: Database, column: str) -> None:
    keep(sqlite, evaluation("e0", at=START), evaluation("e1", at=START))
    ledger = Ledger(sqlite, KEY)
    lines = written(ledger)
    with sqlite.writing() as connection:
        first = update(evaluations).where(evaluations.c.id == "e0")
        connection.execute(first.values({column: text("CAST(x'6530ff' AS TEXT)")}))
    id_ = r"e0\xff" if column == "id" else "e0"
    assert compared(ledger, lines) == Comparison(2, (Changed(id_, START.isoformat()),), (), ())
    assert [len(line.page.records) for line in ledger.due([], LATER)] == [2, 0]


def test_t111_no_two_texts_that_are_not_utf_8_have_one_code(sqlite: Database) -> None:
    keep(sqlite, evaluation("e0", at=START))
    codes = set()
    for text_ in ("'e' || CAST(x'ff' AS TEXT)", "'e' || CAST(x'fe' AS TEXT)", r"'e\xff'"):
        with sqlite.writing() as connection:
            connection.execute(update(evaluations).values(error=text(text_)))
        (line, _) = Ledger(sqlite, KEY).due([], LATER)
        codes.add(line.page.records[0].code)
    assert len(codes) == 3


def test_whoever_reads_after_the_ledger_is_told_of_such_a_text_as_before(sqlite: Database) -> None:
    keep(sqlite, evaluation("e0", at=START))
    with sqlite.writing() as connection:
        connection.execute(update(evaluations).values(error=text("CAST(x'ff' AS TEXT)")))
    written(Ledger(sqlite, KEY))
    with pytest.raises(StoreUnavailable), sqlite.reading() as connection:
        connection.execute(select(evaluations.c.error)).all()
