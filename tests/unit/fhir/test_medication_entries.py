"""Medications: which are in force, which are over, and what a drug is made of."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import Coding, Moment, NoMoment
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, RecordKind
from tests.unit.fhir.files.charting import (
    ATC,
    administration,
    by_status,
    counts,
    kinds,
    request,
    since,
    statement,
    the_record,
)
from tests.unit.fhir.given import ANOTHER, LEFT_OUT, bundle, concept, observation, record

LATER = "2027-01-01T08:00:00Z"


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


@pytest.mark.parametrize(
    "odd",
    [
        request(status="Active"),
        statement(status="Active"),
        administration(status="Completed"),
        request(intent="Order"),
        request(doNotPerform="true"),
    ],
    ids=["request", "statement", "administration", "intent", "a flag in words"],
)
def test_what_is_outside_its_value_set_is_not_read_and_not_taken_for_none(odd: JsonObject) -> None:
    found = the_record(odd)
    assert found.entries == ()
    assert found.availability["medications"] is Availability.FAILED


def bounded(**bounds: str) -> JsonObject:
    return {"timing": {"repeat": {"boundsPeriod": bounds}}}


def at(*times: str) -> JsonObject:
    return {"timing": {"event": list(times)}}


def dosage(end: str) -> JsonObject:
    return bounded(end=end) if end else bounded(start="2020")


@pytest.mark.parametrize(
    ("resource", "end"),
    [
        (statement(effectivePeriod={"start": "2026-01", "end": "2026-02-28"}), "2026-02-28"),
        (statement(effectivePeriod={"start": "2026-01", "end": "2026"}), "2026"),
        (statement(effectivePeriod={"start": "2026-01"}), ""),
        (statement(dosage=[dosage("2025-12-31")]), "2025-12-31"),
        (statement(dosage=[dosage("2025-12-31"), dosage("2026-03-05")]), "2026-03-05"),
        (statement(dosage=[dosage("2025-12-31"), dosage("")]), ""),
        (request(dosageInstruction=[dosage("2025-12-31")]), "2025-12-31"),
        (request(dosageInstruction=[at("2026-02-20", "2026-02-24")]), "2026-02-24"),
        (request(dosageInstruction=[at("2026-02-20"), at("2026-02-18")]), "2026-02-20"),
        (
            request(
                dosageInstruction=[{"timing": {**at("2026")["timing"], "repeat": {"count": 9}}}]
            ),
            "",
        ),
    ],
)
def test_a_medication_in_force_ends_with_the_last_of_its_dosages(
    resource: JsonObject, end: str
) -> None:
    """Whether that was before the sample is for each result to say."""
    (found,) = the_record(resource).entries
    assert found.kind is RecordKind.MEDICATION
    assert found.until.text == end if isinstance(found.until, Moment) else end == ""


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (request(status="completed"), [RecordKind.COURSE]),
        (statement(status="completed"), [RecordKind.COURSE]),
        (statement(effectivePeriod={"end": "2026-02-28"}), [RecordKind.MEDICATION]),
        (request(status="completed", intent="plan"), []),
        (request(status="completed", doNotPerform=True), []),
        (request(status="stopped"), []),
        (request(status="cancelled"), []),
        (statement(status="not-taken"), []),
        (administration(status="completed"), [RecordKind.DOSE]),
    ],
)
def test_what_is_over_by_its_status_is_told_as_a_course(
    resource: JsonObject, expected: list[RecordKind]
) -> None:
    assert kinds(resource) == expected


def test_a_course_says_when_it_began_and_when_it_ended() -> None:
    sent = statement(status="completed", effectivePeriod={"start": "2026-01", "end": "2026-02-20"})
    (course,) = the_record(sent).entries
    assert isinstance(course.since, Moment)
    assert isinstance(course.until, Moment)
    assert (course.since.text, course.until.text) == ("2026-01", "2026-02-20")


@pytest.mark.parametrize("drug", [request(), statement(), administration()])
def test_a_medication_whose_end_nobody_states_has_none(drug: JsonObject) -> None:
    (found,) = the_record(drug).entries
    assert found.until == NoMoment()


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


@pytest.mark.parametrize(
    ("drug", "first"),
    [
        (request(dosageInstruction=[bounded(start="2026-03-10")]), "2026-03-10"),
        (request(dosageInstruction=[at("2026-03-14", "2026-03-10")]), "2026-03-10"),
        (request(dosageInstruction=[at("2026-03-14"), bounded(start="2026-03-10")]), "2026-03-10"),
        (request(dosageInstruction=[bounded(start="2026-03-10"), {"text": "x"}]), "2026-02-20"),
        (request(dosageInstruction=[bounded(start="2026-01-10")]), "2026-02-20"),
        (request(dosageInstruction=[{"text": "x"}]), "2026-02-20"),
        (statement(dosage=[bounded(start="2026-03-10")]), "2026-03-10"),
    ],
    ids=["bounds", "times", "both", "one without", "earlier", "none", "statement"],
)
def test_a_medication_begins_with_its_first_dose_if_that_is_later(
    drug: JsonObject, first: str
) -> None:
    """Basiliximab ordered for the day of the operation, which is after the sample."""
    ordered = {"authoredOn": "2026-02-20"} if drug["resourceType"] == "MedicationRequest" else {}
    assert since({**drug, **ordered}) == first


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


SUBSTANCE = {"resourceType": "Substance", "id": "part", "code": concept(ATC, "L04AC02")}
PRODUCT = {"resourceType": "Medication", "id": "part", "code": concept(ATC, "L04AC02")}
NAMED = {"reference": "Medication/mix"}


def mixture(part: str, **more: Any) -> JsonObject:
    """A Medication that refers to what it is made of."""
    made_of = [{"itemReference": {"reference": part}}]
    return {"resourceType": "Medication", "id": "mix", "ingredient": made_of, **more}


@pytest.mark.parametrize("part", [SUBSTANCE, PRODUCT], ids=["substance", "medication"])
def test_an_ingredient_may_be_a_resource_of_its_own(part: JsonObject) -> None:
    bare = {"medicationCodeableConcept": LEFT_OUT}
    inside = [mixture("#part"), part]
    assert counts(request(**bare, medicationReference={"reference": "#mix"}, contained=inside))
    by_itself = request(**bare, medicationReference=NAMED)
    assert counts(by_itself, mixture(f"{part['resourceType']}/part"), part)
    assert counts(by_itself, mixture("#part", contained=[part]))
    withdrawn = {**part, "status": "entered-in-error"}
    assert not counts(by_itself, mixture("#part", contained=[withdrawn]))


def test_an_ingredient_that_is_not_at_hand_is_not_taken_for_none() -> None:
    """Unless the Medication tells by its own code what it is."""
    drug = request(medicationCodeableConcept=LEFT_OUT, medicationReference=NAMED)
    unknown = the_record(drug, mixture("Substance/part"))
    assert unknown.entries == ()
    assert unknown.availability["medications"] is Availability.FAILED
    coded = the_record(drug, mixture("Substance/part", code=concept(ATC, "L04AC02")))
    assert len(coded.entries) == 1
    assert coded.availability["medications"] is Availability.GIVEN


@pytest.mark.parametrize(
    "odd",
    [
        {"status": "Entered-in-error"},
        {"ingredient": [{"itemCodeableConcept": concept(ATC, "L04AC02"), "isActive": "false"}]},
    ],
    ids=["status", "flag"],
)
def test_a_medication_that_cannot_be_told_to_stand_is_not_read(odd: JsonObject) -> None:
    drug = request(medicationCodeableConcept=LEFT_OUT, medicationReference=NAMED)
    found = the_record(drug, {**PRODUCT, "id": "mix", **odd})
    assert found.entries == ()
    assert found.availability["medications"] is Availability.FAILED
