"""The command line as a person at a terminal and a script both use it (README)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fhir_fixtures
from cds_service import cli as module
from cds_service.config import Settings
from cds_service.store.upgrade import NEWEST
from tests.unit.access.minting import EC, key_set
from tests.unit.cli.command_line import document, run, through_main

ON = ("--on", "2026-11-21")

CARDS = Path(__file__).parents[3] / "cards"


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
        ("evaluate", fhir_fixtures.path("csf_above_150"), "--on", "0001-01-15"),
        ("catch-up", "lab", "--since", "x"),
        ("catch-up", "lab", "--since", "0001-01-01"),
        ("catch-up", "lab", "--since", "0001-01-01T00:00:00+05:00"),
        ("knowledge", "export-fhir", "out", "--base", "banana"),
        ("clients", "check", __file__, "--token", __file__),
    ],
)
def test_exit_code_2_for_wrong_usage_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str | Path, ...],
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


@pytest.mark.parametrize("arguments", [("--version",), ("evaluate", "csf.json", "--json")])
def test_output_that_was_closed_is_no_failure(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """As a service manager or `>&-` closes it: Python then has no standard output at all."""
    shutil.copy(fhir_fixtures.path("csf_above_150"), tmp_path / "csf.json")
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -m cds_service "$@" >&-', sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.returncode == 0


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
    assert "http://[::1]:8000/cds-services/" in module._welcome(Settings(), "::1", 8000)


def test_knowledge_check_counts_what_it_proved() -> None:
    report = document(run("knowledge", "check", "--json"))
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


def test_without_snomed_the_check_is_of_the_knowledge_without_snomed(configured: Path) -> None:
    """It refused a site's own meaning of a code that the service then did not know."""
    (configured.with_name("site.toml")).write_text(
        '[[specimen]]\nsystem = "http://snomed.info/sct"\ncode = "119364003"\n'
        'kind = "not-covered"\nnote = "said by our laboratory, 2026-11-02"\n',
        encoding="utf-8",
    )
    check = ("knowledge", "check", "--config", configured)
    assert "the code means another specimen already" in run(*check).output
    configured.write_text('site = "site.toml"\nsnomed = false\n', encoding="utf-8")
    assert run("knowledge", "show", "--config", configured).exit_code == 0
    assert run(*check).exit_code == 0


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
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
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


def test_db_upgrade_makes_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'cds.sqlite3'}")
    assert f"revision {NEWEST}" in run("db", "upgrade").output
    assert (tmp_path / "cds.sqlite3").exists()
