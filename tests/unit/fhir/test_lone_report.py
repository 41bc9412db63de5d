"""A report of the analyte whose result did not come along is told, once it was looked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from cds_service.core.elements import Coding, Moment, NoValue, ResourceRef, SpecimenLink, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, Subject
from tests.unit.fhir import given
from tests.unit.fhir.given import (
    BASE,
    FERRITIN,
    LEFT_OUT,
    LOINC,
    SIL2R,
    WANTED,
    bundle,
    concept,
    entry,
    observation,
    patient,
    record,
    refs,
    resource,
    specimen,
)


def report(**changes: Any) -> JsonObject:
    """A final report that names a result with an id that is not in the Bundle."""
    return given.report(**{"result": [{"reference": "Observation/elsewhere"}], **changes})


def lone(*resources: JsonObject) -> list[LabResult | InvalidResource]:
    """What was read of reports."""
    results = record(bundle(*resources)).results
    return [found for found in results if found.ref.resource == "DiagnosticReport/rep-1"]


def the_lone(*resources: JsonObject) -> LabResult:
    (found,) = lone(*resources)
    assert isinstance(found, LabResult), found
    return found


def test_a_report_without_its_result_is_a_result_without_a_value() -> None:
    found = the_lone(report())
    assert found.ref == ResourceRef("DiagnosticReport/rep-1")
    assert found.codings == (Coding(*SIL2R),)
    assert found.value == NoValue("result-not-sent")
    assert (found.status, found.subject) == (Status.FINAL, Subject.THIS_PATIENT)
    assert isinstance(found.collected, Moment)


def test_a_report_that_names_no_result_at_all_is_told_too() -> None:
    assert the_lone(report(result=LEFT_OUT, conclusion="sIL-2R 5230 U/mL")).value == NoValue(
        "result-not-sent"
    )


@pytest.mark.parametrize(
    "named",
    [
        "Observation/obs-1",
        "Observation/obs-1/_history/2",
        f"{BASE}/Observation/obs-1",
        "https://another.example.org/Observation/obs-1",
    ],
)
def test_a_report_whose_result_came_along_is_left_to_its_result(named: str) -> None:
    assert lone(report(result=[{"reference": named}]), observation()) == []


def test_a_result_is_found_by_its_full_url() -> None:
    urn = "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11"
    assert lone(report(result=[{"reference": urn}]), entry(observation(), urn)) == []


def test_a_contained_result_came_along() -> None:
    inside = report(contained=[observation(id="a")], result=[{"reference": "#a"}])
    assert lone(inside) == []


@pytest.mark.parametrize("id_", ["rep-1", LEFT_OUT])
def test_a_report_that_came_twice_has_its_contained_result_both_times(id_: object) -> None:
    """The result itself is one; neither copy of its report is told to have come without it."""
    one = report(id=id_, contained=[observation(id="a")], result=[{"reference": "#a"}])
    outer = "DiagnosticReport/rep-1" if id_ == "rep-1" else "DiagnosticReport"
    assert refs(record(bundle(one, dict(one))).results) == [f"{outer}#a"]


def test_what_is_contained_in_it_and_of_another_test_is_not_its_result() -> None:
    """A comment coded as an Observation lies inside; the value itself was not sent."""
    comment = observation(id="a", code=concept(LOINC, "8251-1"))
    inside = report(contained=[comment], result=[{"reference": "#a"}])
    assert len(lone(inside, observation(id="older"))) == 1


def test_in_doubt_a_panel_with_a_component_of_the_analyte_is_its_result() -> None:
    component = {"code": concept(*SIL2R), "valueQuantity": {"value": 5200, "unit": "U/mL"}}
    panel = observation(code=concept(LOINC, "1-8"), valueQuantity=LEFT_OUT, component=[component])
    assert lone(report(result=LEFT_OUT), panel) == []


def test_in_doubt_a_result_without_a_name_is_the_one_that_the_report_names() -> None:
    assert lone(report(), observation(id=LEFT_OUT)) == []
    urn = report(result=[{"reference": "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11"}])
    assert lone(urn, observation()) == []


@pytest.mark.parametrize("result", [LEFT_OUT, [{"identifier": {"value": "7"}}], [{"display": "x"}]])
def test_in_doubt_a_result_beside_the_report_is_its_result(result: object) -> None:
    assert lone(report(result=result), observation()) == []


def test_a_result_of_another_test_does_not_stand_for_it() -> None:
    ferritin = observation(id="ferritin", code=concept(*FERRITIN))
    named = [{"reference": "Observation/ferritin"}, {"reference": "Observation/elsewhere"}]
    assert len(lone(report(result=named), ferritin)) == 1


def test_another_result_of_the_analyte_does_not_stand_for_it() -> None:
    assert len(lone(report(), observation(id="older"))) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [("amended", Status.AMENDED), ("corrected", Status.CORRECTED), ("appended", Status.AMENDED)],
)
def test_an_issued_report_has_the_status_of_an_issued_result(status: str, expected: Status) -> None:
    assert the_lone(report(status=status)).status is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "registered"},
        {"status": "partial"},
        {"status": "preliminary"},
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"status": "unknown"},
        {"status": ["final"]},
        {"code": concept(*FERRITIN)},
        {"code": {"text": "sIL-2R"}},
        {"code": LEFT_OUT},
    ],
)
def test_a_report_in_the_making_taken_back_or_of_another_test_is_not_waited_for(
    changes: JsonObject,
) -> None:
    assert lone(report(**changes)) == []


URN = "urn:uuid:7f3a52c0-5a0e-4b3c-9a5e-3d1f1c2b7e10"


@pytest.mark.parametrize("reference", ["Patient/pat-2", URN])
@pytest.mark.parametrize("changes", [{}, {"issued": "2026"}], ids=["valid", "with a date unread"])
def test_a_report_of_another_patient_is_told_as_that_patient_s(
    reference: str, changes: JsonObject
) -> None:
    """Even where it is not valid: that would be told as a fault in this patient's record."""
    other = entry(patient(id="pat-2"), URN)
    found = the_lone(report(subject={"reference": reference}, **changes), other)
    assert (found.subject, found.value) == (Subject.ANOTHER_PATIENT, NoValue("result-not-sent"))


