"""Which conditions, procedures and medications count, and which do not."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.card import JsonObject
from cds_service.core.elements import Coding, Moment, NoMoment, ResourceRef
from cds_service.core.model import Availability, CodedEntry, PatientRecord, RecordKind
from tests.unit.fhir.given import (
    LEFT_OUT,
    PATIENT,
    bundle,
    concept,
    entry,
    observation,
    patient,
    record,
)

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ATC = "http://www.whocc.no/atc"
THIS = {"reference": f"Patient/{PATIENT}"}
ANOTHER = {"reference": "Patient/pat-2"}
LATER = "2027-01-01T08:00:00Z"


def made(resource_type: str, defaults: JsonObject, changes: JsonObject) -> JsonObject:
    whole = {"resourceType": resource_type, "id": "x-1", "subject": THIS, **defaults, **changes}
    return {key: value for key, value in whole.items() if value is not LEFT_OUT}


def condition(**changes: Any) -> JsonObject:
    defaults = {
        "clinicalStatus": concept(CLINICAL, "active"),
        "verificationStatus": concept(VERIFICATION, "confirmed"),
        "code": concept(ICD, "D86.0"),
    }
    return made("Condition", defaults, changes)


def procedure(**changes: Any) -> JsonObject:
    return made("Procedure", {"status": "completed", "code": concept("x:y", "dialysis")}, changes)


DRUG = {"medicationCodeableConcept": concept(ATC, "L04AC02")}


def statement(**changes: Any) -> JsonObject:
    return made("MedicationStatement", {"status": "active", **DRUG}, changes)


def request(**changes: Any) -> JsonObject:
    return made("MedicationRequest", {"status": "active", "intent": "order", **DRUG}, changes)


def administration(**changes: Any) -> JsonObject:
    given = {"status": "completed", "effectiveDateTime": "2026-02-27", **DRUG}
    return made("MedicationAdministration", given, changes)


def the_record(*resources: JsonObject) -> PatientRecord:
    """With one result of 1 March 2026."""
    key = "medications" if resources[0]["resourceType"].startswith("Medication") else "conditions"
    part: dict[str, Any] = {key: bundle(*resources)}
    return record(bundle(observation()), **part)


def kinds(*resources: JsonObject) -> list[RecordKind]:
    return [entry.kind for entry in the_record(*resources).entries]


def counts(*resources: JsonObject) -> bool:
    """As something that still goes on, or as a dose; a course that is over is told apart."""
    return len(kinds(*resources)) == 1 and RecordKind.COURSE not in kinds(*resources)


def by_status(counts_under: str, does_not_under: str) -> pytest.MarkDecorator:
    """The codes of a status, in words: those under which a resource counts, and the others."""
    cases = [(status, True) for status in counts_under.split()]
    cases += [(status, False) for status in does_not_under.split()]
    return pytest.mark.parametrize(("status", "expected"), cases)


def test_a_condition_gives_its_codes_and_when_it_began() -> None:
    sent = condition(meta={"versionId": "2"}, onsetDateTime="2019")
    (found,) = the_record(sent).entries
    assert (found.ref, found.kind) == (ResourceRef("Condition/x-1", "2"), RecordKind.CONDITION)
    assert found.codings == (Coding(ICD, "D86.0"),)
    assert since(sent) == "2019"


@by_status("active recurrence relapse remission", "inactive resolved banana")
def test_a_condition_counts_by_its_clinical_status(status: str, expected: bool) -> None:
    assert counts(condition(clinicalStatus=concept(CLINICAL, status))) is expected


@by_status("confirmed provisional differential unconfirmed", "refuted entered-in-error banana")
def test_a_condition_counts_by_its_verification(status: str, expected: bool) -> None:
    assert counts(condition(verificationStatus=concept(VERIFICATION, status))) is expected


def test_a_status_under_a_code_system_of_another_says_nothing() -> None:
    assert counts(condition(clinicalStatus=concept("urn:oid:2.999.4", "resolved")))
    assert counts(condition(verificationStatus=concept("urn:oid:2.999.4", "refuted")))


def test_a_condition_without_statuses_counts_unless_it_has_abated() -> None:
    bare = {"clinicalStatus": LEFT_OUT, "verificationStatus": LEFT_OUT}
    assert counts(condition(**bare))
    assert not counts(condition(**bare, abatementDateTime="2020"))
    assert counts(
        condition(clinicalStatus=concept(CLINICAL, "remission"), abatementDateTime="2020")
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"code": {"text": "Sarcoidosis"}},
        {"code": LEFT_OUT},
        {"subject": ANOTHER},
        {"clinicalStatus": "active"},
        {"modifierExtension": [{"url": "x:y", "valueBoolean": True}]},
        {"onsetDateTime": "2019-02-30"},
    ],
)
def test_words_another_patients_and_invalid_conditions_do_not_count(
    changes: dict[str, Any],
) -> None:
    assert not counts(condition(**changes))


@pytest.mark.parametrize(("patient_id", "expected"), [(PATIENT, True), ("pat-2", False)])
def test_a_urn_means_the_patient_that_stands_under_it(patient_id: str, expected: bool) -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    sent = condition(subject={"reference": urn}), entry(patient(id=patient_id), urn)
    assert counts(*sent) is expected


def test_a_condition_of_a_patient_told_by_identifier_counts() -> None:
    assert counts(condition(subject={"identifier": {"value": "mrn"}}))


@by_status("completed in-progress", "preparation not-done stopped entered-in-error unknown")
def test_a_procedure_counts_if_it_was_done(status: str, expected: bool) -> None:
    assert kinds(procedure(status=status)) == [RecordKind.PROCEDURE] * expected


@by_status("active on-hold", "intended completed stopped not-taken unknown entered-in-error banana")
def test_a_medication_statement_counts_by_its_status(status: str, expected: bool) -> None:
    assert counts(statement(status=status)) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"status": "on-hold"}, True),
        ({"status": "completed"}, False),
        ({"status": "cancelled"}, False),
        ({"status": "stopped"}, False),
        ({"status": "draft"}, False),
        ({"intent": "proposal"}, False),
        ({"intent": "plan"}, False),
        ({"intent": "instance-order"}, True),
        ({"doNotPerform": True}, False),
        ({"doNotPerform": False}, True),
    ],
)
def test_a_medication_request_counts_if_it_is_an_order_in_force(
    changes: dict[str, Any], expected: bool
) -> None:
    assert counts(request(**changes)) is expected


@by_status("completed in-progress on-hold", "not-done stopped")
def test_a_medication_administration_counts_if_it_was_given(status: str, expected: bool) -> None:
    assert counts(administration(status=status)) is expected


def bounded(**bounds: str) -> JsonObject:
    return {"timing": {"repeat": {"boundsPeriod": bounds}}}


def dosage(end: str) -> JsonObject:
    return bounded(end=end) if end else bounded(start="2020")


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (statement(effectivePeriod={"start": "2026-01", "end": "2026-02-28"}), False),
        (statement(effectivePeriod={"start": "2026-01", "end": "2026-03-01"}), True),
        (statement(effectivePeriod={"start": "2026-01", "end": "2026"}), True),
        (statement(effectivePeriod={"start": "2026-01"}), True),
        (statement(dosage=[dosage("2025-12-31")]), False),
        (statement(dosage=[dosage("2025-12-31"), dosage("2026-03-05")]), True),
        (statement(dosage=[dosage("2025-12-31"), dosage("")]), True),
        (request(dosageInstruction=[dosage("2025-12-31")]), False),
    ],
)
def test_a_medication_that_ended_before_the_result_does_not_count(
    resource: JsonObject, expected: bool
) -> None:
    assert counts(resource) is expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (request(status="completed"), [RecordKind.COURSE]),
        (statement(status="completed"), [RecordKind.COURSE]),
        (statement(effectivePeriod={"end": "2026-02-28"}), [RecordKind.COURSE]),
        (request(dosageInstruction=[dosage("2026-02-28")]), [RecordKind.COURSE]),
        (request(status="completed", intent="plan"), []),
        (request(status="completed", doNotPerform=True), []),
        (request(status="stopped"), []),
        (request(status="cancelled"), []),
        (statement(status="not-taken"), []),
        (administration(status="completed"), [RecordKind.DOSE]),
    ],
)
def test_what_was_given_and_is_over_is_told_as_a_course(
    resource: JsonObject, expected: list[RecordKind]
) -> None:
    assert kinds(resource) == expected


def test_an_entry_that_is_no_resource_and_one_that_is_not_valid_both_make_less_of_a_part() -> None:
    invalid = condition(id="x-2", code=5)
    nothing: JsonObject = {"resource": {}}
    several: list[list[JsonObject]] = [[invalid], [nothing], [invalid, nothing]]
    for more in several:
        found = record(bundle(observation()), conditions=bundle(condition(), *more))
        assert found.availability["conditions"] is Availability.PARTIAL


def test_whether_a_medication_was_over_is_measured_at_the_newest_result() -> None:
    days = ["2026-01-05", "2026-03-01", "2026-01-06"]
    results = [observation(id=f"o{day}", effectiveDateTime=day) for day in days]
    sent = statement(effectivePeriod={"end": "2026-02-28"})
    (course,) = record(bundle(*results), medications=bundle(sent)).entries
    assert course.kind is RecordKind.COURSE


def test_a_course_says_when_it_began_and_when_it_ended() -> None:
    sent = statement(status="completed", effectivePeriod={"start": "2026-01", "end": "2026-02-20"})
    (course,) = the_record(sent).entries
    assert isinstance(course.since, Moment)
    assert isinstance(course.until, Moment)
    assert (course.since.text, course.until.text) == ("2026-01", "2026-02-20")


def since(*resources: JsonObject) -> str:
    (found,) = the_record(*resources).entries
    assert isinstance(found.since, Moment)
    return found.since.text


@pytest.mark.parametrize("drug", [request(), statement(), administration()])
def test_a_medication_whose_end_nobody_states_has_none(drug: JsonObject) -> None:
    (found,) = the_record(drug).entries
    assert found.until == NoMoment()


@pytest.mark.parametrize(
    "performed",
    [
        {"performedDateTime": "2026-02-01"},
        {"performedPeriod": {"start": "2026-02-01", "end": "2026-02-03"}},
    ],
    ids=["day", "period"],
)
def test_a_procedure_says_when_it_was_done(performed: JsonObject) -> None:
    assert since(procedure(**performed)) == "2026-02-01"


@pytest.mark.parametrize(
    "turned",
    [
        statement(effectivePeriod={"start": "2026-02-02", "end": "2026-02-01"}),
        request(dosageInstruction=[bounded(start="2026-02-02", end="2026-02-01")]),
    ],
    ids=["statement", "request"],
)
def test_a_medication_that_ends_before_it_begins_is_invalid(turned: JsonObject) -> None:
    found = the_record(turned)
    assert found.entries == ()
    assert found.availability["medications"] is Availability.FAILED


def test_a_result_of_another_patient_ends_no_medication() -> None:
    results = bundle(observation(), observation(id="o2", subject=ANOTHER, issued=LATER))
    given = bundle(statement(effectivePeriod={"start": "2026-01-01", "end": "2026-06-01"}))
    (entry,) = record(results, medications=given).entries
    assert entry.kind is RecordKind.MEDICATION


def test_a_medication_says_when_it_began() -> None:
    assert since(administration()) == "2026-02-27"
    assert since(request(authoredOn="2026-02-01")) == "2026-02-01"
    assert since(statement(effectivePeriod={"start": "2026-01"})) == "2026-01"


def test_a_medication_may_be_contained_or_stand_in_the_bundle() -> None:
    drug = {"resourceType": "Medication", "id": "med", "code": concept(ATC, "L04AC02")}
    bare = {"medicationCodeableConcept": LEFT_OUT}
    referring = statement(**bare, medicationReference={"reference": "Medication/med"})
    inside = statement(**bare, medicationReference={"reference": "#med"}, contained=[drug])
    assert counts(referring, drug)
    assert counts(inside)
    assert not counts(referring)
    assert not counts(referring, {**drug, "status": "entered-in-error"})


BY_REFERENCE = {
    "medicationCodeableConcept": LEFT_OUT,
    "medicationReference": {"reference": "Medication/elsewhere", "display": "basiliximab"},
}


@pytest.mark.parametrize("made_as", [statement, request, administration])
def test_drugs_that_did_not_come_along_are_not_taken_for_none(made_as: Any) -> None:
    unknown = the_record(made_as(**BY_REFERENCE))
    assert unknown.entries == ()
    assert unknown.availability["medications"] is Availability.FAILED
    beside = the_record(made_as(**BY_REFERENCE), request(id="x-2"))
    assert len(beside.entries) == 1
    assert beside.availability["medications"] is Availability.PARTIAL


@pytest.mark.parametrize(
    "changes", [{"status": "stopped"}, {"intent": "plan"}, {"doNotPerform": True}]
)
def test_a_drug_that_does_not_count_need_not_be_known(changes: JsonObject) -> None:
    found = the_record(request(**BY_REFERENCE, **changes))
    assert found.availability["medications"] is Availability.GIVEN


def test_an_infusion_counts_by_what_it_is_made_of() -> None:
    def infusion(**ingredient: Any) -> JsonObject:
        parts = [{"itemCodeableConcept": {"text": "saline"}}, ingredient]
        said = {"text": "basiliximab 20 mg in saline"}
        mixed = {"resourceType": "Medication", "id": "mix", "code": said, "ingredient": parts}
        bare = {"medicationCodeableConcept": LEFT_OUT}
        return request(**bare, medicationReference={"reference": "#mix"}, contained=[mixed])

    basiliximab = {"itemCodeableConcept": concept(ATC, "L04AC02")}
    (entry,) = the_record(infusion(**basiliximab, isActive=True)).entries
    assert entry.codings == (Coding(ATC, "L04AC02", ""),)
    assert counts(infusion(**basiliximab))
    assert not counts(infusion(**basiliximab, isActive=False))
    assert not counts(infusion(itemCodeableConcept={"text": "basiliximab"}))


def test_conditions_and_medications_are_read_from_their_own_parts() -> None:
    found = record(
        bundle(observation()), conditions=bundle(condition()), medications=bundle(statement())
    )
    assert [entry.kind for entry in found.entries] == [RecordKind.CONDITION, RecordKind.MEDICATION]
    assert all(isinstance(entry, CodedEntry) for entry in found.entries)


@pytest.mark.parametrize(
    ("resources", "availability"),
    [
        ((condition(),), Availability.GIVEN),
        ((condition(clinicalStatus=concept(CLINICAL, "resolved")),), Availability.GIVEN),
        ((condition(), condition(id="x-2", clinicalStatus="active")), Availability.PARTIAL),
        ((condition(clinicalStatus="active"),), Availability.FAILED),
        ((condition(subject=ANOTHER),), Availability.OF_ANOTHER_PATIENT),
        ((condition(), condition(id="x-2", subject=ANOTHER)), Availability.GIVEN),
    ],
)
def test_t22_the_part_says_what_could_not_be_read(
    resources: tuple[JsonObject, ...], availability: Availability
) -> None:
    assert the_record(*resources).availability["conditions"] is availability
