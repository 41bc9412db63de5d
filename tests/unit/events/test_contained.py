"""Panels and reports that contain their results: a card for each, and each is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_world import LOINC, World, observation

BLOOD_IN_UNITS = "9654-5"
CSF_IN_MASS = "99768-4"
ANOTHER_TEST = "2276-4"
"""Ferritin."""


def a_result(id_: str, *codes: str, **more: Any) -> Any:
    """A result that stands inside another resource."""
    coding = [{"system": LOINC, "code": code} for code in codes or (BLOOD_IN_UNITS,)]
    return observation(id_, code={"coding": coding}, **more)


def in_csf(value: float = 800) -> Any:
    quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": "pg/mL"}
    return a_result("csf", CSF_IN_MASS, valueQuantity=quantity)


def containing(kind: str, *results: Any, status: str = "final") -> Any:
    """A panel (`Observation`) or a report that contains its results."""
    members = [{"reference": f"#{each['id']}"} for each in results]
    return {
        "resourceType": kind,
        "id": "both",
        "status": status,
        "code": {"text": "Interleukin-2 receptor in blood and CSF"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        "contained": list(results),
        "hasMember" if kind == "Observation" else "result": members,
    }


def arrives(here: World, resource: Any) -> None:
    here.fhir.put(resource)
    here.notify(resource["id"], kind=resource["resourceType"])
    here.work()


def states(here: World, kind: str = "DetectedIssue") -> list[str]:
    return [each["status"] for each in here.fhir.of(kind)]


BOTH_KINDS = pytest.mark.parametrize("kind", ["Observation", "DiagnosticReport"])


@BOTH_KINDS
def test_a_withdrawn_panel_of_blood_and_csf_takes_both_cards_back(
    writing: World, kind: str
) -> None:
    results = a_result("blood"), in_csf()
    arrives(writing, containing(kind, *results))
    assert states(writing) == ["final", "final"]
    arrives(writing, containing(kind, *results, status="entered-in-error"))
    assert states(writing) == ["entered-in-error"] * 2
    assert states(writing, "GuidanceResponse") == ["entered-in-error"] * 2


@BOTH_KINDS
def test_a_deleted_panel_takes_both_cards_back(writing: World, kind: str) -> None:
    arrives(writing, containing(kind, a_result("blood"), in_csf()))
    del writing.fhir.resources[f"{kind}/both"]
    writing.notify("both", kind=kind)
    writing.work()
    assert states(writing) == ["entered-in-error"] * 2


@BOTH_KINDS
def test_a_panel_that_turns_out_to_be_of_other_tests_takes_both_cards_back(
    writing: World, kind: str
) -> None:
    arrives(writing, containing(kind, a_result("blood"), in_csf()))
    arrives(writing, containing(kind, a_result("blood", ANOTHER_TEST)))
    assert states(writing) == ["entered-in-error"] * 2


@BOTH_KINDS
def test_a_panel_corrected_to_one_result_keeps_one_card(writing: World, kind: str) -> None:
    arrives(writing, containing(kind, a_result("blood"), in_csf()))
    arrives(writing, containing(kind, a_result("blood"), status="corrected"))
    assert sorted(states(writing)) == ["entered-in-error", "final"]
    arrives(writing, containing(kind, a_result("blood"), status="entered-in-error"))
    assert states(writing) == ["entered-in-error"] * 2


def test_a_report_with_more_cards_than_specimen_kinds_is_taken_back_whole(writing: World) -> None:
    urine = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "UR"}]}
    specimen = {"resourceType": "Specimen", "id": "s", "type": urine}
    unreadable = a_result("unreadable")
    del unreadable["status"]
    results = (
        a_result("blood"),
        in_csf(),
        a_result("contradicted", specimen={"reference": "#s"}),
        a_result("two-codes", BLOOD_IN_UNITS, CSF_IN_MASS),
        unreadable,
    )
    report = containing("DiagnosticReport", *results)
    report["contained"].append(specimen)
    arrives(writing, report)
    assert len(states(writing)) > 4
    arrives(writing, {**report, "contained": [], "status": "entered-in-error"})
    assert set(states(writing)) == {"entered-in-error"}
