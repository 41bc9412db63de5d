"""What the log tells of readiness: each change once, and no flood where it flaps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.errors import StoreUnavailable
from cds_service.web import standing
from cds_service.web.ports import Degraded
from tests.unit.web.conftest import Open

Captured = pytest.CaptureFixture[str]
TURNED, BACK = "CDS-L306", "CDS-L307"


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(standing, "monotonic", made)
    return made


class Check:
    """A check that comes to what it was told last."""

    def __init__(self) -> None:
        self.comes_to: Callable[[], None] = passes

    def __call__(self) -> None:
        self.comes_to()


def passes() -> None:
    pass


def is_degraded_for(*causes: str) -> Callable[[], None]:
    def check() -> None:
        raise Degraded(*causes)

    return check


def fails() -> None:
    raise StoreUnavailable("The database of patient Otto Normal cannot be used.")


def told(capsys: Captured) -> list[dict[str, Any]]:
    """What was said about readiness since last asked."""
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["code"] in (TURNED, BACK)]


def test_a_service_that_is_ready_says_nothing_of_it(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    client = sandbox({"checks": {"events": Check()}})
    for _ in range(3):
        client.get("/health/ready")
        clock.now += 100
    assert told(capsys) == []


def test_each_change_is_one_line_however_often_it_is_asked_for(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    check = Check()
    client = sandbox({"checks": {"events": check}})
    said = []
    for comes_to in (passes, is_degraded_for("set-aside", "backlog"), fails, passes):
        check.comes_to = comes_to
        for _ in range(30):
            client.get("/health/ready")
            clock.now += 10
        said += [
            (line["code"], line["level"], line["status"], line["causes"]) for line in told(capsys)
        ]
    assert said == [
        (TURNED, "warning", "degraded", ["backlog", "set-aside"]),
        (TURNED, "warning", "not-ready", ["events"]),
        (BACK, "info", "ready", []),
    ]


def test_a_further_cause_is_a_change_and_its_order_is_none(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    check = Check()
    client = sandbox({"checks": {"events": check}})
    said = []
    for causes in (("backlog",), ("backlog", "subscription"), ("subscription", "backlog")):
        check.comes_to = is_degraded_for(*causes)
        client.get("/health/ready")
        clock.now += 100
        said += [line["causes"] for line in told(capsys)]
    assert said == [["backlog"], ["backlog", "subscription"]]


def test_a_check_that_flaps_writes_one_line_a_minute_at_most(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    check = Check()
    client = sandbox({"checks": {"events": check}})
    for second in range(600):
        check.comes_to = fails if second % 2 == 0 else passes
        client.get("/health/ready")
        clock.now += 1
    assert 1 <= len(told(capsys)) <= 10


def test_what_changes_within_the_minute_is_told_after_it_if_it_still_stands(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    check = Check()
    client = sandbox({"checks": {"events": check}})
    check.comes_to = is_degraded_for("backlog")
    client.get("/health/ready")
    check.comes_to = passes
    said = []
    for seconds in (0, 59, 1, 100):
        clock.now += seconds
        client.get("/health/ready")
        said.append([line["code"] for line in told(capsys)])
    assert said == [[TURNED], [], [BACK], []]


def test_every_worker_process_tells_by_itself(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    check = Check()
    check.comes_to = is_degraded_for("backlog")
    for _ in range(2):
        sandbox({"checks": {"events": check}}).get("/health/ready")
    assert [line["code"] for line in told(capsys)] == [TURNED, TURNED]


def test_the_line_holds_nothing_of_what_a_failed_check_said(
    sandbox: Open, clock: Clock, capsys: Captured
) -> None:
    check = Check()
    check.comes_to = fails
    sandbox({"checks": {"database": check}}).get("/health/ready")
    (line,) = told(capsys)
    assert line.keys() == {"time", "level", "code", "event", "status", "causes"}
    assert line["causes"] == ["database"]
