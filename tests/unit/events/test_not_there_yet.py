"""A result that is told of before it can be read, and a report that comes without its result."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.events.faults import ASKED_FOR
from tests.event_world import LOINC, SERUM, World, observation


def waits_a_little(here: World) -> None:
    here.clock.pass_(seconds=10)
    here.work()


def test_a_result_that_cannot_be_read_yet_is_read_when_it_can(here: World) -> None:
    """It had been ended as deleted, and a raised result was evaluated by nobody."""
    here.notify("o1")
    here.work()
    assert here.causes() == ["read: status-404"]
    here.fhir.put(observation())
    waits_a_little(here)
    (record,) = here.records()
    assert "hlh-2004-criterion-met" in record.findings
    assert here.causes() == []


@pytest.mark.parametrize("kind", ["Observation", "DiagnosticReport"])
def test_what_is_never_there_counts_as_gone_and_is_not_set_aside(here: World, kind: str) -> None:
    here.notify("o1", kind=kind)
    here.try_in_vain()
    assert (here.causes(), here.set_aside(), here.records()) == ([], [], [])
    assert here.fhir.count(f"{kind}/o1") == ASKED_FOR


def test_what_was_told_and_is_deleted_is_taken_back_at_once(writing: World) -> None:
    writing.arrives(observation())
    del writing.fhir.resources["Observation/o1"]
    writing.notify("o1")
    writing.work()
    assert writing.only("DetectedIssue")["status"] == "entered-in-error"


def report(**more: Any) -> Any:
    return {
        "resourceType": "DiagnosticReport",
        "id": "d1",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": SERUM}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        **more,
    }


ELSEWHERE = {"reference": "https://elsewhere.example.org/fhir/Observation/o1"}


@pytest.mark.parametrize(
    "result", [[], [{"display": "sIL-2R"}], [ELSEWHERE]], ids=["none", "in words", "elsewhere"]
)
def test_a_report_that_leads_to_no_result_is_told(here: World, result: Any) -> None:
    """As where it comes in a hook request: its result may stand in the document alone."""
    here.arrives(report(result=result))
    (record,) = here.records()
    assert record.reasons == ("value-absent",)


def test_a_report_whose_result_comes_later_takes_its_card_back(writing: World) -> None:
    writing.arrives(report())
    writing.fhir.put(observation())
    writing.arrives(report(result=[{"reference": "Observation/o1"}]))
    states = [(issue["status"], "3000" in str(issue)) for issue in writing.fhir.of("DetectedIssue")]
    assert sorted(states) == [("entered-in-error", False), ("final", True)]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "preliminary"},
        {"status": "entered-in-error"},
        {"code": {"coding": [{"system": LOINC, "code": "718-7"}]}},
        {"result": [{"reference": "Observation/elsewhere"}]},
    ],
    ids=["in the making", "withdrawn", "of another test", "with a result"],
)
def test_of_any_other_report_nothing_is_told(here: World, more: Any) -> None:
    here.arrives(report(**more))
    assert here.records() == []
