"""What is prescribed counts for a notified result, also where the drug stands by itself."""

from __future__ import annotations

import pytest

from tests.event_world import World, observation
from tests.little_fhir import Json, refusing

PRESCRIPTION: Json = {
    "resourceType": "MedicationRequest",
    "id": "r1",
    "status": "active",
    "intent": "order",
    "medicationReference": {"reference": "Medication/m1"},
    "subject": {"reference": "Patient/p1"},
}
PREDNISOLONE: Json = {
    "resourceType": "Medication",
    "id": "m1",
    "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB06"}]},
}


@pytest.fixture(autouse=True)
def _prescribed(here: World) -> None:
    here.fhir.put(PRESCRIPTION)
    here.fhir.put(PREDNISOLONE)


def test_a_drug_that_is_only_referred_to_is_read(here: World) -> None:
    here.arrives(observation())
    (record,) = here.records()
    assert "context-corticosteroids" in record.findings


def test_the_result_waits_for_it_while_the_server_fails(here: World) -> None:
    here.fhir.operations["Medication"] = refusing(503)
    here.arrives(observation())
    assert (here.evaluated(), here.causes()) == ([], ["Medication: status-5xx"])
    del here.fhir.operations["Medication"]
    here.clock.pass_(minutes=8)
    here.work()
    (record,) = here.records()
    assert "context-corticosteroids" in record.findings
