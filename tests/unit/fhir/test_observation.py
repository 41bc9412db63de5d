"""One Observation: what is read from a valid one, and where an invalid one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.card import JsonObject
from cds_service.core.elements import Coding, Moment, NoMoment, ResourceRef, Status
from cds_service.core.model import InvalidResource, LabResult
from tests.unit.fhir.given import (
    BASE,
    LEFT_OUT,
    LOINC,
    bundle,
    concept,
    entry,
    observation,
    only,
    quantity,
    record,
    refused,
    resource,
    result,
)


def test_reference_version_codes_and_status_are_read() -> None:
    code = {
        "coding": [
            {"system": LOINC, "code": "9654-5", "display": "IL-2 receptor"},
            {"system": "urn:oid:2.999.2", "code": "SIL2R-S"},
            {"display": "no code at all"},
        ]
    }
    found = result(meta={"versionId": "2"}, code=code, status="corrected")
    assert found.ref == ResourceRef("Observation/obs-1", "2")
    assert found.codings == (
        Coding(LOINC, "9654-5", "IL-2 receptor"),
        Coding("urn:oid:2.999.2", "SIL2R-S"),
    )
    assert found.status is Status.CORRECTED


FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.mark.parametrize(
    ("interpretation", "flags"),
    [
        (LEFT_OUT, ()),
        ([concept(FLAGS, "HH")], ("HH",)),
        ([concept(FLAGS, "H"), concept(FLAGS, "A"), concept(FLAGS, "H")], ("H", "A")),
        ([concept("urn:oid:2.999.5", "HH"), {"text": "very high"}], ()),
    ],
)
def test_the_flags_of_the_laboratory_are_codes_of_hl7s_own_system(
    interpretation: object, flags: tuple[str, ...]
) -> None:
    assert result(interpretation=interpretation).flags == flags


def test_a_result_without_an_id_is_called_by_its_type() -> None:
    assert result(id=LEFT_OUT).ref == ResourceRef("Observation")


@pytest.mark.parametrize("status", [status.value for status in Status])
def test_every_status_of_r4_is_read(status: str) -> None:
    assert result(status=status).status == status


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"status": "banana"}, "Observation.status"),
        ({"status": LEFT_OUT}, "Observation.status"),
        ({"status": None}, "Observation.status"),
        ({"status": LEFT_OUT, "_status": {"extension": [{"url": "x:y"}]}}, "Observation.status"),
        ({"id": "has space"}, "Observation.id"),
        ({"id": "x" * 65}, "Observation.id"),
        ({"subject": [{"reference": "Patient/pat-1"}]}, "Observation.subject"),
        ({"effectiveDateTime": "2026-02-29"}, "Observation.effectiveDateTime"),
        ({"effectiveDateTime": 2026}, "Observation.effectiveDateTime"),
        ({"issued": "2026-03-01"}, "Observation.issued"),
        ({"issued": "2026-03-01T10:00:00"}, "Observation.issued"),
        ({"referenceRange": []}, "Observation.referenceRange"),
        ({"referenceRange": [None]}, "Observation.referenceRange"),
        ({"note": None}, "Observation.note"),
        ({"method": {}}, "Observation.method"),
        ({"category": [{"coding": []}]}, "Observation.category[0].coding"),
        ({"contained": [{"resourceType": "Bogus"}]}, "Observation"),
        ({"contained": [{"resourceType": 5}]}, "Observation"),
        ({"implicitRules": "http://example.org/rules"}, "Observation.implicitRules"),
    ],
)
def test_what_is_not_valid_r4_is_refused_with_its_place(
    changes: dict[str, Any], where: str
) -> None:
    assert refused(**changes) == where


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"comments": "DSTU2"}, "Observation"),
        ({"fhir_comments": ["DSTU2"]}, "Observation"),
        ({"valueQuantity": {"value": 5200, "units": "U/mL"}}, "Observation.valueQuantity"),
        ({"related": [{"target": {"reference": "Observation/2"}}]}, "Observation"),
        ({"context": {"reference": "Encounter/1"}}, "Observation"),
        (
            {"triggeredBy": [{"observation": {"reference": "Observation/2"}, "type": "reflex"}]},
            "Observation",
        ),
        ({"instantiatesCanonical": "http://example.org/definition"}, "Observation"),
        ({"bodyStructure": {"reference": "BodyStructure/1"}}, "Observation"),
        ({"valueQuantity": LEFT_OUT, "valueAttachment": {"title": "R5"}}, "Observation"),
    ],
)
def test_t64_r05_shapes_of_other_fhir_versions_are_refused(
    changes: dict[str, Any], where: str
) -> None:
    assert refused(**changes) == where


def test_the_name_of_an_unknown_member_is_not_repeated() -> None:
    assert refused(**{"Erika Mustermann": "x"}) == "Observation"
    assert (
        refused(contained=[{"resourceType": "Specimen", "Erika": 1}]) == "Observation.contained[0]"
    )


def test_a_modifier_that_is_not_known_may_not_be_ignored() -> None:
    modifier = [{"url": "http://example.org/haemolysed", "valueBoolean": True}]
    assert refused(modifierExtension=modifier) == "Observation.modifierExtension"


def test_nesting_without_end_is_refused() -> None:
    inner: JsonObject = {"url": "x:y", "valueString": "z"}
    for _ in range(600):
        inner = {"url": "x:y", "extension": [inner]}
    assert refused(extension=[inner]) == "Observation"


def test_null_may_stand_in_an_array_where_an_extension_holds_its_place() -> None:
    name = [
        {"given": [None, "B"], "_given": [{"extension": [{"url": "x:y", "valueCode": "a"}]}, None]}
    ]
    found = only(observation(contained=[{"resourceType": "Patient", "id": "p", "name": name}]))
    assert isinstance(found, LabResult)
    del name[0]["_given"]
    assert isinstance(
        only(observation(contained=[{"resourceType": "Patient", "id": "p", "name": name}])),
        InvalidResource,
    )


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


def report(status: str, *references: str, contained: tuple[JsonObject, ...] = ()) -> JsonObject:
    members: JsonObject = {"result": [{"reference": reference} for reference in references]}
    if contained:
        members["contained"] = list(contained)
    return resource("DiagnosticReport", id=f"rep-{status}", status=status, **members)


def status_with(*reports: JsonObject, own: str = "final") -> Status:
    found = only(observation(status=own), *reports)
    assert isinstance(found, LabResult)
    return found.status


def test_a_report_never_raises_the_status_of_a_result() -> None:
    assert status_with(report("final", "Observation/obs-1"), own="preliminary") == "preliminary"
    assert (
        status_with(report("preliminary", "Observation/obs-1"), own="preliminary") == "preliminary"
    )
    assert (
        status_with(report("entered-in-error", "Observation/obs-1"), own="cancelled") == "cancelled"
    )


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_report_withdraws_the_results_it_names(status: str) -> None:
    assert status_with(report(status, "Observation/obs-1")) is Status.ENTERED_IN_ERROR
    assert status_with(report(status, "Observation/other")) is Status.FINAL


def test_a_result_stands_while_another_report_stands_for_it() -> None:
    withdrawn = report("entered-in-error", "Observation/obs-1")
    assert status_with(withdrawn, report("final", "Observation/obs-1")) is Status.FINAL


ON_THE_SERVER = f"{BASE}/Observation/obs-1"


@pytest.mark.parametrize("named", [ON_THE_SERVER, ON_THE_SERVER.replace("ehr", "EHR")])
def test_a_report_may_name_a_result_by_its_full_address_on_the_server(named: str) -> None:
    """In whatever letters the host is written; the result itself says no address here."""
    assert status_with(report("entered-in-error", named)) is Status.ENTERED_IN_ERROR
    upheld = report("entered-in-error", "Observation/obs-1"), report("final", named)
    assert status_with(*upheld) is Status.FINAL


@pytest.mark.parametrize("before", [(), ("#inside", "Observation?identifier=4711")])
def test_a_withdrawn_report_withdraws_the_results_it_names_by_urn(before: tuple[str, ...]) -> None:
    """As in the Bundle of a message, whatever else the report names before them."""
    urn = "urn:uuid:5f6c21a3-9d0e-4c7e-8a53-2f0b7d1f9e64"
    for status, expected in (("entered-in-error", Status.ENTERED_IN_ERROR), ("final", "final")):
        found = only(entry(observation(), urn), report(status, *before, urn))
        assert isinstance(found, LabResult)
        assert found.status == expected


def test_the_same_id_on_another_server_is_not_the_result_that_a_report_names() -> None:
    elsewhere = "https://other.example.org/fhir/Observation/obs-1"
    assert status_with(report("entered-in-error", elsewhere)) is Status.FINAL


def test_a_withdrawn_report_withdraws_the_results_it_contains() -> None:
    withdrawn = report("entered-in-error", "#o", contained=(observation(id="o"),))
    (found,) = record(bundle(withdrawn)).results
    assert isinstance(found, LabResult)
    assert found.status is Status.ENTERED_IN_ERROR


def test_a_contained_result_is_called_by_its_report() -> None:
    whole = report("final", "#o", contained=(observation(id="o", valueQuantity=quantity()),))
    assert only(whole).ref == ResourceRef("DiagnosticReport/rep-final#o")
