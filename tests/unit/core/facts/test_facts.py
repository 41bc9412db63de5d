"""Every fact is settled: specimen, limits, range and age, and each says why."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.facts.result import fact_domains
from cds_service.core.facts.situation import Literature
from cds_service.core.model import PatientRecord
from tests import toy
from tests.records import NOBODY, born, companions, entry, record, result, within
from tests.unit.core.facts.settling import facts, settled

TOY = toy.knowledge()


def test_every_fact_has_a_value_of_its_domain_and_no_other_fact_exists() -> None:
    found = facts(ranges=(within("20", "90"),))
    domains = fact_domains(TOY)
    assert set(found) == set(domains)
    assert {name for name, fact in found.items() if fact.value not in domains[name]} == set()


@pytest.mark.parametrize(
    "given",
    [
        record(result()),
        record(result(), companions=companions("ferritin 600 ng/mL"), entries=(entry("M10"),)),
        record(result(), companions=companions("triglycerides 265 mg/dL")),
    ],
)
def test_the_usual_facts_were_read_from_nothing_and_none_stays_open(given: PatientRecord) -> None:
    found = settled(given=given, ranges=(within("20", "90"),))
    assert {name for name, fact in found.usual.by_name.items() if fact.inputs} == set()
    assert {name for name, fact in found.by_name.items() if fact.name != name} == set()


def test_every_fact_says_why() -> None:
    assert [fact.name for fact in facts().values() if not fact.because] == []


MOULDY = record(result(), entries=(entry("M10"),))


@pytest.mark.parametrize(
    ("settling", "name", "because"),
    [
        ({}, "unit-family", "pt/mL is a unit of the points family"),
        ({}, "laboratory-range", "the result carries no reference range that can be applied"),
        (
            {"ranges": (within("20", "90"),)},
            "laboratory-range",
            "the laboratory's range is 20 to 90 pt/mL",
        ),
        ({}, "panel.toy-items", "no companion result is known"),
        (
            {"specimen": "dew"},
            "panel.toy-items",
            "the panel is for another specimen or unit family",
        ),
        (
            {"literature": Literature.BARRED},
            "panel.toy-items",
            "unit and LOINC code contradict each other",
        ),
        ({"given": record(patient=born(""))}, "age.adult", "the age at collection is not known"),
        ({}, "condition.mould", "mould is not coded in the record"),
        ({"given": MOULDY}, "condition.mould", "mould is coded in the record"),
        (
            {"given": MOULDY},
            "condition.fine-mould",
            "'mould' is coded, which does not tell fine mould",
        ),
        ({}, "pair", "no result of the other specimen that can be paired lies within the window"),
    ],
)
def test_the_words_for_why_are_for_a_reader(
    settling: dict[str, Any], name: str, because: str
) -> None:
    """`explain` shows them beside the value."""
    fact = facts(**settling)[name]
    assert (fact.name, fact.because) == (name, because)


def test_specimen_and_unit_family_are_facts() -> None:
    assert facts()["specimen"].value == "sap"
    assert facts()["unit-family"].value == "points"


@pytest.mark.parametrize(
    ("value", "at_or_above_100", "above_1000"),
    [
        ("99.99 pt/mL", "not-met", "not-met"),
        ("100 pt/mL", "met", "not-met"),
        ("1000 dpt/mL", "met", "not-met"),
        ("1000 pt/mL", "met", "not-met"),
        ("1000.1 pt/mL", "met", "met"),
        (">500 pt/mL", "met", "straddles"),
        ("<100 pt/mL", "not-met", "not-met"),
        ("<=100 pt/mL", "straddles", "not-met"),
        ("1000 pg/mL", "not-applicable", "not-applicable"),
    ],
)
def test_a_limit_is_held_against_its_own_family_only(
    value: str, at_or_above_100: str, above_1000: str
) -> None:
    found = facts(value)
    assert found["limit.sap-100"].value == at_or_above_100
    assert found["limit.sap-1000"].value == above_1000


def test_a_limit_of_one_specimen_is_never_held_against_another() -> None:
    assert facts("1000 pg/mL", specimen="dew")["limit.dew-50"].value == "met"
    assert facts("1000 pg/mL", specimen="sap")["limit.dew-50"].value == "not-applicable"
    assert facts("1000 pt/mL", specimen="dew")["limit.sap-100"].value == "not-applicable"


def test_where_unit_and_code_contradict_each_other_no_limit_of_a_study_applies() -> None:
    found = facts("1000 pt/mL", literature=Literature.BARRED)
    own = [found[f"limit.{name}"] for name, limit in TOY.limits.items() if limit.of == "toy"]
    assert {fact.value for fact in own} == {"not-applicable"}
    assert "unit and LOINC code contradict each other" in {fact.because for fact in own}
    assert found["panel.toy-items"].value == "not-applicable"


def test_an_absent_range_is_none_and_names_what_is_missing() -> None:
    fact = facts()["laboratory-range"]
    assert (fact.value, fact.missing) == ("none", ("laboratory-limit",))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("95 pt/mL", "above"),
        ("50 pt/mL", "within"),
        ("5 pt/mL", "below"),
        ("<50 pt/mL", "straddles"),
    ],
)
def test_the_place_in_the_range_is_a_fact(value: str, where: str) -> None:
    assert facts(value, ranges=(within("20", "90"),))["laboratory-range"].value == where


@pytest.mark.parametrize(
    ("birth", "adult", "missing"),
    [
        ("2008-03-01", "yes", ()),
        ("2008-03-02", "no", ()),
        ("2008", "unknown", ("birth-date",)),
        ("2007", "yes", ()),
        ("", "unknown", ("birth-date",)),
        ("2026-03-02", "unknown", ("birth-date",)),
    ],
)
def test_t65_age_counts_at_collection_and_only_as_far_as_it_is_proved(
    birth: str, adult: str, missing: tuple[str, ...]
) -> None:
    fact = facts(given=record(result(), patient=born(birth)))["age.adult"]
    assert (fact.value, fact.missing) == (adult, missing)


@pytest.mark.parametrize(
    ("birth", "words"), [("1986-03-01", "40 completed years"), ("2008", "17 to 18 completed years")]
)
def test_the_age_is_told_as_far_as_it_is_proved(birth: str, words: str) -> None:
    fact = facts(given=record(result(), patient=born(birth)))["age.adult"]
    assert fact.because == f"{words} at collection"


@pytest.mark.parametrize(
    ("birth", "missing"), [("2008-03-02", ()), ("2008", ("birth-date",)), ("", ("birth-date",))]
)
def test_where_the_day_of_the_sample_is_open_only_an_open_birth_date_is_missing(
    birth: str, missing: tuple[str, ...]
) -> None:
    """Drawn some day in March 2026: 17 or 18 years old."""
    given = record(result(), patient=born(birth))
    fact = facts(given=given, on="2026-03")["age.adult"]
    assert (fact.value, fact.missing) == ("unknown", missing)


def test_without_a_patient_the_patient_is_missing_not_the_birth_date() -> None:
    fact = facts(given=record(result(), patient=NOBODY))["age.adult"]
    assert (fact.value, fact.missing) == ("unknown", ("patient",))
