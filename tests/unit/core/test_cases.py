"""The worked cases of every packaged analyte, and of the toy: they are the specification.

The id of a test is the analyte and the id of its case in `cases.toml`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.cases import DAY, differences, record_of, with_case_codes
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.render import render
from cds_service.core.schema import CaseRow
from cds_service.core.selection import Looking
from cds_service.core.verdict import Evaluation
from cds_service.evaluate import evaluate
from tests import toy
from tests.packaged import LIBRARY

BASES = [with_case_codes(base) for base in (*LIBRARY.bases.values(), toy.knowledge())]
CASES = [
    pytest.param(base, case, id=f"{base.identity.id}: {case.id}")
    for base in BASES
    for case in base.cases
]
every_case = pytest.mark.parametrize(("base", "case"), CASES)


def outcome(base: KnowledgeBase, case: CaseRow) -> Evaluation:
    return evaluate(record_of(case.given, base), base, DAY, looking=Looking.RESULT_ARRIVED)


@every_case
def test_a_worked_case_ends_as_it_says(base: KnowledgeBase, case: CaseRow) -> None:
    evaluation = outcome(base, case)
    cards = render(evaluation, base, scope="case")
    assert differences(case, evaluation, cards) == []
    assert bool(cards) is (case.expect.outcome != "no-card")


def test_what_a_case_does_not_give_was_looked_for_and_not_found() -> None:
    """Nothing is unknown by accident, as it would be if nobody had looked."""
    parts = {"labs", "conditions", "medications"}
    record = record_of(CASE.given, TOY)
    for given, unknown in ((record, set()), (replace(record, availability={}), parts)):
        (answer,) = evaluate(given, TOY, DAY, looking=Looking.RESULT_ARRIVED).answers
        assert parts & set(answer.missing) == unknown


# ------------------------------------------------------------------ cases can fail

TOY = toy.knowledge()
CASE = TOY.cases[0]
EVALUATION = outcome(TOY, CASE)
CARDS = render(EVALUATION, TOY, scope="case")


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "not-interpretable", "reason": "unit-missing"},
        {"outcome": "no-card"},
        {"findings": [*CASE.expect.findings, "dew-high"]},
        {"findings": CASE.expect.findings[1:]},
        {"missing": ["unit"]},
        {"indicator": "info"},
    ],
)
def test_an_expectation_that_is_not_met_is_told(changes: dict[str, object]) -> None:
    wrong = CASE.model_copy(update={"expect": CASE.expect.model_copy(update=changes)})
    assert differences(wrong, EVALUATION, CARDS) != []


def test_a_card_that_was_expected_and_did_not_come_is_told() -> None:
    assert differences(CASE, replace(EVALUATION, answers=()), ()) != []
