"""Is this resource plain: so ordinary that it is known as valid FHIR R4 at a glance?

A table lists the members that ordinary data have. A resource with any other member is no worse, it
only takes the long way through the full check (see `validate`).
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.core.card import JsonObject
from cds_service.fhir.plain import Check, Element
from cds_service.fhir.plain_chart import (
    CONDITION,
    MEDICATION,
    MEDICATION_ADMINISTRATION,
    MEDICATION_REQUEST,
    MEDICATION_STATEMENT,
    PATIENT,
    PROCEDURE,
)
from cds_service.fhir.plain_laboratory import OBSERVATION, SERVICE_REQUEST, SPECIMEN

PLAIN: Mapping[str, Element] = {
    "Condition": CONDITION,
    "Medication": MEDICATION,
    "MedicationAdministration": MEDICATION_ADMINISTRATION,
    "MedicationRequest": MEDICATION_REQUEST,
    "MedicationStatement": MEDICATION_STATEMENT,
    "Observation": OBSERVATION,
    "Patient": PATIENT,
    "Procedure": PROCEDURE,
    "ServiceRequest": SERVICE_REQUEST,
    "Specimen": SPECIMEN,
}
_CHECKS: Mapping[str, Check] = {kind: element.check for kind, element in PLAIN.items()}


def is_plain(resource: JsonObject) -> bool:
    """Whether a resource is certainly valid FHIR R4. False means doubt, never a fault."""
    try:
        return bool(_CHECKS[resource["resourceType"]](resource))
    except (KeyError, TypeError):  # a member or a type that the tables do not know
        return False
