"""A result that was taken back with its report, or because it was gone, and stands again."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.store.tables import evaluations, event_evaluations
from tests.event_world import LOINC, SERUM, World, observation


def report(id_: str, status: str) -> Any:
    return {
        "resourceType": "DiagnosticReport",
        "id": id_,
        "status": status,
        "code": {"coding": [{"system": LOINC, "code": SERUM}]},
        "subject": {"reference": "Patient/p1"},
        "result": [{"reference": "Observation/o1"}],
    }


def stands(writing: World) -> str:
    return str(writing.only("DetectedIssue")["status"])


def test_a_second_report_brings_the_card_of_a_withdrawn_one_back(writing: World) -> None:
    """The laboratory issues a report anew; its result is the same, in the same version."""
    writing.fhir.put(observation())
    for id_, status, expected in (
        ("first", "final", "final"),
        ("first", "entered-in-error", "entered-in-error"),
        ("second", "final", "final"),
        ("second", "entered-in-error", "entered-in-error"),
        ("first", "corrected", "final"),
        ("first", "cancelled", "entered-in-error"),
    ):
        writing.arrives(report(id_, status))
        assert stands(writing) == expected
    assert len({record.id for record in writing.records()}) == 6


def test_what_is_notified_again_is_still_evaluated_once_for_each_time(writing: World) -> None:
    writing.fhir.put(observation())
    for status in ("final", "entered-in-error", "final"):
        writing.arrives(report("first", status))
        for _ in range(3):
            writing.notify("o1")
            writing.work()
    assert len(writing.records()) == 3
    assert stands(writing) == "final"


def test_a_result_that_was_withdrawn_first_and_stands_later_is_told(writing: World) -> None:
    writing.fhir.put(observation())
    for status in ("entered-in-error", "final", "entered-in-error", "final"):
        writing.arrives(report("first", status))
    assert stands(writing) == "final"


def test_a_result_that_its_server_did_not_have_for_a_while_is_told_again(writing: World) -> None:
    """A 404 that was none, from a server in trouble, took a warning back for good."""
    for _ in range(2):
        writing.arrives(observation())
        kept = writing.fhir.resources.pop("Observation/o1")
        writing.notify("o1")
        writing.work()
        assert stands(writing) == "entered-in-error"
        writing.fhir.resources["Observation/o1"] = kept
        writing.notify("o1")
        writing.work()
        assert stands(writing) == "final"


def test_an_older_version_that_is_read_late_brings_nothing_back(writing: World) -> None:
    writing.arrives(observation())
    writing.arrives(observation(value=12000, status="corrected"))
    before = observation() | {"meta": {"versionId": "1"}}
    writing.fhir.operations["Observation/o1"] = lambda _query: before
    writing.notify("o1")
    writing.work()
    assert "12000" in str(writing.only("DetectedIssue")["code"])
    assert len(writing.records()) == 2


@pytest.mark.parametrize("how", ["with-its-report", "by-its-status"])
def test_what_stands_of_a_result_of_which_no_record_is_left_is_taken_back(
    writing: World, how: str
) -> None:
    """Its records were purged, or its patient was erased: the warning stood for good."""
    writing.arrives(observation())
    with writing.room.database.writing() as connection:
        for table in (evaluations, event_evaluations):
            connection.execute(table.delete())
    if how == "with-its-report":
        writing.arrives(report("first", "entered-in-error"))
    else:
        writing.arrives(observation(status="entered-in-error"))
    assert stands(writing) == "entered-in-error"
