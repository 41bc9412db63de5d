"""The tables of codes: which tests are read as what, and which specimens there are."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest

from cds_service.core import schema
from tests.unit.cards.tables import (
    ACCEPTED,
    REFUSED,
    SNOMED_CT,
    SNOMED_SPECIMENS,
    document,
    loinc_codes,
    rows,
)

V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
SPECIMENS = rows("codes.toml", "specimen", schema.SpecimenKind)
SPECIMEN_CODES = rows("codes.toml", "specimen_code", schema.SpecimenCode)


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("codes.toml", {"accept", "refuse", "specimen", "specimen_code"}),
        ("units.toml", {"family", "unit"}),
        ("companions.toml", {"companion"}),
        ("conditions.toml", {"condition"}),
        ("medications.toml", {"medication"}),
        ("snomed.toml", {"notice", "condition", "medication", "specimen_code"}),
    ],
)
def test_a_file_holds_its_tables_and_opens_with_words_for_a_clinician(
    name: str, tables: set[str]
) -> None:
    text = files("cards").joinpath("sil2r", name).read_text(encoding="utf-8")
    assert set(document(name)) == tables
    assert text.startswith("# ")


def loinc_check_digit(number: str) -> str:
    """LOINC's mod-10 rule: double every second digit from the right, add up the digits."""
    doubled = "".join(
        str(int(digit) * (2 if place % 2 == 0 else 1))
        for place, digit in enumerate(reversed(number))
    )
    return str(-sum(map(int, doubled)) % 10)


@pytest.mark.parametrize("code", loinc_codes())
def test_the_check_digit_of_a_loinc_code_is_right(code: str) -> None:
    number, _, digit = code.partition("-")
    assert digit == loinc_check_digit(number)


def test_a_loinc_code_stands_in_one_place_only() -> None:
    assert [code for code, times in Counter(loinc_codes()).items() if times > 1] == []


def test_eight_codes_are_read_as_sil2r_and_only_one_of_them_names_csf() -> None:
    assert {row.loinc: (row.specimen, row.family, row.naming) for row in ACCEPTED} == {
        "76039-7": ("blood", "mass", "explicit"),
        "9654-5": ("blood", "U", "explicit"),
        "34408-5": ("blood", "mole", "explicit"),
        "44422-4": ("blood", "U", "explicit"),
        "99768-4": ("csf", "mass", "explicit"),
        "24458-2": ("blood", "mass", "implied"),
        "43171-8": ("blood", "U", "implied"),
        "38352-1": ("from-specimen", "U", "implied"),
    }


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: row.loinc)
def test_the_axes_of_an_accepted_code_agree_with_what_is_read_from_them(
    row: schema.AcceptedCode,
) -> None:
    component, prop, _, system, _ = row.axes.split(":")
    specimens = {"Ser/Plas": "blood", "CSF": "csf", "XXX": "from-specimen"}
    assert row.property == prop
    assert row.family == {"MCnc": "mass", "ACnc": "U", "SCnc": "mole"}[prop]
    assert row.specimen == specimens[system]
    assert (row.naming == "explicit") == ("soluble" in component)
    assert (row.naming == "explicit") == ("soluble" in row.name.lower())


def test_only_interleukin_2_itself_is_answered_as_the_wrong_analyte() -> None:
    wrong = {row.loinc for row in REFUSED if row.answer == "wrong-analyte"}
    assert wrong == {"33939-0", "4651-6", "70077-3", "70078-1"}
    assert wrong == {row.loinc for row in REFUSED if row.component == "Interleukin 2"}


def test_cell_markers_stains_and_proliferation_are_known_and_get_no_card() -> None:
    assert {row.loinc for row in REFUSED if row.answer == "none"} == {
        *("23884-0", "29596-4", "5454-4", "31123-3", "74842-6", "8121-6", "32493-9"),
        *("81755-1", "81757-7"),
    }


def test_a_specimen_code_means_one_kind_and_the_kinds_are_closed() -> None:
    both = [*SPECIMEN_CODES, *SNOMED_SPECIMENS]
    assert len({(row.system, row.code) for row in both}) == len(both)
    assert {row.kind for row in both} == {row.id for row in SPECIMENS} | {"not-covered"}


def test_snomed_ct_specimens_stand_apart_from_those_of_hl7() -> None:
    assert {row.system for row in SPECIMEN_CODES} == {V2_0487}
    assert {row.system for row in SNOMED_SPECIMENS} == {SNOMED_CT}


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (V2_0487, "SER", "blood"),
        (V2_0487, "PLAS", "blood"),
        (V2_0487, "BLD", "blood"),
        (V2_0487, "CSF", "csf"),
        (V2_0487, "UR", "not-covered"),
        (V2_0487, "BLDCO", "not-covered"),
        (SNOMED_CT, "119364003", "blood"),
        (SNOMED_CT, "258450006", "csf"),
        (SNOMED_CT, "122575003", "not-covered"),
    ],
)
def test_a_specimen_is_read_from_its_code(system: str, code: str, kind: str) -> None:
    kinds = {(row.system, row.code): row.kind for row in (*SPECIMEN_CODES, *SNOMED_SPECIMENS)}
    assert kinds[system, code] == kind
