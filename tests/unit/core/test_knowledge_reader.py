"""From text to knowledge: each row is closed, and a complaint names file, row and remedy."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.core.knowledge_reader import read_knowledge
from cds_service.core.proof import faults
from cds_service.core.proof.words import SERIES
from cds_service.errors import KnowledgeError
from tests import toy


def refusal(texts: dict[str, str]) -> KnowledgeError:
    with pytest.raises(KnowledgeError) as caught:
        toy.read(texts)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "says"),
    [
        pytest.param(
            "toy/limits.toml", 'assay = "invented"', 'assay = "invented"\nnotes = "x"',
            "toy/limits.toml [[limit]] 1 (sap-100)", "notes: nothing here is called so",
            id="unknown key",
        ),
        pytest.param(
            "toy/limits.toml", 'population = "invented"\n', "",
            "toy/limits.toml [[limit]] 1 (sap-100)", "population: this is missing.",
            id="missing key",
        ),
        pytest.param(
            "toy/limits.toml", 'population = "invented"', 'population = " "',
            "toy/limits.toml [[limit]] 1 (sap-100)", "population: ", id="empty text",
        ),
        pytest.param(
            "toy/limits.toml", 'value = "100"', "value = 100",
            "toy/limits.toml [[limit]] 1 (sap-100)", "write a number as text", id="a bare number",
        ),
        pytest.param(
            "toy/limits.toml", 'value = "100"', 'value = "a hundred"',
            "toy/limits.toml [[limit]] 1 (sap-100)", "value: ", id="no number",
        ),
        pytest.param(
            "toy/limits.toml", 'met_when = "at-or-above"', 'met_when = ">="',
            "toy/limits.toml [[limit]] 1 (sap-100)", "met_when: ", id="an operator in the data",
        ),
        pytest.param(
            "toy/companions.toml", 'title = "ferritin"\n', "",
            "toy/companions.toml [[companion]] 1 (ferritin)", "title: this is missing.",
            id="a row known by its name",
        ),
        pytest.param(
            "toy/companions.toml", '[{ loinc = "9000026-6", family = "number" }]', "[]",
            "toy/companions.toml [[companion]] 4 (platelets)", "code: the list is empty.",
            id="a test that no code is read as",
        ),
        pytest.param(
            "toy/codes.toml", 'name = "Toyin 9000001-9"\n', "",
            "toy/codes.toml [[accept]] 1 (9000001-9)", "name: this is missing.",
            id="a row known by its LOINC code",
        ),
        pytest.param(
            "toy/units.toml", 'factor = "1000"', "factor = 1000",
            "toy/units.toml [[unit]] 6 (ng/mL)", "factor: write a number as text",
            id="a row known by its text",
        ),
        pytest.param(
            "toy/codes.toml", 'kind = "dew"', "kind = 1",
            "toy/codes.toml [[specimen_code]] 3 (DEW)", "kind: this is no text.",
            id="a row known by its code",
        ),
        pytest.param(
            "toy/codes.toml", "refuse = [", 'refuse = [ "9000011-8",',
            "toy/codes.toml [[refuse]] 1", "This is no row.", id="a row that is none",
        ),
        pytest.param(
            "toy/conditions.toml", 'code = "M10"', "code = 10",
            "toy/conditions.toml [[condition]] 1 (mould)", "code.0.code: this is no text.",
            id="a cell inside a row",
        ),
        pytest.param(
            "toy/findings.toml", 'indicator = "warning"', 'indicator = "critical"',
            "toy/findings.toml [[finding]] 1 (sap-very-high)", "indicator: ", id="critical",
        ),
        pytest.param(
            "toy/context.toml", 'id = "context-mould"', 'id = "mould"',
            "toy/context.toml [[context]] 2 (mould)", "id: ", id="a context that is not called so",
        ),
        pytest.param(
            "toy/limits.toml", 'id = "sap-1000"', 'id = "sap-100"',
            "toy/limits.toml", "'sap-100' stands here twice", id="an id twice",
        ),
        pytest.param(
            "toy/units.toml", 'text = "ng/L"', 'text = "pg/mL"',
            "toy/units.toml", "'pg/mL' stands here twice", id="a unit twice",
        ),
        pytest.param(
            "toy/codes.toml", 'code = "DEW"', 'code = "SAP"',
            "toy/codes.toml", "'SAP' stands here twice", id="a specimen code twice",
        ),
        pytest.param(
            "toy/conditions.toml", 'name = "blight"', 'name = "mould"',
            "toy/conditions.toml", "'mould' stands here twice", id="a concept twice",
        ),
        pytest.param(
            "toy/companions.toml", "9000022-5", "9000021-7",
            "toy/companions.toml (ferritin)", "'9000021-7' stands here twice",
            id="a code twice in one companion",
        ),
        pytest.param(
            "toy/companions.toml", 'text = "g/dL"', 'text = "g/L"',
            "toy/companions.toml (haemoglobin)", "'g/L' stands here twice",
            id="a unit twice in one companion",
        ),
        pytest.param(
            "toy/cases.toml", 'age = "40"', 'age = "forty"',
            "toy/cases.toml [[case]] 1 (adult-very-high)", "given.age: this is no age",
            id="an age in words",
        ),
        pytest.param(
            "toy/cases.toml", 'value = "1001"', 'value = "high"',
            "toy/cases.toml [[case]] 1 (adult-very-high)", "given.value: this is no number",
            id="a value in words",
        ),
        pytest.param(
            "toy/cases.toml", 'high = "90"', 'high = "<90"',
            "toy/cases.toml [[case]] 1 (adult-very-high)", "given.high: this is no number",
            id="a bound with a comparator",
        ),
        pytest.param(
            "toy/cases.toml", 'ferritin = "600 ng/mL"', 'ferritin = "600"',
            "toy/cases.toml [[case]] 4 (moulds-and-items)",
            "given.companions.ferritin: this is no number with its unit",
            id="a companion without unit",
        ),
        pytest.param(
            "toy/cases.toml", 'pair = "300 pg/mL"', 'pair = "pg/mL"',
            "toy/cases.toml [[case]] 5 (dew-beside-sap)",
            "given.pair: this is no number with its unit",
            id="a pair without number",
        ),
        pytest.param(
            "toy/codes.toml", "refuse = [", "refused = [",
            "toy/codes.toml", "unknown table 'refused'", id="an unknown table",
        ),
        pytest.param(
            "toy/codes.toml", "refuse = [", "refuse = [[",
            "toy/codes.toml", "not TOML", id="no TOML",
        ),
        pytest.param(
            "toy/knowledge.toml", 'version = "2026.3"', 'version = "three"',
            "toy/knowledge.toml [knowledge] (toy)", "version: ", id="a version of another form",
        ),
        pytest.param(
            "toy/knowledge.toml", "[policy]", "[policies]",
            "toy/knowledge.toml", "unknown table 'policies'", id="no policy",
        ),
        pytest.param(
            "toy/templates/sap-high.md", "{value}", "{Value}",
            "toy/templates/sap-high.md", "a brace that is no placeholder", id="a stray brace",
        ),
        pytest.param(
            "disclaimer.md", "{review}", "{review",
            "disclaimer.md", "a brace that is no placeholder", id="a stray brace in the disclaimer",
        ),
        pytest.param(
            "wording.toml", 'missing = "Missing"', "missing = 1",
            "wording.toml", "map names to words", id="a word that is a number",
        ),
    ],
)  # fmt: skip
def test_a_row_that_is_not_as_described_is_refused(
    file: str, old: str, new: str, where: str, says: str
) -> None:
    error = refusal(toy.edited(file, old, new))
    assert error.where == where
    assert says in error.text


@pytest.mark.parametrize("name", ["toy/knowledge.toml", "wording.toml", "disclaimer.md"])
def test_a_file_that_nothing_can_do_without_is_asked_for(name: str) -> None:
    error = refusal({k: v for k, v in toy.files().items() if k != name})
    assert (error.where, error.text) == (name, "the file is missing.")


def test_a_table_that_should_be_a_list_is_refused() -> None:
    error = refusal({**toy.files(), "toy/cases.toml": '[case]\nid = "x"\n'})
    assert (error.where, error.remedy) == ("toy/cases.toml case", "Write [[case]].")
    assert error.text == "this must be a list of rows."


def test_words_that_are_not_there_are_left_to_the_proof_which_tells_each() -> None:
    """Of a file from which a whole table was lost, too."""
    texts = toy.files()
    before, table, rest = texts["wording.toml"].partition("[series]")
    texts["wording.toml"] = before + rest[rest.index("[phrases]") :]
    assert table
    told = [fault.where for fault in faults(toy.read(texts))]
    assert told == ["wording.toml [series]"] * len(SERIES)


def test_the_reasons_to_override_a_card_are_read_where_there_are_any() -> None:
    texts = toy.files()
    assert [reason["code"] for reason in toy.read(texts).wording.override_reasons] == ["toy"]
    texts["wording.toml"], _, _ = texts["wording.toml"].partition("[[override_reason]]")
    assert toy.read(texts).wording.override_reasons == ()


def test_numbers_keep_their_digits() -> None:
    limit = toy.knowledge().limits["triglycerides-3"]
    assert limit.value == Decimal(3)
    assert str(limit.value) == "3.0"


def test_a_row_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(toy.knowledge().identity, "version", "2027.1")  # noqa: B010 - as mypy forbids it


MORE = """
notice = "Licensed."
[[condition]]
name = "{name}"
title = "mould"
[[condition.code]]
system = "http://snomed.info/sct"
code = "1"
display = "mould"
match = "exact"
sources = ["x"]
"""


def with_terminology(name: str, *terminologies: str) -> frozenset[tuple[str, ...]]:
    """Codes that switch on mould, as (system, code)."""
    texts = {**toy.files(), "toy/snomed.toml": MORE.format(name=name)}
    base = read_knowledge(texts, "toy", terminologies=frozenset(terminologies))
    return frozenset((c.system, c.code) for c in base.conditions.concepts["mould"].code)


def test_a_terminology_of_its_own_licence_is_added_only_where_it_is_asked_for() -> None:
    assert len(with_terminology("mould")) == 1
    assert ("http://snomed.info/sct", "1") in with_terminology("mould", "snomed")


def test_codes_for_a_concept_that_does_not_exist_are_refused() -> None:
    with pytest.raises(KnowledgeError, match="adds codes to a concept that does not exist") as told:
        with_terminology("dust", "snomed")
    assert told.value.where == "toy/snomed.toml"
    assert "conditions.toml" in told.value.remedy
