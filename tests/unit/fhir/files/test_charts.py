"""An export of many patients, sorted into charts: what arrives when, and beside what."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.core.elements import Moment, Status
from cds_service.core.model import Availability, LabResult, Patient
from cds_service.fhir.files.exported import UNDATED
from tests.unit.fhir.files.exporting import (
    FERRITIN,
    SIL2R_CODE,
    SODIUM,
    WANTED,
    Json,
    bundle,
    charts_of,
    condition,
    ids,
    observation,
    of,
    report,
    transaction,
)


def test_each_patient_with_a_result_has_a_chart_and_nobody_else_has() -> None:
    charts = charts_of(
        observation("of-a", "2026-01-05"),
        observation("of-b", "2026-01-05", **of("b")),
        observation("sodium-of-c", "2026-01-05", SODIUM, **of("c")),
    )
    assert [[each.patient_id for each in chart] for chart in charts] == [["a"], ["b"]]


def test_results_of_one_day_arrive_together_and_those_before_are_history() -> None:
    (chart,) = charts_of(
        observation("late", "2026-02-01"),
        observation("first", "2026-01-05"),
        observation("second", "2026-01-05T08:00:00+01:00"),
    )
    first, late = chart
    assert (first.day, ids(first.results), ids(first.history)) == (
        date(2026, 1, 5),
        ["first", "second"],
        [],
    )
    assert (late.count, ids(late.results)) == (1, ["late"])
    assert ids(late.history) == ["first", "second"]


def test_a_result_arrives_when_it_is_issued_not_when_it_was_drawn() -> None:
    issued = observation("a", "2026-01-05", issued="2026-01-09T08:00:00Z")
    ((arrival,),) = charts_of(issued)
    assert arrival.day == date(2026, 1, 9)


def test_what_became_known_later_does_not_stand_beside_a_result() -> None:
    (chart,) = charts_of(
        observation("early", "2026-01-05"),
        observation("late", "2026-03-05"),
        observation("ferritin", "2026-02-01", FERRITIN),
        condition("known", "2026-01-01"),
        condition("found", "2026-02-01"),
        condition("of-no-day", ""),
    )
    early, late = (
        {name: ids(part.resource) for name, part in each.parts.items() if part.resource}
        for each in chart
    )
    assert early == {"conditions": ["known", "of-no-day"]}
    assert late == {"labs": ["ferritin"], "conditions": ["known", "found", "of-no-day"]}


def test_what_the_export_holds_of_nobody_was_not_supplied_and_is_not_taken_for_nothing() -> None:
    ((arrival,),) = charts_of(
        observation("a", "2026-01-05"), {**condition("of-b", "2026-01-01"), **of("b")}
    )
    states = {name: part.availability for name, part in arrival.parts.items()}
    assert states == {
        "patient": Availability.MISSING,
        "labs": Availability.MISSING,
        "conditions": Availability.EMPTY,
        "medications": Availability.MISSING,
    }


def test_a_result_without_a_day_is_evaluated_beside_all_there_is() -> None:
    ((arrival,),) = charts_of(
        observation("undated"), observation("ferritin", "2026-02-01", FERRITIN)
    )
    assert arrival.day == UNDATED
    assert ids(arrival.parts["labs"].resource) == ["ferritin"]


def test_results_of_nobody_are_each_a_chart_of_their_own() -> None:
    nobody: Json = {"subject": {}}
    charts = charts_of(
        observation("x", "2026-01-05", **nobody),
        observation("y", "2026-01-05", **nobody),
        observation("ferritin", "2026-01-05", FERRITIN, **nobody),
    )
    assert [ids(each.results) for chart in charts for each in chart] == [["x"], ["y"]]


def test_what_is_no_result_and_names_nobody_has_no_chart() -> None:
    nameless = {**condition("x", "2026-01-05"), "subject": {}}
    assert charts_of(nameless, observation("f", "2026-01-05", FERRITIN, subject={})) == []


def test_a_first_result_has_a_history_that_was_looked_for_and_is_empty() -> None:
    ((arrival,),) = charts_of(observation("x", "2026-01-05"))
    assert arrival.record(WANTED).availability[WANTED.part] is Availability.EMPTY


def test_a_result_of_nobody_in_two_files_is_one_where_its_id_says_so() -> None:
    nobody: Json = {"subject": {}}
    twice = observation("x", "2026-01-05", **nobody)
    assert len(charts_of(twice, bundle(twice))) == 1
    assert len(charts_of(twice, observation("x", "2026-01-06", **nobody))) == 2
    without_id = {name: value for name, value in twice.items() if name != "id"}
    assert len(charts_of(without_id, without_id)) == 2


def test_the_same_result_in_two_files_is_one() -> None:
    twice = observation("x", "2026-01-05")
    ((arrival,),) = charts_of(twice, bundle(twice), transaction(x=twice))
    assert arrival.count == 1
    missing = report("r", "not-here")
    ((arrival,),) = charts_of(missing, bundle(missing))
    assert arrival.count == 1


def born_in(year: str, version: str = "") -> Json:
    meta = {"meta": {"versionId": version}} if version else {}
    return {"resourceType": "Patient", "id": "a", "birthDate": year, **meta}


@pytest.mark.parametrize(
    ("patients", "birth"),
    [
        ([born_in("1970", "2"), born_in("1907", "1")], "1970"),
        ([born_in("1907", "1"), born_in("1970", "2")], "1970"),
        ([born_in("1970"), born_in("1970")], "1970"),
        ([born_in("1970"), born_in("1907")], ""),
    ],
)
def test_of_several_versions_of_a_patient_the_newest_counts_if_it_can_be_told(
    patients: list[Json], birth: str
) -> None:
    ((arrival,),) = charts_of(*patients, observation("x", "2026-01-05"))
    record = arrival.record(WANTED)
    if birth:
        assert isinstance(record.patient, Patient)
        assert isinstance(record.patient.birth, Moment)
        assert record.patient.birth.text == birth
    else:
        assert record.availability["patient"] is Availability.FAILED


def test_two_versions_are_one_result_and_two_results_in_one_report_are_two() -> None:
    ((arrival,),) = charts_of(
        observation("x", "2026-01-05", status="preliminary"), observation("x", "2026-01-05")
    )
    assert arrival.count == 1
    inner = [observation(name, "2026-01-05") for name in "xy"]
    beside = observation("f", "2026-01-05", FERRITIN)
    ((arrival,),) = charts_of(report("r", contained=[*inner, beside]))
    assert arrival.count == 2


def status_beside(*reports: Json) -> Status:
    ((arrival,),) = charts_of(observation("x", "2026-01-05"), *reports)
    (result,) = arrival.record(WANTED).results
    assert isinstance(result, LabResult)
    return result.status


def test_a_report_goes_with_the_result_that_it_names_and_may_take_it_back() -> None:
    taken_back: Json = {"status": "entered-in-error", "issued": "2026-01-05T18:00:00Z"}
    standing = report("s", "x", issued="2026-01-05T09:00:00Z")
    assert status_beside(report("r", "x", **taken_back)) is Status.ENTERED_IN_ERROR
    assert status_beside(report("r", "x", **taken_back), standing) is Status.FINAL


def test_a_report_of_a_panel_may_take_back_a_result_that_it_names() -> None:
    panel = {"code": {"text": "panel"}, "issued": "2026-01-05T18:00:00Z"}
    taken_back = status_beside(report("r", "x", **panel, status="entered-in-error"))
    assert taken_back is Status.ENTERED_IN_ERROR


def test_a_report_takes_nothing_back_before_its_day() -> None:
    assert status_beside(report("r", "x", status="entered-in-error")) is Status.FINAL


def test_a_report_that_holds_another_result_takes_back_the_one_that_it_names_too() -> None:
    for code in (FERRITIN, SIL2R_CODE):
        inner = observation("inner", "2026-01-05", code)
        ((arrival,),) = charts_of(
            observation("x", "2026-01-05"),
            report(
                "r",
                "x",
                contained=[inner],
                status="entered-in-error",
                issued="2026-01-05T18:00:00Z",
            ),
        )
        results = arrival.record(WANTED).results
        assert all(isinstance(result, LabResult) for result in results)
        assert {result.status for result in results if isinstance(result, LabResult)} == {
            Status.ENTERED_IN_ERROR
        }


def test_a_report_whose_result_is_not_in_the_export_arrives_alone() -> None:
    ((arrival,),) = charts_of(report("r", "not-here"))
    assert (arrival.day, ids(arrival.results)) == (date(2026, 1, 20), ["r"])
    assert len(arrival.record(WANTED).results) == 1, "it is told that there is one"


def test_a_report_of_another_test_is_no_arrival() -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": FERRITIN}]}
    ((arrival,),) = charts_of(
        observation("x", "2026-01-05"), report("r", "not-here", code=code, issued="2026-01-01")
    )
    assert ids(arrival.results) == ["x"]


def test_a_report_that_arrived_alone_does_not_come_again_with_a_later_result() -> None:
    ((alone, late),) = charts_of(report("r", "not-here"), observation("x", "2026-02-05"))
    assert (ids(alone.results), ids(late.results)) == (["r"], ["x"])


def test_a_report_without_an_id_that_holds_its_result_arrives_once() -> None:
    nameless = report("", contained=[observation("inner", "2026-01-05")])
    del nameless["id"]
    ((arrival,),) = charts_of(nameless)
    assert arrival.count == 1


def test_a_result_inside_its_report_arrives_with_it() -> None:
    inner = observation("inner", "2026-01-05")
    del inner["subject"]
    ((arrival,),) = charts_of(report("r", contained=[inner], result=[{"reference": "#inner"}]))
    assert arrival.record(WANTED).results
    assert arrival.count == 1


def test_a_blood_count_in_one_observation_belongs_to_the_laboratory_part() -> None:
    platelets = {"code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]}}
    count = observation("cbc", "2026-03-01", "58410-2", component=[platelets])
    ((arrived,),) = charts_of(bundle(observation("o1", "2026-03-01"), count))
    assert ids(arrived.parts["labs"].resource) == ["cbc"]
    assert arrived.parts["labs"].availability is Availability.GIVEN
