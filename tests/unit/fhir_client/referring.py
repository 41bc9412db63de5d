"""A chart of prescriptions and results that refer to what did not come along."""

from __future__ import annotations

from typing import Any

from cds_service.hooks.referred import MOST_ASKED_FOR
from tests.unit.fhir_client.answering import medication

SPECIMEN = "/fhir/Specimen/synthetic-specimen-01"
MOST_DRUGS, MOST_SPECIMENS = MOST_ASKED_FOR["Medication"], MOST_ASKED_FOR["Specimen"]
DRUGS = "/fhir/Medication?_id=synthetic-drug-01&_count=1"
PATIENT = {"reference": "Patient/synthetic-adult-01"}
PREDNISOLONE = medication("synthetic-drug-01", "H02AB06")


def specimen(code: str, **more: object) -> dict[str, object]:
    """The Specimen that the result of the chart refers to, of this type of HL7."""
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": code}
    named = {"resourceType": "Specimen", "id": "synthetic-specimen-01", "subject": PATIENT}
    return {**named, "type": {"coding": [kind]}, **more}


def report(**more: object) -> dict[str, object]:
    """A report that refers to that Specimen."""
    named = {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", "subject": PATIENT}
    return {**named, "specimen": [{"reference": "Specimen/synthetic-specimen-01"}], **more}


def prescriptions(chart: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of the chart's medications, which may be added to."""
    entries: list[dict[str, Any]] = chart["prefetch"]["medications"]["entry"]
    return entries


def prescribe(chart: dict[str, Any], drug: str) -> None:
    """One more prescription like the first, of the Medication with this id."""
    reference = {"reference": f"Medication/{drug}"}
    first = prescriptions(chart)[0]["resource"]
    another = {**first, "id": f"of-{drug}", "medicationReference": reference}
    prescriptions(chart).append({"resource": another})


def result(chart: dict[str, Any]) -> dict[str, Any]:
    """The first result of the chart, which may be changed."""
    found: dict[str, Any] = chart["prefetch"]["sil2r"]["entry"][0]["resource"]
    return found
