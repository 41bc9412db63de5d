"""`rehearse`: what the service would have said about past results, counted."""

from __future__ import annotations

import errno
import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import fhir_fixtures
from cds_service.commands.documents import evaluate_resource
from cds_service.commands.rehearsal import rehearse
from cds_service.errors import InputError
from cds_service.fhir.files.charts import Charts
from cds_service.fhir.files.exported import UNDATED
from cds_service.fhir.wanted import wanted_by
from fhir_fixtures import Kind
from tests import toy
from tests.packaged import LIBRARY, SIL2R
from tests.unit.cli.command_line import COMMANDING, document, is_harmless, run
from tests.unit.fhir.files.exporting import FERRITIN, Json, observation, of

ALONE = [
    name
    for name in fhir_fixtures.names()
    if fhir_fixtures.story(name).kind is Kind.OBSERVATION and not fhir_fixtures.story(name).site
]
"""Stories of one Observation."""


def lines(*resources: Json) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in resources)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A bulk export: three results of two patients, and a patient without any."""
    folder = tmp_path / "export" / "2026"
    folder.mkdir(parents=True)
    (folder / "Observation.ndjson").write_text(
        lines(
            observation("low-a", "2026-01-05"),
            observation("high-a", "2026-03-05", valueQuantity={"value": 12000, "unit": "U/mL"}),
            observation("no-unit-b", "2026-02-01", valueQuantity={"value": 612}, **of("b")),
            observation("ferritin-c", "2026-02-01", FERRITIN, **of("c")),
        )
        + "\n"
    )
    patients = [{"resourceType": "Patient", "id": name, "birthDate": "1970"} for name in "abc"]
    (folder / "Patient.ndjson").write_text(lines(*patients))
    return tmp_path / "export"


def told(*arguments: str | Path) -> dict[str, Any]:
    (rehearsal,) = document(run("rehearse", *arguments, "--json"))["rehearsals"]
    return dict(rehearsal)


def test_it_counts_results_patients_cards_and_what_they_say(export: Path) -> None:
    said = told(export)
    assert said["knowledge"] == SIL2R.tag
    assert (said["results"], said["patients"], said["arrivals"]) == (3, 2, 3)
    assert (said["firstDay"], said["lastDay"]) == ("2026-01-05", "2026-03-05")
    counts = {(each["indicator"], each["outcome"]): each["count"] for each in said["cards"]}
    assert counts == {
        ("info", "interpreted"): 1,
        ("warning", "interpreted"): 1,
        ("info", "not-interpretable"): 1,
    }
    assert said["withoutCard"] == 0
    assert said["findings"]["hlh-adult-high-specificity"] == 1
    assert said["reasons"] == {"unit-missing": 1}
    assert said["missing"]["ferritin"] == 2, "that of another patient is nobody's here"
    assert said["changes"] == said["leftAside"] == []


def test_a_person_sees_how_often_and_with_what(export: Path) -> None:
    shown = run("rehearse", export)
    assert shown.exit_code == 0
    assert "results: 3, patients: 2, 2026-01-05 to 2026-03-05" in shown.output
    assert "cards: 3, 1.5 a month, most in 2026-01: 1." in shown.output
    (finding,) = [line for line in shown.output.splitlines() if "hlh-adult-high" in line]
    assert finding.split()[-2:] == ["1", "33%"]
    assert "Observation/" not in shown.output
    assert "Against" not in shown.output


@pytest.mark.parametrize("name", ALONE)
def test_one_result_gets_the_cards_that_evaluate_gives_it_on_its_day(name: str) -> None:
    resource = json.loads(fhir_fixtures.text(name))
    charts = Charts([wanted_by(SIL2R)])
    charts.look(resource)
    charts.take(resource)
    arrivals = [arrival for chart in charts.arrivals() for arrival in chart]
    today = date(2026, 11, 21)
    tally, _ = rehearse(charts, [SIL2R], today, lambda _: None)
    days = [today if arrival.day == UNDATED else arrival.day for arrival in arrivals]
    (answer,) = evaluate_resource(resource, LIBRARY, (days or [today])[0])
    cards = answer.cards
    assert tally.cards.total() == len(cards)
    assert tally.findings.keys() == {
        finding for card in cards for finding in card.extension.get("findings", ())
    }
    assert list(tally.reasons.elements()) == [
        card.extension["reason"] for card in cards if "reason" in card.extension
    ]


def test_against_other_settings_it_tells_what_would_change(export: Path, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('[policy]\nmuted_findings = ["hlh-adult-less-likely"]\n')
    (tmp_path / "next.toml").write_text('site = "site.toml"\n')
    against = ("--against", tmp_path / "next.toml")
    (change,) = told(export, *against)["changes"]
    assert change == {
        "lost": ["hlh-adult-less-likely"],
        "gained": [],
        "count": 1,
        "example": "Observation/low-a",
    }
    shown = run("rehearse", export, *against).output
    assert "Against the other settings: 1 of 3 arrivals change." in shown
    assert "Observation/low-a" in shown


def test_settings_that_change_nothing_are_told_to(export: Path, tmp_path: Path) -> None:
    (tmp_path / "same.toml").write_text("")
    shown = run("rehearse", export, "--against", tmp_path / "same.toml").output
    assert "0 of 3 arrivals change" in shown
    assert "no longer" not in shown


def test_codes_that_only_the_other_settings_map_are_read_too(tmp_path: Path) -> None:
    local = observation("x", "2026-01-05")
    local["code"] = {"coding": [{"system": "urn:oid:2.999.2", "code": "SIL2R-S"}]}
    (tmp_path / "one.json").write_text(lines(local))
    site = fhir_fixtures.path("csf_above_150").parents[1] / "site.toml"
    (tmp_path / "next.toml").write_text(f"site = '{site}'\n")
    assert told(tmp_path / "one.json")["results"] == 0
    said = told(tmp_path / "one.json", "--against", tmp_path / "next.toml")
    assert (said["results"], said["withoutCard"], said["cards"]) == (1, 1, [])
    (change,) = said["changes"]
    assert change["lost"] == []
    assert "info card" in change["gained"]


def test_what_cannot_be_read_is_told_and_the_rest_is_rehearsed(export: Path) -> None:
    (export / "cut.ndjson").write_text(lines(observation("x", "2026-01-05", **of("d"))) + "{\n[]")
    request = fhir_fixtures.path("lab_result_minimal")
    shutil.copy(request, export / "call.json")
    said = told(export)
    assert said["results"] == 4
    assert [(Path(each["place"]).name, each["because"]) for each in said["leftAside"]] == [
        ("call.json", "It is a CDS Hooks request; `cds-service evaluate` takes those."),
        ("cut.ndjson line 2", "This is not JSON. Send one JSON value."),
        ("cut.ndjson line 3", "This is JSON, but not an object. Send an object."),
    ]
    assert "cut.ndjsonline2" in "".join(run("rehearse", export).output.split())


def aside(*arguments: str | Path) -> dict[str, str]:
    """What is left aside, by its name, and why."""
    return {Path(each["place"]).name: each["because"] for each in told(*arguments)["leftAside"]}


def test_nothing_in_a_folder_is_passed_over_in_silence(export: Path, tmp_path: Path) -> None:
    (export / "Observation.ndjson.gz").write_bytes(b"\x1f\x8b")
    (export / "gone.json").symlink_to(export / "nowhere")
    os.mkfifo(export / "pipe.ndjson")
    (tmp_path / "elsewhere").mkdir()
    (export / "linked").symlink_to(tmp_path / "elsewhere")
    (export / "folder.json").mkdir()
    (export / "MORE.NDJSON").write_text(lines(observation("x", "2026-01-05", **of("d"))))
    assert aside(export) == {
        "Observation.ndjson.gz": "Its name ends neither in .json nor in .ndjson.",
        "gone.json": "It is no file that can be read twice.",
        "pipe.ndjson": "It is no file that can be read twice.",
        "linked": "It is a link to a folder. Give that too.",
    }
    assert told(export)["results"] == 4


def test_a_folder_that_is_closed_is_told(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = os.scandir

    def scandir(folder: str) -> Any:
        if Path(folder).name == "2026":
            raise PermissionError(errno.EACCES, "closed", str(folder))
        return entries(folder)

    (export / "x.json").write_text(lines(observation("x", "2026-01-05")))
    monkeypatch.setattr(os, "scandir", scandir)
    assert aside(export) == {"2026": "This folder cannot be opened."}


def test_a_folder_that_may_be_listed_and_not_entered_is_told(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_file = Path.is_file

    def asked(file: Path) -> bool:
        if file.name == "Patient.ndjson":
            raise PermissionError(errno.EACCES, "closed", str(file))
        return is_file(file)

    monkeypatch.setattr(Path, "is_file", asked)
    assert aside(export) == {"Patient.ndjson": "It is no file that can be read twice."}


def test_lines_in_a_file_that_is_not_named_so_are_told_with_a_remedy(tmp_path: Path) -> None:
    twice = lines(observation("x", "2026-01-05"), observation("y", "2026-01-05"))
    (tmp_path / "x.json").write_text(twice)
    assert aside(tmp_path)["x.json"].endswith("Where each line is a resource, name it .ndjson.")


def test_a_bundle_inside_of_a_bundle_is_told(tmp_path: Path) -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": observation("x", "2026-01-05")}]}
    (tmp_path / "x.json").write_text(lines(inner | {"entry": [{"resource": inner}]}))
    assert aside(tmp_path)["x.json"].endswith("are Bundles themselves, are not read: 1.")


def test_a_file_that_is_given_twice_is_read_once(export: Path) -> None:
    nobody = lines(observation("", "2026-01-05", subject={}))
    (export / "x.json").write_text(nobody)
    assert told(export, export, export / "x.json")["results"] == 4


def test_a_day_that_is_yet_to_come_is_no_day(export: Path) -> None:
    (export / "x.json").write_text(lines(observation("x", "9999-12-31", **of("d"))))
    said = told(export)
    assert (said["lastDay"], said["undated"], said["results"]) == ("2026-03-05", 1, 4)
    shown = run("rehearse", export).output
    assert "cards: 4, 1.5 a month, most in" in shown, "of those that have a day"
    assert "Without a usable day, so evaluated as of today: 1." in shown
    assert "usable day" not in run("rehearse", export / "2026").output


def test_results_of_nobody_are_counted(export: Path) -> None:
    (export / "x.json").write_text(lines(observation("x", "2026-03-05", subject={})))
    said = told(export)
    assert said["withoutPatient"] == 1
    assert said["cardsByMonth"] == {"2026-01": 1, "2026-02": 1, "2026-03": 2}
    assert "Without a patient, so with nothing beside them: 1." in run("rehearse", export).output


def test_of_a_few_days_no_month_is_reckoned(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(lines(observation("x", "2026-01-05")))
    assert "cards: 1. Times" in run("rehearse", tmp_path).output


def test_knowledge_of_another_id_is_not_taken_for_the_same(export: Path, tmp_path: Path) -> None:
    for name, text in toy.files().items():
        file = tmp_path / "toy" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "next.toml").write_text(f"knowledge = '{tmp_path / 'toy'}'\n")
    shown = run("rehearse", export, "--against", tmp_path / "next.toml")
    assert isinstance(shown.exception, InputError)
    assert "toy" in shown.exception.one_line()


def test_of_much_that_cannot_be_read_the_first_ten_are_shown(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text("{\n" * 12)
    shown = run("rehearse", tmp_path).output
    assert "and 2 more" in shown
    assert len(told(tmp_path)["leftAside"]) == 12


def test_where_no_result_is_found_it_says_how_to_look_on(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(lines(observation("x", "2026-01-05", code="2951-2")))
    shown = run("rehearse", tmp_path)
    assert (shown.exit_code, told(tmp_path)["results"]) == (0, 0)
    assert "results: 0, patients: 0" in shown.output
    assert "cds-service codes" in shown.output


def test_a_folder_without_a_file_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    shown = run("rehearse", tmp_path)
    assert isinstance(shown.exception, InputError)
    assert ".ndjson" in shown.exception.one_line()


def test_names_of_files_are_no_command_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / f"{COMMANDING[:20].replace('/', '')}.json").write_text("{")
    shown = run("rehearse", tmp_path).output
    assert "left aside" in shown
    assert is_harmless(shown)
