"""The Patient of the request: its id must be the one asked for, its birth date may be partial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.core.model import Availability, InvalidResource, NoPatient, Patient
from cds_service.fhir.bundle import Entry
from cds_service.fhir.moment import moment_in
from cds_service.fhir.ranked import distinct
from cds_service.fhir.shape import Refusal, an_id
from cds_service.fhir.supplied import Supplied
from cds_service.fhir.validate import check


@dataclass(frozen=True, slots=True)
class PatientPart:
    """What the patient part of a record came to."""

    patient: Patient | NoPatient
    availability: Availability
    unread: tuple[InvalidResource, ...] = ()


def read_patient(part: Supplied, entries: Sequence[Entry], patient_id: str) -> PatientPart:
    """The Patient with the id of the request among the entries that were supplied.

    One with another id is not used. One without an id, of another type or not valid FHIR is a
    failure, and so are two that differ. An empty `patient_id` takes the one Patient there is.
    """
    if not part.resource:
        return PatientPart(NoPatient(), part.availability)
    patients = [entry for entry in entries if entry.kind == "Patient"]
    named = [entry for entry in patients if an_id(entry.resource.get("id"))]
    chosen = [e for e in named if e.resource["id"] == patient_id] if patient_id else patients
    match distinct(chosen):
        case [entry]:
            return _read(entry)
        case [] if named:
            return PatientPart(NoPatient(), Availability.OF_ANOTHER_PATIENT)
        case _:
            return PatientPart(NoPatient(), Availability.FAILED)


def _read(entry: Entry) -> PatientPart:
    try:
        check(entry.resource)
        birth = moment_in(entry.resource, "birthDate", "Patient")
    except Refusal as refusal:
        unread = (InvalidResource(entry.ref, refusal.where),)
        return PatientPart(NoPatient(), Availability.FAILED, unread)
    return PatientPart(Patient(entry.ref, birth), Availability.GIVEN)
