"""Most results and orders of a hospital are of other tests: for these its server is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.hooks.request import Trigger
from tests.fault_server import FaultServer
from tests.faults import bundle
from tests.unit.fhir_client.answering import answered, service_of
from tests.unit.fhir_client.gathering import OUTCOME, Grants

LOINC = "http://loinc.org"
SIL2R, SODIUM, FERRITIN, INTERLEUKIN_2 = "9654-5", "2951-2", "2276-4", "33939-0"
SUBJECT = {"reference": "Patient/p"}
Json = dict[str, Any]


def concept(code: str) -> Json:
    return {"coding": [{"system": LOINC, "code": code}]}


def result(code: str, **more: object) -> Json:
    made = {"resourceType": "Observation", "id": "o", "status": "final", "subject": SUBJECT}
    return {**made, "code": concept(code), **more}


def draft(code: str, **more: object) -> Json:
    made = {"resourceType": "ServiceRequest", "id": "d", "status": "draft", "intent": "order"}
    return {**made, "subject": SUBJECT, "code": concept(code), **more}


def context(trigger: Trigger, *resources: Json) -> Json:
    sent = bundle(*resources)
    match trigger:
        case Trigger.LAB_RESULT:
            return {"patientId": "p", "results": sent}
        case _:
            return {"patientId": "p", "draftOrders": sent, "selections": ["ServiceRequest/d"]}


@pytest.mark.parametrize(
    ("trigger", "resource", "is_asked"),
    [
        (Trigger.LAB_RESULT, result(SODIUM), False),
        (Trigger.LAB_RESULT, result(SODIUM) | {"resourceType": "DiagnosticReport"}, False),
        (Trigger.ORDER_SELECT, draft(SODIUM), False),
        (Trigger.ORDER_SIGN, draft(SODIUM), False),
        (Trigger.ORDER_SIGN, draft(FERRITIN), False),
        (Trigger.LAB_RESULT, result(SIL2R), True),
        (Trigger.LAB_RESULT, result(INTERLEUKIN_2), True),
        (Trigger.LAB_RESULT, result(SODIUM) | {"code": {"coding": "?"}}, True),
        (Trigger.LAB_RESULT, result(SODIUM, component=[{"code": concept(SIL2R)}]), True),
        (Trigger.LAB_RESULT, result(SODIUM, contained=[result(SIL2R)]), True),
        (Trigger.LAB_RESULT, result(SIL2R) | {"resourceType": "DiagnosticReport"}, True),
        (Trigger.LAB_RESULT, {}, True),
        (Trigger.ORDER_SELECT, draft(SIL2R), True),
        (Trigger.ORDER_SIGN, draft(INTERLEUKIN_2), True),
    ],
)
def test_the_record_is_read_only_beside_what_may_call_for_a_card(
    sil2r: KnowledgeBase,
    server: FaultServer,
    access: Grants,
    trigger: Trigger,
    resource: Json,
    *,
    is_asked: bool,
) -> None:
    service = service_of(sil2r, trigger)
    sent = {"hook": service.hook, "hookInstance": "1", "context": context(trigger, resource)}
    came_of_it = answered(service, {**sent, "fhirServer": server.base}, access())
    assert is_asked or not came_of_it.cards
    assert bool(server.targets()) is is_asked
    assert bool(came_of_it.faults) is is_asked


@pytest.mark.parametrize("trigger", [Trigger.LAB_RESULT, Trigger.ORDER_SIGN])
def test_what_the_client_failed_to_send_is_counted_all_the_same(
    sil2r: KnowledgeBase, server: FaultServer, access: Grants, trigger: Trigger
) -> None:
    service = service_of(sil2r, trigger)
    other = result(SODIUM) if trigger is Trigger.LAB_RESULT else draft(SODIUM)
    sent = {"hook": service.hook, "hookInstance": "1", "context": context(trigger, other)}
    failed = {"prefetch": {"labs": OUTCOME}}
    came_of_it = answered(service, {**sent, "fhirServer": server.base, **failed}, access())
    assert came_of_it.faults == {"labs": "prefetch-failed"}
