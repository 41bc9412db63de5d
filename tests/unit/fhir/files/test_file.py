"""A file on the command line names its own patient, or is refused."""

from __future__ import annotations

import pytest

from cds_service.core.elements import Moment
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, LabResult, Patient, PatientRecord, Subject
from cds_service.errors import InputError
from cds_service.fhir.files.file import FileInput, read_file
from cds_service.fhir.read import read_record
from tests.unit.fhir.given import (
    FERRITIN,
    LEFT_OUT,
    WANTED,
    bundle,
    concept,
    entry,
    ferritin,
    observation,
    patient,
    quantity,
    resource,
)


def read(document: JsonObject) -> FileInput:
    return read_file(document, WANTED)


def the_record(document: JsonObject) -> PatientRecord:
    found = read(document)
    return read_record(
        patient_id=found.patient_id,
        fhir_base="",
        results=found.results,
        parts=found.parts,
        wanted=WANTED,
    )


def owners(document: JsonObject) -> list[Subject]:
    return [r.subject for r in the_record(document).results if isinstance(r, LabResult)]


def test_a_bare_observation_names_its_patient() -> None:
    assert read(observation()).patient_id == "pat-1"
    assert owners(observation()) == [Subject.THIS_PATIENT]


def test_a_bare_observation_without_a_subject_names_nobody() -> None:
    assert read(observation(subject=LEFT_OUT)).patient_id == ""
    assert owners(observation(subject=LEFT_OUT)) == [Subject.NOT_NAMED]


def test_a_report_with_contained_results_is_read() -> None:
    report = resource(
        "DiagnosticReport",
        id="rep-1",
        status="final",
        subject={"reference": "Patient/pat-1"},
        contained=[observation(id="o", subject=LEFT_OUT)],
        result=[{"reference": "#o"}],
    )
    assert read(report).patient_id == "pat-1"
    assert owners(report) == [Subject.THIS_PATIENT]


def test_a_contained_result_may_name_the_patient_that_its_report_does_not() -> None:
    report = resource("DiagnosticReport", id="rep-1", status="final", contained=[observation()])
    assert read(report).patient_id == "pat-1"


def test_a_bundle_gives_every_part_it_holds_and_the_others_are_missing() -> None:
    whole = bundle(
        patient(),
        observation(),
        observation(id="fer-1", code=concept(*FERRITIN), valueQuantity=quantity(900, "ng/mL")),
        resource("Condition", id="c", subject={"reference": "Patient/pat-1"}),
    )
    found = the_record(whole)
    assert isinstance(found.patient, Patient)
    assert len(found.results) == len(found.companions) == 1
    assert found.availability == {
        "results": Availability.GIVEN,
        "patient": Availability.GIVEN,
        "sil2r": Availability.MISSING,
        "labs": Availability.GIVEN,
        "conditions": Availability.GIVEN,
        "medications": Availability.MISSING,
    }


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("Condition", "conditions"),
        ("Procedure", "conditions"),
        ("MedicationRequest", "medications"),
        ("MedicationStatement", "medications"),
    ],
)
def test_what_a_file_holds_besides_results_is_read_with_them(kind: str, part: str) -> None:
    parts = read(bundle(observation(), resource(kind, id="r"))).parts
    given = {name for name, each in parts.items() if each.availability is Availability.GIVEN}
    assert given == {part}


def test_a_page_of_a_search_says_that_more_may_exist() -> None:
    page = bundle(observation(), type="searchset", link=[{"relation": "next", "url": "x:y"}])
    assert the_record(page).availability["sil2r"] is Availability.PARTIAL


def test_the_one_patient_of_a_bundle_is_meant_and_others_results_are_marked() -> None:
    two = bundle(patient(), observation(), observation(id="o2", subject={"reference": "Patient/z"}))
    assert owners(two) == [Subject.THIS_PATIENT, Subject.ANOTHER_PATIENT]


def test_without_one_patient_the_newest_result_names_the_patient_meant() -> None:
    older = observation(id="o2", subject={"reference": "Patient/z"}, effectiveDateTime="2025")
    both = bundle(older, observation(), patient(), patient(id="z"))
    assert read(both).patient_id == "pat-1"
    assert isinstance(the_record(both).patient, Patient)
    assert owners(both) == [Subject.ANOTHER_PATIENT, Subject.THIS_PATIENT]


def test_the_newest_result_is_told_by_the_first_date_of_it_that_can_be_read() -> None:
    newest = observation(effectiveDateTime="yesterday", issued="2026-03-01T09:00:00Z")
    older = observation(id="o2", subject={"reference": "Patient/z"}, effectiveDateTime="2025")
    for both in (bundle(newest, older), bundle(older, newest)):
        assert read(both).patient_id == "pat-1"


def test_of_two_patients_with_results_of_one_time_neither_is_taken_for_the_one_meant() -> None:
    one, other = observation(), observation(id="o2", subject={"reference": "Patient/z"})
    for both in (bundle(one, other), bundle(other, one)):
        with pytest.raises(InputError, match="several patients"):
            read(both)
    of_nobody = observation(id="o2", subject=LEFT_OUT)
    for both in (bundle(one, of_nobody), bundle(of_nobody, one)):
        assert read(both).patient_id == "pat-1"


