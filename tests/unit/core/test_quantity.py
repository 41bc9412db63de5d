"""Units are understood by their exact text or UCUM code, and converted inside one family only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.core.elements import UnitGiven, ValueForm
from cds_service.core.interval import Interval
from cds_service.core.quantity import (
    UCUM,
    UnitMissing,
    UnitNotUnderstood,
    UnitTable,
    UnitUnderstood,
    quantity,
    scale,
)
from cds_service.core.schema import RowUnit
from tests import toy
from tests.records import coded, measured, text_only

UNITS = toy.knowledge().units
UG_L = {"text": "ug/L", "family": "mass", "factor": "1", "ucum": True}
NG_ML = {"text": "ng/mL", "family": "mass", "factor": "1", "ucum": True}
MILLI = {"text": "mU/mL", "family": "unit", "factor": "1", "ucum": True}
MEGA = {"text": "MU/mL", "family": "unit", "factor": "1000000000", "ucum": True}
PER_LITRE = {"text": "U/L", "family": "unit", "factor": "1", "ucum": True}
THOUSANDS = {
    "text": "10*3/uL",
    "family": "count",
    "factor": "1",
    "ucum": True,
    "beside": ("K/uL",),
}


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


@pytest.mark.parametrize(
    "text",
    ["nanograms", "ng/dL", "kng/mL", "x10^3 ng/mL", "ng", "%", "<b>ng/mL</b>", "ng/mL\u200b"],
)
def test_beside_a_code_a_text_that_nobody_knows_may_be_another_unit(text: str) -> None:
    """One of the two is wrong, and a value a thousandfold off would look as sure as any."""
    assert UNITS.read(UnitGiven(text, "ng/mL", UCUM)) == UnitNotUnderstood()


@pytest.mark.parametrize("text", ["NG/ML", "Ng/mL", " ng / mL ", "mcg/L", "\u00b5g/L", "\u03bcg/L"])
def test_a_text_that_spells_the_unit_of_the_code_differently_agrees(text: str) -> None:
    found = UnitTable([RowUnit(**UG_L), RowUnit(**NG_ML)]).read(UnitGiven(text, "ng/mL", UCUM))
    assert isinstance(found, UnitUnderstood)
    assert (found.unit.text, found.coded, found.shown) == ("ng/mL", True, "ng/mL")


def test_a_text_that_is_a_unit_to_the_letter_is_no_other_one_that_folds_alike() -> None:
    """`mU/mL` and `MU/mL` differ by case alone, and by a factor of a thousand million."""
    table = UnitTable([RowUnit(**MILLI), RowUnit(**MEGA), RowUnit(**PER_LITRE)])
    found = table.read(UnitGiven("mU/mL", "U/L", UCUM))
    assert isinstance(found, UnitUnderstood)
    assert (found.unit.text, found.shown) == ("U/L", "mU/mL")
    for text in ("MU/mL", "mu/ml"):
        assert table.read(UnitGiven(text, "U/L", UCUM)) == UnitNotUnderstood()


def test_code_and_text_of_one_factor_agree_and_the_text_is_shown_as_it_came() -> None:
    found = understood(UnitGiven("ng/L", "pg/mL", UCUM))
    assert (found.unit.text, found.shown) == ("pg/mL", "ng/L")


def test_a_text_that_would_be_read_by_assumption_is_not_shown_for_a_code_that_needs_none() -> None:
    found = understood(UnitGiven("points/mL", "pt/mL", UCUM))
    assert (found.unit.assumed, found.shown) == ("", "pt/mL")


def test_a_text_may_agree_with_a_code_and_still_not_be_read_alone() -> None:
    """`K/uL` means thousands to a laboratory, and kelvin per microlitre to UCUM."""
    table = UnitTable([RowUnit(**THOUSANDS)])
    beside = table.read(UnitGiven("K/uL", "10*3/uL", UCUM))
    assert isinstance(beside, UnitUnderstood)
    assert beside.shown == "10*3/uL"
    assert isinstance(table.read(UnitGiven("x10*3/uL", "10*3/uL", UCUM)), UnitUnderstood)
    for alone in (text_only("K/uL"), coded("K/uL"), UnitGiven("10*3/uL", "K/uL", UCUM)):
        assert table.read(alone) == UnitNotUnderstood()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(UnitGiven("ng/mL", "pg/mL", UCUM), id="same family, another factor"),
        pytest.param(UnitGiven("pt/mL", "pg/mL", UCUM), id="another family"),
        pytest.param(UnitGiven("pg/mL", "mg", UCUM), id="a code that is not in the table"),
        pytest.param(UnitGiven("pg/mL", "points/mL", UCUM), id="text as code beside another unit"),
        pytest.param(UnitGiven("Points/mL", "points/mL", UCUM), id="text as code, spelt otherwise"),
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


@pytest.mark.parametrize("text", ["", "points/mL"])
def test_a_string_that_is_not_ucum_is_read_as_text_even_where_it_is_sent_as_code(text: str) -> None:
    found = understood(UnitGiven(text, "points/mL", UCUM))
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
