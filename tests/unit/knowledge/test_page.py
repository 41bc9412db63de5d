"""`cds-service knowledge show`: complete, readable, honest about sources, and never stale."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from cds_service.cli import cli
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import NoteKind
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.schema import AdviceRow, TableRow
from cds_service.knowledge.files import Library
from cds_service.knowledge.page.bibliography import full_citation
from cds_service.knowledge.page.markdown import code, table, text
from cds_service.knowledge.page.page import page
from cds_service.knowledge.show import document, main
from tests import toy

PAGE = Path(__file__).parents[3] / "docs" / "knowledge.md"
DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def written(library: Library) -> str:
    return page(library.bases["sil2r"], library.digests["sil2r"])


def part(written: str, heading: str) -> str:
    """A section of the second level."""
    return written.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def item(written: str, heading: str) -> str:
    """A section of the third level."""
    return written.split(f"\n### {heading}\n", 1)[1].split("\n###", 1)[0].split("\n## ", 1)[0]


def test_the_page_in_docs_is_what_the_knowledge_says_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "run `make docs`"


def test_the_same_knowledge_gives_the_same_page(sil2r: KnowledgeBase, written: str) -> None:
    first, second = (page(sil2r, DIGEST) for _ in range(2))
    assert first == second
    assert page(sil2r, DIGEST) != written


def test_a_note_is_shown_with_what_it_adds_for_each_specimen(written: str) -> None:
    (row,) = [line for line in part(written, "Notes").splitlines() if "no-limit-in-unit" in line]
    assert "For serum/plasma: So the sIL-2R criterion of HLH-2004" in row
    assert "For CSF: So the limit described for neurosarcoidosis" in row


def test_a_reviewer_finds_what_is_signed(library: Library, written: str) -> None:
    about = part(written, "What this is, and its state of review")
    assert "`sil2r@2026.1`" in about
    assert "pending clinical review" in about
    assert library.digests["sil2r"] in about
    assert "knowledge approve" in part(written, "Signing off")


def test_d1_to_d7_the_disclaimer_stands_on_the_page(sil2r: KnowledgeBase, written: str) -> None:
    assert part(written, "Disclaimer").strip() == disclaimer(sil2r)
    assert sil2r.identity.intended_use in part(written, "Intended use")


def test_the_13_source_attributes_are_there_with_their_use(
    sil2r: KnowledgeBase, written: str
) -> None:
    rows = re.findall(r"^\| (\d+) \|", part(written, "Source attributes"), re.MULTILINE)
    assert rows == [str(number) for number in range(1, 14)]
    assert "| 11 | Use of date of birth | used |" in written
    assert "| 10 | Use of sex | not used |" in written
    assert all(text(row.text) in written for row in sil2r.attributes)


def test_every_code_and_unit_string_is_there(sil2r: KnowledgeBase, written: str) -> None:
    laboratory = part(written, "Laboratory codes")
    for loinc in (*sil2r.accepted, *sil2r.refused):
        assert code(loinc) in laboratory
    units = part(written, "Units")
    for row in sil2r.unit_rows:
        assert code(row.text) in units
    record = part(written, "Conditions and medications of the record")
    for index in (sil2r.conditions, sil2r.medications):
        for concept in index.concepts.values():
            assert code(concept.name) in record
            assert all(row.code in record for row in concept.code)


def test_every_limit_says_for_whom_how_well_and_what_is_weak(
    sil2r: KnowledgeBase, written: str
) -> None:
    limits = part(written, "Limits")
    for limit in sil2r.limits.values():
        for said in (limit.population, limit.assay, limit.performance, limit.weakness):
            assert text(said) in limits, limit.id
        assert f"{limit.value} {limit.unit}".replace("*", "\\*") in limits


def test_a_finding_is_told_from_its_gate_to_its_sources(written: str) -> None:
    told = item(written, "`csf-above-150`")
    assert told.startswith(
        "\nFires when the specimen is CSF; the unit family is mass per volume (pg/mL); the value "
        "is above 150 pg/mL."
    )
    for name in ("Claims at most", "Says", "Says weakly", "Does not mean", "Sources"):
        assert f"**{name}**" in told
    assert "accuracy of 93%" in told
    assert "Petereit 2010" in told


def test_every_finding_context_reason_note_and_suggestion_is_told(
    sil2r: KnowledgeBase, written: str
) -> None:
    rows: tuple[TableRow | AdviceRow, ...] = (*sil2r.rows, *sil2r.order_table.advice)
    for row in rows:
        assert text(row.claim) in item(written, code(row.id)), row.id
    for name, reason in sil2r.reasons.items():
        assert text(reason.claim) in item(written, code(name)), name
    notes = part(written, "Notes")
    assert all(code(kind.value) in notes for kind in NoteKind)
    suggestions = part(written, "Suggestions")
    assert all(text(row.text) in suggestions for row in sil2r.suggestions.values())


def test_wording_shows_limits_as_numbers_and_results_as_placeholders(written: str) -> None:
    assert "{limit." not in written
    assert "{value} reaches the sIL-2R criterion of HLH-2004" in written


# ---------------------------------------------------------------- statements and sources


def test_all_21_statements_stand_with_status_and_our_words(
    sil2r: KnowledgeBase, written: str
) -> None:
    assert len(sil2r.statements) == 21
    for row in sil2r.statements:
        told = item(written, f"{row.id}: {row.status}")
        for said in (row.claim, row.evidence, row.our_words):
            assert text(said) in told, row.id


def test_a_statement_whose_source_was_not_located_is_shown_as_such_and_cites_nothing(
    sil2r: KnowledgeBase, written: str
) -> None:
    lost = [row for row in sil2r.statements if row.status == "source not located"]
    assert lost
    for row in lost:
        told = item(written, f"{row.id}: {row.status}")
        assert "not located; nothing is cited" in told
        assert "**For**" not in told
        assert "**Against**" not in told


def test_a_contradicted_statement_names_what_contradicts_it(written: str) -> None:
    told = item(written, "S6: contradicted")
    assert "**For**" not in told
    assert "**Against**: Uozumi 1995" in told


def test_every_verified_identifier_is_in_the_bibliography_and_no_other(
    sil2r: KnowledgeBase, written: str
) -> None:
    linked = links(written)
    pubmed = "https://pubmed.ncbi.nlm.nih.gov/"
    sources = sil2r.sources.values()
    assert {link.removeprefix("https://doi.org/") for link in linked if "doi.org" in link} == {
        source.doi for source in sources if source.doi
    }
    assert {link.removeprefix(pubmed).rstrip("/") for link in linked if pubmed in link} == {
        source.pmid for source in sources if source.pmid
    }


def links(written: str) -> set[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(written)
    every = (child for token in tokens for child in token.children or [])
    return {str(token.attrs["href"]) for token in every if token.type == "link_open"}


def test_the_bibliography_names_all_verified_authors(sil2r: KnowledgeBase, written: str) -> None:
    bibliography = part(written, "Bibliography")
    for number, source in enumerate(sil2r.sources.values(), start=1):
        assert f"\n{number}. {full_citation(source)}" in bibliography
        assert text(source.authors.rstrip(".")) in bibliography
    assert "Hayden A, Lin M, Park S, Pudek M, Schneider M" in bibliography


@pytest.mark.parametrize(
    "doi",
    [
        "10.1007/s00277-013-1925-8",  # ratio to ferritin
        "10.1371/journal.pone.0147258",  # uveitis
        "10.1001/jamaophthalmol.2017.4771",  # uveitis
    ],
)
def test_what_was_read_and_is_behind_no_card_stands_in_the_bibliography_and_says_so(
    written: str, doi: str
) -> None:
    [line] = [line for line in part(written, "Bibliography").splitlines() if doi in line]
    assert "Behind nothing that is said" in line


def test_a_source_without_a_verified_identifier_says_so(sil2r: KnowledgeBase) -> None:
    for source in sil2r.sources.values():
        unverified = not source.doi and not source.pmid
        assert ("No DOI or PubMed id verified" in full_citation(source)) == unverified


# ---------------------------------------------------------------- worked cases


def test_every_worked_case_stands_once_with_given_expected_and_because(
    sil2r: KnowledgeBase, written: str
) -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", part(written, "Worked cases"), re.MULTILINE)
    told = dict(rows)
    assert len(rows) == len(told) == len(sil2r.cases) >= 150
    for number, case in enumerate(sil2r.cases, start=1):
        row = told[str(number)]
        assert text(case.title) in row
        assert row.endswith(text(case.because))
        assert all(code(name) in row for name in case.expect.findings)
        assert all(code(name) in row for name in case.expect.notes)
        assert all(f"{item} {value}" in row for item, value in case.expect.items.items())


def test_a_case_stands_under_the_finding_that_speaks_first(written: str) -> None:
    cases = part(written, "Worked cases")
    under = cases.split("### `hlh-2004-criterion-met`\n", 1)[1].split("\n###", 1)[0]
    assert "| 2400 U/mL in an adult | 2400 U/mL; LOINC 9654-5; age 40 |" in under


def test_a_finding_names_the_numbers_of_its_cases(sil2r: KnowledgeBase, written: str) -> None:
    numbers = [
        str(number)
        for number, case in enumerate(sil2r.cases, start=1)
        if "context-hiv" in case.expect.findings
    ]
    assert numbers
    assert f"**Worked cases**: {', '.join(numbers)}" in item(written, "`context-hiv`")


# ---------------------------------------------------------------- Markdown


def test_the_page_is_markdown_without_html(written: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(written)
    every = [*tokens, *(child for token in tokens for child in token.children or [])]
    assert [token.content for token in every if token.type.startswith("html")] == []


def test_every_table_row_has_the_cells_of_its_heading(written: str) -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", written, re.MULTILINE)
    assert len(tables) > 20
    for found in tables:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in found.splitlines()}
        assert len(counts) == 1, found[:200]


@pytest.mark.parametrize("raw", ["10*9/L", "<150", "a|b", "[x](y)", "`c`", "_d_"])
def test_text_stays_text(raw: str) -> None:
    (block,) = (token for token in MarkdownIt().parse(text(raw)) if token.type == "inline")
    assert "".join(child.content for child in block.children or []) == raw
    assert {child.type for child in block.children or []} <= {"text", "text_special"}


def test_a_table_without_rows_is_nothing() -> None:
    assert table(("a", "b"), []) == ""


# ---------------------------------------------------------------- any analyte, any door


def test_another_analyte_has_a_page_by_the_same_code() -> None:
    written = page(toy.knowledge(), DIGEST)
    assert "sIL-2R" not in written
    assert "`sap-high`" in written
    assert "Statements of the starting documents" not in written


def test_the_command_prints_the_page_as_it_stands_in_a_file(written: str) -> None:
    printed = CliRunner().invoke(cli, ["knowledge", "show"])
    assert printed.exit_code == 0
    assert printed.output == written


def test_the_page_can_be_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "knowledge.md"
    assert CliRunner().invoke(main, ["--write", str(file)]).exit_code == 0
    assert file.read_text(encoding="utf-8") == document()


def test_the_export_command_says_how_much_it_wrote(tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli, ["knowledge", "export-fhir", str(tmp_path / "fhir")])
    assert printed.exit_code == 0
    count = len(list((tmp_path / "fhir").rglob("*.json")))
    assert f"{count} resources written" in printed.output


def test_the_approve_command_signs_what_is_loaded(tmp_path: Path, library: Library) -> None:
    file = tmp_path / "approval.toml"
    signed = ["knowledge", "approve", "--reviewer", "Dr. Ada Beispiel", "--file", str(file)]
    printed = CliRunner().invoke(cli, signed)
    assert printed.exit_code == 0
    assert library.digests["sil2r"] in printed.output
    checked = CliRunner().invoke(cli, ["knowledge", "check"], env={"CDS_APPROVAL": str(file)})
    assert "approved by Dr. Ada Beispiel on " in checked.output
