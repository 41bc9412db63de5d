"""The log: closed events, closed fields, one line each, and nothing of a patient."""

from __future__ import annotations

import ast
import json
import logging
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service import logs
from cds_service.fhir.calls.addresses import Reach, checked_addresses
from cds_service.logs import FIELDS, Event, log, log_fault, route_libraries
from cds_service.origins import Url

Captured = pytest.CaptureFixture[str]


def lines(capsys: Captured) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.fixture
def routed() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    root.setLevel(logging.DEBUG)
    route_libraries()
    yield
    root.handlers[:], logging.raiseExceptions = handlers, raises
    root.setLevel(level)


def test_every_event_has_a_code_of_its_own() -> None:
    codes = [code for code, _level, _text in (event.value for event in Event)]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("CDS-L") for code in codes)


def test_a_line_holds_time_level_code_text_and_the_allowed_fields(capsys: Captured) -> None:
    log(Event.REFUSED, status=412, error="CDS-3001", patient="p1", detail="x")
    (line,) = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "code": "CDS-L102",
        "event": "A request was refused.",
        "status": 412,
        "error": "CDS-3001",
    }


@pytest.mark.parametrize(
    "value",
    ["two\nlines", "\x1b[31m", "Müller", "x" * 201, b"bytes", {"a": 1}, None, ["ok", "a\n"]],
)
def test_t32_a_field_that_is_not_plain_is_dropped(value: object, capsys: Captured) -> None:
    log(Event.ANSWERED, service=value, status=200)
    (line,) = lines(capsys)
    assert "service" not in line
    assert line["status"] == 200


@pytest.mark.parametrize(
    "value",
    [
        string.ascii_letters + string.digits + " ._:@/+<>{}-",
        "x" * 200,
        "",
        0,
        1.5,
        True,
        ["sil2r@2026.1", "interpreted"],
    ],
)
def test_codes_names_routes_versions_and_counts_are_plain(value: object, capsys: Captured) -> None:
    log(Event.ANSWERED, service=value)
    (line,) = lines(capsys)
    assert line["service"] == value


@pytest.mark.parametrize("value", [[1], ["ok", None], [["ok"]], ("ok", "two\nlines")])
def test_t32_a_list_is_of_plain_texts_or_not_written(value: object, capsys: Captured) -> None:
    log(Event.ANSWERED, causes=value)
    (line,) = lines(capsys)
    assert "causes" not in line


def test_no_line_of_ours_loses_a_field_for_its_name() -> None:
    """What is not on the list is dropped without a word, so every call must keep to the list."""
    calls = [
        node
        for file in Path(logs.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("log", "log_fault")
    ]
    named = {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}
    assert named >= {"cause", "client", "status", "duration_ms"}
    assert named <= FIELDS


@given(st.text(), st.text(min_size=1))
def test_t30_no_field_outside_the_list_is_ever_written(value: str, name: str) -> None:
    written: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", type("Sink", (), {"write": written.append, "flush": list}))
        log(Event.ANSWERED, **{f"not_{name}": value})
    (line,) = written
    assert line.count("\n") == 1
    assert set(json.loads(line)) == {"time", "level", "code", "event"}


def test_a_fault_says_type_and_place_and_not_its_text(capsys: Captured) -> None:
    def failing() -> None:
        from cds_service.strict_json import parse

        parse(b"{Zyxgarten")

    with pytest.raises(Exception, match="not JSON") as caught:
        failing()
    log_fault(Event.FAILED, caught.value, request_id="r-12345678")
    (line,) = lines(capsys)
    assert line["exception"] == "MalformedJson"
    assert line["place"].startswith("cds_service/strict_json.py:")
    assert line["request_id"] == "r-12345678"
    assert "Zyxgarten" not in json.dumps(line)


def test_a_fault_of_somebody_elses_code_is_placed_where_we_called_it(capsys: Captured) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise RuntimeError("Zyxgarten")

    with pytest.raises(RuntimeError) as caught:
        checked_addresses(Url.parse("https://ehr.example.org"), Reach.SITE, resolve)
    log_fault(Event.FAILED, caught.value)
    (line,) = lines(capsys)
    assert line["place"].startswith("cds_service/fhir/calls/addresses.py:")
    assert "Zyxgarten" not in json.dumps(line)


@pytest.mark.usefixtures("routed")
def test_what_a_library_logs_is_cut_to_name_and_level(capsys: Captured) -> None:
    logging.getLogger("some.library").error("GET /Patient/%s token=%s", "p1", "Zyxgarten")
    logging.getLogger("some.library").info("not worth a line")
    (line,) = lines(capsys)
    assert line["code"] == "CDS-L901"
    assert line["library"] == "some.library"
    assert line["library_level"] == "ERROR"
    assert "Zyxgarten" not in json.dumps(line)


@pytest.mark.usefixtures("routed")
def test_t32_what_a_library_cannot_even_write_through_its_own_handler_is_not_told(
    capsys: Captured,
) -> None:
    """By itself Python then prints all that the line was to be made from."""
    library = logging.getLogger("own.library")
    library.addHandler(logging.StreamHandler())
    library.error("GET /Patient/%d", "Zyxgarten")
    library.handlers.clear()
    assert "Zyxgarten" not in capsys.readouterr().err


@pytest.mark.usefixtures("routed")
def test_what_a_library_repeats_is_said_once_a_minute(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(logs, "monotonic", lambda: clock[0])
    for seconds in (0.0, 0.5, 59.0, 0.6):
        clock[0] += seconds
        logging.getLogger("some.library").error("the queue is away")
        logging.getLogger("some.library").warning("another level is another line")
    said = [line["library_level"] for line in lines(capsys)]
    assert said == ["ERROR", "WARNING"] * 2


@pytest.mark.usefixtures("routed")
def test_one_library_that_repeats_itself_silences_no_other(capsys: Captured) -> None:
    for name in ("one.library", "one.library", "another.library"):
        logging.getLogger(name).error("the queue is away")
    assert [line["library"] for line in lines(capsys)] == ["one.library", "another.library"]


def test_the_allowed_fields_are_those_that_hold_nothing_of_a_patient() -> None:
    assert FIELDS.isdisjoint({"patient", "patient_id", "name", "value", "token", "body", "path"})
