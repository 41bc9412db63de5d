"""Exports of many patients, built from small resources, and the charts they are sorted into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.fhir.files.charts import Arrival, Charts
from cds_service.fhir.wanted import wanted_by
from tests.packaged import SIL2R

WANTED = wanted_by(SIL2R)
SIL2R_CODE, FERRITIN, SODIUM = "9654-5", "2276-4", "2951-2"

Json = dict[str, Any]


def observation(id_: str, day: str = "", code: str = SIL2R_CODE, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/a"},
        "valueQuantity": {"value": 612, "unit": "U/mL"},
        **({"effectiveDateTime": day} if day else {}),
        **more,
    }


def of(patient: str) -> Json:
    return {"subject": {"reference": f"Patient/{patient}"}}


def condition(id_: str, recorded: str) -> Json:
    return {"resourceType": "Condition", "id": id_, "recordedDate": recorded, **of("a")}


def report(id_: str, *results: str, **more: Any) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": SIL2R_CODE}]},
        "result": [{"reference": f"Observation/{name}"} for name in results],
        "issued": "2026-01-20T08:00:00Z",
        **of("a"),
        **more,
    }


def bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def transaction(**resources: Json) -> Json:
    """A Bundle whose entries are called by UUIDs."""
    entries = [{"fullUrl": urn(name), "resource": each} for name, each in resources.items()]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def urn(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"


def of_urn(name: str) -> Json:
    return {"subject": {"reference": urn(name)}}


def charts_of(*documents: Json) -> list[Sequence[Arrival]]:
    charts = Charts([WANTED])
    for document in documents:
        charts.look(document)
    for document in documents:
        charts.take(document)
    found = list(charts.arrivals())
    assert len(found) == len(charts)
    return found


def ids(document: Json) -> list[str]:
    return [entry["resource"]["id"] for entry in document["entry"]]
