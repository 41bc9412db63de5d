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


def passes() -> None:
    pass


def is_degraded_for(*causes: str) -> Callable[[], None]:
    def check() -> None:
        raise Degraded(*causes)

    return check


def fails() -> None:
    raise StoreUnavailable("The database of patient Otto Normal cannot be used.")


class Watched:
    """A service with one check, which comes to what it is told, and seconds that pass likewise."""

    def __init__(self, opened: Open, name: str = "events") -> None:
        self.now, self.comes_to = 1000.0, passes
        self._client = opened({"checks": {name: self._check}})

    def _check(self) -> None:
        self.comes_to()

    def is_asked(self, comes_to: Callable[[], None], *, seconds: float = 0) -> None:
        """For its readiness, so many seconds after the last time."""
        self.now += seconds
        self.comes_to = comes_to
        self._client.get("/health/ready")


@pytest.fixture
def service(sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> Watched:
    made = Watched(sandbox)
    monkeypatch.setattr(standing, "monotonic", lambda: made.now)
    return made


def told(capsys: Captured) -> list[dict[str, Any]]:
    """What was said about readiness since last asked."""
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["code"] in (TURNED, BACK)]


def test_a_service_that_is_ready_says_nothing_of_it(service: Watched, capsys: Captured) -> None:
    for _ in range(3):
        service.is_asked(passes, seconds=100)
    assert told(capsys) == []


def test_each_change_is_one_line_however_often_it_is_asked_for(
    service: Watched, capsys: Captured
) -> None:
    for comes_to in (passes, is_degraded_for("set-aside", "backlog"), fails, passes):
        for _ in range(30):
            service.is_asked(comes_to, seconds=10)
    assert [
        (line["code"], line["level"], line["status"], line["causes"]) for line in told(capsys)
    ] == [
        (TURNED, "warning", "degraded", ["backlog", "set-aside"]),
        (TURNED, "warning", "not-ready", ["events"]),
        (BACK, "info", "ready", []),
    ]


def test_a_further_cause_is_a_change_and_its_order_is_none(
    service: Watched, capsys: Captured
) -> None:
    for causes in (("backlog",), ("backlog", "subscription"), ("subscription", "backlog")):
        service.is_asked(is_degraded_for(*causes), seconds=100)
    assert [line["causes"] for line in told(capsys)] == [["backlog"], ["backlog", "subscription"]]


def test_a_check_that_flaps_writes_one_line_a_minute_at_most(
    service: Watched, capsys: Captured
) -> None:
    for second in range(600):
        service.is_asked(fails if second % 2 == 0 else passes, seconds=1)
    assert 1 <= len(told(capsys)) <= 10


def test_what_changes_within_the_minute_is_told_after_it_if_it_still_stands(
    service: Watched, capsys: Captured
) -> None:
    service.is_asked(is_degraded_for("backlog"))
    said = []
    for seconds in (0, 59, 1, 100):
        service.is_asked(passes, seconds=seconds)
        said.append([line["code"] for line in told(capsys)])
    assert said == [[TURNED], [], [BACK], []]


def test_every_worker_process_tells_by_itself(sandbox: Open, capsys: Captured) -> None:
    for _ in range(2):
        Watched(sandbox).is_asked(is_degraded_for("backlog"))
    assert [line["code"] for line in told(capsys)] == [TURNED, TURNED]


def test_the_line_holds_nothing_of_what_a_failed_check_said(
    sandbox: Open, capsys: Captured
) -> None:
    Watched(sandbox, "database").is_asked(fails)
    (line,) = told(capsys)
    assert line.keys() == {"time", "level", "code", "event", "status", "causes"}
    assert line["causes"] == ["database"]
