"""The requests that are sent: one result, and charts of up to thousands of Observations.

All of it is synthetic. The results are dated yesterday, so that they lie within the look-back
window on whatever day the benchmark is run.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

SERVICE = "sil2r-patient-view"
PATH = f"/cds-services/{SERVICE}"
LOINC = "9654-5"
LIMIT = 2400

VARIANTS = 500
"""How many different requests there are, so that no answer can be given from memory. The table
decides alike for all of them, which is kept (decision 33): the first of a kind takes longer."""

_FIXTURES = Path(__file__).resolve().parents[1] / "fhir_fixtures" / "hook-request"


def one_result(number: int = 0) -> bytes:
    """A chart opened: the patient and one sIL-2R result that meets the HLH-2004 criterion.

    Patient, result, value and call differ by `number`; the length does not.
    """
    request = _request()
    patient_id = f"synthetic-adult-{number:05d}"
    request["hookInstance"] = str(UUID(int=number + 1))
    request["context"]["patientId"] = patient_id
    request["prefetch"]["patient"]["id"] = patient_id
    result = observation_of(request)
    result["id"] = f"synthetic-observation-{number:05d}"
    result["subject"]["reference"] = f"Patient/{patient_id}"
    result["valueQuantity"]["value"] = LIMIT + number
    return _bytes(request)


def results() -> tuple[bytes, ...]:
    """VARIANTS different requests of that kind."""
    return tuple(one_result(number) for number in range(VARIANTS))


def chart(observations: int) -> bytes:
    """The same chart with so many Observations of other tests among the laboratory results."""
    request = _request()
    result = request["prefetch"]["sil2r"]["entry"][0]
    request["prefetch"]["labs"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": observations,
        "entry": [_other_test(result, number) for number in range(observations)],
    }
    return _bytes(request)


def observation_of(request: Any) -> dict[str, Any]:
    """The first result of a parsed request, as every floor reads it."""
    resource: dict[str, Any] = request["prefetch"]["sil2r"]["entry"][0]["resource"]
    return resource


def _request() -> dict[str, Any]:
    text = (_FIXTURES / "patient_view_only_required.json").read_text(encoding="utf-8")
    full = (_FIXTURES / "patient_view_full_prefetch.json").read_text(encoding="utf-8")
    request: dict[str, Any] = json.loads(text)
    request["prefetch"]["patient"] = json.loads(full)["prefetch"]["patient"]
    yesterday = datetime.now(UTC) - timedelta(days=1)
    resource = observation_of(request)
    resource["effectiveDateTime"] = yesterday.isoformat(timespec="seconds")
    resource["issued"] = yesterday.isoformat(timespec="seconds")
    return request


def _other_test(result: dict[str, Any], number: int) -> dict[str, Any]:
    """A potassium result: valid, and of no interest to this service."""
    entry = copy.deepcopy(result)
    entry["fullUrl"] = f"https://ehr.example.org/fhir/Observation/other-{number}"
    resource = entry["resource"]
    resource["id"] = f"other-{number}"
    resource["code"] = {
        "coding": [
            {
                "system": "http://loinc.org",
                "code": "2823-3",
                "display": "Potassium",
            }
        ]
    }
    resource["valueQuantity"] = {
        "value": 3.5 + number % 17 / 10,
        "unit": "mmol/L",
        "system": "http://unitsofmeasure.org",
        "code": "mmol/L",
    }
    resource["referenceRange"] = [{"low": {"value": 3.5}, "high": {"value": 5.1}}]
    return entry


def _bytes(request: dict[str, Any]) -> bytes:
    return json.dumps(request, separators=(",", ":")).encode()
