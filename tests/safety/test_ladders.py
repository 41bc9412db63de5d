"""Up and down the ladder of values: what may change from one rung to the next, and what may not.

Beside the generated properties of tests/property, every gate is opened here. The rungs are every
number of the knowledge, just below, at, and just above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise, product

import pytest

from cds_service.core.elements import Comparator, SpecimenGiven
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import PatientRecord
from cds_service.core.schema import MetWhen
from cds_service.core.verdict import Answer
from cds_service.evaluate import Looking, evaluate
from tests import records
from tests.safety.results import BIRTHS, SCALES, companion, entries, own_range, points, sil2r

RISES = {
    "above-laboratory-limit",
    "hlh-2004-criterion-met",
    "hlh-adult-high-specificity",
    "ohi-index-positive",
    "atl-indolent-risk-high",
    "sarcoidosis-supportive",
    "csf-above-150",
}
"""Once said, said of every higher value too."""
FALLS = {
    "below-laboratory-limit",
    "hlh-adult-less-likely",
    "ohi-index-negative",
    "atl-indolent-risk-low",
    "csf-not-above-150",
}
"""Once no longer said, never said of a higher value."""

scales = pytest.mark.parametrize(
    "scale", SCALES, ids=[f"{loinc} in {unit}" for loinc, unit, _ in SCALES]
)
CSF_CODES = {"99768-4", "38352-1"}
Scale = tuple[str, str, SpecimenGiven]


def answer_of(record: PatientRecord, knowledge: KnowledgeBase) -> Answer:
    (answer,) = evaluate(record, knowledge, records.AT, looking=Looking.RESULT_ARRIVED).answers
    return answer


def findings_of(record: PatientRecord, knowledge: KnowledgeBase) -> set[str]:
    return {finding.id for finding in answer_of(record, knowledge).findings}


def patients(knowledge: KnowledgeBase) -> Iterator[PatientRecord]:
    """Records without a result: of every age, and with what opens each gate."""
    found = entries(knowledge)
    ferritin = (companion(knowledge, "ferritin", "1200 ng/mL"),)
    gates = ("atl-chronic", "sarcoidosis", "haematological-malignancy", "renal-impairment")
    for birth, gate in product(BIRTHS.values(), ("", *gates)):
        entry = (found[f"condition.{gate}"],) if gate else ()
        yield records.record(patient=records.born(birth), entries=entry, companions=ferritin)


def on(record: PatientRecord, scale: Scale, value: str, *, ranged: bool = True) -> PatientRecord:
    """The record with a result of this value."""
    loinc, unit, fluid = scale
    ranges = own_range(unit) if ranged else ()
    return replace(record, results=(sil2r(f"{value} {unit}", loinc, fluid, ranges=ranges),))


@scales
def test_t100_a_higher_value_never_gives_a_weaker_finding(
    scale: Scale, listening: KnowledgeBase
) -> None:
    for patient in patients(listening):
        said = [findings_of(on(patient, scale, v), listening) for v in points(listening)]
        for lower, higher in pairwise(said):
            assert lower & RISES <= higher & RISES
            assert higher & FALLS <= lower & FALLS


def test_t100_the_ladder_passes_every_finding_that_rises_or_falls(listening: KnowledgeBase) -> None:
    said = {
        finding
        for patient in patients(listening)
        for scale in SCALES
        for value in points(listening)
        for finding in findings_of(on(patient, scale, value), listening)
    }
    assert said >= RISES | FALLS


@scales
@pytest.mark.parametrize("comparator", [c for c in Comparator if c is not Comparator.EXACT])
def test_t102_a_comparator_never_says_more_than_every_number_it_can_mean(
    scale: Scale, comparator: Comparator, listening: KnowledgeBase
) -> None:
    rungs = points(listening)
    for patient in patients(listening):
        exact = {value: findings_of(on(patient, scale, value), listening) for value in rungs}
        for value in rungs:
            meant = [other for other in rungs if _may_mean(comparator, value, other)]
            if not meant:
                continue
            said = findings_of(on(patient, scale, f"{comparator}{value}"), listening)
            certain = said - {"threshold-indeterminate", "hlh-2004-item-count"}
            assert all(certain <= exact[other] for other in meant), (comparator, value)


def _may_mean(comparator: Comparator, bound: str, value: str) -> bool:
    match comparator:
        case Comparator.LESS:
            return Decimal(value) < Decimal(bound)
        case Comparator.AT_MOST:
            return Decimal(value) <= Decimal(bound)
        case Comparator.AT_LEAST:
            return Decimal(value) >= Decimal(bound)
        case Comparator.MORE:
            return Decimal(value) > Decimal(bound)
        case Comparator.EXACT:
            return value == bound


def test_every_limit_is_met_on_its_side_and_on_no_other(listening: KnowledgeBase) -> None:
    """As its source states it: at, above, or below; a tenth of the last digit decides."""
    for limit in listening.limits.values():
        if limit.of != listening.identity.id:
            continue
        csf = limit.specimen == "csf"
        (scale,) = (s for s in SCALES if s[1] == limit.unit and (s[0] in CSF_CODES) is csf)
        (patient, *_) = patients(listening)
        met = {
            step: answer_of(on(patient, scale, str(limit.value + Decimal(step))), listening)
            .facts[f"limit.{limit.id}"]
            .value
            for step in ("-0.0001", "0", "0.0001")
        }
        at = "met" if limit.met_when is MetWhen.AT_OR_ABOVE else "not-met"
        assert met == {"-0.0001": "not-met", "0": at, "0.0001": "met"}, limit.id
