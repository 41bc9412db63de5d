"""What is shown of a result is what was received: its flag, its unit, its bounds and its day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import (
    Bound,
    Coding,
    Moment,
    NotNumeric,
    NoValue,
    OpenEnd,
    ReferenceRange,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
)
from cds_service.core.model import Availability, LabResult
from cds_service.core.quantity import UCUM
from cds_service.core.schema import RowUnit
from tests import records
from tests.packaged import SIL2R
from tests.unit.cards.given import (
    ARUP,
    CSF_U,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    card,
    card_of,
    named,
    result,
)

# ------------------------------------------------------------------ the laboratory's own flag


def flagged(*flags: str) -> Card:
    return card_of(records.record(result("50000 pg/mL", SERUM_MASS, flags=flags)))


def test_a_flag_of_the_laboratory_is_shown_as_received_and_decides_nothing() -> None:
    told = flagged("HH")
    assert "; status final; laboratory's flag HH; laboratory Laboratory A." in told.detail
    without = flagged()
    assert told.detail.replace("laboratory's flag HH; ", "") == without.detail
    assert (told.summary, told.indicator) == (without.summary, without.indicator)


def test_a_flag_is_text_and_not_markup() -> None:
    assert "laboratory's flag H, &lt;b&gt;\\*x\\*" in flagged("H", "<b>*x*").detail


@pytest.mark.parametrize("value", [NotNumeric("valueString"), NoValue("error")])
def test_the_flag_of_a_value_that_cannot_be_shown_is_shown(value: NotNumeric | NoValue) -> None:
    told = card_of(records.record(replace(named("r", "1 U/mL"), value=value, flags=("HX",))))
    assert told.extension["outcome"] == "not-interpretable"
    assert "; status final; laboratory's flag HX; " in told.detail


def test_of_a_withdrawn_result_the_flag_is_no_more_shown_than_the_value() -> None:
    gone = result("50000 pg/mL", SERUM_MASS, flags=("HH",), status=Status.ENTERED_IN_ERROR)
    told = card_of(records.record(gone, carded_before=frozenset({gone.ref.resource})))
    assert "50000" not in told.detail
    assert "flag" not in told.detail


# ------------------------------------------------------------------ the unit


def as_sent(digits: str, unit: UnitGiven, name: str = "r", **changes: Any) -> LabResult:
    """A result of blood whose unit came so."""
    value = replace(records.measured(digits), unit=unit)
    return replace(named(name, digits, **changes), value=value)


def test_a_unit_whose_text_and_code_differ_is_told_as_that() -> None:
    sent = as_sent("5230", UnitGiven("pg/mL", "U/mL", UCUM))
    said = card_of(records.record(sent)).detail
    assert "The unit came as text (pg/mL) and as code (U/mL)" in said
    assert "not one this service knows" not in said


@pytest.mark.parametrize("unit", [unit for unit in SIL2R.units if unit.assumed])
def test_what_was_assumed_of_a_unit_is_told_to_the_end(unit: RowUnit) -> None:
    told = card_of(records.record(as_sent("5230", UnitGiven(unit.text)))).detail
    assert f": {unit.assumed}\n" in told


@pytest.mark.parametrize("text", ["U/L", "mU/L", "kU/mL", "x10^3 U/mL", "mmol/L", "%", "ratio"])
def test_a_text_that_is_not_the_unit_of_the_code_is_never_read_as_it(text: str) -> None:
    """5230 U/L is 5.23 U/mL: far below the criterion that the code alone would meet."""
    sent = as_sent("5230", UnitGiven(text, "U/mL", UCUM), ranges=LABCORP)
    said = card_of(records.record(sent))
    assert said.extension["reason"] == "unit-unknown"
    assert "findings" not in said.extension
    assert said.summary.startswith(f"sIL-2R 5230 {text} or U/mL (serum/plasma): unit not recogni")
    assert "2400" not in said.detail


def test_what_a_card_says_of_a_value_is_in_the_unit_that_was_understood() -> None:
    sent = as_sent("5230", UnitGiven(" u / ML", "U/mL", UCUM))
    said = card_of(records.record(sent))
    assert said.summary.startswith("sIL-2R 5230 U/mL (serum/plasma): meets one HLH-2004 criterion")
    assert "ML" not in said.detail


IN_DOUBT = UnitGiven("U/L", "U/mL", UCUM)


def test_an_earlier_value_whose_unit_is_in_doubt_is_shown_with_both_units() -> None:
    before = as_sent("5230", IN_DOUBT, "before", on="2026-02-01")
    said = card("520 U/mL", history=(before,)).detail
    assert "2026-02-01: 5230 U/L or U/mL, Laboratory A; not comparable with the next" in said


def test_an_earlier_result_without_a_value_is_shown_as_one() -> None:
    before = named("before", "520 U/mL", on="2026-02-01")
    for value in (NoValue("unknown"), NotNumeric("valueString")):
        said = card("520 U/mL", history=(replace(before, value=value),)).detail
        assert "- 2026-02-01: unknown, Laboratory A; direction cannot be told" in said


def test_a_result_that_may_be_newer_is_named_with_both_units_where_its_unit_is_in_doubt() -> None:
    said = card("520 U/mL", history=(as_sent("5230", IN_DOUBT, "beside"),)).detail
    assert "5230 U/L or U/mL (date: 2026-03-01), may be the newer one" in said


def test_the_bounds_of_a_range_are_shown_each_in_its_own_unit() -> None:
    """0.1753 ng/mL to 858.2 pg/mL is one range; "0.1753 to 858.2 ng/mL" would be another."""
    (in_pg,) = ARUP
    bound = Bound(records.number("0.1753"), records.coded("ng/mL"))
    said = card("900 pg/mL", SERUM_MASS, (replace(in_pg, low=bound),))
    assert "laboratory's range 0.1753 ng/mL to 858.2 pg/mL" in said.detail
    assert "above-laboratory-limit" in said.extension["findings"]


def test_a_bound_in_doubt_is_no_bound() -> None:
    (in_pg,) = ARUP
    bound = Bound(records.number("0.8582"), UnitGiven("ng/dL", "ng/mL", UCUM))
    said = card("900 pg/mL", SERUM_MASS, (replace(in_pg, high=bound),))
    assert "no-laboratory-limit" in said.extension["findings"]


def test_a_unit_that_is_only_unknown_is_not_called_a_contradiction() -> None:
    said = card("5230 furlong").detail
    assert "The unit (furlong) was not understood" in said
    assert "came as text" not in said


@pytest.mark.parametrize(
    "unit", [UnitGiven("IU/mL"), UnitGiven("", "IU/mL", UCUM), UnitGiven("U/mL", "U/mL", "urn:own")]
)
def test_a_unit_that_is_no_ucum_code_is_told_as_that_however_it_was_sent(unit: UnitGiven) -> None:
    """`IU/mL` under the UCUM system is a code, and not one of UCUM's."""
    said = card_of(records.record(as_sent("3000", unit))).detail
    assert f"The unit {unit.text or unit.code} came without a valid UCUM code" in said
    assert "came as text" not in said


