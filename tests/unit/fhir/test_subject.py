"""Whose result is it? Only the patient's id on the patient's server proves identity (T-21)."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import NoValue, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, Subject
from tests.unit.fhir.given import (
    BASE,
    LEFT_OUT,
    PATIENT,
    SIL2R,
    bundle,
    entry,
    observation,
    patient,
    record,
    resource,
)

THIS, ANOTHER, NOT_NAMED = Subject.THIS_PATIENT, Subject.ANOTHER_PATIENT, Subject.NOT_NAMED
TYPES = "http://hl7.org/fhir/StructureDefinition/"
URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


def owner(subject: object, *others: JsonObject, **request: Any) -> Subject:
    """Whom an Observation with this subject is taken to belong to."""
    what = bundle(observation(subject=subject), *others)
    (found,) = record(what, **request).results
    assert isinstance(found, LabResult)
    return found.subject


@pytest.mark.parametrize(
    ("reference", "whose"),
    [
        (f"Patient/{PATIENT}", THIS),
        (f"Patient/{PATIENT}/_history/3", THIS),
        (f"{BASE}/Patient/{PATIENT}", THIS),
        (f"{BASE}/Patient/{PATIENT}/_history/3", THIS),
        (f"HTTPS://EHR.example.org:443/fhir/Patient/{PATIENT}", THIS),
        (f"http://ehr.example.org/fhir/Patient/{PATIENT}", ANOTHER),
        ("Patient/pat-2", ANOTHER),
        ("Patient/PAT-1", ANOTHER),
        (f"https://elsewhere.example.org/fhir/Patient/{PATIENT}", ANOTHER),
        (f"{BASE}/deeper/Patient/{PATIENT}", ANOTHER),
        (f"http://[bad/Patient/{PATIENT}", ANOTHER),
        (f"Group/{PATIENT}", ANOTHER),
        (f"Device/{PATIENT}", ANOTHER),
        (PATIENT, ANOTHER),
        (f"Patient?identifier={PATIENT}", ANOTHER),
        (f"Patient/{PATIENT}/extra", ANOTHER),
        (f"patient/{PATIENT}", ANOTHER),
        ("#p", ANOTHER),
        (URN, ANOTHER),
    ],
)
def test_t21_a_reference_names_this_patient_or_another(reference: str, whose: Subject) -> None:
    assert owner({"reference": reference}) is whose


@pytest.mark.parametrize(
    ("subject", "whose"),
    [
        (LEFT_OUT, NOT_NAMED),
        ({"identifier": {"system": "urn:oid:2.999", "value": PATIENT}}, NOT_NAMED),
        ({"display": "somebody"}, NOT_NAMED),
        ({"type": "Patient", "display": "somebody"}, NOT_NAMED),
        ({"type": f"{TYPES}Patient", "display": "somebody"}, NOT_NAMED),
        ({"type": "Group", "display": "a herd"}, ANOTHER),
        ({"reference": f"Patient/{PATIENT}", "type": "Patient"}, THIS),
        ({"reference": f"Patient/{PATIENT}", "type": f"{TYPES}Patient"}, THIS),
        ({"reference": f"Patient/{PATIENT}", "type": "Group"}, ANOTHER),
    ],
)
def test_t21_without_an_address_nobody_is_named(subject: object, whose: Subject) -> None:
    assert owner(subject) is whose


def test_t21_a_urn_means_the_patient_that_the_bundle_holds_under_it() -> None:
    assert owner({"reference": URN}, entry(patient(), URN)) is THIS
    assert owner({"reference": URN}, entry(patient(id="pat-2"), URN)) is ANOTHER
    assert owner({"reference": URN}, entry(patient(id=LEFT_OUT), URN)) is ANOTHER


def test_t21_a_urn_of_the_very_id_asked_for_needs_no_patient_in_the_bundle() -> None:
    assert owner({"reference": URN}, patient_id=URN.removeprefix("urn:uuid:")) is THIS


def test_t21_two_patients_under_one_urn_prove_nothing() -> None:
    both = (entry(patient(), URN), entry(patient(birthDate="1990"), URN))
    assert owner({"reference": URN}, *both) is ANOTHER


def test_t21_a_contained_patient_is_nobody_who_could_be_recognised() -> None:
    contained = observation(contained=[patient()], subject={"reference": f"#{PATIENT}"})
    (found,) = record(bundle(contained)).results
    assert isinstance(found, LabResult)
    assert found.subject is ANOTHER


def test_the_patient_id_of_the_request_may_carry_its_type() -> None:
    found = record(bundle(observation()), patient_id=f"Patient/{PATIENT}")
    assert found.patient_id == PATIENT
    assert [r.subject for r in found.results if isinstance(r, LabResult)] == [THIS]


def test_without_a_known_server_the_id_decides() -> None:
    reference = {"reference": f"https://elsewhere.example.org/fhir/Patient/{PATIENT}"}
    assert owner(reference, fhir_base="") is THIS


def test_a_slash_at_the_end_of_an_address_makes_it_no_other_server() -> None:
    reference = {"reference": f"{BASE}/Patient/{PATIENT}"}
    assert owner(reference, fhir_base=f"{BASE}/") is THIS


def test_without_a_known_patient_every_subject_is_the_one_meant() -> None:
    assert owner({"reference": "Patient/anyone"}, patient_id="") is THIS
    assert owner({"reference": "#p"}, patient_id="") is THIS
    assert owner(LEFT_OUT, patient_id="") is NOT_NAMED


OTHER_URN = "urn:uuid:7f3a52c0-5a0e-4b3c-9a5e-3d1f1c2b7e10"
DONOR = entry(patient(id="pat-2"), OTHER_URN)
CHILD = entry(resource("RelatedPerson", id="child"), OTHER_URN)
PUMP = entry(resource("Device", id="pump"), OTHER_URN)


@pytest.mark.parametrize(
    ("focus", "beside", "whose"),
    [
        ({"reference": "Patient/donor"}, (), ANOTHER),
        ({"reference": "RelatedPerson/child"}, (), ANOTHER),
        ({"type": "RelatedPerson", "display": "unborn child"}, (), ANOTHER),
        ({"reference": "#donor"}, (), ANOTHER),
        ({"reference": OTHER_URN}, (DONOR,), ANOTHER),
        ({"reference": OTHER_URN}, (CHILD,), ANOTHER),
        ({"reference": f"Patient/{PATIENT}"}, (), THIS),
        ({"reference": URN}, (entry(patient(), URN),), THIS),
        ({"reference": "Device/implant"}, (), THIS),
        ({"reference": "#implant"}, (), THIS),
        ({"reference": OTHER_URN}, (PUMP,), THIS),
        ({"display": "left knee"}, (), THIS),
    ],
)
def test_a_result_focused_on_another_person_is_that_persons(
    focus: JsonObject, beside: tuple[JsonObject, ...], whose: Subject
) -> None:
    """A donor's or an unborn child's, wherever in what was sent that person stands."""
    inside = [patient(id="donor"), resource("Device", id="implant")]
    focused = observation(focus=[focus], contained=inside)
    (found,) = record(bundle(focused, *beside)).results
    assert isinstance(found, LabResult)
    assert found.subject is whose


def contained_in_report(own: object, outer: object) -> Subject:
    report = resource(
        "DiagnosticReport",
        id="rep-1",
        status="final",
        contained=[observation(id="o", subject=own)],
        result=[{"reference": "#o"}],
        **({} if outer is LEFT_OUT else {"subject": outer}),
    )
    (found,) = record(bundle(report, DONOR)).results
    assert isinstance(found, LabResult)
    return found.subject


def test_a_contained_result_belongs_to_nobody_but_its_report() -> None:
    this, another = {"reference": f"Patient/{PATIENT}"}, {"reference": "Patient/pat-2"}
    assert contained_in_report(LEFT_OUT, this) is THIS
    assert contained_in_report(this, LEFT_OUT) is THIS
    assert contained_in_report(LEFT_OUT, LEFT_OUT) is NOT_NAMED
    assert contained_in_report(this, another) is ANOTHER
    assert contained_in_report(another, this) is ANOTHER
    assert contained_in_report(LEFT_OUT, {"reference": OTHER_URN}) is ANOTHER


@pytest.mark.parametrize("reference", ["Patient/pat-2", OTHER_URN])
def test_t21_an_invalid_result_of_another_patient_is_theirs_and_nothing_of_it_is_read(
    reference: str,
) -> None:
    """But for its code: that tells whether there is anything to say of it."""
    broken = observation(status="banana", subject={"reference": reference})
    (found,) = record(bundle(broken, DONOR)).results
    assert isinstance(found, LabResult)
    assert (found.subject, found.status, found.value) == (ANOTHER, Status.UNKNOWN, NoValue())
    assert [(c.system, c.code) for c in found.codings] == [SIL2R]


def test_an_invalid_result_without_an_owner_is_told() -> None:
    broken = observation(status="banana", subject=LEFT_OUT)
    (found,) = record(bundle(broken)).results
    assert isinstance(found, InvalidResource)
    assert [(c.system, c.code) for c in found.codings] == [SIL2R]
