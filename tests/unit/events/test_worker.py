"""The worker: once for each version, the newest wins, and what no longer holds is taken back."""

from __future__ import annotations

from tests.event_world import World, observation


def test_t84_a_version_is_evaluated_once_however_often_it_is_notified(here: World) -> None:
    here.fhir.put(observation())
    for _ in range(10):
        here.notify("o1")
        here.work()
    assert len(here.records()) == len(here.evaluated()) == 1
    (record,) = here.records()
    assert record.door == "event"
    assert record.knowledge.startswith("sil2r@")
    assert "hlh-2004-criterion-met" in record.findings


def test_t89_final_corrected_withdrawn_each_replaces_the_one_before(writing: World) -> None:
    writing.arrives(observation(value=3000))
    first = writing.only("DetectedIssue")
    assert first["status"] == "final"

    writing.arrives(observation(value=12000, status="corrected"))
    second = writing.only("DetectedIssue")
    assert second["id"] == first["id"]
    assert "12000" in second["code"]["text"]

    writing.arrives(observation(value=12000, status="entered-in-error"))
    assert writing.only("DetectedIssue")["status"] == "entered-in-error"
    assert writing.only("GuidanceResponse")["status"] == "entered-in-error"

    kept = writing.evaluated()
    assert [row.said for row in kept] == [True, True, False]
    assert [row.replaces for row in kept] == ["", kept[0].evaluation, kept[1].evaluation]
    provenances = writing.fhir.of("Provenance")
    assert [len(each["entity"]) for each in provenances] == [1, 2]


def test_t89_a_result_withdrawn_before_anything_was_said_leaves_no_trace(writing: World) -> None:
    writing.arrives(observation(status="entered-in-error"))
    assert writing.fhir.of("DetectedIssue") == []
    assert len(writing.records()) == 1


def test_where_answers_are_only_recorded_so_is_that_one_no_longer_stands(here: World) -> None:
    here.arrives(observation())
    here.arrives(observation(status="entered-in-error"))
    assert [row.said for row in here.evaluated()] == [True, False]
    assert {method for method, _path in here.fhir.calls} == {"GET"}


def test_a_deleted_result_is_taken_back(writing: World) -> None:
    writing.arrives(observation())
    del writing.fhir.resources["Observation/o1"]
    writing.notify("o1")
    writing.work()
    assert writing.only("DetectedIssue")["status"] == "entered-in-error"
    assert [row.said for row in writing.evaluated()] == [True, False]


def test_a_result_deleted_before_anything_was_said_leaves_nothing_at_all(writing: World) -> None:
    writing.notify("o1")
    writing.try_in_vain()
    assert writing.evaluated() == writing.records() == []
    assert {method for method, _path in writing.fhir.calls} == {"GET"}


def test_a_result_that_turns_out_to_be_of_another_test_is_taken_back(writing: World) -> None:
    writing.arrives(observation())
    other = {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}
    writing.arrives(observation(code=other))
    assert writing.only("DetectedIssue")["status"] == "entered-in-error"
    assert [row.version for row in writing.evaluated()] == ["1", "2"]
    evaluated, taken_back = writing.records()
    assert taken_back.patient == evaluated.patient, "it goes with all that is kept of the patient"


def test_a_preliminary_result_is_marked_so_and_replaced_by_the_final_one(writing: World) -> None:
    writing.arrives(observation(status="preliminary"))
    assert writing.only("DetectedIssue")["status"] == "preliminary"
    assert writing.only("GuidanceResponse")["status"] == "data-required"
    writing.arrives(observation(status="final"))
    assert writing.only("DetectedIssue")["status"] == "final"


def test_a_diagnostic_report_leads_to_its_results(writing: World) -> None:
    writing.fhir.put(observation("o1"))
    writing.fhir.put(observation("o2", value=4000))
    results = [{"reference": "Observation/o1"}, {"reference": "Observation/o2"}]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "d1",
        "status": "final",
        "code": {"text": "Panel"},
        "subject": {"reference": "Patient/p1"},
        "result": results,
    }
    writing.arrives(report)
    assert len(writing.fhir.of("DetectedIssue")) == 2

    writing.arrives({**report, "status": "entered-in-error"})
    statuses = [each["status"] for each in writing.fhir.of("DetectedIssue")]
    assert statuses == ["entered-in-error"] * 2


def test_a_report_whose_status_is_no_text_takes_nothing_back(writing: World) -> None:
    writing.fhir.put(observation("o1"))
    report = {"resourceType": "DiagnosticReport", "id": "d1", "status": {"text": "cancelled"}}
    writing.fhir.put({**report, "result": [{"reference": "Observation/o1"}]})
    writing.notify("o1")
    writing.work()
    assert writing.only("DetectedIssue")["status"] == "final"


def test_a_report_that_upholds_its_result_is_no_reason_to_say_it_again(writing: World) -> None:
    """Nor is one of two that was withdrawn, while the other stands."""
    upholds = {
        "resourceType": "DiagnosticReport",
        "id": "d1",
        "status": "final",
        "result": [{"reference": "Observation/o1"}],
    }
    writing.arrives(observation())
    writing.arrives(upholds)
    writing.arrives({**upholds, "id": "d2", "status": "cancelled"})
    assert [row.version for row in writing.evaluated()] == ["1"]
    assert writing.only("DetectedIssue")["status"] == "final"

    writing.arrives({**upholds, "status": "cancelled"})
    assert writing.only("DetectedIssue")["status"] == "entered-in-error"


def test_a_result_contained_in_a_report_is_evaluated_as_part_of_it(writing: World) -> None:
    inside = {**observation("inside"), "id": "a"}
    writing.arrives(
        {
            "resourceType": "DiagnosticReport",
            "id": "d1",
            "status": "final",
            "code": {"text": "Panel"},
            "subject": {"reference": "Patient/p1"},
            "contained": [inside],
            "result": [{"reference": "#a"}],
        }
    )
    assert writing.only("DetectedIssue")["implicated"] == [{"reference": "DiagnosticReport/d1"}]
