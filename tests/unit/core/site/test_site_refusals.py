"""A bad row of the site file is refused with file, row and remedy; all faults are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.proof import faults
from cds_service.core.schema import Site
from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import Library, with_site
from tests import toy
from tests.unit.core.site.site_rows import GOOD, SYSTEM, TOY, applied


def row(table: str, **changes: str) -> str:
    """A good row of a table with some of its lines written otherwise, or left out."""
    good = {
        "code": {"system": SYSTEM, "code": "X", "loinc": toy.SAP_POINTS, "note": "n"},
        "condition": {"system": SYSTEM, "code": "X", "means": "mould", "note": "n"},
        "unit": {"text": "X", "family": "points", "factor": "1", "note": "n"},
        "specimen": {"system": SYSTEM, "code": "X", "kind": "sap", "note": "n"},
        "assay": {"laboratory": "A", "family": "points", "factor": "1", "source": "s"},
    }[table]
    lines = {**good, **changes}
    head = f"[{table}]" if table == "assay" else f"[[{table}]]"
    return "\n".join([head, *(f'{k} = "{v}"' for k, v in lines.items() if v != "LEFT OUT"), ""])


def refused(text: str) -> KnowledgeError:
    with pytest.raises(KnowledgeError) as caught:
        applied(text)
    return caught.value


@pytest.mark.parametrize("table", ["code", "condition", "unit", "specimen", "assay"])
def test_the_good_row_that_the_refusals_start_from_is_accepted(table: str) -> None:
    assert list(faults(applied(row(table)))) == []


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("[policies]\n", "site.toml (policies)", "nothing here is called so"),
        ("[[code]\n", "site.toml", "not TOML"),
        (row("code", hospital="h"), "site.toml (code 1 hospital)", "nothing here is called so"),
        (row("code") + row("code", note=""), "site.toml (code 2 note)", "this is empty"),
        (row("code", note="LEFT OUT"), "site.toml (code 1 note)", "this is missing"),
        (row("code", loinc="9000001-8"), "site.toml ([[code]] X)", "check digit"),
        (row("code", system="http://loinc.org"), "site.toml ([[code]] X)", "LOINC code itself"),
        (row("code", loinc="9654-5"), "site.toml ([[code]] X)", "not in the knowledge"),
        (
            row("code") + row("code", loinc=toy.SAP_MASS),
            "site.toml ([[code]] X)",
            "mapped twice, differently",
        ),
        (row("condition", means="dust"), "site.toml ([[condition]] X)", "nothing is called 'dust'"),
        (row("condition", means="seedling"), "site.toml ([[condition]] X)", "the birth date"),
        (row("condition", match="like"), "site.toml (condition 1 match)", "'exact' or 'prefix'"),
        (row("unit", family="weight"), "site.toml ([[unit]] X)", "no unit family 'weight'"),
        (row("unit", text="pg/mL"), "site.toml ([[unit]] pg/mL)", "understood already"),
        (row("unit", factor="0"), "site.toml ([[unit]] X)", "not above zero"),
        (row("unit", factor="-1"), "site.toml ([[unit]] X)", "not above zero"),
        (row("unit", factor="half"), "site.toml (unit 1 factor)", "not a number"),
        (row("unit", factor="NaN"), "site.toml (unit 1 factor)", "finite"),
        (row("unit", note="LEFT OUT"), "site.toml (unit 1 note)", "this is missing"),
        (row("unit") + row("unit", factor="2"), "site.toml ([[unit]] X)", "understood already"),
        (
            row("specimen", system=toy.SPECIMENS, code="DEW"),
            "site.toml ([[specimen]] DEW)",
            "means another specimen",
        ),
        (
            row("specimen") + row("specimen", kind="dew"),
            "site.toml ([[specimen]] X)",
            "means another specimen",
        ),
        (row("specimen", kind="rain"), "site.toml ([[specimen]] X)", "no kind 'rain'"),
        (row("assay", source="LEFT OUT"), "site.toml (assay source)", "this is missing"),
        (row("assay", source=" "), "site.toml (assay source)", "this is empty"),
        (row("assay", factor="0"), "site.toml ([assay])", "not above zero"),
        (row("assay", family="weight"), "site.toml ([assay])", "no unit family 'weight'"),
        (row("assay", family="mole"), "site.toml ([assay])", "no unit family 'mole'"),
        (row("assay", analyte="sip"), "site.toml ([assay])", "no analyte 'sip'"),
        (row("code", note=" "), "site.toml (code 1 note)", "this is empty"),
        ('[code]\ncode = "X"\n', "site.toml (code)", "headed [[code]]"),
        ('[[assay]]\nfamily = "X"\n', "site.toml (assay)", "stands once, headed [assay]"),
        ("[[policy]]\nlook_back_days = 9\n", "site.toml (policy)", "stands once, headed [policy]"),
        ('[[orders]]\ncode = "X"\n', "site.toml (orders)", "headed [orders.<id>]"),
        (
            '[policy]\nmuted_findings = ["sap-low"]',
            "site.toml ([policy])",
            "no finding 'sap-low' to mute",
        ),
        (
            '[policy]\nmuted_findings = ["threshold-indeterminate"]',
            "site.toml ([policy])",
            "'threshold-indeterminate' may not be muted",
        ),
        ("[policy]\nlook_back_days = 0", "site.toml (policy look_back_days)", "below 1"),
        ("[policy]\nlook_back_days = true", "site.toml (policy look_back_days)", "no whole number"),
        ('[policy]\nlook_back_days = "9"', "site.toml (policy look_back_days)", "no whole number"),
        (
            '[policy]\ninterpret_preliminary = "no"',
            "site.toml (policy interpret_preliminary)",
            "neither true nor false",
        ),
        ('[policy]\norder_intent = "plan"', "site.toml (policy order_intent)", "'proposal'"),
        (
            '[policy]\nmuted_findings = "sap-low"',
            "site.toml (policy muted_findings)",
            "a list, in square brackets",
        ),
        ("[policy]\nmuted = []", "site.toml (policy muted)", "nothing here is called so"),
        (
            '[orders.play]\nsystem = "s"\ncode = "c"\ndisplay = "d"',
            "site.toml ([orders])",
            "no suggestion 'play'",
        ),
        (
            '[orders.play]\nsystem = "s"\ncode = "c"',
            "site.toml (orders play display)",
            "this is missing",
        ),
    ],
)
def test_a_bad_row_is_refused_with_file_row_and_remedy(text: str, where: str, says: str) -> None:
    told = refused(text)
    assert told.where == where
    assert says in told.text
    assert told.remedy


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (row("assay", analyte="sip"), "Known: toy."),
        (row("assay", family="weight"), "Known: points, mass. Families are never converted."),
        ('[policy]\nmuted_findings = ["sap-low"]', TOY.findings[0].id),
        ("\ufeff" + row("code"), "Save it as UTF-8 without a byte order mark."),
        ("[[code]\n", "Mend the syntax."),
        (row("condition", means="Mould!"), "Write small letters and digits"),
    ],
)
def test_a_slip_is_told_with_what_would_have_been_right(text: str, known: str) -> None:
    assert known in refused(text).remedy


def test_what_may_be_muted_is_told_without_what_may_not() -> None:
    told = refused('[policy]\nmuted_findings = ["sap-low"]')
    assert "threshold-indeterminate" not in told.remedy


def test_a_file_of_another_encoding_is_told_apart_from_one_that_is_not_there(
    library: Library, tmp_path: Path
) -> None:
    latin = tmp_path / "site.toml"
    latin.write_bytes("# Müller".encode("latin-1"))
    for file, says in ((latin, "not text in UTF-8"), (tmp_path / "none.toml", "cannot be read")):
        with pytest.raises(KnowledgeError, match=says) as caught:
            with_site(library, file)
        assert caught.value.where == file.name


def test_all_faults_of_a_file_are_told_at_once_table_by_table() -> None:
    told = refused(
        '[policy]\nlook_back_days = 0\nmuted_findings = ["sap-low"]\n'
        + row("unit", factor="0")
        + row("code", loinc="9000001-8")
        + row("code", code="Y", note="LEFT OUT", hospital="h")
        + row("code", code="Z", loinc="9654-5")
        + row("assay", source="LEFT OUT")
        + "[colours]\n"
    )
    assert [(fault.where, fault.text) for fault in told.faults] == [
        ("site.toml (code 2 note)", "this is missing."),
        ("site.toml (code 2 hospital)", "nothing here is called so."),
        ("site.toml ([[code]] X)", "the LOINC check digit is wrong."),
        ("site.toml ([[code]] Z)", "LOINC 9654-5 is not in the knowledge."),
        ("site.toml ([[unit]] X)", "the factor is not above zero."),
        ("site.toml (assay source)", "this is missing."),
        ("site.toml (policy look_back_days)", "this is below 1."),
        ("site.toml ([policy])", "no finding 'sap-low' to mute."),
        ("site.toml (colours)", "nothing here is called so."),
    ]
    assert all(fault.remedy for fault in told.faults)


def test_a_table_that_is_written_wrongly_hides_no_fault_of_the_next() -> None:
    told = refused('[code]\ncode = "X"\n' + row("unit", factor="0"))
    assert [fault.where for fault in told.faults] == ["site.toml (code)", "site.toml ([[unit]] X)"]


def test_several_faults_are_one_error_of_one_line_under_the_code_of_each() -> None:
    told = refused(
        row("code", note="LEFT OUT") + row("condition", note="LEFT OUT") + row("unit", factor="0")
    )
    assert told.one_line() == (
        "CDS-5001 site.toml: 3 faults. (code 1 note) this is missing."
        " Needed: system, code, loinc, note. (condition 1 note) this is missing."
        " Needed: system, code, means, note. ([[unit]] X) the factor is not above zero. Correct it."
    )


def test_two_rows_that_contradict_each_other_are_told_once() -> None:
    (only,) = refused(row("specimen") + row("specimen", kind="dew")).faults
    assert only.one_line() == refused(row("specimen") + row("specimen", kind="dew")).one_line()


def test_a_row_that_cannot_be_read_makes_no_other_row_faulty() -> None:
    broken = row("code", code="Y", note="LEFT OUT")
    assert len(refused(GOOD + broken).faults) == 1


VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "note", "play", "factor"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Site.model_fields, "colours"]), VALUES, max_size=4))
def test_whatever_stands_in_a_file_is_used_or_refused(content: dict[str, object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cds_service.core.site.file.tomllib.loads", lambda _text: content)
        try:
            came_to: object = applied("").identity
        except KnowledgeError as told:
            came_to = told.faults
    assert came_to


def test_a_number_must_be_text_so_that_it_keeps_its_digits() -> None:
    told = refused(row("unit").replace('factor = "1"', "factor = 1"))
    assert "write a number as text" in told.text


def test_one_code_mapped_twice_to_the_same_is_one() -> None:
    assert len(applied(row("code") + row("code")).local_codes) == 1
