"""When a result was collected and issued, in which laboratory, and by which method."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import Moment, NoMoment
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from tests.unit.fhir.given import LEFT_OUT, concept, entry, observation, only, resource, result

UNKNOWN = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"effectiveDateTime": "2026-03"}, "2026-03"),
        (
            {
                "effectiveDateTime": LEFT_OUT,
                "effectivePeriod": {"start": "2026-03-01", "end": "2026-03-02"},
            },
            "2026-03-01/2026-03-02",
        ),
        (
            {"effectiveDateTime": LEFT_OUT, "effectiveInstant": "2026-03-01T10:00:00Z"},
            "2026-03-01T10:00:00Z",
        ),
        ({"effectiveDateTime": LEFT_OUT, "_effectiveDateTime": UNKNOWN}, ""),
        ({"effectiveDateTime": LEFT_OUT}, ""),
    ],
)
def test_collection_is_the_effective_time_as_far_as_it_was_told(
    changes: dict[str, Any], text: str
) -> None:
    match result(**changes).collected:
        case Moment() as found:
            assert found.text == text
        case NoMoment():
            assert text == ""


def test_issue_is_read_apart_from_collection() -> None:
    found = result(issued="2026-03-02T09:00:00Z").issued
    assert isinstance(found, Moment)
    assert found.text == "2026-03-02T09:00:00Z"


@pytest.mark.parametrize(
    ("performers", "laboratory"),
    [
        ([{"reference": "Organization/lab", "display": "Lab A"}], "Lab A"),
        ([{"reference": "Practitioner/1", "display": "Dr B"}], ""),
        ([{"reference": "PractitionerRole/1", "display": "Dr B, Lab A"}], ""),
        ([{"type": "Practitioner", "display": "Dr B"}], ""),
        ([{"reference": "Practitioner/1", "display": "Dr B"}, {"display": "Lab A"}], "Lab A"),
        ([{"display": "Lab A"}, {"reference": "Organization/lab", "display": "Lab B"}], "Lab B"),
        ([{"display": "Lab A"}], "Lab A"),
        ([{"display": "Lab A"}, {"display": "Lab B"}], "Lab A"),
        (
            [{"reference": "Practitioner/1", "display": "Dr B"}, {"reference": "Organization/lab"}],
            "Organization/lab",
        ),
        ([{"type": "Organization", "display": "Lab C"}, {"reference": "Practitioner/1"}], "Lab C"),
        ([{"reference": "#lab"}], "Lab D"),
        ([{"reference": "#nobody"}], ""),
    ],
)
def test_the_laboratory_is_the_organisation_among_the_performers(
    performers: list[JsonObject], laboratory: str
) -> None:
    inside = [{"resourceType": "Organization", "id": "lab", "name": "Lab D"}]
    assert result(performer=performers, contained=inside).laboratory == laboratory


@pytest.mark.parametrize(
    ("reference", "stands"),
    [
        ("Organization/1", "Organization/1"),
        ("https://e.org/fhir/Organization/1", "https://e.org/fhir/Organization/1"),
        ("https://e.org/fhir/Organization/1/_history/2", "https://e.org/fhir/Organization/1"),
        ("#lab", ""),
        ("Practitioner/1", ""),
    ],
)
def test_where_the_laboratory_stands_is_kept_apart_from_what_it_is_called(
    reference: str, stands: str
) -> None:
    """Two organisations may both be called "Laboratory"."""
    inside = [{"resourceType": "Organization", "id": "lab", "name": "Lab D"}]
    performer = [{"reference": reference, "display": "Laboratory"}]
    assert result(performer=performer, contained=inside).laboratory_reference == stands


@pytest.mark.parametrize("kind", ["Organization", "Practitioner"])
def test_a_laboratory_may_stand_in_the_same_bundle_under_a_urn(kind: str) -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    beside = entry(resource(kind, id="x", name="Lab E"), urn)
    found = only(observation(performer=[{"reference": urn}]), beside)
    assert isinstance(found, LabResult)
    assert (found.laboratory, found.laboratory_reference) == (
        ("Lab E", "") if kind == "Organization" else ("", "")
    )


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({}, ""),
        ({"method": {**concept("x:y", "CLEIA"), "text": "words"}}, "CLEIA"),
        ({"method": {"text": "ELISA"}, "device": {"display": "Analyser"}}, "ELISA"),
        ({"device": {"display": "Analyser"}}, "Analyser"),
    ],
)
def test_the_method_is_a_code_else_words_else_the_device(
    changes: dict[str, Any], method: str
) -> None:
    assert result(**changes).method == method
