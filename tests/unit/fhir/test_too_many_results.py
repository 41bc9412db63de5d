"""T-59: more results than are read. What there may be nothing to say of hides no other result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, PatientRecord
from cds_service.fhir import parts as parts_module
from tests.unit.fhir.given import (
    ANOTHER,
    FERRITIN,
    LEFT_OUT,
    LOINC,
    SIL2R,
    WANTED,
    bundle,
    concept,
    observation,
    record,
    refs,
)

CELLS = (LOINC, "8121-6")
"""Cells with the receptor: a look-alike, of which no card tells."""
WITH_LOOK_ALIKE = replace(WANTED, analyte=WANTED.analyte | {CELLS})
LATER = "2026-03-02"
UNREADABLE = 5
A_COMPONENT = {"code": concept(*SIL2R), "valueString": "high"}


@pytest.fixture(autouse=True)
def two_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 2)


def panel(**changes: Any) -> JsonObject:
    inside: JsonObject = {"code": concept(LOINC, "11502-2"), "component": [A_COMPONENT]}
    return observation(**{**inside, "valueQuantity": LEFT_OUT, **changes})


def report(**changes: Any) -> JsonObject:
    """One whose result did not come along."""
    made: JsonObject = {"resourceType": "DiagnosticReport", "result": [{"reference": "#gone"}]}
    return observation(**{**made, "valueQuantity": LEFT_OUT, **changes})


def read(*resources: JsonObject) -> PatientRecord:
    return record(bundle(*resources), wanted=WITH_LOOK_ALIKE)


def names(found: PatientRecord) -> list[str]:
    return [result.ref.resource.rpartition("/")[2] for result in found.results]


@pytest.mark.parametrize(
    "of",
    [
        observation,
        lambda **more: observation(**{**more, "code": UNREADABLE}),
        panel,
        report,
    ],
    ids=["results", "unreadable", "panels", "reports"],
)
def test_t59_no_number_of_another_patients_results_hides_one(of: Any) -> None:
    others = [of(id=f"o{n}", subject=ANOTHER, effectiveDateTime=LATER) for n in range(3)]
    found = read(*others, of(id="own"))
    assert names(found)[0] == "own"
    assert found.availability["results"] is Availability.PARTIAL


def test_t59_no_number_of_another_patients_companions_hides_one() -> None:
    ferritin = concept(*FERRITIN)
    others = [
        observation(id=f"o{n}", code=ferritin, subject=ANOTHER, effectiveDateTime=LATER)
        for n in range(3)
    ]
    found = read(*others, observation(id="own", code=ferritin))
    assert [one.ref.resource for one in found.companions] == ["Observation/own"]


def test_t59_no_number_of_look_alikes_hides_a_result() -> None:
    """Of two hundred newer counts of cells no card told, and a raised result was not read."""
    cells = [
        observation(id=f"o{n}", code=concept(*CELLS), effectiveDateTime=LATER) for n in range(3)
    ]
    assert names(read(*cells, observation(id="own")))[0] == "own"


@pytest.mark.parametrize("status", ["preliminary", "registered", "unknown"])
def test_t59_no_number_of_results_that_are_not_final_hides_one_that_is(status: str) -> None:
    newer = [observation(id=f"o{n}", status=status, effectiveDateTime=LATER) for n in range(3)]
    assert names(read(*newer, observation(id="own")))[0] == "own"


def test_t59_no_number_of_dated_results_hides_one_without_a_date() -> None:
    """They may all be too old to be shown when a chart is opened; this one never is."""
    older = [observation(id=f"o{n}", effectiveDateTime="2019-01-01") for n in range(3)]
    assert names(read(*older, observation(id="own", effectiveDateTime=LEFT_OUT)))[0] == "own"


@pytest.mark.parametrize(
    "many",
    [[panel(component=[A_COMPONENT] * 3)], [report(id=f"r{n}") for n in range(3)]],
    ids=["components", "reports"],
)
def test_t59_too_many_of_what_is_only_noticed_are_told(many: list[JsonObject]) -> None:
    found = read(*many)
    assert (len(found.results), found.availability["results"]) == (2, Availability.PARTIAL)


def test_t59_of_too_many_results_the_newest_are_read() -> None:
    many = bundle(
        *(observation(id=f"o{n}", effectiveDateTime=f"202{n}-01-01") for n in range(5)),
    )
    found = record(many, sil2r=many)
    assert refs(found.results) == ["Observation/o4", "Observation/o3"]
    assert found.availability["sil2r"] is Availability.PARTIAL


@pytest.mark.parametrize(
    "dated",
    [
        lambda day: {"effectivePeriod": {"start": day}},
        lambda day: {"effectiveInstant": f"{day}T08:00:00Z"},
        lambda day: {"issued": f"{day}T08:00:00Z"},
    ],
    ids=["period", "instant", "issued"],
)
def test_t59_the_newest_is_told_by_whatever_date_is_there(
    monkeypatch: pytest.MonkeyPatch, dated: Callable[[str], JsonObject]
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 1)
    first, newest, last = (
        observation(id=f"o{year}", effectiveDateTime=LEFT_OUT, **dated(f"{year}-01-01"))
        for year in (2023, 2025, 2024)
    )
    assert refs(record(bundle(first, newest, last)).results) == ["Observation/o2025"]


@pytest.mark.parametrize("own", ["final", "preliminary"])
@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_t59_no_number_of_withdrawn_results_hides_one_that_stands(status: str, own: str) -> None:
    """Of them nothing is told: two hundred newer ones made a raised result no card at all."""
    newer = [observation(id=f"o{n}", status=status, effectiveDateTime=LATER) for n in range(3)]
    assert names(read(*newer, observation(id="own", status=own)))[0] == "own"
