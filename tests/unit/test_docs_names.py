"""What the pages name is there: rooms, modules, files, options, keys, tables, decisions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache

import click
import pytest
from click.testing import CliRunner

from cds_service.access.faults import TokenFault
from cds_service.access.rows import ClientRow, EventSourceRow
from cds_service.cli import cli
from cds_service.fhir.access import NoAccessReason
from cds_service.fhir.calls.authorization import TokenFlaw
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.hooks.gather import GatherFault
from cds_service.metrics import Metrics
from cds_service.store.tables import metadata
from tests.documentation import ROOT, examples, first_words, pages, prose, rows, section, text_of

ARCHITECTURE, DECISIONS = "docs/architecture.md", "docs/decisions/README.md"
INTEGRATING = "docs/integrating.md"
PACKAGE = ROOT / "cds_service"
MADE_BY_THE_READER = frozenset(
    {"clients.toml", "site.toml", "cds-service.toml", "approval.toml", "sign.py"}
)
NOT_TRACKED = ("docker/config", "docker/secrets")

every_page = pytest.mark.parametrize("page", pages())


# ------------------------------------------------------------------ rooms and modules


def rooms() -> set[str]:
    return {folder.parent.name for folder in PACKAGE.glob("*/__init__.py")}


def test_the_readme_and_the_architecture_page_name_every_room() -> None:
    for page, heading in (("README.md", "Where things are"), (ARCHITECTURE, "The rooms")):
        named = re.findall(r"`cds_service/(\w+)/", " ".join(first_cells(page, heading)))
        assert set(named) == rooms(), page


def first_cells(page: str, heading: str) -> list[str]:
    return [row[0] for row in rows(section(page, heading))]


def test_the_architecture_page_names_every_module_that_belongs_to_no_room() -> None:
    (row,) = (row for row in rows(section(ARCHITECTURE, "The rooms")) if "*.py" in row[0])
    modules = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert set(re.findall(r"`(\w+)`", row[1])) == modules


def test_the_picture_of_who_may_import_whom_is_the_contract() -> None:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = (
        contract["layers"]
        for contract in contracts
        if contract["type"] == "layers" and "containers" not in contract
    )
    held = [set(layer.replace("cds_service.", "").split(" | ")) for layer in layers]
    (picture,) = (shown for shown in examples(ARCHITECTURE, "text") if shown.startswith("cli\n"))
    assert [set(line.strip().split(", ")) for line in picture.splitlines()] == held[1:]


@every_page
def test_every_module_and_table_that_a_page_names_is_there(page: str) -> None:
    """In backticks: `core/template.py`, `limits.toml`, `cds_service.store.pseudonym`."""
    for named in re.findall(r"`([\w/-]+\.(?:py|toml))`", prose(page)):
        if named.rpartition("/")[2] not in MADE_BY_THE_READER:
            assert any(f"/{file}".endswith(f"/{named}") for file in files()), f"{page}: {named}"
    for dotted in re.findall(r"`((?:cds_service|tests|benchmarks)(?:\.\w+)+)`", prose(page)):
        path = dotted.replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & files(), f"{page}: {dotted}"


@every_page
def test_every_path_from_the_root_that_a_page_names_is_there(page: str) -> None:
    top = "benchmarks|cards|cds_service|docker|docs|fhir_fixtures|requirements|tests"
    named = re.findall(rf"(?<![\w./-])((?:{top})/[\w./-]*\w)", text_of(page))
    tracked = {name for name in named if not name.startswith(NOT_TRACKED)}
    assert {name for name in tracked if not (ROOT / name).exists()} == set()


def test_every_module_that_a_comment_or_docstring_names_is_there() -> None:
    """In backticks, as in pages; and without them where a folder stands before the name."""
    named = {
        (name, str(file.relative_to(ROOT)))
        for folder in (PACKAGE, ROOT / "tests", ROOT / "benchmarks", ROOT / "cards")
        for file in folder.rglob("*.*")
        if file.suffix in {".py", ".toml", ".md"}
        for name in re.findall(
            r"`([a-z_/]+\.py)`|\b((?:core|fhir|web|store|hooks|events|access)/\w+\.py)\b",
            file.read_text(encoding="utf-8"),
        )
    }
    there = [f"/{file}" for file in files()]
    lost = {
        (name, file)
        for found, file in named
        for name in found
        if name and not any(path.endswith(f"/{name}") for path in there)
    }
    assert lost == set()


@cache
def files() -> frozenset[str]:
    """Every module and table of the project, by its path from the root."""
    folders = (PACKAGE, *(ROOT / name for name in ("cards", "fhir_fixtures", "tests", "docs")))
    found = (file for folder in (*folders, ROOT / "benchmarks") for file in folder.rglob("*.*"))
    top = ROOT / "pyproject.toml"
    return frozenset(str(file.relative_to(ROOT)) for file in (top, *found))


def test_the_way_through_the_house_leads_by_modules_there_are() -> None:
    (way,) = (shown for shown in examples(ARCHITECTURE, "text") if shown.startswith("hook "))
    named = re.findall(r"\b([a-z]+)\.([a-z_]+)\b", way)
    assert named
    paths = [PACKAGE.joinpath(*parts) for parts in named]
    assert [path for path in paths if not (path.is_dir() or path.with_suffix(".py").exists())] == []


def test_every_folder_of_the_large_rooms_is_told() -> None:
    told = re.findall(r"^\| `((?:core|fhir)/\w+)/` \|", prose(ARCHITECTURE), re.MULTILINE)
    doors = [door for room in ("core", "fhir") for door in (PACKAGE / room).glob("*/__init__.py")]
    assert sorted(told) == sorted(str(door.parent.relative_to(PACKAGE)) for door in doors)


def test_every_term_of_the_glossary_is_a_word_of_the_code_or_the_knowledge() -> None:
    said = "\n".join(
        file.read_text(encoding="utf-8").lower()
        for folder in (PACKAGE, ROOT / "cards")
        for file in folder.rglob("*")
        if file.suffix in {".py", ".toml", ".md"}
    )
    terms = [
        term for row in rows(prose("GLOSSARY.md")) for term in re.findall(r"\*\*(.+?)\*\*", row[0])
    ]
    written = {term: r"[\s_-]?".join(re.split("[ -]", term.lower())) for term in terms}
    assert [term for term, how in written.items() if not re.search(rf"\b{how}", said)] == []


# ------------------------------------------------------------------ commands


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(cli, "cds-service"))


GROUPS = ["", *(path for path, found in COMMANDS.items() if isinstance(found, click.Group))]


@pytest.mark.parametrize("group", GROUPS)
def test_a_list_of_commands_shows_each_sentence_whole(group: str) -> None:
    listed = CliRunner().invoke(cli, [*group.split()[1:], "--help"]).output.split("Commands:")[1]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
    assert all(len(line.split()) > 1 for line in listed.splitlines() if line)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_says_what_it_is_for(path: str) -> None:
    options = [given for given in COMMANDS[path].params if isinstance(given, click.Option)]
    assert [option.name for option in options if not option.help] == []


def typed(page: str) -> Iterator[str]:
    """What a page would have somebody type after `cds-service`: in examples, and in backticks."""
    shown = (line for example in examples(page, "sh") for line in example.splitlines())
    said = re.findall(r"`([^`]+)`", prose(page).replace("\n", " "))
    for text in (*shown, *said):
        if found := re.search(r"(?:^|[\s/])cds-service ([a-z-].*)", text):
            yield re.split(r" [|>&#]|\)$", found[1])[0]


@every_page
def test_every_command_of_a_page_is_one_with_the_options_it_has(page: str) -> None:
    for line in typed(page):
        command: click.Command = cli
        known = {"--help", "--version"}
        for word in line.split():
            if isinstance(command, click.Group) and not word.startswith("-"):
                assert word in command.commands, f"{page}: cds-service {line}"
                command = command.commands[word]
                known |= {name for given in command.params for name in given.opts}
        assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", line)) <= known, f"{page}: {line}"


# ------------------------------------------------------------------ words for why


def test_every_word_for_data_that_could_not_be_read_has_its_meaning() -> None:
    told = first_words(section(INTEGRATING, "Why data could not be read"))
    words = [*GatherFault, *NoAccessReason, *TokenFlaw, *UpstreamFault]
    assert sorted(told) == sorted(words)


def test_every_cause_for_which_a_token_is_refused_has_its_meaning() -> None:
    told = first_words(section(INTEGRATING, "Why a token is refused"))
    assert sorted(told) == sorted(TokenFault)


# ------------------------------------------------------------------ registry, tables, decisions


def test_every_key_of_the_client_registry_stands_on_its_page() -> None:
    clients = first_words(section("docs/integrating.md", "Outside sandbox mode"))
    assert set(ClientRow.model_fields) <= set(clients)
    sources = first_words(section("docs/events.md", "Registering a source"))
    assert set(sources) == set(EventSourceRow.model_fields)


def test_every_table_of_the_database_stands_on_the_page_of_what_is_stored() -> None:
    stored = first_words(section("docs/security.md", "What is stored, and for how long"))
    assert set(stored) == set(metadata.tables)


def test_the_notice_names_every_table_that_holds_codes_of_a_terminology() -> None:
    """LOINC codes stand in tables of ours without their system: by the look of them."""
    looks = {
        "LOINC": r'(= "|LOINC )\d{4,5}-\d\b',
        "SNOMED CT": "http://snomed.info/sct",
        "ATC": "http://www.whocc.no/atc",
        "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    }
    tables = {file.name: file.read_text("utf-8") for file in (ROOT / "cards").rglob("*.toml")}
    for name, look in looks.items():
        told = re.findall(rf"^{name}\n(?:  .*\n)+", text_of("NOTICE"), re.MULTILINE)[0]
        named = set(re.findall(r"\b[a-z]+\.toml", told))
        assert named == {table for table, text in tables.items() if re.search(look, text)}, name


def test_no_fixture_holds_what_needs_a_licence_of_snomed() -> None:
    """As the NOTICE says: whoever uses the fixtures need not ask for one."""
    fixtures = (ROOT / "fhir_fixtures").rglob("*.*")
    texts = (file.read_text("utf-8") for file in fixtures if file.suffix in {".json", ".toml"})
    assert not any("snomed.info" in text for text in texts)


@every_page
def test_every_metric_that_a_page_names_is_counted(page: str) -> None:
    counted = {
        sample
        for family in Metrics().registry.collect()
        for sample in (family.name, f"{family.name}_total")
    }
    named = set(re.findall(r"`(cds_[a-z_]+)`", prose(page))) - {"cds_service"}
    assert named <= counted, named - counted


def test_a_decision_of_which_a_part_was_replaced_says_by_which() -> None:
    states = {row[0]: row[2] for row in rows(prose(DECISIONS))}
    replaced = [
        (old, new.name)
        for new in sorted((ROOT / "docs/decisions").glob("0*.md"))
        for clause in re.split(r"[.;]\s", new.read_text(encoding="utf-8").split("\n\n")[1])
        if re.search(r"\breplaces\b", clause, re.IGNORECASE)
        for old in re.findall(r"\((0\d+-[\w-]+\.md)\)", clause)
    ]
    assert replaced
    for old, new in replaced:
        assert f"({new})" in states[f"[{int(old[:4])}]({old})"], f"{old} is replaced by {new}"
