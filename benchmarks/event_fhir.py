"""A FHIR server of canned answers, so that a benchmark of events measures the worker.

Any Observation asked for by its id is there, of a patient of its own; every search is answered with
an empty Bundle, every transaction as if all in it had been created.
`python -m benchmarks.event_fhir PORT`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks import wsgi

_HEADERS = [("Content-Type", "application/fhir+json")]
_EMPTY = b'{"resourceType":"Bundle","type":"searchset"}'


def _observation(identifier: str) -> bytes:
    number = int(identifier.removeprefix("o"))
    quantity = {
        "value": 500 + number % 12_000,
        "unit": "U/mL",
        "system": "http://unitsofmeasure.org",
        "code": "U/mL",
    }
    resource = {
        "resourceType": "Observation",
        "id": identifier,
        "meta": {"versionId": "1"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "9654-5"}]},
        "subject": {"reference": f"Patient/p{number}"},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        "valueQuantity": quantity,
    }
    return json.dumps(resource).encode()


def _patient(identifier: str) -> bytes:
    patient = {"resourceType": "Patient", "id": identifier, "birthDate": "1970-01-01"}
    return json.dumps(patient).encode()


def _created(transaction: bytes) -> bytes:
    entries = [{"response": {"status": "201 Created"}} for _ in json.loads(transaction)["entry"]]
    written = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
    return json.dumps(written).encode()


def answer(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    """The WSGI application."""
    sent = environ["wsgi.input"].read()
    match environ["REQUEST_METHOD"], environ["PATH_INFO"].split("/")[2:]:
        case "GET", ["Observation", identifier]:
            body = _observation(identifier)
        case "GET", ["Patient", identifier]:
            body = _patient(identifier)
        case "GET", _:
            body = _EMPTY
        case _:
            body = _created(sent)
    start("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
    return [body]


def _load() -> Any:
    return answer


if __name__ == "__main__":
    wsgi.serve(_load, int(sys.argv[1]), threads=4)
