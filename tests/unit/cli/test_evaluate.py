"""`evaluate` and `explain`, as a person at a terminal and a script use them (README)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fhir_fixtures
from cds_service.config import Settings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import InputError
from cds_service.knowledge.files import Library
from tests.documentation import even
from tests.unit.cli.command_line import COMMANDING, document, is_harmless, run

ON = ("--on", "2026-11-21")


def test_evaluate_prints_a_card_a_person_can_read() -> None:
    shown = run("evaluate", fhir_fixtures.path("csf_above_150"), *ON)
    assert shown.exit_code == 0
    assert "212 pg/mL (CSF)" in shown.output
    assert "What it does not mean" in shown.output
    assert "doi:10.1007/s00415-010-5623-3" in shown.output
    assert "no medical device" in even(shown.output)


def test_evaluate_as_json_is_the_hook_response() -> None:
    (card,) = document(run("evaluate", fhir_fixtures.path("csf_above_150"), "--json", *ON))["cards"]
    assert card["extension"]["org.sil2r-cds.evaluation"]["findings"] == [
        "csf-above-150",
        "no-laboratory-limit",
    ]


@pytest.mark.parametrize(
    ("name", "cards"),
    [
        ("lab_result_full_prefetch", 1),
        ("serum_adult_above_2400", 1),
        ("report_serum_and_csf", 2),
        ("cd25_cells", 0),
    ],
)
def test_evaluate_takes_requests_bundles_reports_and_observations(name: str, cards: int) -> None:
    assert len(document(run("evaluate", fhir_fixtures.path(name), "--json", *ON))["cards"]) == cards


@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_of_a_file_of_lines_one_is_asked_for(command: str, tmp_path: Path) -> None:
    line = json.dumps(json.loads(fhir_fixtures.text("csf_above_150")))
    file = tmp_path / "Observation.ndjson"
    file.write_text(f"{line}\n")
    assert "CSF" in run(command, file).output
    file.write_text(f"{line}\n{line}\n")
    refused = run(command, file).exception
    assert isinstance(refused, InputError)
    assert refused.one_line().startswith(f"CDS-5003 {file}: This file holds a document in each")


def test_nothing_to_say_is_said() -> None:
    shown = run("evaluate", fhir_fixtures.path("cd25_cells"), *ON)
    assert "No card" in shown.output


def test_explain_names_facts_rows_and_sources() -> None:
    shown = run("explain", fhir_fixtures.path("serum_adult_above_2400"), *ON)
    text = even(shown.output)
    assert shown.exit_code == 0
    assert "Facts read" in text
    assert "5230.0 U/mL against 'at or above 2400 U/mL'" in text
    assert "limit.hlh-adult-10000 is not-met, asked for met" in text
    assert "Pediatr Blood Cancer 2007" in text


def test_explain_shows_a_summary_whole_that_is_longer_than_a_line() -> None:
    shown = run("explain", fhir_fixtures.path("hlh_panel_full_met"), *ON).stdout
    heading = even(shown).partition("Outcome:")[0]
    assert heading.endswith("(5 of 8 needed); with other results 4 HLH-2004 criteria met ")


def test_explain_says_which_context_weakens_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    shown = run("explain", fhir_fixtures.path("context_car_t"), *ON).stdout.splitlines()
    weakened = [line.split()[1] for line in shown if "; weakened by context-car-t" in line]
    assert weakened == ["hlh-2004-criterion-met", "above-laboratory-limit"]


def test_explain_as_json_holds_every_row_of_the_table(sil2r: KnowledgeBase) -> None:
    (trace,) = document(
        run("explain", fhir_fixtures.path("serum_adult_above_2400"), "--json", *ON)
    )["explanations"]
    (answer,) = trace["answers"]
    assert len(answer["rows"]) == len(sil2r.findings) + len(sil2r.contexts)
    assert {row["outcome"] for row in answer["rows"]} <= {
        *("matched", "not-matched", "straddled", "unknown", "blocked", "muted")
    }


@pytest.mark.parametrize(
    "name",
    [
        *("csf_above_150", "serum_child", "serum_adult_at_most_2400", "serum_unit_percent"),
        *("il2_in_serum", "order_sign_csf_without_serum"),
    ],
)
def test_explain_lists_the_sources_that_the_card_cites_in_its_order(name: str) -> None:
    (trace,) = document(run("explain", fhir_fixtures.path(name), "--json", *ON))["explanations"]
    (told,) = trace["answers"] + trace["advice"]
    numbered = [f"{number}. {line}" for number, line in enumerate(told["sources"], start=1)]
    assert "\n".join(["**Sources**\n", *numbered, "", ""]) in told["card"]["detail"]


def test_explain_gives_the_limit_that_lies_inside_the_interval_of_the_value() -> None:
    shown = run("explain", fhir_fixtures.path("serum_adult_at_most_2400"), "--json", *ON)
    ((told,),) = [trace["answers"] for trace in document(shown)["explanations"]]
    assert "threshold-indeterminate" in [finding["id"] for finding in told["findings"]]
    assert "2400 U/mL" in [limit["value"] for limit in told["limits"]]


def test_explain_says_what_was_left_aside() -> None:
    shown = run("explain", fhir_fixtures.path("cd25_cells"), *ON)
    assert "Left aside" in shown.output
    assert "No card" in shown.output


def test_explain_names_what_could_not_be_read_beside_the_result(tmp_path: Path) -> None:
    """The card says that conditions could not be obtained: whoever sends them must find the one."""
    request = json.loads(fhir_fixtures.path("lab_result_full_prefetch").read_text())
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D76.1", "display": ""}
    patient = {"reference": f"Patient/{request['context']['patientId']}"}
    condition = {"resourceType": "Condition", "id": "c1", "subject": patient}
    condition["code"] = {"coding": [coding]}
    request["prefetch"]["conditions"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": condition}],
    }
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request))
    (told,) = document(run("explain", file, "--json", *ON))["explanations"]
    because = "it could not be read, at Condition.code.coding[0].display"
    assert told["skipped"] == [{"resource": "Condition/c1", "because": because}]
    request["context"]["results"]["entry"] = []
    file.write_text(json.dumps(request))
    assert "nothing here is a result" in even(run("explain", file, *ON).output)


@pytest.mark.parametrize("name", ["patient_view_result_outside_look_back", "cd25_cells"])
def test_a_result_that_was_left_aside_is_not_called_none_of_this_knowledge(name: str) -> None:
    explained = even(run("explain", fhir_fixtures.path(name), *ON).output)
    assert "No card: what this knowledge speaks about was left aside" in explained
    evaluated = run("evaluate", fhir_fixtures.path(name), *ON).output
    assert evaluated.startswith("No card: nothing here calls for one.")


def test_of_what_is_no_result_of_this_knowledge_nothing_was_left_aside() -> None:
    shown = run("explain", fhir_fixtures.path("lab_result_unrelated"), *ON).output
    explained = even(shown)
    assert "No card: nothing here is a result this knowledge speaks about." in explained
    assert "`cds-service codes` lists the codes in it" in explained, "the next thing to look at"


def test_each_of_several_files_has_its_heading_and_machines_get_one_document() -> None:
    files = [fhir_fixtures.path(name) for name in ("csf_above_150", "cd25_cells")]
    shown = run("evaluate", *files, *ON)
    assert shown.output.index("csf_above_150.json") < shown.output.index("212 pg/mL")
    assert shown.output.index("cd25_cells.json") < shown.output.index("No card")
    told = document(run("evaluate", *files, "--json", *ON))["files"]
    assert [(each["file"], len(each["cards"])) for each in told] == [
        (str(files[0]), 1),
        (str(files[1]), 0),
    ]


def test_the_knowledge_is_read_once_however_many_files_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cds_service.knowledge import files

    load, loads = files.load_configured, []

    def counted(settings: Settings) -> Library:
        loads.append(settings)
        return load(settings)

    monkeypatch.setattr(files, "load_configured", counted)
    assert run("evaluate", *[fhir_fixtures.path("cd25_cells")] * 5, *ON).exit_code == 0
    assert len(loads) == 1


@pytest.mark.parametrize("command", ["evaluate", "explain", "codes"])
def test_a_settings_file_names_the_site_file(command: str, tmp_path: Path) -> None:
    file = fhir_fixtures.path("local_code_site_mapped")
    settings = tmp_path / "cds-service.toml"
    settings.write_text(f'site = "{fhir_fixtures.site_path()}"\n')
    alone = run(command, file, "--json").output
    assert run(command, file, "--json", "--config", settings).output != alone


def test_a_day_that_is_none_is_wrong_usage() -> None:
    shown = run("evaluate", fhir_fixtures.path("csf_above_150"), "--on", "31.12.2026")
    assert shown.exit_code == 2
    assert "2026-11-21" in shown.output


def test_a_site_file_gives_meaning_to_local_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    file = fhir_fixtures.path("local_code_site_mapped")
    assert document(run("evaluate", file, "--json", *ON))["cards"] == []
    monkeypatch.setenv("CDS_SITE", str(fhir_fixtures.site_path()))
    assert len(document(run("evaluate", file, "--json", *ON))["cards"]) == 1


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["as text", "as JSON"])
@pytest.mark.parametrize("command", ["codes", "explain", "evaluate"])
def test_what_a_file_says_is_no_command_to_the_terminal(
    tmp_path: Path, command: str, options: tuple[str, ...]
) -> None:
    observation = json.loads(fhir_fixtures.path("csf_above_150").read_bytes())
    coding = {"system": f"urn:oid:2.999{COMMANDING}", "code": COMMANDING, "display": COMMANDING}
    observation["code"]["coding"].append(coding)
    observation["valueQuantity"]["unit"] += COMMANDING
    file = tmp_path / "observation.json"
    file.write_text(json.dumps(observation), encoding="utf-8")
    assert is_harmless(run(command, file, *options).stdout)


def test_names_of_files_are_no_command_to_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / f"{COMMANDING.replace('/', '')}.json"
    file.write_text(fhir_fixtures.text("csf_above_150"), encoding="utf-8")
    assert is_harmless(run("evaluate", file, file).stdout)


def test_an_order_request_gives_its_advice() -> None:
    file = fhir_fixtures.path("order_select_il2")
    (card,) = document(run("evaluate", file, "--json", *ON))["cards"]
    assert card["extension"]["org.sil2r-cds.evaluation"]["outcome"] == "wrong-analyte"
    assert card["summary"] in even(run("explain", file, *ON).output)


def test_explain_names_the_rows_that_were_considered_for_an_order() -> None:
    file = fhir_fixtures.path("order_sign_csf_without_serum")
    shown = run("explain", file, *ON)
    text = even(shown.output)
    assert shown.exit_code == 0
    assert "Outcome: order-advice" in text
    assert "Rows considered" in text
    (trace,) = document(run("explain", file, "--json", *ON))["explanations"]
    (advice,) = trace["advice"]
    fired = {row["finding"] for row in advice["rows"] if row["outcome"] == "matched"}
    not_fired = {row["finding"] for row in advice["rows"]} - fired
    assert fired
    assert not_fired
    assert all(row["gates"] for row in advice["rows"])
    assert advice["sources"]
    assert trace["answers"] == []
