"""Requests to the order services over FHIR, and what is answered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import fhirkit
from fhir.resources.R4B.servicerequest import ServiceRequest

import fhir_fixtures
from cds_service.core.json_object import JsonObject
from cds_service.fhir.access import NoAccess, NoAccessReason
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Answered, Call
from cds_service.hooks.request import Trigger, read_request
from cds_service.hooks.services import Service, build_registry
from tests.packaged import SIL2R

LOINC = "http://loinc.org"
EHR = "https://ehr.example.org/fhir"
V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
TODAY = fhir_fixtures.manifest().evaluated_on
SELECT, SIGN = Trigger.ORDER_SELECT, Trigger.ORDER_SIGN
SERUM, CSF, ANY, IL2 = "9654-5", "99768-4", "38352-1", "33939-0"


def services(**changes: Any) -> dict[str, Service]:
    base = replace(SIL2R, **changes)
    registry = build_registry([base], lab_result_hook="h")
    return dict(registry.services)


def draft(loinc: str = IL2, id_: str | None = "1", **changes: Any) -> JsonObject:
    request = {
        "resourceType": "ServiceRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/p"},
    }
    return {key: value for key, value in {**request, **changes}.items() if value is not None}


def bundle(*resources: JsonObject) -> JsonObject:
    """As the CDS Hooks Sandbox sends it: neither `type` nor `fullUrl`."""
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


def answered(
    *resources: JsonObject,
    selections: list[str] | None = None,
    sent: JsonObject | None = None,
    prefetch: JsonObject | None = None,
    server: str = "",
    **changes: Any,
) -> Answered:
    """The answer to order-sign, or to order-select where something is selected."""
    trigger = SIGN if selections is None else SELECT
    service = services(**changes)[f"sil2r-{trigger}"]
    context: JsonObject = {"patientId": "p", "draftOrders": sent or bundle(*resources)}
    if selections is not None:
        context["selections"] = selections
    body: JsonObject = {"hook": service.hook, "hookInstance": "i", "context": context}
    body["prefetch"] = prefetch or {}
    if server:
        body["fhirServer"] = server
    return answer(call(service, body))


def call(service: Service, body: JsonObject) -> Call:
    return Call(
        service=service,
        request=read_request(body, service.trigger, service.hook, service.templates),
        caller="north",
        at=TODAY,
        access=NoAccess(NoAccessReason.NO_SERVER),
        carded_before=lambda _references: frozenset(),
    )


def said(found: Answered) -> list[str]:
    """Outcome, or reason where there is one, of each card."""
    about = [card.extension for card in found.cards]
    return [str(each.get("reason", each["outcome"])) for each in about]


def actions(found: Answered) -> list[JsonObject]:
    return [
        action
        for card in found.cards
        for suggestion in card.suggestions
        for action in suggestion["actions"]
    ]


def created(found: Answered) -> list[JsonObject]:
    return [action["resource"] for action in actions(found) if action["type"] == "create"]


def is_valid(resource: JsonObject) -> bool:
    """By two validators that know nothing of each other."""
    ServiceRequest.model_validate(resource)
    return not fhirkit.validate(json.dumps(resource))
