"""What was set aside is removed only as it was shown, and each removal is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from cds_service.cli import cli
from cds_service.errors import InputError
from cds_service.store.database import Database
from cds_service.store.event_backlog import Waiting
from cds_service.store.events import EventStore
from cds_service.store.tables import event_work
from cds_service.store.work_item import Kind, Target, Way
from tests.kept import KEY, PSEUDONYMS
from tests.unit.cli.conftest import Variables, listed, run


@contextmanager
def stored(here: Variables) -> Iterator[EventStore]:
    """The work of this installation."""
    with Database.open(here["CDS_DATABASE_URL"]) as database:
        yield EventStore(database, KEY, PSEUDONYMS)


def set_aside(here: Variables, number: int) -> None:
    with Database.open(here["CDS_DATABASE_URL"]) as database, database.writing() as kept:
        kept.execute(event_work.update().where(event_work.c.number == number).values(dead=True))


def test_what_is_to_be_removed_is_shown_first_and_stays_unless_that_is_confirmed(
    here: Variables,
) -> None:
    wide = here | {"COLUMNS": "200"}
    asked = CliRunner().invoke(cli, ["events", "drop", "1", "--sandbox"], input="n", env=wide)
    assert asked.exit_code == 1
    assert "set aside" in asked.stdout
    assert asked.stderr.startswith("Remove 1 event(s) for good? [y/N]: ")
    assert asked.stderr.endswith("Nothing was removed.\n")
    assert len(listed(here)) == 1

    asked = CliRunner().invoke(cli, ["events", "drop", "1", "--sandbox"], input="y", env=wide)
    assert asked.exit_code == 0
    assert asked.stdout.splitlines()[-1] == "1 event(s) removed."
    assert listed(here) == []


def test_without_an_answer_nothing_is_removed(here: Variables) -> None:
    assert run(here, "drop", "1").exit_code == 1
    assert len(listed(here)) == 1


def test_a_dry_run_shows_and_removes_nothing(here: Variables) -> None:
    shown = run(here, "drop", "1", "--dry-run")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[-1] == "1 event(s) would be removed."
    document = json.loads(run(here, "drop", "1", "--dry-run", "--json").stdout)
    assert document == {"dryRun": True, "events": listed(here)}
    assert len(listed(here)) == 1


def test_each_removal_is_one_line_in_the_log_that_names_no_result(here: Variables) -> None:
    before = listed(here)
    shown = run(here, "drop", "1", "--yes", "--json")
    assert json.loads(shown.stdout) == {"dryRun": False, "events": before}
    (line,) = [json.loads(line) for line in shown.stderr.splitlines()]
    assert (line["code"], line["level"]) == ("CDS-L408", "warning")
    assert {name: line[name] for name in line.keys() - {"time", "level", "code", "event"}} == {
        "number": 1,
        "source": "lab",
        "kind": "Observation",
        "way": "notified",
        "cause": "",
        "attempts": 0,
    }


def test_whoever_is_killed_while_removing_has_told_of_all_that_went(
    here: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.store.event_backlog.LOT", 2)
    told: list[int] = []

    def until_the_end_of_the_process(row: Waiting) -> None:
        if len(told) == 3:
            raise KeyboardInterrupt
        told.append(row.number)

    with stored(here) as store:
        now = datetime.now(UTC)
        store.add("lab", [Target(Kind.OBSERVATION, f"n{n}") for n in range(4)], Way.NOTIFIED, now)
        shown = store.named(range(1, 6))
        with pytest.raises(KeyboardInterrupt):
            list(store.drop(shown, now, until_the_end_of_the_process))
        left = {row.number for row in store.waiting()}
    assert told == [1, 2, 3]
    assert left == {3, 4, 5}, "a line too many, and none too few"


def test_nobody_has_to_wait_for_whoever_reads_slowly_what_is_told(here: Variables) -> None:
    def while_it_is_read(_row: Waiting) -> None:
        store.add("lab", [Target(Kind.OBSERVATION, "another")], Way.NOTIFIED, datetime.now(UTC))

    with stored(here) as store:
        assert len(list(store.drop(store.named([1]), datetime.now(UTC), while_it_is_read))) == 1
        assert store.count() == 1


def test_all_that_was_set_aside_of_one_source_goes_and_nothing_else(here: Variables) -> None:
    with stored(here) as store:
        now = datetime.now(UTC)
        store.add("lab", [Target(Kind.OBSERVATION, "waits")], Way.NOTIFIED, now)
        store.add("gone", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, now)
        (_, _, of_gone) = store.waiting()
    set_aside(here, of_gone.number)
    shown = run(here, "drop", "--source", "lab", "--yes")
    assert shown.stdout.splitlines()[-1] == "1 event(s) removed."
    assert [(row["source"], row["dead"]) for row in listed(here)] == [
        ("lab", False),
        ("gone", True),
    ]
    assert run(here, "drop", "--source", "gone", "--yes").exit_code == 0
    assert [row["source"] for row in listed(here)] == ["lab"]


@pytest.mark.parametrize("given", [("drop", "1", "99"), ("drop", "--source", "lap")])
def test_a_mistyped_number_or_name_removes_nothing(here: Variables, given: tuple[str, ...]) -> None:
    shown = run(here, *given, "--yes")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert isinstance(shown.exception, InputError)
    assert "events list" in shown.exception.remedy
    assert len(listed(here)) == 1


@pytest.mark.parametrize("given", [(), ("1", "--source", "lab")])
def test_what_to_remove_is_said_in_one_way(here: Variables, given: tuple[str, ...]) -> None:
    assert run(here, "drop", *given, "--yes").exit_code == 2
    assert len(listed(here)) == 1


def test_a_program_does_not_remove_what_nobody_was_shown(here: Variables) -> None:
    assert run(here, "drop", "1", "--json").exit_code == 2
    assert len(listed(here)) == 1


def test_one_that_a_worker_has_in_hand_stays(here: Variables) -> None:
    with stored(here) as store:
        store.revive([1], datetime.now(UTC))
        assert len(store.claim(datetime.now(UTC))) == 1
    shown = run(here, "drop", "1", "--yes")
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[-1] == "0 event(s) removed."
    assert isinstance(shown.exception, InputError)
    assert len(listed(here)) == 1


def test_one_whose_worker_is_gone_can_be_removed(here: Variables) -> None:
    with stored(here) as store:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        store.revive([1], long_ago)
        assert len(store.claim(long_ago)) == 1
    assert run(here, "drop", "1", "--yes").exit_code == 0
    assert listed(here) == []


def test_one_that_is_notified_again_after_it_was_shown_stays(here: Variables) -> None:
    with stored(here) as store:
        shown = store.set_aside_of("lab")
        store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, datetime.now(UTC))
        assert list(store.drop(shown, datetime.now(UTC))) == []
    assert [row["dead"] for row in listed(here)] == [False]


def test_another_that_got_the_number_of_one_that_was_shown_stays(here: Variables) -> None:
    with stored(here) as store:
        now = datetime.now(UTC)
        store.revive([1], now)
        shown = store.named([1])
        (claimed,) = store.claim(now)
        store.finish(claimed, now)
        store.add("lab", [Target(Kind.OBSERVATION, "another")], Way.NOTIFIED, now)
        assert [row.number for row in store.waiting()] == [1]
        assert list(store.drop(shown, now)) == []
        assert store.count() == 1


def test_a_writer_of_the_service_gets_in_between_the_lots(
    here: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.store.event_backlog.LOT", 2)
    with stored(here) as store:
        now = datetime.now(UTC)
        store.add("lab", [Target(Kind.OBSERVATION, f"n{n}") for n in range(4)], Way.NOTIFIED, now)
        dropping = store.drop(store.named(range(1, 6)), now)
        next(dropping)
        assert store.count() == 3
        store.add("lab", [Target(Kind.OBSERVATION, "another")], Way.NOTIFIED, now)
        assert len(list(dropping)) == 4
        assert store.count() == 1
