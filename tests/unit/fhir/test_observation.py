"""An Observation: its codes, status and flags, and what is not valid FHIR R4."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import Coding, ResourceRef, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult
from tests.unit.fhir.given import LEFT_OUT, LOINC, concept, observation, only, refused, result


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
