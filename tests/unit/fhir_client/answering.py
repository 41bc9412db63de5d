"""A whole call of one service, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fhir_fixtures
from cds_service.core.knowledge import KnowledgeBase
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Answered, Call
from cds_service.hooks.request import Trigger, read_request
from cds_service.hooks.services import Service, build_registry


def service_of(sil2r: KnowledgeBase, trigger: Trigger) -> Service:
    services = build_registry([sil2r], lab_result_hook="h").services.values()
    return next(each for each in services if each.trigger is trigger)


def answered(service: Service, sent: dict[str, Any], access: ServerAccess | NoAccess) -> Answered:
    return answer(
        Call(
            service=service,
            request=read_request(sent, service.trigger, service.hook, service.templates),
            caller="north",
            at=fhir_fixtures.manifest().evaluated_on,
            access=access,
            carded_before=_never,
        )
    )


def _never(_references: Iterable[str]) -> frozenset[str]:
    raise AssertionError("nothing was withdrawn")


def evaluated(came_of_it: Answered) -> dict[str, Any]:
    """What the one card says for machines."""
    [card] = came_of_it.as_json()["cards"]
    said: dict[str, Any] = card["extension"]["org.sil2r-cds.evaluation"]
    return said


def medication(id_: str, atc: str) -> dict[str, Any]:
    coding = {"system": "http://www.whocc.no/atc", "code": atc}
    return {"resourceType": "Medication", "id": id_, "code": {"coding": [coding]}}