def test_the_specimens_of_a_report_are_followed() -> None:
    named = [{"reference": "Specimen/spec-1"}]
    found = the_lone(report(specimen=named), specimen())
    assert found.specimen.link is SpecimenLink.RESOLVED
    assert the_lone(report(specimen=named)).specimen.link is SpecimenLink.UNRESOLVED


def test_the_day_of_its_specimen_stands_in_for_that_of_a_report() -> None:
    drawn = specimen(collection={"collectedDateTime": "2026-02-27"})
    for own, told in ((LEFT_OUT, "2026-02-27"), ("2026-03-01", "2026-03-01")):
        named = report(specimen=[{"reference": "Specimen/spec-1"}], effectiveDateTime=own)
        collected = the_lone(named, drawn).collected
        assert isinstance(collected, Moment)
        assert collected.text == told


def test_the_codes_of_all_specimens_of_a_report_are_told() -> None:
    """Serum and CSF drawn together: neither may pass for the specimen of the result."""
    serum = specimen(id="spec-2", type=concept("http://snomed.info/sct", "119364003"))
    named = [{"reference": "Specimen/spec-1"}, {"reference": "Specimen/spec-2"}]
    for order in (named, named[::-1], [*named, named[0]]):
        found = the_lone(report(specimen=order), specimen(), serum).specimen
        assert sorted(coding.code for coding in found.codings) == ["119364003", "258450006"]


def test_where_a_report_names_more_than_a_hundred_specimens_none_is_looked_up() -> None:
    named = [{"reference": "Specimen/spec-1"}] * 100
    many = the_lone(report(specimen=named), specimen())
    assert many.specimen.link is SpecimenLink.RESOLVED
    too_many = the_lone(report(specimen=[*named, *named[:1]]), specimen())
    assert too_many.specimen.link is SpecimenLink.UNRESOLVED


@pytest.mark.parametrize(
    ("other", "link"),
    [
        ({}, SpecimenLink.RESOLVED),
        ({"status": "unsatisfactory"}, SpecimenLink.UNSATISFACTORY),
        ({"status": "entered-in-error"}, SpecimenLink.ENTERED_IN_ERROR),
        ({"subject": {"reference": "Patient/pat-2"}}, SpecimenLink.OF_ANOTHER_PATIENT),
    ],
)
def test_of_several_specimens_of_a_report_the_gravest_that_holds_for_one_is_told(
    other: JsonObject, link: SpecimenLink
) -> None:
    named = [{"reference": "Specimen/spec-1"}, {"reference": "Specimen/spec-2"}]
    found = the_lone(report(specimen=named), specimen(), specimen(id="spec-2", **other))
    assert found.specimen.link is link


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"effectiveDateTime": "2026-02-30"}, "DiagnosticReport.effectiveDateTime"),
        ({"issued": "2026"}, "DiagnosticReport.issued"),
    ],
)
def test_a_report_whose_dates_cannot_be_says_where(changes: JsonObject, where: str) -> None:
    (found,) = lone(report(**changes))
    assert isinstance(found, InvalidResource)
    assert (found.where, found.codings) == (where, (Coding(*SIL2R),))


