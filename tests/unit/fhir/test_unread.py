"""What stands beside the results and cannot be read is named with its place, for `explain`."""

from __future__ import annotations

from cds_service.core.json_object import JsonObject
from cds_service.core.model import PatientRecord
from tests.unit.fhir.given import (
    FERRITIN,
    LOINC,
    PATIENT,
    SUBJECT,
    bundle,
    concept,
    observation,
    patient,
    record,
    resource,
)

HLH = concept("http://hl7.org/fhir/sid/icd-10-cm", "D76.1")
NAMELESS = {"coding": [{**HLH["coding"][0], "display": ""}]}
"""An empty text is not valid FHIR, and some interfaces send it."""


def condition(code: JsonObject, **changes: JsonObject) -> JsonObject:
    return resource("Condition", **{"id": "con-1", "subject": SUBJECT, "code": code, **changes})


def request(**drug: JsonObject) -> JsonObject:
    asked = {"id": "med-1", "status": "active", "intent": "order", "subject": SUBJECT}
    return resource("MedicationRequest", **asked, **drug)


def unread(found: PatientRecord) -> list[tuple[str, str]]:
    return [(each.ref.resource, each.where) for each in found.unread]


def test_an_invalid_condition_is_named_with_its_place() -> None:
    found = record(bundle(observation()), conditions=bundle(condition(NAMELESS), condition(HLH)))
    assert unread(found) == [("Condition/con-1", "Condition.code.coding[0].display")]


def test_a_drug_that_did_not_come_along_and_one_in_the_form_of_r5_are_named() -> None:
    elsewhere = request(medicationReference={"reference": "Medication/x"})
    found = record(bundle(observation()), medications=bundle(elsewhere))
    assert unread(found) == [("MedicationRequest/med-1", "MedicationRequest.medicationReference")]
    of_r5 = request(medication={"concept": HLH})
    found = record(bundle(observation()), medications=bundle(of_r5))
    assert [name for name, _ in unread(found)] == ["MedicationRequest/med-1"]


def test_an_invalid_patient_is_named_with_its_place() -> None:
    born = patient(birthDate="1961-7-14")
    found = record(bundle(observation()), patient=born)
    assert unread(found) == [(f"Patient/{PATIENT}", "Patient.birthDate")]
    assert unread(record(bundle(observation()), patient=patient())) == []


def test_an_invalid_companion_is_named_once_wherever_it_was_sent() -> None:
    ferritin = observation(id="fer-1", code=concept(*FERRITIN), status="banana")
    place = [("Observation/fer-1", "Observation.status")]
    assert unread(record(bundle(observation()), labs=bundle(ferritin))) == place
    both = bundle(observation(), ferritin)
    assert unread(record(both)) == place
    assert unread(record(both, labs=both, sil2r=both)) == place


def test_an_invalid_earlier_result_is_named_and_one_that_is_interpreted_is_not() -> None:
    invalid = bundle(observation(id="obs-2", status="banana"))
    assert unread(record(bundle(observation()), sil2r=invalid)) == [
        ("Observation/obs-2", "Observation.status")
    ]
    assert unread(record(invalid, sil2r=invalid)) == []


def test_what_is_valid_and_does_not_count_is_not_unread() -> None:
    over = {"coding": [{"system": CLINICAL, "code": "resolved"}]}
    found = record(bundle(observation()), conditions=bundle(condition(HLH, clinicalStatus=over)))
    assert (found.entries, unread(found)) == ((), [])
    other = observation(id="o", code=concept(LOINC, "1-8"), status="banana")
    assert unread(record(bundle(observation()), labs=bundle(other))) == []


CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
