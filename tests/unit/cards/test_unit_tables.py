"""The tables of units: each string has one meaning, and a factor is exact inside its family."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from ucumvert import InvalidUcumError, PintUcumRegistry  # type: ignore[import-untyped]

from cds_service.core import schema
from cds_service.core.elements import UnitGiven
from cds_service.core.quantity import UCUM, UnitNotUnderstood, UnitTable, UnitUnderstood
from tests.documentation import text_of
from tests.public_words import MISSING
from tests.unit.cards.tables import ACCEPTED, COMPANIONS, FAMILIES, UNIT_TABLES, UNITS, every_unit

ARBITRARY = re.compile(r"\[(arb'U|[iI]U)\]")
"""Units of their own in UCUM: ucumvert drops or refuses them, so it is no judge of their factor."""


def identified(pairs: Iterator[tuple[str, schema.RowUnit]]) -> list[Any]:
    return [pytest.param(unit, id=f"{table}-{unit.text}") for table, unit in pairs]


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
    international = {"[IU]/mL", "k[IU]/L", "[iU]/mL", "k[iU]/L", "IU/mL", "IU/ml"}
    assert set(flagged) == {"[arb'U]/mL", "units/mL"} | international
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
        ("sil2r", "IU/mL", "[iU]/mL"),
        ("sil2r", "kIE/l", "k[iU]/L"),
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
