"""A report that arrives without its result takes the result from the chart, if it is there."""

from __future__ import annotations

from itertools import permutations

import pytest

from cds_service.core.elements import NoValue, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, InvalidResource, LabResult, PatientRecord
from cds_service.fhir.parts import MOST_READ
from tests.unit.fhir.given import (
    ANOTHER,
    BASE,
    FERRITIN,
    LEFT_OUT,
    RESOLVED,
    bundle,
    concept,
    entry,
    ferritin,
    observation,
    quantity,
    record,
    refs,
    report,
    specimen,
)

URN = "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11"
ELSEWHERE = "https://other.example.org/fhir"
NOT_SENT = NoValue("result-not-sent")


def arrived(*sent: JsonObject, known: JsonObject) -> PatientRecord:
    return record(bundle(*sent), sil2r=known)


def test_a_result_that_a_report_names_arrived_with_it() -> None:
    """The laboratory sent the report alone; the EHR had the Observation stored already."""
    older = observation(id="older", effectiveDateTime="2025-12-01")
    found = arrived(report(), known=bundle(observation(), older))
    assert refs(found.results) == ["Observation/obs-1"]
    assert refs(found.history) == ["Observation/older"]


def test_it_is_read_as_if_it_had_been_sent() -> None:
    known = observation(specimen={"reference": "Specimen/spec-1"}), specimen()
    (named,) = arrived(report(), known=bundle(*known)).results
    (sent,) = record(bundle(*known)).results
    assert named == sent
    assert isinstance(named, LabResult)
    assert named.specimen == RESOLVED


WITHDRAWN = pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])


@WITHDRAWN
def test_a_report_that_is_taken_back_takes_its_known_result_along(status: str) -> None:
    """The chart may still hold it as final. Whether anything is said of it is decided later."""
    found = arrived(report(status=status), known=bundle(observation()))
    (named,) = found.results
    assert isinstance(named, LabResult)
    assert (named.ref.resource, named.status) == ("Observation/obs-1", Status.ENTERED_IN_ERROR)
    assert found.history == ()


@WITHDRAWN
def test_what_a_report_takes_back_is_no_earlier_result_and_no_companion(status: str) -> None:
    named = [{"reference": f"Observation/{id_}"} for id_ in ("obs-1", "obs-2", "fer-1")]
    withdrawn = report(status=status, result=named)
    known = bundle(observation(id="obs-2"))
    found = record(bundle(withdrawn, observation()), sil2r=known, labs=bundle(ferritin()))
    everything = *found.results, *found.history, *found.companions
    assert {getattr(one, "status", None) for one in everything} == {Status.ENTERED_IN_ERROR}


@pytest.mark.parametrize("status", ["final", "preliminary"])
def test_a_report_stands_for_a_result_that_another_one_takes_back(status: str) -> None:
    """As if all had been sent together, wherever each of the two lies."""
    stands, withdrawn = report(status=status), report(id="rep-0", status="entered-in-error")
    for here, there in permutations([stands, withdrawn]):
        (named,) = arrived(here, known=bundle(observation(), there)).results
        assert isinstance(named, LabResult)
        assert named.status is Status.FINAL


@pytest.mark.parametrize(
    ("named", "full_url"),
    [
        (f"{BASE}/Observation/obs-1", ""),
        (f"{BASE}/Observation/obs-1/_history/2", f"{BASE}/Observation/obs-1"),
        ("Observation/obs-1", f"{BASE}/Observation/obs-1"),
        ("Observation/obs-1", f"{ELSEWHERE}/Observation/obs-1"),  # nothing says where the report is
        (URN, URN),
    ],
)
def test_it_is_found_by_each_kind_of_name(named: str, full_url: str) -> None:
    known = bundle(entry(observation(), full_url))
    found = arrived(report(result=[{"reference": named}]), known=known)
    assert refs(found.results) == ["Observation/obs-1"]


@pytest.mark.parametrize(
    ("named", "full_url"),
    [
        (f"{ELSEWHERE}/Observation/obs-1", ""),
        (f"{ELSEWHERE}/Observation/obs-1", f"{BASE}/Observation/obs-1"),
        ("Observation/obs-2", ""),
        ("Specimen/obs-1", ""),
        ("#obs-1", ""),
        (URN, ""),
    ],
)
def test_no_other_result_is_taken_for_it(named: str, full_url: str) -> None:
    known = bundle(entry(observation(), full_url))
    found = arrived(report(result=[{"reference": named}]), known=known)
    assert refs(found.results) == ["DiagnosticReport/rep-1"]
    assert refs(found.history) == ["Observation/obs-1"]


