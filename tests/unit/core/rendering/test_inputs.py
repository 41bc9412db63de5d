"""What a statement rests on: each one's resources are inputs of its card, and nothing else is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.core.elements import AgeBand
from cds_service.core.model import LabResult, NoPatient, Patient, PatientRecord
from cds_service.core.render import render
from tests import toy
from tests.records import (
    NOBODY,
    answer_to,
    born,
    companions,
    evaluated,
    findings,
    named,
    record,
    result,
    within,
)

ADULTS = AgeBand(Decimal(18 * 12), Decimal("Infinity"))
CHILDREN = AgeBand(Decimal(0), Decimal(18 * 12))


def beside(given: LabResult | PatientRecord) -> list[str]:
    """The inputs of the one answer, but for the result itself."""
    first, *others = [ref.resource for ref in answer_to(given).inputs]
    assert first == "Observation/r"
    return others


def test_a_finding_for_adults_rests_on_the_birth_date() -> None:
    assert findings(answer_to(result("1500 pt/mL"))) >= {"sap-very-high"}
    assert beside(result("1500 pt/mL")) == ["Patient/p"]


def test_a_limit_for_adults_that_the_value_leaves_open_rests_on_the_birth_date() -> None:
    assert beside(result(">150 pt/mL")) == ["Patient/p"]


@pytest.mark.parametrize("bands", [(ADULTS, CHILDREN), (CHILDREN,)])
def test_a_range_that_was_chosen_by_age_rests_on_the_birth_date(bands: tuple[AgeBand, ...]) -> None:
    """Also where no band was for this age: that there is no range to apply was read from it."""
    ranges = tuple(within("20", "90", age=band) for band in bands)
    assert beside(result("80 pt/mL", ranges=ranges)) == ["Patient/p"]


def test_a_range_for_every_age_does_not_rest_on_the_birth_date() -> None:
    assert beside(result("80 pt/mL", ranges=(within("20", "90"),))) == []


@pytest.mark.parametrize("patient", [NOBODY, born("")])
def test_without_an_age_no_range_was_chosen_by_it(patient: Patient | NoPatient) -> None:
    banded = result("80 pt/mL", ranges=(within("20", "90", age=ADULTS),))
    assert beside(record(banded, patient=patient)) == []


def test_a_gate_of_a_row_that_did_not_fire_is_no_ground() -> None:
    """Ferritin is counted beside a value in sap, and not beside one in dew."""
    in_dew = named("r", "60 pg/mL", toy.DEW_MASS)
    assert beside(record(in_dew, companions=companions("ferritin 900 ng/mL"))) == []


def test_a_result_that_cannot_be_read_was_used_with_its_date_too() -> None:
    (card,) = render(evaluated(record(result("150 mg"))), toy.knowledge(), scope="test")
    assert "Observation/r (version 1, 2026-03-01)" in card.detail.splitlines()
