"""A chart that is cut off at a day tells of the days before it what the whole chart tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.files.charts import Arrival
from cds_service.fhir.files.exported import known_since
from tests.unit.fhir.files.exporting import FERRITIN, SIL2R_CODE, Json, charts_of, observation, of

FIRST = date(2026, 1, 1)
ELSEWHERE: Sequence[Json] = (
    observation("ferritin-b", code=FERRITIN, **of("b")),
    {"resourceType": "Condition", "id": "condition-b", **of("b")},
    {"resourceType": "MedicationRequest", "id": "request-b", **of("b")},
)
"""So that the export holds something of every part, whatever is cut off."""


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


@st.composite
def resources(draw: st.DrawFn, number: int) -> Json:
    """One of any kind: found on one day, and told on that or a later one."""
    found = draw(st.integers(0, 8))
    told = day(draw(st.integers(found, 9)))
    name = f"r{number}"
    match draw(st.sampled_from(["result", "result", "companion", "report", "condition", "drug"])):
        case "result" | "companion" as kind:
            code = SIL2R_CODE if kind == "result" else FERRITIN
            late = {"issued": f"{told}T08:00:00Z"} if draw(st.booleans()) else {}
            status = draw(st.sampled_from(["final", "preliminary", "entered-in-error"]))
            return observation(name, day(found), code, **late, status=status)
        case "report":
            return {
                "resourceType": "DiagnosticReport",
                "id": name,
                "status": draw(st.sampled_from(["final", "entered-in-error"])),
                "code": {"coding": [{"system": "http://loinc.org", "code": SIL2R_CODE}]},
                "issued": f"{day(9)}T08:00:00Z",
                "result": [{"reference": f"Observation/r{draw(st.integers(0, 9))}"}],
                **of("a"),
            }
        case "condition":
            when = draw(st.sampled_from(["recordedDate", "onsetDateTime"]))
            return {"resourceType": "Condition", "id": name, when: told, **of("a")}
        case _:
            return {"resourceType": "MedicationRequest", "id": name, "authoredOn": told, **of("a")}


@st.composite
def exports(draw: st.DrawFn) -> list[Json]:
    return [draw(resources(number)) for number in range(draw(st.integers(1, 10)))]


def arrivals(documents: Sequence[Json]) -> list[Arrival]:
    return [each for chart in charts_of(*documents, *ELSEWHERE) for each in chart]


@given(exports(), st.integers(0, 8))
def test_what_arrived_by_a_day_is_the_same_whatever_comes_later(
    export: list[dict[str, Any]], number: int
) -> None:
    end = FIRST + timedelta(days=number)
    by_then = [each for each in export if known_since(each) <= end]
    assert arrivals(by_then) == [each for each in arrivals(export) if each.day <= end]
