"""Whatever the JSON, reading ends in a record: never in an exception, never in a shared value."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, PatientRecord
from cds_service.errors import InputError
from cds_service.exact import ExactDecimal
from cds_service.fhir.files.file import read_file
from tests.unit.fhir.given import (
    FERRITIN,
    SIL2R,
    WANTED,
    bundle,
    concept,
    entry,
    observation,
    patient,
    quantity,
    record,
    resource,
    specimen,
)

KEYS = ("patient", "sil2r", "labs", "conditions", "medications")
CANARY = "Erika-Mustermann-4711"

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.from_regex(r"-?[1-9][0-9]{0,3}\.[0-9]{1,3}([eE][0-9]{1,2})?", fullmatch=True).map(
        ExactDecimal
    )
    | st.text(max_size=8)
    | st.sampled_from([CANARY, "#s", "Specimen/spec-1", "urn:uuid:x", "2026", "final", "Bundle"])
)
NAMES = st.sampled_from(
    [
        "resourceType",
        "id",
        "meta",
        "status",
        "code",
        "coding",
        "system",
        "entry",
        "resource",
        "fullUrl",
        "subject",
        "reference",
        "type",
        "contained",
        "valueQuantity",
        "value",
        "unit",
        "comparator",
        "valueString",
        "referenceRange",
        "low",
        "high",
        "age",
        "link",
        "relation",
        "specimen",
        "effectiveDateTime",
        "effectivePeriod",
        "start",
        "issued",
        "result",
        "focus",
    ]
) | st.text(max_size=6)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=5)


def rich() -> JsonObject:
    """One Bundle that walks through every reader."""
    subject = {"reference": "Patient/pat-1"}
    drug = concept("http://www.whocc.no/atc", "L04AC02")
    return bundle(
        entry(patient(), "urn:uuid:p"),
        observation(
            contained=[specimen(id="s", collection={"collectedDateTime": "2026-03-01"})],
            specimen={"reference": "#s"},
            issued="2026-03-01T10:00:00Z",
            performer=[{"reference": "Organization/lab"}],
            method={"text": "CLEIA"},
            referenceRange=[
                {
                    "low": quantity("158"),
                    "high": quantity("623.0"),
                    "age": {"low": quantity(18, "a")},
                    "type": concept("x:y", "normal"),
                }
            ],
        ),
        observation(id="fer-1", code=concept(*FERRITIN), valueQuantity=quantity(900, "ng/mL")),
        resource(
            "DiagnosticReport",
            id="rep-1",
            status="final",
            subject=subject,
            contained=[observation(id="o", specimen={"reference": "Specimen/spec-1"})],
            result=[{"reference": "#o"}],
        ),
        specimen(),
        resource("Condition", id="c", subject=subject, code=concept("x:y", "D86.0")),
        resource(
            "MedicationStatement",
            id="m",
            subject=subject,
            status="active",
            medicationCodeableConcept=drug,
            effectivePeriod={"start": "2025", "end": "2027"},
        ),
        type="searchset",
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for step, child in steps:
        here = (*path, step)
        found += places(child, here) if isinstance(child, (dict, list)) else [here]
    return found


PLACES = places(rich())


@st.composite
def mutated(draw: st.DrawFn) -> JsonObject:
    """The rich Bundle with up to three places replaced or taken away."""
    changed = rich()
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        *way, last = path
        try:
            parent = changed
            for step in way:
                parent = parent[step]
            if draw(st.booleans()):
                parent[last] = draw(JSON)
            else:
                del parent[last]
        except (KeyError, IndexError, TypeError):
            continue
    return changed


def everything(document: JsonObject) -> PatientRecord:
    found = record(
        document,
        patient=document,
        sil2r=document,
        labs=document,
        conditions=document,
        medications=document,
    )
    assert isinstance(found, PatientRecord)
    assert set(found.availability) == {"results", *KEYS}
    return found


@given(OBJECTS)
def test_any_object_as_results_and_as_every_part_gives_a_record(document: JsonObject) -> None:
    everything(document)


@given(st.lists(OBJECTS, max_size=3), st.sampled_from([SIL2R, FERRITIN]))
def test_any_resources_that_claim_to_be_wanted_give_a_record(
    members: list[JsonObject], code: tuple[str, str]
) -> None:
    claims = [{**found, "resourceType": "Observation", "code": concept(*code)} for found in members]
    everything(bundle(*({"resource": claim} for claim in claims)))


@given(mutated())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_good_bundle_with_anything_broken_in_it_gives_a_record(document: JsonObject) -> None:
    before = copy.deepcopy(document)
    found = everything(document)
    assert document == before
    for result in (*found.results, *found.history, *found.companions):
        assert CANARY not in getattr(result, "where", "")


@given(mutated() | OBJECTS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_file_is_read_or_refused_by_name(document: JsonObject) -> None:
    try:
        said = set(read_file(document, WANTED).parts)
    except InputError as refusal:
        said = {refusal.one_line()}
    assert said == set(KEYS) or "CDS-5003" in "".join(said)
    assert CANARY not in "".join(said)


def test_the_bundle_that_is_mutated_is_read_whole() -> None:
    found = everything(rich())
    assert not any(isinstance(result, InvalidResource) for result in found.results)
    assert (len(found.results), len(found.companions), len(found.entries)) == (2, 1, 2)
    assert set(found.availability.values()) == {"given"}