def test_a_report_on_one_server_does_not_name_the_result_on_another() -> None:
    sent = entry(report(), f"{BASE}/DiagnosticReport/rep-1")
    there = bundle(entry(observation(), f"{ELSEWHERE}/Observation/obs-1"))
    assert refs(arrived(sent, known=there).results) == ["DiagnosticReport/rep-1"]


@pytest.mark.parametrize(
    "changes", [{"result": LEFT_OUT}, {"result": [{"display": "sIL-2R"}]}, {"result": 5}]
)
def test_a_report_that_names_no_result_has_none_in_the_chart(changes: JsonObject) -> None:
    """What is there may be of last year."""
    found = arrived(report(**changes), known=bundle(observation()))
    assert [getattr(one, "value", None) for one in found.results] == [NOT_SENT]


@pytest.mark.parametrize("status", ["registered", "partial", "preliminary", "unknown"])
def test_a_report_in_the_making_brings_its_known_result_with_the_result_s_own_status(
    status: str,
) -> None:
    for own in (Status.FINAL, Status.PRELIMINARY):
        (named,) = arrived(report(status=status), known=bundle(observation(status=own))).results
        assert isinstance(named, LabResult)
        assert named.status is own


@pytest.mark.parametrize("code", [concept(*FERRITIN), {"text": "sIL-2R"}, LEFT_OUT])
def test_a_report_of_another_test_brings_nothing(code: object) -> None:
    """A summary of a stay names all that was ever found in it."""
    found = arrived(report(code=code), known=bundle(observation()))
    assert refs(found.results) == []
    assert refs(found.history) == ["Observation/obs-1"]


def test_where_one_of_its_results_was_sent_the_others_stay_in_the_history() -> None:
    named = [{"reference": "Observation/obs-1"}, {"reference": "Observation/obs-2"}]
    known = bundle(observation(id="obs-2"))
    found = arrived(report(result=named), observation(), known=known)
    assert refs(found.results) == ["Observation/obs-1"]
    assert refs(found.history) == ["Observation/obs-2"]


def test_a_result_of_another_test_is_not_the_one_that_is_waited_for() -> None:
    found = arrived(report(), known=bundle(observation(code=concept(*FERRITIN))))
    assert refs(found.results) == ["DiagnosticReport/rep-1"]


@pytest.mark.parametrize("whose", ["report", "result"])
def test_nothing_of_another_patient_is_taken(whose: str) -> None:
    sent = report(subject=ANOTHER) if whose == "report" else report()
    known = observation(subject=ANOTHER) if whose == "result" else observation()
    found = arrived(sent, known=bundle(known))
    assert refs(found.results) == ["DiagnosticReport/rep-1"]


def test_a_report_whose_result_is_nowhere_is_told_beside_one_whose_result_is_known() -> None:
    lost = report(id="rep-2", result=[{"reference": "Observation/obs-2"}])
    found = arrived(report(), lost, known=bundle(observation()))
    assert refs(found.results) == ["DiagnosticReport/rep-2", "Observation/obs-1"]


def test_a_companion_in_a_component_of_it_came_with_it() -> None:
    component = {"code": concept(*FERRITIN), "valueQuantity": quantity(900, "ng/mL")}
    found = arrived(report(), known=bundle(observation(component=[component])))
    assert [companion.codings[0].code for companion in found.companions] == [FERRITIN[1]]


@pytest.mark.parametrize("where", ["arrived", "known"])
def test_more_than_can_be_read_is_said_wherever_it_lies(where: str) -> None:
    ids = [f"o{number}" for number in range(MOST_READ + 1)]
    many = [observation(id=id_, valueQuantity=quantity(n)) for n, id_ in enumerate(ids)]
    named = [{"reference": f"Observation/{id_}"} for id_ in ids]
    if where == "known":
        found = arrived(report(result=named), known=bundle(*many))
    else:
        found = arrived(report(), *many, known=bundle(observation()))
    assert found.availability["results"] is Availability.PARTIAL


def test_one_that_cannot_be_read_is_told_once() -> None:
    broken = observation(effectiveDateTime="2026-02-30")
    found = arrived(report(), known=bundle(broken))
    (named,) = found.results
    assert isinstance(named, InvalidResource)
    assert named.where == "Observation.effectiveDateTime"
    assert found.unread == ()


def test_two_reports_of_one_result_bring_it_once() -> None:
    found = arrived(report(), report(id="rep-2"), known=bundle(observation()))
    assert refs(found.results) == ["Observation/obs-1"]


def test_an_opened_chart_interprets_each_of_its_results_once() -> None:
    chart = bundle(report(), observation())
    found = record(chart, sil2r=chart)
    assert refs(found.results) == ["Observation/obs-1"]
    assert found.availability["sil2r"] is Availability.GIVEN