def test_a_period_without_an_end_leaves_the_day_open_and_not_the_birth_date() -> None:
    day = records.moment("2026-02-20")
    assert isinstance(day, Moment)
    since = replace(day, text="2026-02-20/..", last_day=day.last_day.max)
    said = card_of(records.record(result("300 U/mL", collected=since))).detail
    assert "date of birth" not in said
    assert "The day of collection is known only in part (from 2026-02-20)" in said


def test_a_birth_year_is_still_called_an_incomplete_date_of_birth() -> None:
    said = card("300 U/mL", patient=records.born("2008")).detail
    assert "date of birth" in said


def test_a_part_of_the_record_that_failed_is_named_as_under_missing() -> None:
    availability = {**records.LOOKED_FOR, "labs": Availability.FAILED}
    said = card("300 U/mL", availability=availability).detail
    assert "This part of the record could not be obtained: other laboratory results." in said


# ------------------------------------------------------------------ a range that is not applied

IN_PREGNANCY = records.within(
    "150", "1200", "U/mL", applies_to=(Coding("http://snomed.info/sct", "77386006"),)
)
NOT_APPLIED = "since nothing tells whether it is for this patient: 150 to 1200 U/mL."


def test_a_range_for_pregnancy_is_named_beside_the_one_that_is_applied() -> None:
    above = card("900 U/mL", ranges=(*LABCORP, IN_PREGNANCY))
    assert "above-laboratory-limit" in above.extension["findings"]
    assert NOT_APPLIED in above.detail


