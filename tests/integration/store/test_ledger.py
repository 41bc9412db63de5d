"""The ledger shows what was changed in the records afterwards, and in itself (T-111)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from cds_service.store.database import Database
from cds_service.store.ledger import Broken, Changed, Comparison, Ledger, Line, Sound
from cds_service.store.pseudonym import DataKey
from cds_service.store.retention import Retention
from cds_service.store.tables import evaluations
from tests.kept import CLIENT, KEY, evaluation, keep, pseudonym

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOURS = (0, 0, 1, 4, 4, 5)
"""When each of six records was made, in hours after noon."""
LATER = START + timedelta(hours=9)


def made(number: int) -> datetime:
    return START + timedelta(hours=HOURS[number], minutes=number)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    """Of a database with six records, two of one patient."""
    for number in range(len(HOURS)):
        patient = pseudonym("erased" if number in (1, 3) else f"patient-{number}")
        keep(database, evaluation(f"e{number}", at=made(number), patient=patient))
    return Ledger(database, KEY)


def written(ledger: Ledger) -> list[bytes]:
    return [line.written() for line in ledger.due([], LATER)]


def read(ledger: Ledger, lines: Sequence[bytes]) -> Sequence[Line]:
    found, state = ledger.read(lines)
    assert state == Sound()
    return found


def compared(ledger: Ledger, lines: Sequence[bytes]) -> Comparison:
    found = read(ledger, lines)
    steps: list[int] = []
    comparison = ledger.compare(found, lambda: steps.append(1))
    assert len(steps) == len(found)
    return comparison


def test_each_hour_with_records_is_a_line_and_the_lines_leave_no_time_out(ledger: Ledger) -> None:
    pages = [line.page for line in read(ledger, written(ledger))]
    assert [len(page.records) for page in pages] == [2, 1, 2, 1]
    assert [page.since for page in pages[1:]] == [page.until for page in pages[:-1]]
    assert (pages[0].since, pages[-1].until) == (START, START + timedelta(hours=6))


def test_what_is_not_yet_an_hour_old_waits_for_the_next_time(ledger: Ledger) -> None:
    early = list(ledger.due([], START + timedelta(hours=5, minutes=59)))
    assert [line.page.until.hour for line in early] == [13, 14]
    late = list(ledger.due(early, LATER))
    assert [line.written() for line in (*early, *late)] == written(ledger)
    assert list(ledger.due(late, LATER)) == []


def test_records_that_nobody_touched_are_as_they_were(ledger: Ledger) -> None:
    assert compared(ledger, written(ledger)) == Comparison(6, (), (), ())
    assert ledger.read([]) == ([], Sound())
    assert compared(ledger, []) == Comparison(0, (), (), ())


def test_nothing_of_what_was_recorded_stands_in_the_ledger(ledger: Ledger) -> None:
    text = b"".join(written(ledger)).decode()
    for said in (CLIENT, "e0", pseudonym("erased"), "sil2r"):
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
    assert changed == Changed("other" if column == "id" else "e2", made(2))
    assert compared(ledger, lines).missing == ()


def test_t111_a_record_that_was_moved_in_time_is_gone_here_and_new_there(
    ledger: Ledger, database: Database
) -> None:
    lines = written(ledger)
    moved = made(2) + timedelta(hours=3)
    with database.writing() as connection:
        connection.execute(update(evaluations).where(evaluations.c.id == "e2").values(at=moved))
    found = compared(ledger, lines)
    assert (found.changed, found.missing) == ((Changed("e2", moved),), (made(2),))


def test_t111_a_record_that_came_in_since_is_named(ledger: Ledger, database: Database) -> None:
    lines = written(ledger)
    keep(database, evaluation("late", at=START + timedelta(hours=2)))
    assert [each.id for each in compared(ledger, lines).changed] == ["late"]


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
    found = compared(ledger, lines)
    assert (found.purged, found.missing) == ((made(0), made(1)), ())


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
