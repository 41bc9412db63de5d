"""F-07, H6: before a first order too, when there is no result yet, a drug that changes sIL-2R is
found though it is a resource of its own.
"""

from __future__ import annotations

from typing import Any

import pytest

import fhir_fixtures
from cds_service.core.knowledge import KnowledgeBase
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import Service
from cds_service.strict_json import parse_object
from tests.fault_server import FaultServer
from tests.faults import bundle, reply_json
from tests.unit.fhir_client.answering import answered, evaluated, medication, service_of
from tests.unit.fhir_client.gathering import NO_SERVER, Grants

DRUGS = "/fhir/Medication?_id=m1&_count=1"
BASILIXIMAB = medication("m1", "L04AC02")
GIVEN = {
    "resourceType": "MedicationRequest",
    "id": "given",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/synthetic-adult-01"},
    "medicationReference": {"reference": "Medication/m1"},
    "authoredOn": "2026-11-18",
}


@pytest.fixture(scope="module")
def service(sil2r: KnowledgeBase) -> Service:
    return service_of(sil2r, Trigger.ORDER_SIGN)


def signing(fixture: str, server: FaultServer) -> dict[str, Any]:
    """A draft of this fixture, basiliximab in the record, and no result."""
    sent = parse_object(fhir_fixtures.path(fixture).read_bytes())
    drugs = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": GIVEN}]}
    prefetch = {**sent["prefetch"], "medications": drugs}
    return {**sent, "prefetch": prefetch, "fhirServer": server.base}


def test_before_a_first_order_the_drug_is_found(
    service: Service, server: FaultServer, access: Grants
) -> None:
    server.on(DRUGS, reply_json(bundle(BASILIXIMAB)))
    came_of_it = answered(service, signing("order_sign_nothing_to_say", server), access())
    assert server.targets() == [DRUGS]
    assert evaluated(came_of_it)["findings"] == ["order-anti-cd25-therapy"]
    assert came_of_it.faults == {}


def test_for_an_order_of_something_else_nothing_is_asked_for(
    service: Service, server: FaultServer, access: Grants
) -> None:
    """Most orders of a hospital are: they cost its server nothing."""
    sent = signing("order_sign_nothing_to_say", server)
    [draft] = sent["context"]["draftOrders"]["entry"]
    draft["resource"]["code"] = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
    assert answered(service, sent, access()).cards == ()
    assert server.connections == 0


def test_without_access_nothing_is_asked_for(service: Service, server: FaultServer) -> None:
    came_of_it = answered(service, signing("order_sign_nothing_to_say", server), NO_SERVER)
    assert came_of_it.cards == ()
    assert server.connections == 0
