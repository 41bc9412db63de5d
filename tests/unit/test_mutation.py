"""What a run of mutation testing comes to, read from what mutmut says."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.mutation import LEAST, Score, is_enough, of_module, scores, table

SAID = """\
    cds_service.core.facts.ratio.x__over__mutmut_1: killed
    cds_service.core.facts.ratio.x__over__mutmut_2: survived
    cds_service.core.quantity.xǁUnitTableǁread__mutmut_1: timeout
    cds_service.core.quantity.xǁUnitTableǁread__mutmut_2: no tests
    cds_service.core.quantity.xǁUnitTableǁread__mutmut_3: not checked
"""


def test_the_mutants_are_told_by_module() -> None:
    assert scores(SAID) == {
        "cds_service.core.facts.ratio": Counter(killed=1, survived=1),
        "cds_service.core.quantity": Counter({"timeout": 1, "no tests": 1, "not checked": 1}),
    }


def test_the_table_ends_with_all_and_says_what_was_not_tried() -> None:
    assert [line.split() for line in table(scores(SAID))] == [
        ["module", "mutants", "tried", "killed", "score"],
        ["cds_service.core.facts.ratio", "2", "2", "1", "50.0", "%"],
        ["cds_service.core.quantity", "3", "2", "1", "50.0", "%"],
        ["all", "5", "4", "2", "50.0", "%"],
    ]


def test_one_module_is_named_by_its_path() -> None:
    found = scores(SAID)
    assert list(of_module("cds_service/core/facts/ratio.py", found)) == [
        "cds_service.core.facts.ratio"
    ]
    assert of_module("", found) == found


@pytest.mark.parametrize(
    ("score", "enough"),
    [
        (Counter(killed=LEAST, survived=100 - LEAST), True),
        (Counter(killed=LEAST - 1, timeout=1, survived=100 - LEAST), True),
        (Counter(killed=LEAST - 1, survived=101 - LEAST), False),
        (Counter({"killed": LEAST - 1, "no tests": 101 - LEAST}), False),
        (Counter({"killed": LEAST, "survived": 100 - LEAST, "not checked": 900}), True),
        (Counter({"not checked": 900}), False),
    ],
)
def test_t114_a_run_is_enough_when_85_of_100_mutants_with_a_verdict_are_killed(
    score: Score, enough: bool
) -> None:
    assert is_enough(score) is enough
