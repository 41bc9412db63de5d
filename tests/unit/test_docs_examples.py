"""The examples of the documentation are run: commands, requests, files, and what they print."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

import fhir_fixtures
from cds_service.access.registry import read_registry
from cds_service.cli import cli
from cds_service.config import Mode, Settings, load_settings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import CaseRow
from cds_service.core.site.file import apply_site, read_site
from cds_service.errors import ConfigurationError, KnowledgeError
from cds_service.knowledge.check import check_knowledge
from cds_service.knowledge.files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.documentation import (
    ROOT,
    examples,
    first_words,
    is_excerpt,
    pages,
    prose,
    rows,
    section,
    text_of,
)

SETTINGS, INTEGRATING = "docs/settings.md", "docs/integrating.md"
CARDS, SITE, HOOK = "docs/cards.md", "docs/site-file.md", "docs/hooks/lab-result-create.md"
TODAY = "2026-11-21"

every_page = pytest.mark.parametrize("page", pages())


@pytest.fixture(scope="module")
def client(library: Library) -> FlaskClient:
    """The service as `make run` starts it, but for database and network; today is fixed."""
    noon = datetime.fromisoformat(f"{TODAY}T12:00:00").replace(tzinfo=UTC)
    ports = Ports(now=lambda: noon)
    return create_app(Settings(), library, ports).test_client()


def cards_for(client: FlaskClient, service: str, body: str) -> list[dict[str, Any]]:
    """The cards that the service answers a documented request with."""
    path = f"/cds-services/{service}"
    response = client.post(path, data=body, content_type="application/json")
    assert response.status_code == 200, response.text
    cards: list[dict[str, Any]] = response.get_json()["cards"]
    return cards


def test_the_command_of_the_readme_prints_the_card_of_the_readme(client: FlaskClient) -> None:
    command = examples("README.md", "sh")[1]
    file = re.search(r"-d @(\S+)", command)
    address = re.search(r"http://127\.0\.0\.1:8000(\S+)", command)
    script = re.search(r"python3 -c '(.+)'", command)
    assert file
    assert address
    assert script
    response = client.post(
        address[1], data=(ROOT / file[1]).read_bytes(), content_type="application/json"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script[1]], input=response.text, text=True, capture_output=True,
        check=True,
    ).stdout  # fmt: skip
    shown = examples("README.md", "text")[0]
    assert is_excerpt(shown, printed), f"the README shows another card; printed now:\n{printed}"
    assert all(word in shown for word in ("does not mean", "doi:", "no medical device"))


def test_the_explanation_of_the_readme_is_what_explain_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    command = examples("README.md", "sh")[3].split()
    assert command[:2] == [".venv/bin/cds-service", "explain"]
    printed = CliRunner().invoke(cli, [*command[1:], "--on", TODAY], catch_exceptions=False).output
    assert is_excerpt(examples("README.md", "text")[1], printed), printed


def test_the_settings_file_of_the_page_starts_a_service_once_it_has_its_key(tmp_path: Path) -> None:
    (example,) = examples(SETTINGS, "toml")
    file = tmp_path / "settings.toml"
    file.write_text(example, encoding="utf-8")
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    settings = load_settings(Mode.PRODUCTION, {"CDS_DATA_KEY": key}, file)
    assert settings.clients == tmp_path / "clients.toml"


def test_the_refusal_on_the_page_is_the_refusal_of_the_service() -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(Mode.PRODUCTION, {})
    assert refused.value.one_line() == examples(SETTINGS, "text")[0].strip()


def test_the_request_of_the_page_gives_the_extension_of_the_page(client: FlaskClient) -> None:
    request, shown, _feedback = examples(INTEGRATING, "json")
    (card,) = cards_for(client, "sil2r-patient-view", request)
    extension = card["extension"]["org.sil2r-cds.evaluation"]
    assert {key: extension.get(key) for key in json.loads(shown)} == json.loads(shown)
    assert set(extension) - set(json.loads(shown)) == {"id"}
    assert set(extension) <= set(first_words(section(INTEGRATING, "The answer")))


def test_the_feedback_of_the_page_is_taken(client: FlaskClient) -> None:
    path = "/cds-services/sil2r-lab-result/feedback"
    body = examples(INTEGRATING, "json")[2]
    response = client.post(path, data=body, content_type="application/json")
    assert (response.status_code, response.get_json()) == (200, {})


def test_the_registry_of_the_page_is_one(tmp_path: Path) -> None:
    example, app = examples(INTEGRATING, "toml")
    file = tmp_path / "clients.toml"
    file.write_text(example + app, encoding="utf-8")
    (registered,) = read_registry(file).clients
    (row,) = tomllib.loads(example + app)["client"]
    assert (registered.name, registered.issuer) == (row["name"], row["issuer"])
    assert [app.label for app in registered.smart_apps] == ["sIL-2R over time"]
    assert set(row) <= set(first_words(section(INTEGRATING, "Outside sandbox mode")))
    app_row = row["smart_app"][0]
    assert set(app_row) == set(first_words(section(INTEGRATING, "A SMART app on the cards")))


def test_the_token_of_the_page_would_be_taken_once_by_the_registry_of_the_operators_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (script,) = examples(INTEGRATING, "python")
    address = "https://cds.example.org/cds-services/sil2r-patient-view"
    assert f"service={address}\n" in examples(INTEGRATING, "sh")[1]
    for file, example in zip(
        ("clients.toml", "cds-service.toml"),
        examples("docs/operations.md", "toml")[:2],
        strict=True,
    ):
        Path(file).write_text(example, encoding="utf-8")
    for _ in range(2):  # with the keys made before, the second time
        signed = subprocess.run(
            [sys.executable, "-c", script, address], text=True, capture_output=True, check=True
        ).stdout
        Path("token").write_text(signed)
        check = ["clients", "check", "clients.toml", "--token", "token", "--audience", address]
        settings = ["--config", "cds-service.toml"]
        found = CliRunner().invoke(cli, [*check, *settings], catch_exceptions=False)
        assert (found.exit_code, "The token holds" in found.output) == (0, True), found.output


def test_the_example_of_our_hook_is_answered_with_a_card(client: FlaskClient) -> None:
    (example,) = examples(HOOK, "json")
    (card,) = cards_for(client, "sil2r-lab-result", example)
    assert "csf-above-150" in card["extension"]["org.sil2r-cds.evaluation"]["findings"]


def test_the_page_of_our_hook_has_the_parts_of_the_library(client: FlaskClient) -> None:
    metadata = {row[0]: row[1] for row in list(rows(prose(HOOK)))[:3]}
    assert metadata["hookMaturity"] == "0 - Draft"
    context = json.loads(examples(HOOK, "json")[0])["context"]
    table = {row[0].strip("`"): row[1] for row in rows(section(HOOK, "Context"))}
    assert (
        {field for field, need in table.items() if need == "REQUIRED"} <= set(context) <= set(table)
    )
    for field, need in table.items():
        body = json.loads(examples(HOOK, "json")[0])
        body["context"].pop(field, None)
        answered = client.post("/cds-services/sil2r-lab-result", json=body).status_code
        assert answered == (400 if need == "REQUIRED" else 200), field


def test_the_worked_case_of_the_page_is_one_of_ours(sil2r: KnowledgeBase) -> None:
    (example,) = examples(CARDS, "toml")
    (case,) = tomllib.loads(example)["case"]
    assert CaseRow.model_validate(case) in sil2r.cases


def test_a_copy_of_the_knowledge_can_be_checked_as_the_page_says(tmp_path: Path) -> None:
    assert "cp -r cards my-cards" in examples(CARDS, "sh")[0]
    copy = shutil.copytree(ROOT / "cards", tmp_path / "my-cards")
    assert check_knowledge(copy, None, None).faults == []


def test_the_site_file_of_the_page_applies(sil2r: KnowledgeBase) -> None:
    whole, assay, _slip = examples(SITE, "toml")
    site = apply_site({"sil2r": sil2r}, read_site(whole))["sil2r"]
    assert site.local_codes["urn:oid:2.999.2", "SIL2R-S"] == "9654-5"
    assert "UI/ml" in site.units
    policy = section(SITE, "Policy")
    assert set(tomllib.loads(whole)["policy"]) == set(first_words(policy))
    measured = apply_site({"sil2r": sil2r}, read_site(assay))["sil2r"]
    assert measured.assays["Central laboratory"].factor < 1


def test_the_slip_of_the_page_is_refused_in_the_words_of_the_page(sil2r: KnowledgeBase) -> None:
    slip = examples(SITE, "toml")[2]
    with pytest.raises(KnowledgeError) as refused:
        apply_site({"sil2r": sil2r}, read_site(slip))
    assert refused.value.one_line() == examples(SITE, "text")[0].strip()


@every_page
def test_every_example_of_a_page_can_be_read(page: str) -> None:
    assert all(json.loads(example) for example in examples(page, "json"))
    assert all(tomllib.loads(example) for example in examples(page, "toml"))


def test_files_that_the_commands_of_the_readme_name_are_there() -> None:
    named = re.findall(r"fhir_fixtures/[\w/.-]+", text_of("README.md"))
    assert {f"{name}.json" for name in fhir_fixtures.names()} >= {
        name.rpartition("/")[2] for name in named if name.endswith(".json")
    }
    assert all((ROOT / name).exists() for name in named)
