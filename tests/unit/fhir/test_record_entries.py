"""Conditions and procedures: which of them count, since when, and what could not be read."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import Coding, Moment, ResourceRef
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, CodedEntry, RecordKind
from tests.unit.fhir.files.charting import (
    CLINICAL,
    ICD,
    VERIFICATION,
    by_status,
    condition,
    counts,
    kinds,
    procedure,
    since,
    statement,
    the_record,
)
from tests.unit.fhir.given import (
    ANOTHER,
    LEFT_OUT,
    PATIENT,
    bundle,
    concept,
    entry,
    observation,
    patient,
    record,
)

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


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


@pytest.mark.parametrize("system", ["http://hl7.org/fhir/condition-clinical", "urn:oid:2.999.4"])
def test_a_status_of_the_value_set_says_the_same_under_another_system(system: str) -> None:
    """The names of the systems in earlier releases, which some servers still send."""
    assert counts(condition(clinicalStatus=concept(system, "active")))
    assert not counts(condition(clinicalStatus=concept(system, "resolved")))
    assert not counts(condition(verificationStatus=concept(system, "refuted")))


def test_beside_a_code_of_hl7_one_of_another_system_says_nothing() -> None:
    other = {"system": "urn:oid:2.999.4", "code": "resolved"}
    active = {"system": CLINICAL, "code": "active"}
    assert counts(condition(clinicalStatus={"coding": [other, active]}))


@pytest.mark.parametrize("name", ["clinicalStatus", "verificationStatus"])
@pytest.mark.parametrize(
    "status",
    [
        concept("urn:oid:2.999.4", "OVER"),
        {"text": "resolved"},
        {"coding": [{"display": "Resolved"}]},
    ],
    ids=["a code of another system", "words", "a display"],
)
def test_a_condition_whose_status_cannot_be_told_is_not_read(name: str, status: JsonObject) -> None:
    """Its value set is a required one in R4. To count it would say what the record may deny."""
    found = the_record(condition(**{name: status}))
    assert found.entries == ()
    assert found.availability["conditions"] is Availability.FAILED


def test_a_status_that_says_why_it_is_absent_is_as_one_that_is() -> None:
    why = {"url": ABSENT, "valueCode": "unknown"}
    assert counts(condition(clinicalStatus={"extension": [why]}))


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


def test_a_procedure_of_a_status_that_r4_does_not_have_is_not_read() -> None:
    found = the_record(procedure(status="Completed"))
    assert found.entries == ()
    assert found.availability["conditions"] is Availability.FAILED


def test_an_entry_that_is_no_resource_and_one_that_is_not_valid_both_make_less_of_a_part() -> None:
    invalid = condition(id="x-2", code=5)
    nothing: JsonObject = {"resource": {}}
    several: list[list[JsonObject]] = [[invalid], [nothing], [invalid, nothing]]
    for more in several:
        found = record(bundle(observation()), conditions=bundle(condition(), *more))
        assert found.availability["conditions"] is Availability.PARTIAL


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
    ("done", "last"),
    [
        ({"performedDateTime": "2026-02-01"}, "2026-02-01"),
        ({"performedPeriod": {"start": "2026-02-01", "end": "2026-02-03"}}, "2026-02-03"),
        ({"performedPeriod": {"start": "2026-02-01"}}, "2026-02-01"),
        ({"performedString": "last winter"}, ""),
        ({"performedDateTime": "2026-02-01", "status": "in-progress"}, ""),
    ],
    ids=["day", "period", "open period", "words", "still going on"],
)
def test_a_procedure_that_is_completed_says_its_last_known_day(done: JsonObject, last: str) -> None:
    (found,) = the_record(procedure(**done)).entries
    assert found.until.text == last if isinstance(found.until, Moment) else last == ""


def test_a_procedure_that_ends_before_it_begins_is_not_read() -> None:
    turned = {"start": "2026-02-03", "end": "2026-02-01"}
    found = the_record(procedure(performedPeriod=turned))
    assert found.availability["conditions"] is Availability.FAILED


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
