"""The command line as a person at a terminal and a script both use it (README)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import fhir_fixtures
from cds_service import cli as module
from cds_service.cli import cli
from cds_service.config import Settings
from cds_service.knowledge.files import Library
from tests.unit.access.minting import EC, key_set

CARDS = Path(__file__).parents[3] / "cards"
ON = ("--on", "2026-11-21")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def through_main(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code as a shell sees it, designed errors included."""
    monkeypatch.setattr("sys.argv", ["cds-service", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        module.main()
    return int(stopped.value.code or 0)


def test_evaluate_prints_a_card_a_person_can_read() -> None:
    shown = run("evaluate", fhir_fixtures.path("csf_above_150"), *ON)
    assert shown.exit_code == 0
    assert "212 pg/mL (CSF)" in shown.output
    assert "What it does not mean" in shown.output
    assert "doi:10.1007/s00415-010-5623-3" in shown.output
    assert "no medical device" in " ".join(shown.output.replace("│", " ").split())


def test_evaluate_as_json_is_the_hook_response() -> None:
    shown = run("evaluate", fhir_fixtures.path("csf_above_150"), "--json", *ON)
    (card,) = json.loads(shown.output)["cards"]
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
    shown = run("evaluate", fhir_fixtures.path(name), "--json", *ON)
    assert shown.exit_code == 0
    assert len(json.loads(shown.output)["cards"]) == cards


def test_nothing_to_say_is_said() -> None:
    shown = run("evaluate", fhir_fixtures.path("cd25_cells"), *ON)
    assert "No card" in shown.output


def test_explain_names_facts_rows_and_sources() -> None:
    shown = run("explain", fhir_fixtures.path("serum_adult_above_2400"), *ON)
    text = " ".join(shown.output.replace("│", " ").split())
    assert shown.exit_code == 0
    assert "Facts read" in text
    assert "5230.0 U/mL against 'at or above 2400 U/mL'" in text
    assert "limit.hlh-adult-10000 is not-met, asked for met" in text
    assert "Pediatr Blood Cancer 2007" in text


def test_explain_as_json_holds_every_row_of_the_table(sil2r_rows: int) -> None:
    shown = run("explain", fhir_fixtures.path("serum_adult_above_2400"), "--json", *ON)
    (trace,) = json.loads(shown.output)["explanations"]
    (answer,) = trace["answers"]
    assert len(answer["rows"]) == sil2r_rows
    assert {row["outcome"] for row in answer["rows"]} <= {
        "matched",
        "not-matched",
        "straddled",
        "unknown",
        "blocked",
        "muted",
    }


@pytest.fixture
def sil2r_rows() -> int:
    from cds_service.knowledge.files import read_library

    base = read_library().bases["sil2r"]
    return len(base.findings) + len(base.contexts)


@pytest.mark.parametrize(
    "name",
    [
        "csf_above_150",
        "serum_child",
        "serum_adult_at_most_2400",
        "serum_unit_percent",
        "il2_in_serum",
        "order_sign_csf_without_serum",
    ],
)
def test_explain_lists_the_sources_that_the_card_cites_in_its_order(name: str) -> None:
    (trace,) = json.loads(run("explain", fhir_fixtures.path(name), "--json", *ON).output)[
        "explanations"
    ]
    (told,) = trace["answers"] + trace["advice"]
    numbered = [f"{number}. {line}" for number, line in enumerate(told["sources"], start=1)]
    assert "\n".join(["**Sources**\n", *numbered, "", ""]) in told["card"]["detail"]


def test_explain_gives_the_limit_that_lies_inside_the_interval_of_the_value() -> None:
    shown = run("explain", fhir_fixtures.path("serum_adult_at_most_2400"), "--json", *ON)
    ((told,),) = [trace["answers"] for trace in json.loads(shown.output)["explanations"]]
    assert "threshold-indeterminate" in [finding["id"] for finding in told["findings"]]
    assert "2400 U/mL" in [limit["value"] for limit in told["limits"]]


def test_explain_says_what_was_left_aside() -> None:
    shown = run("explain", fhir_fixtures.path("cd25_cells"), *ON)
    assert "Left aside" in shown.output
    assert "No card" in shown.output


@pytest.mark.parametrize("name", ["patient_view_result_outside_look_back", "cd25_cells"])
def test_a_result_that_was_left_aside_is_not_called_none_of_this_knowledge(name: str) -> None:
    explained = " ".join(run("explain", fhir_fixtures.path(name), *ON).output.split())
    assert "No card: what this knowledge speaks about was left aside" in explained
    evaluated = run("evaluate", fhir_fixtures.path(name), *ON).output
    assert evaluated.startswith("No card: nothing here calls for one.")


def test_of_what_is_no_result_of_this_knowledge_nothing_was_left_aside() -> None:
    shown = run("explain", fhir_fixtures.path("lab_result_unrelated"), *ON).output
    explained = " ".join(shown.split())
    assert "No card: nothing here is a result this knowledge speaks about." in explained
    assert "`cds-service codes` lists the codes in it" in explained, "the next thing to look at"


def test_exit_code_1_for_a_file_that_is_not_acceptable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = fhir_fixtures.path("broken_nan")
    assert through_main(monkeypatch, "evaluate", fhir_fixtures.path("csf_above_150"), file) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"CDS-1002 {file} line ")
    assert message.count("\n") == 1


def test_exit_code_1_for_a_request_that_misses_its_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = fhir_fixtures.path("patient_view_without_prefetch")
    assert through_main(monkeypatch, "evaluate", file, *ON) == 1
    assert capsys.readouterr().err.startswith(f"CDS-3001 {file}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate",),
        ("evaluate", "no-such-file.json"),
        ("explain", "--on", "tomorrow"),
        ("wrong",),
        ("knowledge", "check", "moves the\bcursor.toml"),
        ("catch-up", "lab", "--since", "x"),
        ("knowledge", "export-fhir", "out", "--base", "banana"),
        ("clients", "check", __file__, "--token", __file__),
    ],
)
def test_exit_code_2_for_wrong_usage_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    assert through_main(monkeypatch, *arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("cds-service")
    assert message.endswith(" --help`.\n")
    assert message.removesuffix("\n").isprintable(), "one line, and nothing that moves a cursor"


def test_a_question_in_an_error_is_not_followed_by_a_full_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = fhir_fixtures.path("csf_above_150")
    assert through_main(monkeypatch, "evaluate", file, "--nope") == 2
    message = capsys.readouterr().err
    assert "Did you mean '--on'? See `cds-service evaluate --help`." in message


def test_each_of_several_files_has_its_heading_and_machines_get_one_document() -> None:
    files = [fhir_fixtures.path(name) for name in ("csf_above_150", "cd25_cells")]
    shown = run("evaluate", *files, *ON)
    assert shown.output.index("csf_above_150.json") < shown.output.index("212 pg/mL")
    assert shown.output.index("cd25_cells.json") < shown.output.index("No card")
    told = json.loads(run("evaluate", *files, "--json", *ON).output)["files"]
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("evaluate", fhir_fixtures.path("csf_above_150")),
        ("evaluate", fhir_fixtures.path("csf_above_150"), "--json"),
        ("knowledge", "show"),
    ],
    ids=lambda given: given[0],
)
def test_output_that_cannot_be_written_is_one_line(
    arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "cds_service", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == "CDS-5003 output: It cannot be written. Is the disk full?\n"


def test_a_reader_that_has_read_enough_is_no_failure() -> None:
    file = str(fhir_fixtures.path("csf_above_150"))
    command = [sys.executable, "-m", "cds_service", "explain", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as explaining:
        assert explaining.stdout is not None
        explaining.stdout.close()
        assert explaining.stderr is not None
        assert explaining.stderr.read() == b""
        assert explaining.wait(timeout=60) == 0


def test_what_to_try_in_sandbox_mode_is_what_is_answered(tmp_path: Path) -> None:
    (tmp_path / "ehr.jwks.json").write_bytes(key_set(EC))
    registry = tmp_path / "clients.toml"
    client = (
        '[[client]]\nname = "a"\nissuer = "https://a.example.org"\njwks_file = "ehr.jwks.json"\n'
    )
    registry.write_text(client, encoding="utf-8")
    alone = module._welcome(Settings(), "127.0.0.1", 8000)
    assert "no tokens asked for" in alone
    assert "http://127.0.0.1:8000/cds-services/sil2r-lab-result\n" in alone
    registered = module._welcome(Settings(clients=registry), "127.0.0.1", 8000)
    assert "tokens of the registered clients are asked for" in registered
    assert "curl -s http://127.0.0.1:8000/cds-services\n" in registered
    assert "lab_result_minimal" not in registered


def test_a_day_that_is_none_is_wrong_usage() -> None:
    shown = run("evaluate", fhir_fixtures.path("csf_above_150"), "--on", "31.12.2026")
    assert shown.exit_code == 2
    assert "2026-11-21" in shown.output


def test_knowledge_check_counts_what_it_proved() -> None:
    shown = run("knowledge", "check", "--json")
    report = json.loads(shown.output)
    assert shown.exit_code == 0
    assert report["faults"] == []
    assert report["checked"]["cases"] >= 150


def test_knowledge_check_names_file_row_and_remedy(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[[code]]\nsystem = "urn:x"\ncode = "A"\nloinc = "9654-4"\nnote = "n"\n')
    shown = run("knowledge", "check", "--site", site)
    assert shown.exit_code == 1
    assert "site.toml ([[code]] A): the LOINC check digit is wrong." in shown.output
    assert "Look the code up again." in shown.output


def test_knowledge_check_proves_the_folder_that_the_service_would_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CDS_KNOWLEDGE", str(tmp_path))
    shown = run("knowledge", "check")
    assert shown.exit_code == 1
    assert shown.output.splitlines() == [
        f"CDS-5001 {tmp_path}: no analyte is described here. Add a folder with a knowledge.toml.",
        "1 fault.",
    ]
    assert run("knowledge", "check", "--folder", CARDS).exit_code == 0


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """A settings file that names a site file and the file of approvals, which is not there yet."""
    (tmp_path / "site.toml").write_text("[policy]\nlook_back_days = 31\n", encoding="utf-8")
    file = tmp_path / "cds-service.toml"
    file.write_text('site = "site.toml"\napproval = "approval.toml"\n', encoding="utf-8")
    return file


def test_what_is_shown_checked_and_signed_is_what_the_settings_file_names(configured: Path) -> None:
    approvals = configured.with_name("approval.toml")
    sign = ("--reviewer", "Dr A. Example", "--file", approvals)
    assert run("knowledge", "approve", *sign, "--config", configured).exit_code == 0
    checked = run("knowledge", "check", "--config", configured)
    assert checked.exit_code == 0
    assert "Dr A. Example" in checked.output
    assert "Dr A. Example" in run("knowledge", "show", "--config", configured).output
    (configured.with_name("site.toml")).write_text("colour = 1\n", encoding="utf-8")
    assert run("knowledge", "check", "--config", configured).exit_code == 1
    folder = configured.with_name("out")
    assert run("knowledge", "export-fhir", folder, "--config", configured).exit_code == 1


def _missing(folder: Path) -> str:
    folder.rmdir()
    return str(folder)


def _not_utf8(folder: Path) -> str:
    (folder / "disclaimer.md").write_bytes(b"\xff\xfe")
    return "disclaimer.md"


def _leads_nowhere(folder: Path) -> str:
    (folder / "sil2r").mkdir()
    (folder / "sil2r" / "knowledge.toml").symlink_to(folder / "nowhere")
    return "sil2r/knowledge.toml"


@pytest.mark.parametrize("spoil", [_missing, _not_utf8, _leads_nowhere])
@pytest.mark.parametrize("command", [("knowledge", "show"), ("evaluate", "cd25_cells")])
def test_knowledge_that_cannot_be_read_is_one_line(
    spoil: Callable[[Path], str],
    command: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "cards"
    folder.mkdir()
    where = spoil(folder)
    monkeypatch.setenv("CDS_KNOWLEDGE", str(folder))
    first, second = command
    file = second if first == "knowledge" else fhir_fixtures.path(second)
    assert through_main(monkeypatch, first, file) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"CDS-5001 {where}: this cannot be read.")
    assert message.count("\n") == 1


def test_the_start_of_canonical_addresses_is_an_address(tmp_path: Path) -> None:
    shown = run("knowledge", "export-fhir", tmp_path / "out", "--base", "https://h.example.org/x/")
    assert shown.exit_code == 0
    (library,) = (tmp_path / "out").glob("Library-*.json")
    assert json.loads(library.read_text())["url"].startswith("https://h.example.org/x/Library/")


@pytest.mark.parametrize("name", ["A", "A" * 81])
def test_a_name_that_cannot_sign_is_told_how_long_one_is(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    file = tmp_path / "approval.toml"
    given = ("knowledge", "approve", "--reviewer", name, "--file", file)
    assert through_main(monkeypatch, *given) == 1
    assert "a name of 2 to 80 characters" in capsys.readouterr().err
    assert not file.exists()


def test_what_the_site_mutes_keeps_nobody_from_signing_the_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site, file = tmp_path / "site.toml", tmp_path / "approval.toml"
    site.write_text('[policy]\nmuted_findings = ["ohi-index-positive"]\n', encoding="utf-8")
    monkeypatch.setenv("CDS_SITE", str(site))
    signed = run("knowledge", "approve", "--reviewer", "Dr. Ada Beispiel", "--file", file)
    assert signed.exit_code == 0
    assert "Dr. Ada Beispiel" in file.read_text(encoding="utf-8")


def test_a_site_file_gives_meaning_to_local_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    file = fhir_fixtures.path("local_code_site_mapped")
    assert json.loads(run("evaluate", file, "--json", *ON).output)["cards"] == []
    monkeypatch.setenv("CDS_SITE", str(fhir_fixtures.site_path()))
    assert len(json.loads(run("evaluate", file, "--json", *ON).output)["cards"]) == 1


def test_codes_points_at_what_is_not_mapped() -> None:
    shown = run("codes", fhir_fixtures.path("local_code_unmapped"), "--json")
    (code,) = json.loads(shown.output)["codes"]
    assert (code["mapped"], code["worthALook"]) == (False, True)
    assert "look" in run("codes", fhir_fixtures.path("local_code_unmapped")).output


def test_db_upgrade_makes_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'cds.sqlite3'}")
    assert "revision" in run("db", "upgrade").output
    assert (tmp_path / "cds.sqlite3").exists()


def test_an_order_request_gives_its_advice() -> None:
    file = fhir_fixtures.path("order_select_il2")
    (card,) = json.loads(run("evaluate", file, "--json", *ON).output)["cards"]
    assert card["extension"]["org.sil2r-cds.evaluation"]["outcome"] == "wrong-analyte"
    assert card["summary"] in " ".join(run("explain", file, *ON).output.replace("│", " ").split())


def test_explain_names_the_rows_that_were_considered_for_an_order() -> None:
    file = fhir_fixtures.path("order_sign_csf_without_serum")
    shown = run("explain", file, *ON)
    text = " ".join(shown.output.replace("│", " ").split())
    assert shown.exit_code == 0
    assert "Outcome: order-advice" in text
    assert "Rows considered" in text
    (trace,) = json.loads(run("explain", file, "--json", *ON).output)["explanations"]
    (advice,) = trace["advice"]
    fired = {row["finding"] for row in advice["rows"] if row["outcome"] == "matched"}
    not_fired = {row["finding"] for row in advice["rows"]} - fired
    assert fired
    assert not_fired
    assert all(row["gates"] for row in advice["rows"])
    assert advice["sources"]
    assert trace["answers"] == []
