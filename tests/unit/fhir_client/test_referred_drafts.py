"""F-07, H6: before a first order too, when there is no result yet, a drug that changes sIL-2R is
found though it is a resource of its own.
"""

from __future__ import annotations

from typing import Any

import pytest

import fhir_fixtures
from cds_service.core.knowledge import KnowledgeBase
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Answered, Call
from cds_service.hooks.request import Trigger, read_request
from cds_service.hooks.services import Service, build_registry
from cds_service.strict_json import parse_object
from tests.fault_server import FaultServer
from tests.faults import bundle, reply_json
from tests.unit.fhir_client.gathering import NO_SERVER, Grants

DRUGS = "/fhir/Medication?_id=m1&_count=1"
BASILIXIMAB = {
    "resourceType": "Medication",
    "id": "m1",
    "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AC02"}]},
}
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
    services = build_registry([sil2r], lab_result_hook="h").services.values()
    return next(each for each in services if each.trigger is Trigger.ORDER_SIGN)


def signing(fixture: str, server: FaultServer) -> dict[str, Any]:
    """A draft of this fixture, basiliximab in the record, and no result."""
    sent = parse_object(fhir_fixtures.path(fixture).read_bytes())
    drugs = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": GIVEN}]}
    prefetch = {**sent["prefetch"], "medications": drugs}
    return {**sent, "prefetch": prefetch, "fhirServer": server.base}


def answered(service: Service, sent: dict[str, Any], access: ServerAccess | NoAccess) -> Answered:
    return answer(
        Call(
            service=service,
            request=read_request(sent, service.trigger, service.hook, service.templates),
            caller="north",
            at=fhir_fixtures.manifest().evaluated_on,
            access=access,
            carded_before=lambda _references: frozenset(),
        )
    )


def test_before_a_first_order_the_drug_is_found(
    service: Service, server: FaultServer, access: Grants
) -> None:
    server.on(DRUGS, reply_json(bundle(BASILIXIMAB)))
    came_of_it = answered(service, signing("order_sign_nothing_to_say", server), access())
    assert server.targets() == [DRUGS]
    [card] = came_of_it.as_json()["cards"]
    said = card["extension"]["org.sil2r-cds.evaluation"]
    assert said["findings"] == ["order-anti-cd25-therapy"]
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
