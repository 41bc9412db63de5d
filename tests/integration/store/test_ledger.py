"""The ledger shows what was changed in the records afterwards, and in itself (T-111)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from cds_service.store.database import Database
from cds_service.store.ledger import Broken, Changed, Comparison, Ledger, Sound
from cds_service.store.pseudonym import DataKey
from cds_service.store.records import SentCard
from cds_service.store.retention import Retention
from cds_service.store.tables import evaluations
from tests.integration.store.ledgers import HOURS, LATER, START, compared, made, read, written
from tests.kept import CLIENT, KEY, SERVICE, evaluation, keep, pseudonym

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger(database: Database) -> Ledger:
    """Of a database with six records, two of one patient."""
    for number in range(len(HOURS)):
        patient = pseudonym("erased" if number in (1, 3) else f"patient-{number}")
        keep(database, evaluation(f"e{number}", at=made(number), patient=patient))
    return Ledger(database, KEY)


def test_each_hour_with_records_is_a_line_and_the_lines_leave_no_time_out(ledger: Ledger) -> None:
    pages = [line.page for line in read(ledger, written(ledger))]
    assert [len(page.records) for page in pages] == [2, 1, 2, 1, 0]
    assert [page.since for page in pages[1:]] == [page.until for page in pages[:-1]]
    assert (pages[0].since, pages[-1].until) == (START, START + timedelta(hours=8))


def test_what_is_not_yet_an_hour_old_waits_for_the_next_time(ledger: Ledger) -> None:
    early = list(ledger.due([], START + timedelta(hours=5, minutes=59)))
    assert [line.page.until.hour for line in early] == [13, 14, 16]
    late = list(ledger.due(early, LATER))
    assert [line.page.until.hour for line in late] == [17, 18, 20]
    assert late[0].page.since.hour == 16
    assert compared(ledger, [line.written() for line in (*early, *late)]).records == 6
    assert list(ledger.due(late, LATER)) == []


def test_a_record_of_the_full_hour_belongs_to_the_hour_that_begins(database: Database) -> None:
    for hour in (1, 2, 3):
        keep(database, evaluation(f"e{hour}", at=START + timedelta(hours=hour)))
    ledger = Ledger(database, KEY)
    early = list(ledger.due([], START + timedelta(hours=3)))
    late = list(ledger.due(early, START + timedelta(hours=5)))
    assert [len(line.page.records) for line in (*early, *late)] == [1, 1, 1]
    both = [line.written() for line in (*early, *late)]
    assert compared(ledger, both) == Comparison(3, (), (), ())


def test_where_nothing_was_recorded_yet_there_is_nothing_to_note(database: Database) -> None:
    assert list(Ledger(database, KEY).due([], LATER)) == []


def test_of_two_records_of_one_moment_the_one_is_changed_and_the_other_missing(
    ledger: Ledger, database: Database
) -> None:
    keep(database, evaluation("twin", at=made(2)))
    lines = written(ledger)
    with database.writing() as connection:
        connection.execute(update(evaluations).where(evaluations.c.id == "e2").values(status=500))
        connection.execute(delete(evaluations).where(evaluations.c.id == "twin"))
    found = compared(ledger, lines)
    assert [changed.id for changed in found.changed] == ["e2"]
    assert found.missing == (made(2),)


def test_records_that_nobody_touched_are_as_they_were(ledger: Ledger) -> None:
    assert compared(ledger, written(ledger)) == Comparison(6, (), (), ())
    assert ledger.read([]) == ([], Sound())
    assert compared(ledger, []) == Comparison(0, (), (), ())


def test_nothing_of_what_was_recorded_stands_in_the_ledger(ledger: Ledger) -> None:
    text = b"".join(written(ledger)).decode()
    for said in (CLIENT, SERVICE, pseudonym("erased"), "sil2r"):
        assert said not in text


@pytest.mark.parametrize(
    "column", [column.name for column in evaluations.columns if column.name not in ("number", "at")]
)
def test_t111_a_record_that_was_changed_is_named(
    ledger: Ledger, database: Database, column: str
) -> None:
    lines = written(ledger)
    kind = evaluations.c[column].type.python_type
    other = {str: "other", int: 500, float: 9.5}.get(kind, ("other",))
    with database.writing() as connection:
        where = evaluations.c.id == "e2"
        connection.execute(update(evaluations).where(where).values({column: other}))
    (changed,) = compared(ledger, lines).changed
    assert changed == Changed("other" if column == "id" else "e2", made(2).isoformat())
    assert compared(ledger, lines).missing == ()


def test_t111_a_record_that_was_moved_in_time_is_gone_here_and_new_there(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    moved = made(2) + timedelta(hours=3)
    with database.writing() as connection:
        connection.execute(update(evaluations).where(evaluations.c.id == "e2").values(at=moved))
    found = compared(ledger, lines)
    assert (found.changed, found.missing) == ((Changed("e2", moved.isoformat()),), (made(2),))


def test_t111_a_record_that_came_in_since_is_named(ledger: Ledger, database: Database) -> None:
    lines = written(ledger)
    keep(database, evaluation("late", at=START + timedelta(hours=2)))
    assert [each.id for each in compared(ledger, lines).changed] == ["late"]


def test_t111_a_record_that_came_in_to_quiet_hours_is_named_though_later_lines_followed(
    ledger: Ledger, database: Database
) -> None:
    lines = list(ledger.due([], LATER))
    keep(database, evaluation("late", at=START + timedelta(hours=7)))
    more = list(ledger.due(lines, LATER + timedelta(days=1)))
    found = compared(ledger, [line.written() for line in (*lines, *more)])
    assert [each.id for each in found.changed] == ["late"]


def test_t111_a_record_that_came_in_before_the_first_line_is_named(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    keep(database, evaluation("early", at=START - timedelta(days=400)))
    assert [each.id for each in compared(ledger, lines).changed] == ["early"]


CODES = ("27c739ed7c05ee4e2d2cff65e7111e70", "13b7d3489e97f5eb16703df52c22b87a")
"""Of a line and of its one record with something in every column, as they have always been."""


def test_what_a_line_says_of_a_record_never_changes(database: Database) -> None:
    """Else every record kept would look changed after an update. A new column is for new pages:
    what older ones say must go on being made without it.
    """
    said: dict[str, Any] = {"duration_ms": 1.5, "cards": (SentCard(uuid="card"),)}
    for name in ("outcomes", "findings", "reasons", "missing", "inputs"):
        said[name] = (name, "\N{MICRO SIGN}")
    texts = ("hook_instance", "knowledge", "software", "error", "patient")
    said |= {name: name for name in texts}
    keep(database, evaluation(at=START + timedelta(minutes=1), **said))
    line = next(Ledger(database, KEY).due([], LATER))
    assert (line.code, line.page.records[0].code) == CODES


SLOWLY = """
ALTER TABLE evaluations RENAME TO many;
CREATE VIEW evaluations AS SELECT many.* FROM many, pg_sleep(0.6)
"""


def test_years_of_records_may_take_their_time_to_sort(postgresql_url: str) -> None:
    with Database.open(postgresql_url) as opened:
        opened.upgrade()
        keep(opened, evaluation(at=START))
    hasty = f"{postgresql_url}&options={quote('-c statement_timeout=300 -c timezone=UTC')}"
    with Database.open(hasty) as opened:
        with opened.writing() as connection:
            connection.exec_driver_sql(SLOWLY)
        assert len(written(Ledger(opened, KEY))) == 2


def test_a_record_after_the_last_line_is_none_of_its_business(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    keep(database, evaluation("today", at=LATER))
    assert compared(ledger, lines).changed == ()


def test_t111_a_record_that_was_taken_away_is_missing(ledger: Ledger, database: Database) -> None:
    lines = written(ledger)
    with database.writing() as connection:
        connection.execute(delete(evaluations).where(evaluations.c.id == "e4"))
    found = compared(ledger, lines)
    assert (found.missing, found.purged) == ((made(4),), ())


def test_what_was_purged_is_told_apart_from_what_is_missing(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    list(Retention(database, rest=lambda _: None).purge(made(2)))
    found = compared(ledger, lines, kept_since=made(2))
    assert (found.purged, found.missing) == ((made(0), made(1)), ())


def test_t111_all_that_was_taken_away_is_missing_though_nothing_older_is_left(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    with database.writing() as connection:
        connection.execute(delete(evaluations))
    found = compared(ledger, lines, kept_since=made(1))
    assert (found.purged, len(found.missing)) == ((made(0),), 5)


def test_what_was_erased_is_counted(ledger: Ledger, database: Database) -> None:
    lines = written(ledger)
    retention = Retention(database, rest=lambda _: None)
    list(retention.erase(retention.belongings(CLIENT, pseudonym("erased"))))
    assert compared(ledger, lines).missing == (made(1), made(3))


def test_a_number_that_sqlite_gives_out_again_deceives_nobody(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    with database.writing() as connection:
        number = connection.scalar(select(evaluations.c.number).where(evaluations.c.id == "e5"))
        row = connection.execute(select(evaluations).where(evaluations.c.number == number)).one()
        connection.execute(delete(evaluations).where(evaluations.c.number == number))
        new = row._asdict() | {"id": "new", "at": LATER}
        connection.execute(insert(evaluations).values(new))
    found = compared(ledger, lines)
    assert (found.changed, found.missing) == ((), (made(5),))


def test_t111_the_first_line_that_is_not_what_was_written_is_named(ledger: Ledger) -> None:
    lines = written(ledger)

    @given(data=st.data())
    def is_named(data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(lines) - 1), "line")
        spoilt = list(lines)
        match data.draw(st.sampled_from(("delete", "edit", "swap", "double", "halve"))):
            case "delete":
                del spoilt[at]
            case "edit":
                place = data.draw(st.integers(0, len(lines[at]) - 2), "byte")
                wrong = data.draw(st.integers(0, 255).filter(lambda b: b != lines[at][place]))
                spoilt[at] = lines[at][:place] + bytes([wrong]) + lines[at][place + 1 :]
            case "swap":
                at = min(at, len(lines) - 2)
                spoilt[at : at + 2] = reversed(spoilt[at : at + 2])
            case "double":
                spoilt.insert(at, lines[at])
                at += 1
            case _:
                spoilt[at] = lines[at][: len(lines[at]) // 2]
        sound, state = ledger.read(spoilt)
        if at == len(spoilt):  # the last was taken away: only its code, kept elsewhere, tells
            assert state == Sound()
            assert lines[-1][:32].decode() not in {line.code for line in sound}
        else:
            assert isinstance(state, Broken)
            assert (state.line, len(sound)) == (at + 1, at)

    is_named()


def test_without_the_data_key_no_line_can_be_made(ledger: Ledger, database: Database) -> None:
    forged = [line.written() for line in Ledger(database, DataKey.random()).due([], LATER)]
    _, state = ledger.read(forged)
    assert isinstance(state, Broken)
    assert "which was not given" in state.why


def test_after_a_change_of_the_key_the_former_one_still_proves_its_lines(
    ledger: Ledger, database: Database
) -> None:
    before = list(ledger.due([], START + timedelta(hours=5)))
    changed = Ledger(database, DataKey.random(), former=(KEY,))
    lines = [line.written() for line in (*before, *changed.due(before, LATER))]
    assert compared(changed, lines) == Comparison(6, (), (), ())


def test_the_same_record_twice_is_two(ledger: Ledger, database: Database) -> None:
    twin = evaluation("twin", at=made(5))
    keep(database, twin, twin, replace(twin, id="other"))
    lines = written(ledger)
    with database.writing() as connection:
        number = select(evaluations.c.number).where(evaluations.c.id == "twin").limit(1)
        first = connection.scalar(number)
        connection.execute(delete(evaluations).where(evaluations.c.number == first))
    assert compared(ledger, lines).missing == (made(5),)
