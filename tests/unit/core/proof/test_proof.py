"""Knowledge is proved: each kind of fault is found, and named by file, row and remedy."""

from __future__ import annotations

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.proof import faults, prove
from cds_service.core.verdict import Outcome, Reason
from cds_service.errors import KnowledgeError
from tests import toy
from tests.unit.core.proof.proof_slips import SLIPS
from tests.unit.core.proof.slip import Slip


def test_the_toy_is_sound() -> None:
    assert list(faults(toy.knowledge())) == []


def test_the_packaged_knowledge_is_sound(sil2r: KnowledgeBase) -> None:
    assert [fault.one_line() for fault in faults(sil2r)] == []


@pytest.mark.parametrize(("file", "slip"), SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_is_found_and_told_with_file_row_and_remedy(file: str, slip: Slip) -> None:
    base = toy.read(toy.edited(file, slip.old, slip.new))
    found = {fault.where: fault for fault in reversed(list(faults(base)))}
    assert slip.where in found, [fault.one_line() for fault in found.values()]
    told = [fault.one_line() for fault in faults(base) if fault.where == slip.where]
    assert any(slip.says in line for line in told), told
    assert found[slip.where].remedy
    with pytest.raises(KnowledgeError):
        prove(base)


@pytest.mark.parametrize(
    ("old", "new"), [("at_least = 2", "at_least = 3"), ("urgent_from = 2", "urgent_from = 3")]
)
def test_a_panel_may_ask_for_all_that_there_is(old: str, new: str) -> None:
    assert list(faults(toy.read(toy.edited("toy/limits.toml", old, new)))) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "toy/findings.toml",
            'sources = ["toy-2020"]\nwhen',
            'sources_by_section = { not-sap = ["toy-2020"] }\nwhen',
        ),
        (
            "toy/context.toml",
            '"condition.mould" = "recorded" }\nclaim = "Mould raises toyin."\nsources =',
            (
                '"condition.mould" = "recorded", specimen = "sap" }\nclaim = "C."\n'
                "sources_by_section.sap ="
            ),
        ),
    ],
    ids=["a finding", "a context"],
)
def test_what_stands_on_cards_of_one_specimen_alone_needs_no_source_for_another(
    file: str, old: str, new: str
) -> None:
    assert list(faults(toy.read(toy.edited(file, old, new)))) == []


def test_a_finding_may_ask_that_a_limit_of_another_specimen_does_not_apply() -> None:
    gate = '"limit.sap-1000" = "met"'
    more = f'{gate}, "limit.dew-50" = "not-applicable"'
    assert list(faults(toy.read(toy.edited("toy/findings.toml", gate, more)))) == []


def test_a_gap_at_the_very_value_of_a_limit_is_found() -> None:
    """One finding is above 50, the other below 50: at 50 itself nothing would be said."""
    texts = toy.edited("toy/findings.toml", '"limit.dew-50" = "not-met"', '"limit.dew" = "not-met"')
    texts["toy/findings.toml"] += """
[[group]]
id = "dew"
findings = ["dew-high", "dew-not-high"]
count = "exactly-one"
where = { specimen = "dew", unit-family = "mass", "limit.dew-50" = ["met", "not-met"] }
"""
    limits = texts["toy/limits.toml"]
    row = next(row for row in limits.split("\n\n") if 'id = "dew-50"' in row)
    other = row.replace('"dew-50"', '"dew"').replace('"above"', '"at-or-above"')
    texts["toy/limits.toml"] = f"{other}\n\n{limits}"
    told = [fault.text for fault in faults(toy.read(texts)) if "[[group]] dew" in fault.where]
    assert any("limit.dew-50 = not-met, limit.dew = met." in text for text in told)


STATEMENT = """
[[statement]]
id = "S1"
document = "A"
claim = "Toyin rises."
specimen = "sap"
status = "supported"
evidence = "Invented."
our_words = "It rises."
"""


@pytest.mark.parametrize(
    ("member", "named"),
    [("sources_for", "toy-1999"), ("sources_against", "toy-1999"), ("used_in", "sap-low")],
)
def test_a_statement_names_sources_and_findings_that_exist(member: str, named: str) -> None:
    texts = {**toy.files(), "toy/statements.toml": f'{STATEMENT}{member} = ["{named}"]\n'}
    (fault,) = faults(toy.read(texts))
    assert (fault.where, fault.text) == ("toy/statements.toml (S1)", f"'{named}' does not exist.")


@pytest.mark.parametrize("member", ["sources", "tests"])
def test_a_suggestion_names_sources_and_tests_that_exist(member: str) -> None:
    named = {"sources": [], member: ["toy-1999"]}
    row = "".join(f"{name} = {value}\n" for name, value in named.items())
    row += 'id = "play"\nlabel = "l"\ntext = "t"\nkind = "contact"\n'
    texts = {**toy.files(), "toy/suggestions.toml": f"[[suggestion]]\n{row}"}
    (fault,) = faults(toy.read(texts))
    assert fault.where == "toy/suggestions.toml (play)"
    assert fault.text == "'toy-1999' does not exist."


def test_a_template_that_nothing_uses_is_found() -> None:
    texts = {**toy.files(), "toy/templates/left-over.md": "## says\n\nx\n"}
    (fault,) = faults(toy.read(texts))
    assert (fault.where, fault.text) == (
        "toy/templates/left-over.md",
        "nothing uses this template.",
    )
    assert fault.remedy == "Remove it."


@pytest.mark.parametrize(
    ("template", "old", "new"),
    [
        ("sap-high", "{value} in", "{value} {unit} of {analyte} in"),
        ("reason-unit-missing", "Because", "In {specimen}, {value} {unit} of {analyte}:"),
        ("wrong-analyte", "{loinc} is", "{value} of {loinc} is no {analyte} but"),
        ("sap-high", "sap-high it is", "high " * 14 + "72"),
    ],
    ids=["a finding", "a reason", "another analyte", "a headline that just fits"],
)
def test_what_every_card_can_fill_may_be_named(template: str, old: str, new: str) -> None:
    assert list(faults(toy.read(toy.edited(f"toy/templates/{template}.md", old, new)))) == []


def test_a_missing_template_is_found() -> None:
    texts = {k: v for k, v in toy.files().items() if k != "toy/templates/note-corrected.md"}
    (fault,) = faults(toy.read(texts))
    assert fault.where == "toy/templates/note-corrected.md"


def test_a_case_for_everything_leaves_no_finding_without_a_silent_one() -> None:
    texts = toy.files()
    texts["toy/cases.toml"] = texts["toy/cases.toml"].replace(
        'findings = ["', 'findings = ["sap-high", "'
    )
    told = [fault.one_line() for fault in faults(toy.read(texts))]
    assert any("(sap-high)" in line and "leaves it silent" in line for line in told)


def test_faults_are_told_in_the_order_of_the_tables() -> None:
    """Whatever the names hash to: the first fault stops the service, on every start the same."""
    texts = toy.files()
    texts["toy/reasons.toml"] = ""
    told = [fault.text for fault in faults(toy.read(texts)) if fault.where.endswith("(reason)")]
    assert told == [f"'{name}' does not exist." for name in (*Reason, Outcome.WRONG_ANALYTE)]
    texts = {k: v for k, v in toy.files().items() if "/templates/context-" not in k}
    contexts = dict.fromkeys(row.id for row in toy.knowledge().contexts)
    missing = [fault.where for fault in faults(toy.read(texts))]
    assert missing == [f"toy/templates/{name}.md" for name in contexts]
