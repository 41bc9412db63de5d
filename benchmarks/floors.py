"""The floors: the least that a service of this kind can do, and what validation adds to it.

`bare`: a WSGI function that reads the body, parses the JSON and returns a fixed card. `flask`: the
same as one Flask route. `flask_fhir`: that plus one `fhir.resources` validation of the result.
None of these authenticates, records, escapes, bounds or explains anything. `flask_duties`: that
plus the least that a token, its one use and a record can cost: one signature, two committed rows.
"""
# ruff: noqa: PLC0415 - a floor loads only what it uses

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from benchmarks.payload import LIMIT, LOINC, PATH, observation_of

KEYS, DATABASE = "FLOOR_KEYS", "FLOOR_DATABASE"
"""Settings of `flask_duties`: files with the client's key set and for the rows."""

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
    from fhir.resources.R4B.observation import Observation

    return _flask(Observation.model_validate)


def flask_duties() -> Any:
    """The floor `flask+fhir` with a token, its one use and a record."""
    from fhir.resources.R4B.observation import Observation
    from flask import request
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key = RSAKey.import_key(json.loads(Path(os.environ[KEYS]).read_text())["keys"][0])
    rows = sqlite3.connect(os.environ[DATABASE], isolation_level=None, check_same_thread=False)
    rows.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE seen (jti TEXT PRIMARY KEY) WITHOUT ROWID;"
        "CREATE TABLE record (number INTEGER PRIMARY KEY, said TEXT);"
    )
    turn = Lock()

    def admit() -> None:
        token = jwt.decode(request.headers["Authorization"].removeprefix("Bearer "), key, ["RS384"])
        with turn:
            seen = rows.execute("INSERT OR IGNORE INTO seen VALUES (?)", (token.claims["jti"],))
        assert seen.rowcount == 1, "a token that was used"

    def record(said: dict[str, Any]) -> None:
        with turn:
            rows.execute("INSERT INTO record (said) VALUES (?)", (json.dumps(said),))

    return _flask(Observation.model_validate, admit, record)


def _flask(
    validate: Callable[[dict[str, Any]], object],
    admit: Callable[[], None] = lambda: None,
    record: Callable[[dict[str, Any]], None] = lambda _said: None,
) -> Any:
    from flask import Flask, request

    app = Flask("floor")

    @app.get("/health/ready")
    def ready() -> dict[str, Any]:
        return {}

    @app.post(PATH)
    def invoke() -> dict[str, Any]:
        admit()
        observation = observation_of(request.get_json())
        validate(observation)
        said = answer(observation)
        record(said)
        return said

    return app
