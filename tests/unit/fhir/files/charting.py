"""Entries of a chart: conditions, procedures and medications, and what is read of them."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import Moment
from cds_service.core.json_object import JsonObject
from cds_service.core.model import PatientRecord, RecordKind
from tests.unit.fhir.given import LEFT_OUT, SUBJECT, bundle, concept, observation, record

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ATC = "http://www.whocc.no/atc"
DRUG = {"medicationCodeableConcept": concept(ATC, "L04AC02")}


def made(resource_type: str, defaults: JsonObject, changes: JsonObject) -> JsonObject:
    """A resource about the patient."""
    whole = {"resourceType": resource_type, "id": "x-1", "subject": SUBJECT, **defaults, **changes}
    return {key: value for key, value in whole.items() if value is not LEFT_OUT}


def condition(**changes: Any) -> JsonObject:
    defaults = {
        "clinicalStatus": concept(CLINICAL, "active"),
        "verificationStatus": concept(VERIFICATION, "confirmed"),
        "code": concept(ICD, "D86.0"),
    }
    return made("Condition", defaults, changes)


def procedure(**changes: Any) -> JsonObject:
    return made("Procedure", {"status": "completed", "code": concept("x:y", "dialysis")}, changes)


def statement(**changes: Any) -> JsonObject:
    return made("MedicationStatement", {"status": "active", **DRUG}, changes)


def request(**changes: Any) -> JsonObject:
    return made("MedicationRequest", {"status": "active", "intent": "order", **DRUG}, changes)


def administration(**changes: Any) -> JsonObject:
    given = {"status": "completed", "effectiveDateTime": "2026-02-27", **DRUG}
    return made("MedicationAdministration", given, changes)


def the_record(*resources: JsonObject) -> PatientRecord:
    """With one result of 1 March 2026."""
    key = "medications" if resources[0]["resourceType"].startswith("Medication") else "conditions"
    part: dict[str, Any] = {key: bundle(*resources)}
    return record(bundle(observation()), **part)


def kinds(*resources: JsonObject) -> list[RecordKind]:
    """As what each of them that counts is read."""
    return [entry.kind for entry in the_record(*resources).entries]


def counts(*resources: JsonObject) -> bool:
    """As something that still goes on, or as a dose; a course that is over is told apart."""
    return len(kinds(*resources)) == 1 and RecordKind.COURSE not in kinds(*resources)


def by_status(counts_under: str, does_not_under: str) -> pytest.MarkDecorator:
    """The codes of a status, in words: those under which a resource counts, and the others."""
    cases = [(status, True) for status in counts_under.split()]
    cases += [(status, False) for status in does_not_under.split()]
    return pytest.mark.parametrize(("status", "expected"), cases)


def since(*resources: JsonObject) -> str:
    """When what the one resource tells began."""
    (found,) = the_record(*resources).entries
    assert isinstance(found.since, Moment)
    return found.since.text
