"""The pages by themselves: licences, glossary, change log, decisions, and links that lead on."""

from __future__ import annotations

import re
import tomllib

import pytest

from cds_service.core.knowledge import KnowledgeBase
from tests.documentation import ROOT, anchors, links, pages, prose, rows, text_of

MACHINE_OR_INDEX = re.compile(r"/(?:home|root|work|Users)/|pypi\.|pythonhosted|index-url")
"""Folders of somebody's machine, and hosts or options of a package index."""
DECISIONS = "docs/decisions/README.md"
every_page = pytest.mark.parametrize("page", pages())
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
def test_no_page_names_a_machine_path_or_a_package_index(page: str) -> None:
    text = text_of(page)
    named = MACHINE_OR_INDEX.findall(text)
    assert named == [], f"{page} names {named}"
    assert str(ROOT) not in text, f"{page} names the folder it was written in"
