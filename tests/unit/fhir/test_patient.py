"""The patient of a record: the id, the birth date, and why there is none."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.core.elements import Moment, NoMoment, ResourceRef
from cds_service.core.model import (
    Availability,
    LabResult,
    NoPatient,
    Patient,
    PatientRecord,
    Subject,
)
from tests.unit.fhir.given import LEFT_OUT, bundle, observation, patient, record


def the_patient(value: object) -> tuple[Patient | NoPatient, Availability]:
    found: PatientRecord = record(bundle(observation()), patient=value)
    return found.patient, found.availability["patient"]


@pytest.mark.parametrize("given", ["pat-1", "Patient/pat-1"])
def test_the_id_of_the_patient_is_told_bare(given: str) -> None:
    found = record(bundle(observation()), patient_id=given)
    assert found.patient_id == "pat-1"
    (result,) = found.results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.THIS_PATIENT


def test_the_patient_and_the_birth_date_are_read() -> None:
    found, availability = the_patient(patient(meta={"versionId": "4"}))
    assert isinstance(found, Patient)
    assert isinstance(found.birth, Moment)
    assert (found.ref, found.birth.first_day) == (
        ResourceRef("Patient/pat-1", "4"),
        date(1961, 7, 14),
    )
    assert availability is Availability.GIVEN


def test_a_partial_birth_date_means_all_its_days() -> None:
    found, _ = the_patient(patient(birthDate="1961"))
    assert isinstance(found, Patient)
    assert isinstance(found.birth, Moment)
    assert (found.birth.first_day, found.birth.last_day) == (date(1961, 1, 1), date(1961, 12, 31))


def test_the_same_patient_twice_is_one_and_two_that_differ_are_a_failure() -> None:
    found, availability = the_patient(bundle(patient(), patient()))
    assert isinstance(found, Patient)
    assert availability is Availability.GIVEN
    differ = bundle(patient(), patient(birthDate="2015-01-01"))
    assert the_patient(differ) == (NoPatient(), Availability.FAILED)


def test_an_absent_birth_date_is_no_moment() -> None:
    absent = {"extension": [{"url": "x:y", "valueCode": "unknown"}]}
    for changes in ({}, {"_birthDate": absent}):
        found, _ = the_patient(patient(birthDate=LEFT_OUT, **changes))
        assert isinstance(found, Patient)
        assert found.birth == NoMoment()


def test_the_patient_may_come_in_a_bundle_among_others() -> None:
    found, availability = the_patient(bundle(patient(id="pat-2"), patient()))
    assert isinstance(found, Patient)
    assert availability is Availability.GIVEN


@pytest.mark.parametrize(
    ("value", "availability"),
    [
        (patient(id="pat-2"), Availability.OF_ANOTHER_PATIENT),
        (bundle(patient(id="pat-2"), patient(id="pat-3")), Availability.OF_ANOTHER_PATIENT),
        (patient(id=LEFT_OUT), Availability.FAILED),
        (patient(birthDate="1961-02-30"), Availability.FAILED),
        (patient(animal={}), Availability.FAILED),
        (observation(), Availability.FAILED),
        (None, Availability.EMPTY),
    ],
)
def test_t64_a_patient_that_cannot_be_used_says_why(
    value: object, availability: Availability
) -> None:
    assert the_patient(value) == (NoPatient(), availability)
