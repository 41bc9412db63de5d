"""T-59: a record of more conditions or medications than are read. What counts is read first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from cds_service.core.concepts import ConceptIndex
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, PatientRecord
from cds_service.core.schema import Concept, ConceptCode
from cds_service.fhir import parts as parts_module
from cds_service.fhir.wanted import Wanted, wanted_by
from tests.packaged import SIL2R
from tests.unit.fhir.given import PATIENT, WANTED, bundle, concept, observation, record

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ATC = "http://www.whocc.no/atc"


def a_concept(name: str, system: str, code: str, match: Literal["exact", "prefix"]) -> Concept:
    one = ConceptCode(system=system, code=code, display=name, match=match, sources=("page",))
    return Concept(name=name, title=name, code=(one,))


WITH_CONCEPTS = replace(
    WANTED,
    conditions=ConceptIndex([a_concept("ckd", ICD, "N18", "prefix")]),
    medications=ConceptIndex([a_concept("il2", ATC, "L03AC01", "exact")]),
)


@pytest.fixture(autouse=True)
def two_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 2)


def of_patient(kind: str, id_: str, patient: str = PATIENT, **rest: Any) -> JsonObject:
    who = {"subject": {"reference": f"Patient/{patient}"}}
    return {"resourceType": kind, "id": id_, **who, **rest}


def condition(id_: str, code: str) -> JsonObject:
    return of_patient("Condition", id_, code=concept(ICD, code))


def request(id_: str, **drug: Any) -> JsonObject:
    return of_patient("MedicationRequest", id_, status="active", intent="order", **drug)


def read(key: str, *resources: JsonObject, wanted: Wanted = WITH_CONCEPTS) -> PatientRecord:
    sent: dict[str, Any] = {key: bundle(*resources)}
    return record(bundle(observation()), wanted=wanted, **sent)


def names(found: PatientRecord) -> list[str]:
    return [entry.ref.resource for entry in found.entries]


OTHERS = [condition(f"other-{n}", "M54.5") for n in range(4)]


@pytest.mark.parametrize("wanted", [WITH_CONCEPTS, wanted_by(SIL2R)], ids=["own", "packaged"])
def test_t59_a_condition_that_counts_is_read_wherever_it_stands(wanted: Wanted) -> None:
    found = read("conditions", *OTHERS, condition("kidney", "N18.4"), wanted=wanted)
    assert names(found)[0] == "Condition/kidney"


@pytest.mark.parametrize("more", [{}, {"code": {"text": "back pain"}}], ids=["no code", "words"])
def test_t59_what_has_no_code_to_count_by_hides_nothing(more: JsonObject) -> None:
    in_words = [of_patient("Condition", f"w{n}", **more) for n in range(4)]
    found = read("conditions", *in_words, condition("kidney", "N18.4"))
    assert names(found) == ["Condition/kidney"]
    assert found.availability["conditions"] is Availability.GIVEN


def test_t59_where_all_that_may_count_was_read_nothing_is_missing() -> None:
    found = read("conditions", *OTHERS, condition("kidney", "N18.4"))
    assert found.availability["conditions"] is Availability.GIVEN


def test_t59_where_more_may_count_than_are_read_some_of_it_is_missing() -> None:
    found = read("conditions", *(condition(f"k{n}", "N18.4") for n in range(3)))
    assert (len(found.entries), found.availability["conditions"]) == (2, Availability.PARTIAL)


def test_t59_as_many_as_are_read_are_all_there_is() -> None:
    found = read("conditions", *(condition(f"k{n}", "N18.4") for n in range(2)))
    assert (len(found.entries), found.availability["conditions"]) == (2, Availability.GIVEN)


@pytest.mark.parametrize(
    "code",
    [5, {"coding": 5}, {"coding": [5]}, {"coding": [{"system": ICD, "code": 5}]}],
    ids=["no object", "no list", "no coding", "no code"],
)
def test_t59_a_code_that_cannot_be_read_may_be_any(code: object) -> None:
    found = read("conditions", *OTHERS, of_patient("Condition", "broken", code=code))
    assert found.availability["conditions"] is Availability.PARTIAL


@pytest.mark.parametrize("wanted", [WITH_CONCEPTS, wanted_by(SIL2R)], ids=["own", "packaged"])
def test_t59_a_drug_is_looked_for_by_its_code(wanted: Wanted) -> None:
    pills = [request(f"p{n}", medicationCodeableConcept=concept(ATC, "A02BC01")) for n in range(4)]
    aldesleukin = request("il2", medicationCodeableConcept=concept(ATC, "L03AC01"))
    found = read("medications", *pills, aldesleukin, wanted=wanted)
    assert names(found)[0] == "MedicationRequest/il2"
    assert found.availability["medications"] is Availability.GIVEN


def test_t59_a_drug_whose_code_is_in_another_resource_may_be_any() -> None:
    pills = [request(f"p{n}", medicationCodeableConcept=concept(ATC, "A02BC01")) for n in range(4)]
    drug = of_patient("Medication", "drug", code=concept(ATC, "L03AC01"))
    del drug["subject"]
    elsewhere = request("il2", medicationReference={"reference": "Medication/drug"})
    assert names(read("medications", *pills, elsewhere, drug))[0] == "MedicationRequest/il2"


def test_t59_too_many_entries_of_another_patient_are_still_seen_to_be_that() -> None:
    foreign = [
        of_patient("Condition", f"f{n}", "somebody-else", code=concept(ICD, "M54.5"))
        for n in range(4)
    ]
    found = read("conditions", *foreign)
    assert found.availability["conditions"] is Availability.OF_ANOTHER_PATIENT
