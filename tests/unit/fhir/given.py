"""Synthetic FHIR, built one change at a time from one good example. No real patient is in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service.core.elements import Coding, SpecimenGiven, SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, PatientRecord
from cds_service.exact import ExactDecimal
from cds_service.fhir.read import read_record
from cds_service.fhir.supplied import Supplied, supplied
from cds_service.fhir.wanted import Wanted

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PATIENT = "pat-1"
BASE = "https://ehr.example.org/fhir"
SUBJECT = {"reference": f"Patient/{PATIENT}"}
ANOTHER = {"reference": "Patient/pat-2"}

SIL2R = (LOINC, "9654-5")
FERRITIN = (LOINC, "2276-4")
WANTED = Wanted(
    part="sil2r",
    analyte=frozenset({SIL2R, (LOINC, "99768-4"), ("urn:oid:2.999.2", "SIL2R-S")}),
    companions=frozenset({FERRITIN}),
    accepted=frozenset({SIL2R, (LOINC, "99768-4"), ("urn:oid:2.999.2", "SIL2R-S")}),
)

CSF = Coding("http://snomed.info/sct", "258450006")
RESOLVED = SpecimenGiven(SpecimenLink.RESOLVED, (CSF,))
"""What `specimen` is read as."""

LEFT_OUT = object()
"""Stands for an element that is taken away."""
ODD = {"language": "de", "_language": {"id": "a"}}
"""Valid FHIR R4, and not plain: only the models can tell."""


def _with(resource: JsonObject, changes: JsonObject) -> JsonObject:
    return {k: v for k, v in {**resource, **changes}.items() if v is not LEFT_OUT}


def concept(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": system, "code": code}]}


def quantity(value: str | int = "5200.0", unit: str = "U/mL", **more: Any) -> JsonObject:
    number = ExactDecimal(value) if isinstance(value, str) else value
    return {"value": number, "unit": unit, **more}


def observation(**changes: Any) -> JsonObject:
    good = {
        "resourceType": "Observation",
        "id": "obs-1",
        "status": "final",
        "code": concept(*SIL2R),
        "subject": dict(SUBJECT),
        "effectiveDateTime": "2026-03-01T08:30:00+01:00",
        "valueQuantity": quantity(),
    }
    return _with(good, changes)


OTHER_TEST = concept(LOINC, "718-7")
"""Haemoglobin: of no analyte, and no companion of one."""


def ferritin(**changes: Any) -> JsonObject:
    """A companion result."""
    good = {"id": "fer-1", "code": concept(*FERRITIN), "valueQuantity": quantity(900, "ng/mL")}
    return observation(**{**good, **changes})


def report(**changes: Any) -> JsonObject:
    """A final report of the analyte that names the good Observation as its result."""
    good = {
        "resourceType": "DiagnosticReport",
        "id": "rep-1",
        "status": "final",
        "code": concept(*SIL2R),
        "subject": dict(SUBJECT),
        "effectiveDateTime": "2026-03-01T08:30:00+01:00",
        "result": [{"reference": "Observation/obs-1"}],
    }
    return _with(good, changes)


def resource(resource_type: str, **members: Any) -> JsonObject:
    return {"resourceType": resource_type, **members}


def patient(**changes: Any) -> JsonObject:
    good = {"resourceType": "Patient", "id": PATIENT, "birthDate": "1961-07-14"}
    return _with(good, changes)


def specimen(**changes: Any) -> JsonObject:
    good = {
        "resourceType": "Specimen",
        "id": "spec-1",
        "type": concept(CSF.system, CSF.code),
        "subject": dict(SUBJECT),
    }
    return _with(good, changes)


def entry(what: JsonObject, full_url: str = "") -> JsonObject:
    return {"fullUrl": full_url, "resource": what} if full_url else {"resource": what}


def bundle(*resources: JsonObject, **members: Any) -> JsonObject:
    """A Bundle; what already has a `resource` member is taken as an entry."""
    entries = [item if "resource" in item else entry(item) for item in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **members}


def record(
    results: JsonObject,
    *,
    patient_id: str = PATIENT,
    fhir_base: str = BASE,
    wanted: Wanted = WANTED,
    **parts: object,
) -> PatientRecord:
    """Read a record; a part is given as the JSON that was sent for it."""
    return read_record(
        patient_id=patient_id,
        fhir_base=fhir_base,
        results=results,
        parts={k: v if isinstance(v, Supplied) else supplied(v) for k, v in parts.items()},
        wanted=wanted,
    )


def only(what: JsonObject, *others: JsonObject) -> LabResult | InvalidResource:
    """The one result that a Bundle of these resources holds."""
    (result,) = record(bundle(what, *others)).results
    return result


def result(**changes: Any) -> LabResult:
    """The good Observation with changes, read; it must be valid."""
    found = only(observation(**changes))
    assert isinstance(found, LabResult), found
    return found


def refused(**changes: Any) -> str:
    """Where the good Observation with changes is refused; it must be invalid."""
    found = only(observation(**changes))
    assert isinstance(found, InvalidResource), found
    return found.where


def refs(results: Iterable[LabResult | InvalidResource]) -> list[str]:
    """By which names they stand in the record."""
    return [result.ref.resource for result in results]


def followed(reference: object, *others: JsonObject, url: str = "", **parts: Any) -> LabResult:
    """A result without a date of its own that names its specimen so, read beside the others."""
    what = observation(specimen=reference, effectiveDateTime=LEFT_OUT)
    (found,) = record(bundle(entry(what, url), *others), **parts).results
    assert isinstance(found, LabResult), found
    return found
