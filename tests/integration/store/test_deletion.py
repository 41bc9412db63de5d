"""The page on security says how to delete; its own words are run here, on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from cds_service.store.database import Database
from tests.kept import keep_card, pseudonym

pytestmark = pytest.mark.integration

PAGE = Path(__file__).resolve().parents[3] / "docs" / "security.md"
TABLES = ("evaluations", "cards", "carded_results", "feedback")
OLD, NEW = datetime(2019, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


def statements(number: int) -> list[str]:
    """The statements of one SQL example of the page."""
    example = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[number]
    return [each.strip() for each in example.split(";") if each.strip()]


def counts(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            for table in TABLES
        }


def run(database: Database, number: int, pseudonym: str = "") -> None:
    with database.writing() as connection:
        for statement in statements(number):
            connection.execute(text(statement.replace("PSEUDONYM", pseudonym)))


FIRST, SECOND = "9d2c1c3e-6f0c-5a4f-9b7d-0a4b5c6d7e8f", "1c9a7f5e-2b3d-4e6f-8a9b-0c1d2e3f4a5b"


def test_what_belongs_to_one_patient_goes_and_what_belongs_to_the_next_stays(
    database: Database,
) -> None:
    keep_card(database, "p1", FIRST, NEW)
    keep_card(database, "p2", SECOND, NEW)
    run(database, 1, pseudonym("p1"))
    assert counts(database) == dict.fromkeys(TABLES, 1)
    with database.reading() as connection:
        assert connection.execute(text("SELECT uuid FROM cards")).scalar_one() == SECOND
        assert connection.execute(text("SELECT card FROM feedback")).scalar_one() == SECOND


def test_what_is_older_than_a_day_goes(database: Database) -> None:
    keep_card(database, "p1", FIRST, OLD)
    keep_card(database, "p1", SECOND, NEW)
    with database.writing() as connection:  # it was received when it was said
        connection.execute(
            text("UPDATE feedback SET received = '2019-05-01' WHERE card = :card"), {"card": FIRST}
        )
    run(database, 0)
    assert counts(database) == dict.fromkeys(TABLES, 1)


def test_the_page_gives_two_examples_that_touch_every_table_that_names_a_patient() -> None:
    for number in (0, 1):
        said = " ".join(statements(number))
        assert set(TABLES) <= set(re.findall(r"DELETE FROM (\w+)", said))
