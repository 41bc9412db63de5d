"""The floors: the least that a service of this kind can do, and what validation adds to it.

`bare`: a WSGI function that reads the body, parses the JSON and returns a fixed card. `flask`: the
same as one Flask route. `flask_fhir`: that plus one `fhir.resources` validation of the result.
None of them authenticates, records, escapes, bounds or explains anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.payload import LIMIT, LOINC, PATH, observation_of

_CARD = {
    "cards": [
        {
            "summary": "Soluble IL-2 receptor 5230 U/mL in blood is at least 2400 U/mL",
            "indicator": "warning",
            "source": {"label": "floor"},
        }
    ]
}
_NO_CARD: dict[str, Any] = {"cards": []}


def answer(observation: dict[str, Any]) -> dict[str, Any]:
    """The one rule of a floor: the code and the number, without unit, specimen or status."""
    code = observation["code"]["coding"][0]["code"]
    high = observation["valueQuantity"]["value"] >= LIMIT
    return _CARD if code == LOINC and high else _NO_CARD


def bare() -> Any:
    """The floor `bare`."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/health/ready":
            start_response("200 OK", [("Content-Length", "0")])
            return [b""]
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        said = json.dumps(answer(observation_of(json.loads(body)))).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(said)))]
        start_response("200 OK", headers)
        return [said]

    return app


def flask() -> Any:
    """The floor `flask`."""
    return _flask(lambda observation: None)


def flask_fhir() -> Any:
    """The floor `flask+fhir`."""
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415 - only this floor pays

    return _flask(Observation.model_validate)


def _flask(validate: Callable[[dict[str, Any]], object]) -> Any:
    from flask import Flask, request  # noqa: PLC0415

    app = Flask("floor")

    @app.get("/health/ready")
    def ready() -> dict[str, Any]:
        return {}

    @app.post(PATH)
    def invoke() -> dict[str, Any]:
        observation = observation_of(request.get_json())
        validate(observation)
        return answer(observation)

    return app