def test_a_range_for_some_people_only_is_no_range_and_is_named() -> None:
    alone = card("900 U/mL", ranges=(IN_PREGNANCY,))
    assert "no-laboratory-limit" in alone.extension["findings"]
    assert NOT_APPLIED in alone.detail
    in_mass_units = card("900 U/mL", SERUM_MASS, (IN_PREGNANCY,))
    assert in_mass_units.extension["reason"] == "unit-code-conflict"
    assert NOT_APPLIED in in_mass_units.detail


def test_where_no_day_of_collection_came_the_day_of_issue_is_shown() -> None:
    """It decides which results lie near; without it the reader cannot tell how old the value is."""
    issued = records.moment("2026-03-01T09:30:00Z")
    told = card_of(records.record(result("900 U/mL", on="", issued=issued)))
    assert (
        "; date of collection unknown; issued 2026-03-01 09:30 UTC; status final; " in told.detail
    )
    assert "issued" not in card_of(records.record(result("900 U/mL", issued=issued))).detail


# ------------------------------------------------------------------ the specimen in words


def called(words: str, loinc: str = SERUM_MASS, **changes: Any) -> Card:
    given = SpecimenGiven(SpecimenLink.UNRESOLVED, words=words)
    return card_of(records.record(result("900 pg/mL", loinc, specimen=given, **changes)))


def test_what_the_specimen_was_called_stands_beside_what_the_test_code_says() -> None:
    """Text is no evidence: the code counts, and the reader sees that the two do not agree."""
    told = called("Cerebrospinal fluid")
    assert "; specimen serum/plasma (in words: Cerebrospinal fluid); collected " in told.detail
    without = called("")
    assert told.detail.replace(" (in words: Cerebrospinal fluid)", "") == without.detail
    assert (told.summary, told.indicator) == (without.summary, without.indicator)


def test_words_for_a_specimen_that_no_code_settles_are_shown() -> None:
    told = called("Liquor", CSF_U)
    assert told.extension["reason"] == "specimen-unknown"
    assert "; specimen in words: Liquor; collected " in told.detail


def test_words_for_a_specimen_are_text_and_not_markup() -> None:
    assert "(in words: &lt;b&gt;\\*x\\*)" in called("<b>*x*").detail


def test_a_card_about_another_test_does_not_name_its_specimen() -> None:
    assert "in words" not in called("Cerebrospinal fluid", "33939-0").detail


# ------------------------------------------------------------------ a range that is not compared


@pytest.mark.parametrize(
    ("value", "loinc", "words"),
    [("900 U/mL", SERUM_U, "223-710 U/mL"), ("900 pg/mL", SERUM_MASS, "<1033")],
)
def test_a_range_in_words_is_shown_and_not_compared(value: str, loinc: str, words: str) -> None:
    """Many laboratories send their range as text; "no range was sent" would be wrong."""
    told = card(value, loinc, (ReferenceRange(OpenEnd(), OpenEnd(), words=words),))
    assert "no-laboratory-limit" in told.extension["findings"]
    shown = words.replace("<", "&lt;")
    assert f"has no upper limit: {shown}. Read it on the laboratory's own report." in told.detail
    assert words not in told.summary


def test_a_range_in_another_unit_is_shown_in_its_own() -> None:
    told = card("900 pg/mL", SERUM_MASS, LABCORP)
    (bound,) = LABCORP
    assert isinstance(bound.high, Bound)
    assert f"{bound.high.number.text} {bound.high.unit.text}. Read it" in told.detail
    assert "is not compared" not in card("900 U/mL", SERUM_U, LABCORP).detail