def test_a_patient_who_stands_in_a_file_twice_is_one() -> None:
    """As in files that were joined."""
    older = patient(meta={"versionId": "1"}, birthDate="1900-01-01")
    for several in ([patient(), patient()], [patient(meta={"versionId": "2"}), older]):
        found = the_record(bundle(observation(), *several, ferritin())).patient
        assert isinstance(found, Patient)
        assert isinstance(found.birth, Moment)
        assert found.birth.text == "1961-07-14"


def test_the_date_of_a_result_may_be_a_period_an_issue_or_nothing() -> None:
    spans = bundle(
        observation(id="a", subject={"reference": "Patient/a"}, effectiveDateTime=LEFT_OUT),
        observation(
            id="b",
            subject={"reference": "Patient/b"},
            effectiveDateTime=LEFT_OUT,
            effectivePeriod={"start": "2026-01-01"},
        ),
        observation(
            id="c",
            subject={"reference": "Patient/c"},
            effectiveDateTime=LEFT_OUT,
            issued="2026-01-02T00:00:00Z",
        ),
    )
    assert read(spans).patient_id == "c"


def test_a_urn_leads_to_the_patient_of_the_bundle() -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    whole = bundle(entry(patient(), urn), patient(id="z"), observation(subject={"reference": urn}))
    assert read(whole).patient_id == "pat-1"
    alone = bundle(observation(subject={"reference": urn}))
    assert owners(alone) == [Subject.THIS_PATIENT]


def test_a_urn_that_leads_to_nobody_is_the_id_that_stands_in_it() -> None:
    name = "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    sent = observation(subject={"reference": f"urn:uuid:{name}"})
    assert read(sent).patient_id == name
    assert owners(sent) == [Subject.THIS_PATIENT]


def test_a_patient_without_an_id_owns_the_file() -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    whole = bundle(entry(patient(id=LEFT_OUT), urn), observation(subject={"reference": urn}))
    assert owners(whole) == [Subject.THIS_PATIENT]
    assert isinstance(the_record(whole).patient, Patient)


def by_identifier(value: str, system: str = "urn:oid:2.999.3") -> JsonObject:
    return {"subject": {"identifier": {"system": system, "value": value}}}


def by_contained(birth: str) -> JsonObject:
    return {"subject": {"reference": "#p"}, "contained": [patient(id="p", birthDate=birth)]}


A_GROUP = {"subject": {"reference": "Group/a"}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A_GROUP, {"subject": {"reference": "Group/b"}}),
        (by_identifier("4711"), by_identifier("4712")),
        (by_contained("2020"), by_contained("1950")),
    ],
    ids=["by references", "by identifiers", "by Patients inside"],
)
def test_results_of_several_people_with_nobody_meant_are_refused(
    one: JsonObject, other: JsonObject
) -> None:
    """The value of the one would stand beside the values, the age or the drugs of the other."""
    ours, theirs = observation(**one), {"id": "r2", **other}
    ferritin = observation(code=concept(*FERRITIN), **theirs)
    for beside in (
        observation(**theirs),
        ferritin,
        resource("Condition", **theirs),
        resource("MedicationRequest", **theirs),
    ):
        with pytest.raises(InputError, match="several patients") as refusal:
            read(bundle(ours, beside))
        assert refusal.value.where == "Observation.subject"
        assert refusal.value.remedy == "Give one file for each patient."
    assert read(bundle(ferritin, resource("Condition", **one))).patient_id == "", "no result"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A_GROUP, A_GROUP),
        (A_GROUP, {"subject": LEFT_OUT}),
        (A_GROUP, by_identifier("4711")),
        (by_identifier("4711"), by_identifier("4711")),
        (by_identifier("4711"), by_identifier("12", system="urn:oid:2.999.4")),
        (by_contained("2020"), by_contained("2020")),
        ({"subject": {"display": "A. B."}}, {"subject": {"display": "B., A."}}),
    ],
)
def test_who_is_not_told_apart_may_be_one_person(one: JsonObject, other: JsonObject) -> None:
    assert read(bundle(observation(**one), observation(id="o2", **other))).patient_id == ""


def test_a_bundle_with_an_error_inside_has_failed_parts() -> None:
    failed = resource("OperationOutcome", issue=[{"severity": "error", "code": "exception"}])
    found = the_record(bundle(observation(), failed))
    assert found.availability["conditions"] is Availability.FAILED
    assert len(found.results) == 1


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "resourceType"),
        ({"hook": "patient-view"}, "resourceType"),
        (patient(), "resourceType"),
        (resource("OperationOutcome"), "resourceType"),
        (resource("Bundle", entry={}), "Bundle.entry"),
        ({"resourceType": ["Observation"]}, "resourceType"),
    ],
)
def test_any_other_file_is_refused_without_repeating_it(document: JsonObject, where: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(document)
    assert refusal.value.where == where
    assert refusal.value.remedy.startswith("Give ")
    assert "pat-1" not in refusal.value.one_line()
