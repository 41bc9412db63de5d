"""Panels and reports that contain their results: a card for each, and each is taken back."""

from __future__ import annotations

import pytest

from tests.event_world import ANOTHER_TEST, CSF_IN_MASS, SERUM, World, a_result, containing, in_csf


def states(here: World, kind: str = "DetectedIssue") -> list[str]:
    return [each["status"] for each in here.fhir.of(kind)]


BOTH_KINDS = pytest.mark.parametrize("kind", ["Observation", "DiagnosticReport"])


@BOTH_KINDS
def test_a_withdrawn_panel_of_blood_and_csf_takes_both_cards_back(
    writing: World, kind: str
) -> None:
    results = a_result("blood"), in_csf()
    writing.arrives(containing(kind, *results))
    assert states(writing) == ["final", "final"]
    writing.arrives(containing(kind, *results, status="entered-in-error"))
    assert states(writing) == ["entered-in-error"] * 2
    assert states(writing, "GuidanceResponse") == ["entered-in-error"] * 2


@BOTH_KINDS
def test_a_deleted_panel_takes_both_cards_back(writing: World, kind: str) -> None:
    writing.arrives(containing(kind, a_result("blood"), in_csf()))
    del writing.fhir.resources[f"{kind}/both"]
    writing.notify("both", kind=kind)
    writing.work()
    assert states(writing) == ["entered-in-error"] * 2


@BOTH_KINDS
def test_a_panel_that_turns_out_to_be_of_other_tests_takes_both_cards_back(
    writing: World, kind: str
) -> None:
    writing.arrives(containing(kind, a_result("blood"), in_csf()))
    writing.arrives(containing(kind, a_result("blood", ANOTHER_TEST)))
    assert states(writing) == ["entered-in-error"] * 2


@BOTH_KINDS
def test_a_panel_corrected_to_one_result_keeps_one_card(writing: World, kind: str) -> None:
    writing.arrives(containing(kind, a_result("blood"), in_csf()))
    writing.arrives(containing(kind, a_result("blood"), status="corrected"))
    assert sorted(states(writing)) == ["entered-in-error", "final"]
    writing.arrives(containing(kind, a_result("blood"), status="entered-in-error"))
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
        a_result("two-codes", SERUM, CSF_IN_MASS),
        unreadable,
    )
    report = containing("DiagnosticReport", *results)
    report["contained"].append(specimen)
    writing.arrives(report)
    assert len(states(writing)) > 4
    writing.arrives({**report, "contained": [], "status": "entered-in-error"})
    assert set(states(writing)) == {"entered-in-error"}
