"""From a request to its answer: which data are read, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import fhir_fixtures
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import Availability
from cds_service.errors import DataUnavailable
from cds_service.fhir.access import NoAccess, NoAccessReason
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Call, record_of
from cds_service.hooks.gather import gather
from cds_service.hooks.request import Trigger, read_request
from cds_service.hooks.services import Service, build_registry
from tests.unit.hooks.contexts import CONTEXTS

TODAY = fhir_fixtures.manifest().evaluated_on
NO_ACCESS = NoAccess(NoAccessReason.NO_SERVER)


@pytest.fixture(scope="module")
def services(sil2r: KnowledgeBase) -> dict[Trigger, Service]:
    registry = build_registry([sil2r], lab_result_hook="h")
    return {service.trigger: service for service in registry.services.values()}


def never(_references: Iterable[str]) -> frozenset[str]:
    raise AssertionError("nobody asked whether a result had been carded")


def call(service: Service, body: dict[str, Any], **more: Any) -> Call:
    given = {"caller": "north", "at": TODAY, "access": NO_ACCESS, "carded_before": never, **more}
    request = read_request(
        {**body, "hook": service.hook}, service.trigger, service.hook, service.templates
    )
    return Call(service=service, request=request, **given)


def test_the_same_call_gives_the_same_cards_on_the_same_day_for_the_same_caller(
    services: dict[Trigger, Service],
) -> None:
    body = fhir_fixtures.load("lab_result_minimal")
    service = services[Trigger.LAB_RESULT]
    first = answer(call(service, body))
    assert first.cards
    assert answer(call(service, body)).as_json() == first.as_json()
    other = answer(call(service, body, caller="south"))
    assert other.cards[0].uuid != first.cards[0].uuid
    assert other.cards[0].detail == first.cards[0].detail


def test_a_withdrawn_result_is_spoken_of_only_if_it_had_been_carded(
    services: dict[Trigger, Service],
) -> None:
    asked: list[str] = []

    def all_of_them(references: Iterable[str]) -> frozenset[str]:
        asked.extend(references)
        return frozenset(asked)

    body = fhir_fixtures.load("lab_result_withdrawn")
    service = services[Trigger.LAB_RESULT]
    unknown = answer(call(service, body, carded_before=lambda _: frozenset()))
    assert unknown.cards == ()
    known = answer(call(service, body, carded_before=all_of_them))
    assert [card.extension["reason"] for card in known.cards] == ["status-withdrawn"]
    assert all(reference.startswith("Observation/") for reference in asked)


def taken_back_alone() -> tuple[dict[str, Any], str]:
    """A report that was withdrawn and arrives alone, its result in the record; and the name of
    that.
    """
    body = fhir_fixtures.load("lab_result_minimal")
    results = body["context"]["results"]
    (sent,) = results["entry"]
    name = f"Observation/{sent['resource']['id']}"
    report = {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "entered-in-error",
        "code": sent["resource"]["code"],
        "subject": sent["resource"]["subject"],
        "result": [{"reference": name}],
    }
    body["prefetch"] = {"sil2r": {**results, "type": "searchset"}}
    body["context"]["results"] = {**results, "entry": [{"resource": report}]}
    return body, name


def test_a_result_that_its_report_takes_back_alone_is_spoken_of_if_it_had_been_carded(
    services: dict[Trigger, Service],
) -> None:
    """The EHR passes the report on; in its chart the Observation is final as before."""
    body, name = taken_back_alone()
    service = services[Trigger.LAB_RESULT]
    told = answer(call(service, body, carded_before=frozenset))
    assert [card.extension["reason"] for card in told.cards] == ["status-withdrawn"]
    assert [one["resource"] for one in told.cards[0].extension["inputs"]] == [name]
    assert answer(call(service, body, carded_before=lambda _: frozenset())).cards == ()


NOT_HAD: dict[str, dict[str, Any]] = {
    "missing": {},
    "failed": {"sil2r": {"resourceType": "OperationOutcome", "issue": []}},
    "a page of several": {
        "sil2r": {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}],
        }
    },
}


@pytest.mark.parametrize("prefetch", NOT_HAD.values(), ids=NOT_HAD)
def test_where_the_record_cannot_be_had_a_card_that_was_taken_back_is_no_empty_answer(
    services: dict[Trigger, Service], prefetch: dict[str, Any]
) -> None:
    body, name = taken_back_alone()
    body["prefetch"] = prefetch
    service = services[Trigger.LAB_RESULT]
    with pytest.raises(DataUnavailable) as refused:
        answer(call(service, body, carded_before=frozenset({name}).intersection))
    assert refused.value.where == "prefetch.sil2r"
    nothing_said = call(service, body, carded_before=frozenset[str]().intersection)
    assert answer(nothing_said).cards == ()
    body["prefetch"] = {"sil2r": None}
    looked_for = call(service, body, carded_before=frozenset({name}).intersection)
    assert answer(looked_for).cards == ()


def test_a_late_message_of_a_result_that_was_carded_and_is_withdrawn_since_tells_that(
    services: dict[Trigger, Service],
) -> None:
    """The message holds the result as it was; only the record knows what became of it."""
    body = fhir_fixtures.load("lab_result_minimal")
    (sent,) = (entry["resource"] for entry in body["context"]["results"]["entry"])
    sent["meta"] = {"versionId": "1"}
    since = {**sent, "meta": {"versionId": "2"}, "status": "entered-in-error"}
    body["prefetch"] = {
        "sil2r": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": since}]}
    }
    known = answer(call(services[Trigger.LAB_RESULT], body, carded_before=frozenset))
    assert [card.extension["reason"] for card in known.cards] == ["status-withdrawn"]
    unknown = answer(call(services[Trigger.LAB_RESULT], body, carded_before=lambda _: frozenset()))
    assert unknown.cards == ()


def test_the_memory_is_not_asked_when_nothing_was_withdrawn(
    services: dict[Trigger, Service],
) -> None:
    """Where results arrive it would be: `never` fails the test if it is."""
    body = fhir_fixtures.load("lab_result_full_prefetch")
    (card,) = answer(call(services[Trigger.LAB_RESULT], body)).cards
    assert card.extension["outcome"] == "interpreted"


def test_the_memory_is_not_asked_when_a_chart_is_opened(services: dict[Trigger, Service]) -> None:
    """A withdrawn result is told once, when it arrives."""
    body = fhir_fixtures.load("patient_view_full_prefetch")
    arrived = fhir_fixtures.load("lab_result_withdrawn")["context"]["results"]
    body["prefetch"]["sil2r"] = {**arrived, "type": "searchset"}
    opened = answer(call(services[Trigger.PATIENT_VIEW], body))
    assert opened.cards == ()
    (left_aside,) = opened.evaluation.skipped
    assert left_aside.because == "the result is entered-in-error"


def test_what_was_not_to_be_had_is_told_by_key(services: dict[Trigger, Service]) -> None:
    told = answer(call(services[Trigger.LAB_RESULT], fhir_fixtures.load("lab_result_minimal")))
    assert set(told.faults) == {"patient", "sil2r", "labs", "conditions", "medications"}
    assert set(told.faults.values()) == {NoAccessReason.NO_SERVER}


def test_a_result_outside_the_window_depends_on_the_day(services: dict[Trigger, Service]) -> None:
    body = fhir_fixtures.load("patient_view_full_prefetch")
    chart = services[Trigger.PATIENT_VIEW]
    assert answer(call(chart, body)).cards
    assert answer(call(chart, body, at=date(2031, 1, 1))).cards == ()


def test_another_analyte_keeps_its_results_under_its_own_key(sil2r: KnowledgeBase) -> None:
    limits = {
        name: row.model_copy(update={"of": "toy"} if row.of == "sil2r" else {})
        for name, row in sil2r.limits.items()
    }
    toy = replace(sil2r, identity=sil2r.identity.model_copy(update={"id": "toy"}), limits=limits)
    registry = build_registry([toy], lab_result_hook="h")
    body = fhir_fixtures.load("patient_view_full_prefetch")
    body["prefetch"]["toy"] = body["prefetch"].pop("sil2r")
    answered = answer(call(registry.find("toy-patient-view"), body))
    assert [card.extension["outcome"] for card in answered.cards] == ["interpreted"]


def test_the_record_says_what_became_of_each_part(services: dict[Trigger, Service]) -> None:
    body = fhir_fixtures.load("patient_view_full_prefetch")
    del body["prefetch"]["labs"]
    body["prefetch"]["medications"] = None
    made = call(services[Trigger.LAB_RESULT], {**body, "context": CONTEXTS[Trigger.LAB_RESULT]})
    gathered = gather(
        prefetch=made.request.prefetch,
        templates=made.service.templates,
        patient_id=CONTEXTS[Trigger.LAB_RESULT]["patientId"],
        access=made.access,
    )
    record = record_of(made, gathered, {})
    assert record.availability["labs"] is Availability.MISSING
    assert record.availability["medications"] is Availability.EMPTY
    assert record.results == ()
