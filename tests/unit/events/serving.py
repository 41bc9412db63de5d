"""A FHIR server in memory, and what may be read of it about one result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.core.json_object import JsonObject
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault
from cds_service.fhir.calls.session import FhirSession, Limits
from cds_service.origins import FhirBase
from cds_service.store.work_item import Kind, Target

HERE, ELSEWHERE = "https://here.example.org/fhir", "https://elsewhere.example.org/fhir"
RESULT = Target(Kind.OBSERVATION, "o1")
REPORT = Target(Kind.DIAGNOSTIC_REPORT, "d1")
REPORTS = "DiagnosticReport?result=Observation/o1&_count=20"
PANELS = "Observation?patient=p1&has-member=Observation/o1&_count=20"

Holds = Mapping[str, JsonObject | UpstreamFault]


@dataclass
class Server:
    """What a FHIR server holds by address, and what it was asked for."""

    holds: Holds
    asked: list[str] = field(default_factory=list)

    def get(self, relative: str, _bytes: int) -> HttpAnswer | Refused:
        self.asked.append(relative)
        match self.holds.get(relative, UpstreamFault.STATUS_404):
            case UpstreamFault() as fault:
                return Refused(fault)
            case resource:
                return HttpAnswer("application/fhir+json", json.dumps(resource).encode())

    @property
    def session(self) -> FhirSession:
        return FhirSession(
            base=FhirBase.parse(HERE),
            deadline=Deadline.after(20_000),
            limits=Limits(),
            get=self.get,
            send=lambda *_: Refused(UpstreamFault.NOT_ALLOWED),
            run_all=lambda tasks, _: {key: task() for key, task in tasks.items()},
            close=lambda: None,
        )


def found(*resources: JsonObject, following: str = "") -> JsonObject:
    bundle: JsonObject = {"resourceType": "Bundle", "type": "searchset"}
    bundle["entry"] = [{"resource": resource} for resource in resources]
    if following:
        bundle["link"] = [{"relation": "next", "url": f"{HERE}/{following}"}]
    return bundle


def report(status: str = "final", **more: object) -> JsonObject:
    return {"resourceType": "DiagnosticReport", "id": "d1", "status": status, **more}
