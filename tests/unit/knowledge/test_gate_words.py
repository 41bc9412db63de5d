"""Gates in words: every row of the table can be said, and says what it asks."""

from __future__ import annotations

import pytest

from cds_service.core.facts.result import fact_domains
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.gate_words import alternatives_in_words, conditions_in_words
from cds_service.core.schema import AdviceRow, TableRow
from tests import toy


def test_every_gate_of_every_row_has_words(sil2r: KnowledgeBase) -> None:
    rows: tuple[TableRow | AdviceRow, ...] = (*sil2r.rows, *sil2r.order_table.advice)
    for row in rows:
        words = conditions_in_words(row.when, sil2r)
        assert len(words) == len(row.when)
        assert all(len(word) > 10 for word in words), row.id


def test_every_value_of_every_fact_has_words_of_its_own(sil2r: KnowledgeBase) -> None:
    for fact, values in fact_domains(sil2r).items():
        said = [conditions_in_words({fact: value}, sil2r)[0] for value in values]
        assert len(set(said)) == len(values), fact


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [
        ("specimen", "csf", "the specimen is CSF"),
        ("unit-family", "U", "the unit family is units per volume (U/mL)"),
        ("limit.hlh-2004-sil2r", "met", "the value is at or above 2400 U/mL"),
        ("limit.hlh-2004-sil2r", "not-met", "the value is below 2400 U/mL"),
        ("limit.csf-150", "met", "the value is above 150 pg/mL"),
        ("limit.csf-150", "not-met", "the value is at or below 150 pg/mL"),
        ("limit.csf-150", "straddles", "the value is an interval with 150 pg/mL inside it"),
        ("limit.hlh-fibrinogen", "met", "fibrinogen (within 7 days) is at or below 1.5 g/L"),
        ("age.adult", "no", "the patient is not 18 years or older"),
        ("condition.sarcoidosis", "recorded", "the record names sarcoidosis among the conditions"),
        (
            "medication.car-t",
            "unknown",
            ("it cannot be told whether the record names CAR-T cell therapy among the medications"),
        ),
        (
            "limit.hlh-triglycerides-mass",
            "provisional",
            ("triglycerides (within 7 days) is at or above 265 mg/dL, if fasting"),
        ),
        (
            "limit.csf-150",
            "disputed",
            (
                "the value is above 150 pg/mL in one of several results of "
                "one time and not in another"
            ),
        ),
        (
            "panel.hlh-2004",
            "unknown",
            (
                "no other result of “HLH-2004 items that a laboratory can "
                "show” is known within 7 days"
            ),
        ),
        (
            "ratio.sil2r-index",
            "computed",
            ("this can be computed: sIL-2R index: CSF/blood sIL-2R over CSF/serum albumin"),
        ),
        ("pair", "paired", "a result of another specimen lies within 7 days"),
        ("earlier-result", "none", "no result of the same specimen is there from the last 90 days"),
        (
            "specimen",
            "conflict",
            ("the specimen is named differently by the code and by the specimen"),
        ),
    ],
)
def test_a_gate_says_what_it_asks(fact: str, value: str, words: str, sil2r: KnowledgeBase) -> None:
    assert conditions_in_words({fact: value}, sil2r) == (words,)


def test_several_values_are_joined_by_or(sil2r: KnowledgeBase) -> None:
    gates: dict[str, str | list[str]] = {"limit.ohi-sil2r": ["met", "straddles"]}
    assert conditions_in_words(gates, sil2r) == (
        "the value is above 3900 U/mL or is an interval with 3900 U/mL inside it",
    )


def test_a_gate_that_only_asks_for_a_known_value_says_so(sil2r: KnowledgeBase) -> None:
    gates: dict[str, str | list[str]] = {"limit.ohi-ferritin": ["met", "not-met", "straddles"]}
    assert conditions_in_words(gates, sil2r) == (
        "ferritin (within 7 days) is known, whatever its value",
    )


def test_a_row_without_gates_always_holds(sil2r: KnowledgeBase) -> None:
    assert alternatives_in_words([{}], sil2r) == ("always",)


def test_a_fact_without_words_is_told_as_it_is_written(sil2r: KnowledgeBase) -> None:
    gates: dict[str, str | list[str]] = {
        "some-new-fact": ["a-value", "b"],
        "specimen": ["csf", "of-a-new-kind"],
        "laboratory": ["same", "not-named"],
    }
    assert conditions_in_words(gates, sil2r) == (
        "some new fact is a value or b",
        "the specimen is CSF or of a new kind",
        "the order names the laboratory of the result before, or laboratory is not named",
    )


def test_a_limit_is_said_with_its_side_and_unit(sil2r: KnowledgeBase) -> None:
    assert sil2r.limits["hlh-2004-sil2r"].words == "at or above 2400 U/mL"
    assert sil2r.limits["hlh-haemoglobin"].words == "below 90 g/L"


def test_another_analyte_has_words_too() -> None:
    knowledge = toy.knowledge()
    for row in knowledge.rows:
        assert len(conditions_in_words(row.when, knowledge)) == len(row.when)
