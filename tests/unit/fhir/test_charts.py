"""An export of many patients, sorted into charts: whose, when, and beside what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from cds_service.core.model import Availability, LabResult, Status
from cds_service.fhir.charts import UNDATED, Arrival, Charts
from cds_service.fhir.wanted import wanted_by
from tests.packaged import SIL2R

WANTED = wanted_by(SIL2R)
SIL2R_CODE, FERRITIN, SODIUM = "9654-5", "2276-4", "2951-2"

Json = dict[str, Any]


def observation(id_: str, day: str = "", code: str = SIL2R_CODE, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/a"},
        "valueQuantity": {"value": 612, "unit": "U/mL"},
        **({"effectiveDateTime": day} if day else {}),
        **more,
    }


def of(patient: str) -> Json:
    return {"subject": {"reference": f"Patient/{patient}"}}


def condition(id_: str, recorded: str) -> Json:
    return {"resourceType": "Condition", "id": id_, "recordedDate": recorded, **of("a")}


def bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def charts_of(*documents: Json) -> list[Sequence[Arrival]]:
    charts = Charts([WANTED])
    for document in documents:
        charts.look(document)
    for document in documents:
        charts.take(document)
    found = list(charts.arrivals())
    assert len(found) == len(charts)
    return found


def ids(document: Json) -> list[str]:
    return [entry["resource"]["id"] for entry in document["entry"]]


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


def test_in_a_bundle_of_one_patient_what_names_nobody_is_theirs() -> None:
    unnamed = observation("x", "2026-01-05")
    del unnamed["subject"]
    ((arrival,),) = charts_of(bundle({"resourceType": "Patient", "id": "a"}, unnamed))
    assert arrival.patient_id == "a"
    assert arrival.parts["patient"].availability is Availability.GIVEN


def test_the_same_result_in_two_files_is_one() -> None:
    twice = observation("x", "2026-01-05")
    ((arrival,),) = charts_of(twice, bundle(twice))
    assert arrival.count == 1


def test_what_a_result_points_at_comes_with_it_and_nothing_else_of_its_kind() -> None:
    ((arrival,),) = charts_of(
        observation("x", "2026-01-05", specimen={"reference": "Specimen/csf"}),
        {"resourceType": "Specimen", "id": "csf", **of("a")},
        {"resourceType": "Specimen", "id": "other", **of("a")},
    )
    assert ids(arrival.results) == ["x", "csf"]


def report(id_: str, *results: str, **more: Any) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": SIL2R_CODE}]},
        "result": [{"reference": f"Observation/{name}"} for name in results],
        "issued": "2026-01-20T08:00:00Z",
        **of("a"),
        **more,
    }


def test_a_report_goes_with_the_result_that_it_names_and_may_take_it_back() -> None:
    ((arrival,),) = charts_of(
        observation("x", "2026-01-05"), report("r", "x", status="entered-in-error")
    )
    assert ids(arrival.results) == ["x", "r"]
    (result,) = arrival.record(WANTED).results
    assert isinstance(result, LabResult)
    assert result.status is Status.ENTERED_IN_ERROR


def test_a_report_whose_result_is_not_in_the_export_arrives_alone() -> None:
    ((arrival,),) = charts_of(report("r", "not-here"))
    assert (arrival.day, ids(arrival.results)) == (date(2026, 1, 20), ["r"])
    assert len(arrival.record(WANTED).results) == 1, "it is told that there is one"


def test_a_result_inside_its_report_arrives_with_it() -> None:
    inner = observation("inner", "2026-01-05")
    del inner["subject"]
    ((arrival,),) = charts_of(report("r", contained=[inner], result=[{"reference": "#inner"}]))
    assert arrival.record(WANTED).results
    assert arrival.count == 1
