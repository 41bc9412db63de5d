"""Of several cards the one that presses most comes first: they may be shown as they come."""

from __future__ import annotations

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import ResourceRef, Status
from cds_service.core.model import InvalidResource, LabResult, PatientRecord
from cds_service.core.render import render
from tests import records
from tests.packaged import SIL2R
from tests.unit.cards.given import ARUP, CSF_MASS, LABCORP, SERUM_MASS, SERUM_U, drawn, named

QUIET_BLOOD = named("blood", "400 U/mL", SERUM_U, ranges=LABCORP)
WARNING_BLOOD = named("blood", "5230 U/mL", SERUM_U, ranges=LABCORP)
MASS_BLOOD = named("blood", "1200 pg/mL", SERUM_MASS, ranges=ARUP)
QUIET_CSF = named("csf", "90 pg/mL", CSF_MASS)
WARNING_CSF = named("csf", "900 pg/mL", CSF_MASS)


def cards(given: PatientRecord) -> tuple[Card, ...]:
    return render(records.evaluated(given, SIL2R), SIL2R, scope="s")


def specimens(given: PatientRecord) -> list[str]:
    return ["csf" if "(CSF)" in card.summary else "blood" for card in cards(given)]


@pytest.mark.parametrize(
    ("blood", "csf", "order"),
    [
        (QUIET_BLOOD, WARNING_CSF, ["csf", "blood"]),
        (MASS_BLOOD, WARNING_CSF, ["csf", "blood"]),
        (WARNING_BLOOD, QUIET_CSF, ["blood", "csf"]),
        (WARNING_BLOOD, WARNING_CSF, ["blood", "csf"]),
        (QUIET_BLOOD, QUIET_CSF, ["blood", "csf"]),
    ],
)
def test_a_warning_stands_above_a_card_that_only_informs(
    blood: LabResult, csf: LabResult, order: list[str]
) -> None:
    assert specimens(records.record(blood, csf)) == order


def test_what_may_be_urgent_stands_above_what_is_quiet() -> None:
    old = named("old", "90 pg/mL", CSF_MASS, on="2026-02-20")
    newer = named("csf", "900 pg/mL", CSF_MASS, status=Status.PRELIMINARY)
    assert specimens(records.record(QUIET_BLOOD, old, newer)) == ["csf", "blood"]


def test_signs_of_hlh_do_not_push_a_warning_down() -> None:
    ill = drawn("ferritin 50000 ng/mL", "haemoglobin 70 g/L", "platelets 20 10*9/L")
    first, second = cards(records.record(QUIET_BLOOD, WARNING_CSF, companions=ill))
    assert (first.indicator.value, second.indicator.value) == ("warning", "info")
    assert second.summary.endswith("other HLH-2004 items are met, discuss urgently")


def test_what_could_not_be_read_stands_above_what_reassures() -> None:
    broken = InvalidResource(ResourceRef("Observation/b"), "Observation.status")
    given = records.record(QUIET_BLOOD, broken)
    assert [card.extension["outcome"] for card in cards(given)] == [
        "not-interpretable",
        "interpreted",
    ]
