"""The index of two specimens drawn together, where their albumins allow one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cds_service.core.elements import ResourceRef, SpecimenGiven, SpecimenLink
from cds_service.core.model import LabResult
from tests import toy
from tests.records import answer_to, companions, named, record
from tests.unit.core.results.pair_of import ALBUMINS, beside, dew, index, sap


@pytest.mark.parametrize("main", [dew(), sap()])
def test_the_index_is_the_same_from_whichever_side_it_is_seen(main: LabResult) -> None:
    other = sap() if main == dew() else dew()
    fact = index(main, other)
    assert (fact.value, fact.because) == ("computed", "20.00")


def test_the_index_is_exact_across_units_of_one_family() -> None:
    albumins = ("albumin-csf 200 mg/L", "albumin-serum 40 g/L")
    assert index(dew(), sap("1 ng/mL"), albumins=albumins).because == "20.00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.5 pg/mL", "0.10"),
        ("0.49 pg/mL", "0.0980"),
        ("0.625 pg/mL", "0.13"),
        ("3 pg/mL", "0.60"),
        ("100 pg/mL", "20.00"),
    ],
)
def test_the_index_carries_no_more_digits_than_its_inputs(value: str, shown: str) -> None:
    assert index(dew(value), sap()).because == shown


@pytest.mark.parametrize(
    ("albumins", "missing"),
    [
        ((), ("albumin-csf", "albumin-serum")),
        (ALBUMINS[:1], ("albumin-serum",)),
        (ALBUMINS[1:], ("albumin-csf",)),
        (("albumin-csf 0.2 mol", ALBUMINS[1]), ("albumin-csf",)),
    ],
)
def test_a_missing_albumin_is_named_and_no_index_is_given(
    albumins: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    fact = index(dew(), sap(), albumins=albumins)
    assert (fact.value, fact.missing) == ("unknown", missing)
    assert fact.because == "an albumin of the pair is missing"
    assert set(missing) <= set(beside(dew(), sap(), albumins=albumins).missing)


@pytest.mark.parametrize(
    ("main", "other", "albumins"),
    [
        (dew("<100 pg/mL"), sap(), ALBUMINS),
        (dew(), sap(">1000 pg/mL"), ALBUMINS),
        (dew(), sap("0 pg/mL"), ALBUMINS),
        (dew(), sap(), ("albumin-csf 0.2 g/L", "albumin-serum 0 g/L")),
        (dew(), sap(), ("albumin-csf <0.2 g/L", "albumin-serum 40 g/L")),
    ],
)
def test_no_index_is_made_of_a_comparator_or_of_zero(
    main: LabResult, other: LabResult, albumins: tuple[str, ...]
) -> None:
    fact = index(main, other, albumins=albumins)
    assert fact.value == "unknown"
    assert fact.because == "a value of the pair is not one number above zero"


def test_no_index_where_the_unit_of_either_result_contradicts_its_code() -> None:
    """The code is for points, the unit is of mass: which of the two is wrong, nobody knows."""
    wrong = named("sap", "1000 pg/mL", toy.SAP_POINTS)
    own = index(wrong, dew())
    assert own.value == "not-applicable"
    assert own.because == "unit and LOINC code contradict each other"
    fact = index(dew(), wrong)
    assert fact.value == "not-applicable"
    assert fact.because == "unit and LOINC code of the other result contradict each other"


def test_no_index_across_unit_families() -> None:
    fact = index(dew(), named("sap", "1000 pt/mL", toy.SAP_POINTS))
    assert fact.value == "not-applicable"
    assert fact.because == "no exact factor leads from the unit of one result to that of the other"


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (SpecimenLink.OF_ANOTHER_PATIENT, "recorded for another patient"),
        (SpecimenLink.ENTERED_IN_ERROR, "recorded as entered in error"),
        (SpecimenLink.UNSATISFACTORY, "marked unsatisfactory"),
    ],
)
def test_no_index_where_either_specimen_is_in_doubt(link: SpecimenLink, why: str) -> None:
    doubtful = SpecimenGiven(link)
    for fact in (index(dew(specimen=doubtful), sap()), index(dew(), sap(specimen=doubtful))):
        assert fact.value == "not-applicable"
        assert fact.because == f"a specimen of the two results is {why}"


@pytest.mark.parametrize(
    ("own", "others", "why"),
    [
        ({}, {"laboratory": "Laboratory B"}, "of one laboratory"),
        ({"laboratory": ""}, {"laboratory": ""}, "of one laboratory"),
        ({}, {"laboratory": ""}, "of one laboratory"),
        (
            {"laboratory_reference": "Organization/1"},
            {"laboratory_reference": "Organization/2"},
            "of one laboratory",
        ),
        ({"method": "ELISA"}, {"method": "CLIA"}, "different methods"),
    ],
)
def test_no_index_unless_one_named_laboratory_made_both_by_one_method(
    own: dict[str, str], others: dict[str, str], why: str
) -> None:
    """Two assays in one unit can disagree: their quotient says nothing about the patient."""
    fact = index(dew(**own), sap(**others))
    assert fact.value == "not-applicable"
    assert why in fact.because


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ({"method": "ELISA"}, {"method": "ELISA"}),
        ({"method": "ELISA"}, {}),
        (
            {"laboratory": "Lab", "laboratory_reference": "Organization/1"},
            {
                "laboratory": "The laboratory",
                "laboratory_reference": "https://e.org/Organization/1",
            },
        ),
    ],
)
def test_an_index_where_one_laboratory_is_named_and_no_method_speaks_against_it(
    own: dict[str, str], others: dict[str, str]
) -> None:
    assert index(dew(**own), sap(**others)).because == "20.00"


def test_an_index_of_next_to_nothing_is_still_a_number() -> None:
    """With the usual 28 digits it could not be rounded, and the whole answer would fail."""
    almost_none = f"0.{'0' * 19}1 pg/mL"
    assert index(dew("999999999 pg/mL"), sap(almost_none)).because == f"1999999998{'0' * 22}.00"


def test_no_index_without_a_pair() -> None:
    assert index(dew()).value == "not-applicable"


@pytest.mark.parametrize(
    ("others", "albumins"),
    [
        ((), ALBUMINS),
        ((sap(),), ALBUMINS),
        ((sap(),), ()),
        ((sap("0 pg/mL"),), ALBUMINS),
        ((sap(method="CLIA"),), ALBUMINS),
        ((sap(), named("again", "900 pg/mL", toy.SAP_MASS)), ALBUMINS),
    ],
)
def test_whatever_became_of_the_index_its_fact_bears_its_name(
    others: tuple[LabResult, ...], albumins: tuple[str, ...]
) -> None:
    assert index(dew(method="ELISA"), *others, albumins=albumins).name == "ratio.toy-index"


def test_the_results_that_an_index_rests_on_are_its_inputs() -> None:
    assert {ref.resource for ref in index(dew(), sap()).inputs} == {
        "Observation/albumin-csf",
        "Observation/albumin-serum",
        "Observation/sap",
    }


def test_no_index_where_an_albumin_has_two_values_of_one_time_and_the_card_tells_both() -> None:
    """Whichever id is the later one, neither albumin is taken for the other."""
    for low, high in (("30", "45"), ("45", "30")):
        albumins = companions(ALBUMINS[0], f"albumin-serum {low} g/L", f"albumin-serum {high} g/L")
        several = tuple(
            replace(each, ref=ResourceRef(f"Observation/{number}", "1"))
            for number, each in enumerate(albumins)
        )
        answer = answer_to(record(dew(), history=(sap(),), companions=several))
        fact = answer.facts["ratio.toy-index"]
        assert (fact.value, fact.missing) == ("unknown", ())
        assert {"30 g/L", "45 g/L"} <= set(re.findall(r"\d+ g/L", fact.because))


def test_an_albumin_that_was_sent_twice_with_one_value_makes_an_index() -> None:
    serum = companions(ALBUMINS[1])[0]
    again = replace(serum, ref=ResourceRef("Observation/again", "1"))
    given = record(dew(), history=(sap(),), companions=(*companions(ALBUMINS[0]), serum, again))
    assert answer_to(given).facts["ratio.toy-index"].because == "20.00"
