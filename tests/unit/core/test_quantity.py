"""Units are understood by their exact text or UCUM code, and converted inside one family only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.core.interval import Interval
from cds_service.core.model import UnitGiven, ValueForm
from cds_service.core.quantity import (
    UCUM,
    UnitMissing,
    UnitNotUnderstood,
    UnitUnderstood,
    quantity,
    scale,
)
from tests import toy
from tests.records import coded, measured, text_only

UNITS = toy.knowledge().units


def understood(given: UnitGiven) -> UnitUnderstood:
    found = UNITS.read(given)
    assert isinstance(found, UnitUnderstood), found
    return found


def test_a_ucum_code_decides() -> None:
    found = understood(coded("ng/mL"))
    assert (found.unit.text, found.unit.family, found.coded) == ("ng/mL", "mass", True)


def test_a_text_without_a_code_is_understood_and_known_to_be_text() -> None:
    found = understood(text_only("ng/mL"))
    assert (found.unit.text, found.coded) == ("ng/mL", False)


def test_a_code_of_another_system_is_not_a_ucum_code() -> None:
    assert understood(UnitGiven("pg/mL", "ng/mL", "urn:oid:2.999")).unit.text == "pg/mL"


def test_a_code_decides_over_a_text_that_nobody_knows() -> None:
    assert understood(UnitGiven("nanograms", "ng/mL", UCUM)).unit.text == "ng/mL"


def test_code_and_text_of_one_factor_agree() -> None:
    assert understood(UnitGiven("ng/L", "pg/mL", UCUM)).unit.text == "pg/mL"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(UnitGiven("ng/mL", "pg/mL", UCUM), id="same family, another factor"),
        pytest.param(UnitGiven("pt/mL", "pg/mL", UCUM), id="another family"),
        pytest.param(UnitGiven("pg/mL", "mg", UCUM), id="a code that is not in the table"),
        pytest.param(UnitGiven("pg/mL", "points/mL", UCUM), id="text as code beside another unit"),
        pytest.param(UnitGiven("nobody's unit"), id="a text that is not in the table"),
        pytest.param(UnitGiven("", "ng/mL", "urn:oid:2.999"), id="only a code of another system"),
    ],
)
def test_what_is_not_in_the_table_or_contradicts_itself_is_not_understood(given: UnitGiven) -> None:
    assert UNITS.read(given) == UnitNotUnderstood()


@pytest.mark.parametrize("text", ["PG/ML", "pg/ml", " pg/mL", "pg/mL ", "pg / mL", "pg/mL\u200b"])
def test_only_the_exact_string_counts(text: str) -> None:
    assert UNITS.read(text_only(text)) == UnitNotUnderstood()
    assert UNITS.read(coded(text)) == UnitNotUnderstood()


def test_no_unit_is_missing_not_wrong() -> None:
    assert UNITS.read(UnitGiven()) == UnitMissing()
    assert UNITS.read(UnitGiven(system=UCUM)) == UnitMissing()


def test_a_string_that_is_not_ucum_is_read_as_text_even_where_it_is_sent_as_code() -> None:
    found = understood(UnitGiven("", "points/mL", UCUM))
    assert (found.unit.family, found.coded) == ("points", False)


def test_a_unit_read_by_assumption_carries_the_sentence_that_says_so() -> None:
    assert understood(text_only("points/mL")).unit.assumed == "Written out; read as pt/mL."
    assert not understood(coded("pt/mL")).unit.assumed


@pytest.mark.parametrize(
    ("number", "unit", "canonical"),
    [
        ("0.1505", "ng/mL", "150.5"),
        ("0.1", "dpt/mL", "0.01"),
        ("999999999.12345678901234567890", "ng/mL", "999999999123.45678901234567890"),
    ],
)
def test_a_factor_is_exact_whatever_the_number_of_digits(
    number: str, unit: str, canonical: str
) -> None:
    assert scale(Decimal(number), UNITS[unit]) == Decimal(canonical)


def test_the_interval_of_a_value_is_in_the_canonical_unit_of_its_family() -> None:
    found = quantity(measured("<0.15 ng/mL"), understood(coded("ng/mL")))
    assert found.interval == Interval(Decimal(0), Decimal(150), high_open=True)
    assert not found.exact


def test_a_number_without_comparator_is_exact() -> None:
    assert quantity(measured("150 pg/mL"), understood(coded("pg/mL"))).exact


def test_a_value_read_from_text_is_never_a_coded_quantity() -> None:
    value = measured("150 pg/mL", ValueForm.TEXT)
    assert not quantity(value, understood(coded("pg/mL"))).coded


def test_units_can_be_looked_through_and_asked_for() -> None:
    assert "pg/mL" in UNITS
    assert "PG/ML" not in UNITS
    assert {unit.family for unit in UNITS} == {"points", "mass", "mole"}
