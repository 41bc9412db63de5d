"""The documentation says what is so: its tables, examples and links are held to the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

import fhir_fixtures
from cds_service.access.registry import read_registry
from cds_service.cli import cli
from cds_service.config import SETTING_NAMES, Mode, Settings, load_settings
from cds_service.core.disclaimer import disclaimer
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import CaseRow
from cds_service.core.site import apply_site, read_site
from cds_service.core.table import THRESHOLD_INDETERMINATE
from cds_service.core.verdict import Reason
from cds_service.errors import CdsError, ConfigurationError, KnowledgeError
from cds_service.hooks.orders import order_advice
from cds_service.knowledge_check import check_knowledge
from cds_service.knowledge_files import Library
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.documentation import (
    ROOT,
    anchors,
    even,
    examples,
    first_words,
    is_excerpt,
    links,
    pages,
    prose,
    rows,
    section,
    text_of,
)

SETTINGS, INTEGRATING = "docs/settings.md", "docs/integrating.md"
CARDS, SITE, HOOK = "docs/cards.md", "docs/site-file.md", "docs/hooks/lab-result-create.md"
INTENDED_USE, DECISIONS = "docs/intended-use.md", "docs/decisions/README.md"
TODAY = "2026-11-21"

every_page = pytest.mark.parametrize("page", pages())


@pytest.fixture(scope="module")
def client(library: Library) -> FlaskClient:
    """The service as `make run` starts it, but for database and network; today is fixed."""
    noon = datetime.fromisoformat(f"{TODAY}T12:00:00").replace(tzinfo=UTC)
    ports = Ports(now=lambda: noon, order_advice=order_advice)
    return create_app(Settings(), library, ports).test_client()


def cards_for(client: FlaskClient, service: str, body: str) -> list[dict[str, Any]]:
    """The cards that the service answers a documented request with."""
    path = f"/cds-services/{service}"
    response = client.post(path, data=body, content_type="application/json")
    assert response.status_code == 200, response.text
    cards: list[dict[str, Any]] = response.get_json()["cards"]
    return cards


# ------------------------------------------------------------------ the first screen


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


def test_the_readme_lists_the_services_there_are(client: FlaskClient) -> None:
    offered = {s["id"]: s["hook"] for s in client.get("/cds-services").get_json()["services"]}
    listed = {
        row[0].strip("`"): row[1].strip("`") for row in rows(section(INTEGRATING, "Which service"))
    }
    assert listed == offered
    named = re.findall(r"`(sil2r-[a-z-]+)`", section("README.md", "The services"))
    assert set(named) == set(offered)


def test_every_path_of_the_service_stands_on_the_page(client: FlaskClient) -> None:
    paths = {
        re.sub(r"^/cds-services/[^/]+", "/cds-services/{id}", path).replace("/sil2r", "/{analyte}")
        for path in client.get("/openapi.json").get_json()["paths"]
    }
    listed = {word.split()[1] for word in first_words(section(INTEGRATING, "Ten minutes"))}
    events = {"/events/{source}", "/events/{source}/{type}/{id}"}
    assert listed == paths | events


def commands(group: click.Group, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = {
        " ".join(re.split(r" [\[A-Z-]", row[0].strip("`"))[0].split())
        for row in rows(section("README.md", "Why this card?"))
    }
    assert listed == set(commands(cli, "cds-service"))


def test_the_readme_closes_with_the_disclaimer_of_the_cards(sil2r: KnowledgeBase) -> None:
    quoted = "\n".join(
        line.removeprefix(">") for line in text_of("README.md").splitlines() if line[:1] == ">"
    )
    assert even(quoted) == even(disclaimer(sil2r))


# ------------------------------------------------------------------ settings


def as_written(default: object) -> str:
    """A default as the table of settings writes it."""
    match default:
        case None | "" | () | 0 if not isinstance(default, bool):
            return "none"
        case bool():
            return "on" if default else "off"
        case _:
            return str(default)


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    table = {row[0].strip("`"): row[1].strip("`") for row in rows(prose(SETTINGS))}
    defaults = {f"CDS_{name.upper()}": getattr(Settings(), name) for name in SETTING_NAMES}
    assert table == {name: as_written(default) for name, default in defaults.items()}


def bounds() -> list[tuple[str, int, int]]:
    return [
        (row[0].strip("`"), int(found[1]), int(found[2]))
        for row in rows(prose(SETTINGS))
        if (found := re.search(r"from (\d+) to (\d+)", row[2]))
    ]


@pytest.mark.parametrize(("setting", "low", "high"), bounds())
def test_the_bounds_of_a_setting_are_those_of_the_table(setting: str, low: int, high: int) -> None:
    for inside in (low, high):
        settings = load_settings(Mode.SANDBOX, {setting: str(inside)})
        assert getattr(settings, setting.removeprefix("CDS_").lower()) == inside
    for outside in (low - 1, high + 1):
        with pytest.raises(ConfigurationError):
            load_settings(Mode.SANDBOX, {setting: str(outside)})


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


# ------------------------------------------------------------------ for the integrator


def designed(error: type[CdsError]) -> Iterator[type[CdsError]]:
    for child in error.__subclasses__():
        yield child
        yield from designed(child)


def test_every_error_stands_on_the_page_with_status_and_issue_code() -> None:
    codes = {error.code: error for error in designed(CdsError)}
    listed = {
        row[0].strip("`"): (int(row[1]), row[2].strip("`"))
        for row in rows(section(INTEGRATING, "Errors"))
    }
    met_at_start = {"CDS-5001", "CDS-5002", "CDS-5003"}
    assert listed == {
        code: (error.status, error.issue_type)
        for code, error in codes.items()
        if code not in met_at_start
    }
    assert met_at_start < set(codes)
    assert all(code in section(INTEGRATING, "Errors") for code in met_at_start)


def test_every_reason_and_every_missing_word_stands_on_the_page(sil2r: KnowledgeBase) -> None:
    assert first_words(section(INTEGRATING, "Reasons")) == [reason.value for reason in Reason]
    assert set(first_words(section(INTEGRATING, "Missing"))) == set(sil2r.wording.missing)


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
    (example,) = examples(INTEGRATING, "toml")
    file = tmp_path / "clients.toml"
    file.write_text(example, encoding="utf-8")
    (registered,) = read_registry(file).clients
    (row,) = tomllib.loads(example)["client"]
    assert (registered.name, registered.issuer) == (row["name"], row["issuer"])
    assert set(row) <= set(first_words(section(INTEGRATING, "Outside sandbox mode")))


def test_the_example_of_our_hook_is_answered_with_a_card(client: FlaskClient) -> None:
    (example,) = examples(HOOK, "json")
    (card,) = cards_for(client, "sil2r-lab-result", example)
    assert "csf-above-150" in card["extension"]["org.sil2r-cds.evaluation"]["findings"]


def test_the_page_of_our_hook_has_the_parts_of_the_library(client: FlaskClient) -> None:
    metadata = dict(list(rows(prose(HOOK)))[:3])
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


# ------------------------------------------------------------------ for the clinician


def test_every_finding_context_and_advice_stands_on_the_page(sil2r: KnowledgeBase) -> None:
    ids = {row.id for row in (*sil2r.findings, *sil2r.contexts)} | {THRESHOLD_INDETERMINATE}
    listed = first_words(section(CARDS, "Findings"))
    assert set(listed) == ids
    assert len(listed) == len(ids)
    advice = {row.id for row in sil2r.order_table.advice}
    assert set(first_words(section(CARDS, "Order advice"))) == advice


def test_the_page_warns_where_the_table_does(sil2r: KnowledgeBase) -> None:
    indicators = {row.id: row.indicator for row in sil2r.findings}
    for finding, _fires, indicator in (r for r in rows(section(CARDS, "Findings")) if len(r) == 3):
        assert indicator == indicators.get(finding.strip("`"), "info"), finding


def test_every_limit_stands_on_the_page_with_its_number(sil2r: KnowledgeBase) -> None:
    listed = {row[0].strip("`"): row[1:] for row in rows(section(CARDS, "Limits"))}
    assert listed == {
        limit.id: [
            f"`{limit.of}`",
            limit.specimen,
            f"{limit.met_when.replace('-', ' ')} {limit.value} {limit.unit}",
        ]
        for limit in sil2r.limits.values()
    }


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
    site = apply_site(sil2r, read_site(whole))
    assert site.local_codes["urn:oid:2.999.2", "SIL2R-S"] == "9654-5"
    assert "UI/ml" in site.units
    policy = section(SITE, "The site file").split("| policy |")[1]
    assert set(tomllib.loads(whole)["policy"]) == set(first_words(policy))
    assert apply_site(sil2r, read_site(assay)).assays["Central laboratory"].factor < 1


def test_the_slip_of_the_page_is_refused_in_the_words_of_the_page(sil2r: KnowledgeBase) -> None:
    slip = examples(SITE, "toml")[2]
    with pytest.raises(KnowledgeError) as refused:
        apply_site(sil2r, read_site(slip))
    assert refused.value.one_line() == examples(SITE, "text")[0].strip()


# ------------------------------------------------------------------ intended use, notices, words


def test_intended_use_is_one_sentence_everywhere(sil2r: KnowledgeBase) -> None:
    assert even(sil2r.identity.intended_use).replace("Helps", "sil2r-cds helps", 1) in even(
        section(INTENDED_USE, "Intended use")
    )


def test_every_hazard_names_a_test_that_guards_it() -> None:
    hazards = list(rows(section(INTENDED_USE, "Hazards")))
    assert [row[0] for row in hazards] == [f"H{number}" for number in range(1, 15)]
    assert all(re.search(r"\(\.\./tests/\S+\.py\)", row[3]) for row in hazards)


TERMINOLOGIES = {
    "http://loinc.org": "LOINC",
    "http://unitsofmeasure.org": "UCUM",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.whocc.no/atc": "ATC",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://terminology.hl7.org/": "HL7",
}


def test_the_notice_speaks_of_every_terminology_that_is_shipped() -> None:
    systems = {
        system
        for file in (ROOT / "cards").rglob("*.toml")
        for system in re.findall(r'system = "(http[^"]+)"', file.read_text(encoding="utf-8"))
    }
    assert systems
    for system in systems:
        owner = [name for start, name in TERMINOLOGIES.items() if system.startswith(start)]
        assert owner, f"NOTICE says nothing of {system}"
    headings = re.findall(r"^(\S.*)$", text_of("NOTICE"), re.MULTILINE)
    assert all(any(name in heading for heading in headings) for name in TERMINOLOGIES.values())
    assert "https://loinc.org/license" in text_of("NOTICE")


def test_licence_and_notice_name_the_same_owner() -> None:
    owner = "Copyright 2026 The sil2r-cds developers"
    assert owner in text_of("LICENSE")
    assert owner in text_of("NOTICE")


GLOSSARY_TERMS = (
    "card", "case", "companion", "context", "evaluation", "fact", "finding", "gate", "knowledge",
    "limit", "look-back", "missing", "note", "outcome", "pair", "panel", "reason", "series",
    "site file", "source", "specimen kind", "suggestion", "unit family",
)  # fmt: skip


def test_the_glossary_fixes_each_term_once_and_in_order() -> None:
    terms = [re.findall(r"\*\*(.+?)\*\*", row[0]) for row in rows(prose("GLOSSARY.md"))]
    assert set(GLOSSARY_TERMS) <= {name for names in terms for name in names}
    first = [names[0].lower() for names in terms]
    assert first == sorted(set(first))


def test_the_change_log_has_both_parts_at_their_versions(sil2r: KnowledgeBase) -> None:
    software, knowledge = text_of("CHANGELOG.md").split("## Knowledge")
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert f"[{version}]" in software.split("## Software")[1]
    assert f"sil2r [{sil2r.identity.version}]" in knowledge


# ------------------------------------------------------------------ decisions, links, never


def test_every_decision_stands_in_the_index_and_has_its_three_parts() -> None:
    listed = {row[0]: (row[1], row[2]) for row in rows(prose(DECISIONS))}
    files = sorted((ROOT / "docs/decisions").glob("0*.md"))
    for number, file in enumerate(files, start=1):
        text = file.read_text(encoding="utf-8")
        title, state = listed[f"[{number}]({file.name})"]
        assert text.startswith(f"# {number}. {title}\n\nState: {state}"), file.name
        for part in ("## Context", "## Decision", "## Consequences"):
            assert text.count(f"{part}\n") == 1, file.name
        assert len(text.splitlines()) < 50, f"{file.name} is longer than half a page"
    assert len(listed) == len(files)


@every_page
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        place = ((ROOT / page).parent / target).resolve() if target else ROOT / page
        assert place.exists(), f"{page} leads to {link}"
        assert place.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(str(place.relative_to(ROOT))), f"{page} leads to {link}"


@every_page
def test_every_example_of_a_page_can_be_read(page: str) -> None:
    for example in examples(page, "json"):
        json.loads(example)
    for example in examples(page, "toml"):
        tomllib.loads(example)


def test_files_that_the_commands_of_the_readme_name_are_there() -> None:
    named = re.findall(r"fhir_fixtures/[\w/.-]+", text_of("README.md"))
    assert {f"{name}.json" for name in fhir_fixtures.names()} >= {
        name.rpartition("/")[2] for name in named if name.endswith(".json")
    }
    assert all((ROOT / name).exists() for name in named)


@every_page
def test_no_page_names_a_machine_path_or_a_package_index(page: str) -> None:
    text = text_of(page)
    for never in ("/work/", "/root/", "/home/", "pypi.", "pythonhosted", "index-url"):
        assert never not in text, f"{page} names {never}"
