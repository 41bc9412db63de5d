"""What a request sends along, what it asks for, and what comes of the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cds_service.core.model import Availability
from cds_service.fhir.access import NoAccess, NoAccessReason, ServerAccess
from cds_service.hooks.gather import Gathered, Need, PrefetchTemplate, gather
from cds_service.origins import AllowList, LoopbackRule
from tests.fault_server import FaultServer
from tests.faults import bundle, observation

Grants = Callable[..., ServerAccess | NoAccess]
ON_THIS_MACHINE = AllowList.of([], LoopbackRule.ALLOWED)

PATIENT = {"resourceType": "Patient", "id": "1"}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception"}],
}
BEARER = {
    "access_token": "secret",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "cds-service",
}


def template(key: str, query: str, need: Need = Need.OPTIONAL) -> PrefetchTemplate:
    return PrefetchTemplate(key, query, need)


TEMPLATES = {
    each.key: each
    for each in (
        template("patient", "Patient/{{context.patientId}}"),
        template("sil2r", "Observation?patient={{context.patientId}}&code=a", Need.REQUIRED),
        template("labs", "Observation?patient={{context.patientId}}&code=b"),
    )
}
NO_SERVER = NoAccess(NoAccessReason.NO_SERVER)


def gathered_of(
    prefetch: Mapping[str, dict[str, Any] | None],
    access: ServerAccess | NoAccess,
    templates: Mapping[str, PrefetchTemplate] = TEMPLATES,
    patient_id: str = "1",
) -> Gathered:
    return gather(prefetch=prefetch, templates=templates, patient_id=patient_id, access=access)


def with_results(sent: dict[str, Any], access: ServerAccess | NoAccess = NO_SERVER) -> Gathered:
    """What comes of it when this is sent in the place of the results."""
    return gathered_of({**SENT, "sil2r": sent}, access)


def to_be_continued(server: FaultServer) -> dict[str, Any]:
    """A first page, which links to the second."""
    return bundle(observation(1), next_link=f"{server.base}/Observation?page=2")


def availability(gathered: Gathered) -> dict[str, Availability]:
    return {key: part.availability for key, part in gathered.parts.items()}


SENT: dict[str, dict[str, Any]] = {
    "patient": PATIENT,
    "sil2r": bundle(observation(1)),
    "labs": bundle(observation(2)),
}