CELLS = (LOINC, "8121-6")
"""Cells with the receptor: a look-alike, of which no card tells."""


@pytest.mark.parametrize("named", [LEFT_OUT, [{"display": "sIL-2R"}]], ids=["none", "in words"])
def test_a_look_alike_is_not_taken_for_the_result_of_a_report(named: object) -> None:
    """Beside a count of cells a raised result that had not come along was told by nobody."""
    wanted = replace(WANTED, analyte=WANTED.analyte | {CELLS})
    cells = observation(id="cells", code=concept(*CELLS))
    sent = bundle(report(result=named), cells)
    assert refs(record(sent, wanted=wanted).results) == [
        "Observation/cells",
        "DiagnosticReport/rep-1",
    ]


def test_a_look_alike_that_a_report_names_came_along() -> None:
    """Of that a card of its own tells, if any does."""
    wanted = replace(WANTED, analyte=WANTED.analyte | {CELLS})
    cells = observation(id="elsewhere", code=concept(*CELLS))
    sent = bundle(report(), cells)
    assert refs(record(sent, wanted=wanted).results) == ["Observation/elsewhere"]


def test_what_cannot_be_read_stands_for_a_report_only_if_it_may_be_this_patient_s() -> None:
    """Of another patient's no card tells: beside it the answer was an empty list."""
    ours = observation(id="o", code=5)
    theirs = ours | {"subject": {"reference": "Patient/pat-2"}}
    assert not lone(report(result=LEFT_OUT), ours)
    assert lone(report(result=LEFT_OUT), theirs)


HERE, THERE = BASE, "https://other.example.org/fhir"


@pytest.mark.parametrize(
    ("report_at", "named", "result_at", "is_alone"),
    [
        (HERE, "Observation/obs-1", HERE, False),
        (HERE, "Observation/obs-1", THERE, True),
        (HERE, f"{THERE}/Observation/obs-1", THERE, False),
        (HERE, f"{THERE}/Observation/obs-1", HERE, True),
        ("", f"{THERE}/Observation/obs-1", HERE, True),
        ("", "Observation/obs-1", THERE, False),
    ],
)
def test_the_result_of_another_server_did_not_come_with_the_report(
    report_at: str, named: str, result_at: str, is_alone: bool
) -> None:
    """Two servers give the same ids: beside the other's result the report was passed over."""
    url = report_at and f"{report_at}/DiagnosticReport/rep-1"
    own = entry(report(result=[{"reference": named}]), url)
    assert bool(lone(own, entry(observation(), f"{result_at}/Observation/obs-1"))) is is_alone


def test_a_result_without_an_id_bears_the_one_of_its_address() -> None:
    unnamed = observation(id=LEFT_OUT)
    assert lone(report(), entry(unnamed, f"{BASE}/Observation/another"))
    assert not lone(report(), entry(unnamed, f"{BASE}/Observation/elsewhere"))


def test_an_address_is_the_same_in_every_spelling_of_its_server() -> None:
    spellings = "https://ehr.example.org/fhir", "https://EHR.example.org:443/fhir"
    for here, there in permutations(spellings):
        named = report(result=[{"reference": f"{here}/Observation/moved"}])
        assert not lone(named, entry(observation(), f"{there}/Observation/moved"))


@pytest.mark.parametrize("inner", ["elsewhere", LEFT_OUT], ids=["of the same id", "without one"])
def test_what_another_resource_contains_is_not_the_result_that_a_report_names(
    inner: object,
) -> None:
    """It can be named by its container alone (https://hl7.org/fhir/R4/references.html#contained)."""
    other = resource("ServiceRequest", id="order", contained=[observation(id=inner)])
    assert lone(report(), other)
    assert lone(report(result=[{"reference": URN}]), other)
