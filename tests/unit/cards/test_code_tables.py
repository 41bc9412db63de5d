"""The laboratory codes, units and companion tests of the knowledge are what they claim to be.

Conditions, medications and SNOMED CT: `test_concept_tables.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from ucumvert import InvalidUcumError, PintUcumRegistry  # type: ignore[import-untyped]

from cds_service.core import schema
from cds_service.core.elements import UnitGiven
from cds_service.core.quantity import UCUM, UnitNotUnderstood, UnitTable, UnitUnderstood
from tests.documentation import text_of
from tests.public_words import MISSING
from tests.unit.cards.tables import SNOMED_CT, SNOMED_SPECIMENS, document, rows

V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"

ARBITRARY = re.compile(r"\[(arb'U|IU)\]")
"""Units of their own in UCUM: ucumvert drops or refuses them, so it is no judge of their factor."""

ACCEPTED = rows("codes.toml", "accept", schema.AcceptedCode)
REFUSED = rows("codes.toml", "refuse", schema.RefusedCode)
SPECIMENS = rows("codes.toml", "specimen", schema.SpecimenKind)
SPECIMEN_CODES = rows("codes.toml", "specimen_code", schema.SpecimenCode)
FAMILIES = rows("units.toml", "family", schema.UnitFamily)
UNITS = rows("units.toml", "unit", schema.RowUnit)
COMPANIONS = rows("companions.toml", "companion", schema.Companion)

UNIT_TABLES = {"sil2r": UNITS} | {row.name: row.unit for row in COMPANIONS}


def loinc_codes() -> list[str]:
    accepted = [row.loinc for row in ACCEPTED]
    refused = [row.loinc for row in REFUSED]
    return accepted + refused + [code.loinc for row in COMPANIONS for code in row.code]


def every_unit() -> Iterator[tuple[str, schema.RowUnit]]:
    for table, units in UNIT_TABLES.items():
        for unit in units:
            yield table, unit


def identified(pairs: Iterator[tuple[str, schema.RowUnit]]) -> list[Any]:
    return [pytest.param(unit, id=f"{table}-{unit.text}") for table, unit in pairs]


# ------------------------------------------------------------------ the files


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


# ------------------------------------------------------------------ LOINC


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


# ------------------------------------------------------------------ specimens


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


# ------------------------------------------------------------------ units


@pytest.fixture(scope="module")
def ucum() -> PintUcumRegistry:
    return PintUcumRegistry()


@pytest.mark.parametrize("unit", identified(pair for pair in every_unit() if pair[1].ucum))
def test_a_unit_marked_as_ucum_parses_as_ucum(unit: schema.RowUnit, ucum: PintUcumRegistry) -> None:
    assert ucum.from_ucum(unit.text).magnitude == 1


@pytest.mark.parametrize("unit", identified(pair for pair in every_unit() if not pair[1].ucum))
def test_a_unit_marked_as_text_only_is_not_ucum(
    unit: schema.RowUnit, ucum: PintUcumRegistry
) -> None:
    with pytest.raises(InvalidUcumError):
        ucum.from_ucum(unit.text)


def siblings() -> Iterator[Any]:
    """Each UCUM unit beside the first of its family with factor 1, arbitrary units left out."""
    for table, units in UNIT_TABLES.items():
        judged = [unit for unit in units if unit.ucum and not ARBITRARY.search(unit.text)]
        for unit in judged:
            canonical = next(u for u in judged if u.family == unit.family and u.factor == 1)
            yield pytest.param(unit, canonical, id=f"{table}-{unit.text}")


@pytest.mark.parametrize(("unit", "canonical"), list(siblings()))
def test_a_factor_agrees_with_ucum_inside_its_family(
    unit: schema.RowUnit, canonical: schema.RowUnit, ucum: PintUcumRegistry
) -> None:
    converted = ucum.from_ucum(unit.text).to(ucum.from_ucum(canonical.text).units)
    assert float(converted.magnitude) == pytest.approx(float(unit.factor), rel=1e-12)


def test_arbitrary_units_and_unnamed_units_are_read_as_u_and_say_so() -> None:
    flagged = {unit.text: unit for unit in UNITS if unit.assumed}
    assert set(flagged) == {*("[arb'U]/mL", "[IU]/mL", "k[IU]/L", "IU/mL", "IU/ml", "units/mL")}
    assert {(unit.family, unit.factor) for unit in flagged.values()} == {("U", Decimal(1))}


def test_a_unit_string_stands_once_per_test_and_so_in_one_family() -> None:
    for units in UNIT_TABLES.values():
        assert len({unit.text for unit in units}) == len(units)


def test_every_family_of_sil2r_is_declared_and_only_moles_are_not_interpreted() -> None:
    families = {family.id: family for family in FAMILIES}
    canonical = {(unit.family, unit.text) for unit in UNITS if unit.factor == 1}
    assert {unit.family for unit in UNITS} == set(families) == {row.family for row in ACCEPTED}
    assert all((family.id, family.canonical) in canonical for family in FAMILIES)
    assert [family.id for family in FAMILIES if not family.interpreted] == ["mole"]


@pytest.mark.parametrize(
    "trap", ["K/uL", "G/L", "PG/ML", "U/ML", "NG/ML", "MG/DL", "U/mL ", "pg//mL", "", "mmol"]
)
def test_a_unit_that_means_something_else_is_in_no_table(trap: str) -> None:
    assert [table for table, unit in every_unit() if unit.text == trap] == []


@pytest.mark.parametrize(
    "file",
    ["cards/sil2r/units.toml", "cards/sil2r/cases.toml", "fhir_fixtures/manifest.toml"],
)
def test_words_on_pg_ml_call_it_what_it_is_in_ucum(file: str) -> None:
    """A capital G is the gauss, not the gram."""
    meant = str(PintUcumRegistry().from_ucum("PG/ML").units).split()[0]
    assert set(re.findall(r"\bpeta\w+", text_of(file))) == {meant}


@pytest.mark.parametrize("table", UNIT_TABLES)
def test_units_that_are_spelt_alike_are_one_unit(table: str) -> None:
    """So that upper and lower case of a text beside a code can never hide another unit."""
    meant: dict[str, set[tuple[str, Decimal]]] = {}
    for row in UNIT_TABLES[table]:
        for text in (row.text, *row.beside):
            spelt = meant.setdefault(text.casefold().replace("mc", "\u03bc"), set())
            spelt.add((row.family, row.factor))
    assert [text for text, sizes in meant.items() if len(sizes) > 1] == []


@pytest.mark.parametrize(
    ("test", "text", "code"),
    [
        ("sil2r", "IU/mL", "[IU]/mL"),
        ("sil2r", "kIU/L", "k[IU]/L"),
        ("sil2r", "U/ML", "U/mL"),
        ("sil2r", "Units/mL", "U/mL"),
        ("sil2r", "E/ml", "U/mL"),
        ("sil2r", "kE/l", "kU/L"),
        ("sil2r", "IE/ml", "[IU]/mL"),
        ("sil2r", "kIE/l", "k[IU]/L"),
        ("sil2r", "PG/ML", "pg/mL"),
        ("ferritin", "mcg/L", "ug/L"),
        ("ferritin", "NG/ML", "ng/mL"),
        ("haemoglobin", "GM/DL", "g/dL"),
        ("creatinine", "\u00b5mol/l", "umol/L"),
        ("platelets", "x10E3/mcL", "10*3/uL"),
        ("platelets", "K/uL", "10*3/uL"),
        ("platelets", "G/l", "10*9/L"),
        ("neutrophils", "K/mcL", "10*3/uL"),
    ],
)
def test_a_usual_spelling_beside_its_code_is_understood(test: str, text: str, code: str) -> None:
    read = UnitTable(UNIT_TABLES[test]).read(UnitGiven(text, code, UCUM))
    assert isinstance(read, UnitUnderstood)
    assert read.unit.text == code


@pytest.mark.parametrize(
    ("test", "text", "code"),
    [
        *(
            ("sil2r", text, "U/mL")
            for text in (
                *("U/L", "mU/L", "U/dL", "kU/mL", "MU/mL", "x10^3 U/mL", "U/ml (x1000)", "ng/dL"),
                *("E/L", "mE/mL", "kE/mL", "EU/mL", "pg/dl", "mg/L", "nmol/ml", "mmol/L"),
                *("%", "ratio", "IU/L", "kU/L (x10)"),
            )
        ),
        ("sil2r", "g/L", "pg/mL"),
        ("sil2r", "mg/mL", "ng/mL"),
        ("ferritin", "mg/L", "ng/mL"),
        ("ferritin", "ug/dL", "ng/mL"),
        ("fibrinogen", "ug/mL", "g/L"),
        ("haemoglobin", "G/L", "g/dL"),
        ("platelets", "K/uL", "/uL"),
        ("platelets", "10*6/uL", "10*9/L"),
    ],
)
def test_a_text_that_is_another_unit_than_its_code_is_not_understood(
    test: str, text: str, code: str
) -> None:
    read = UnitTable(UNIT_TABLES[test]).read(UnitGiven(text, code, UCUM))
    assert isinstance(read, UnitNotUnderstood)


@pytest.mark.parametrize("text", ["E/ml", "E/mL", "kE/L", "IE/ml", "G/L", "K/uL"])
def test_a_text_that_is_known_beside_its_code_is_not_read_alone(text: str) -> None:
    for units in UNIT_TABLES.values():
        assert isinstance(UnitTable(units).read(UnitGiven(text)), UnitNotUnderstood)


# ------------------------------------------------------------------ companions


def test_a_companion_is_named_by_a_public_missing_word() -> None:
    names = [row.name for row in COMPANIONS]
    assert len(set(names)) == len(names)
    assert set(names) == {
        *("ferritin", "triglycerides", "fibrinogen", "haemoglobin", "platelets", "neutrophils"),
        *("creatinine", "albumin-serum", "albumin-csf"),
    }
    assert set(names) <= MISSING


@pytest.mark.parametrize("row", COMPANIONS, ids=lambda row: row.name)
def test_the_codes_of_a_companion_are_of_its_specimen_and_its_unit_families(
    row: schema.Companion,
) -> None:
    properties = {"[Mass/": "mass", "[Moles/": "mole", "[#/": "count"}
    assert {code.family for code in row.code} == {unit.family for unit in row.unit}
    for code in row.code:
        assert ("Cerebral spinal fluid" in code.name) == (row.specimen == "csf")
        assert [family for text, family in properties.items() if text in code.name] == [code.family]


@pytest.mark.parametrize("row", COMPANIONS, ids=lambda row: row.name)
def test_every_family_of_a_companion_has_a_canonical_ucum_unit(row: schema.Companion) -> None:
    for family in {unit.family for unit in row.unit}:
        units = [unit for unit in row.unit if unit.family == family]
        assert any(unit.ucum and unit.factor == 1 for unit in units)


def test_both_albumins_share_one_canonical_unit_so_that_their_quotient_is_a_number() -> None:
    serum, csf = (
        {unit.text: unit.factor for unit in UNIT_TABLES[name]}
        for name in ("albumin-serum", "albumin-csf")
    )
    assert serum["mg/dL"] == csf["mg/dL"] == 1
    assert all(serum[text] == factor for text, factor in csf.items())
