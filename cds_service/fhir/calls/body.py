"""From an HTTP answer to the FHIR resource that was asked for, judged by content type, version and
resource type; the resource itself is validated elsewhere.
"""

from __future__ import annotations

import re

from cds_service import strict_json
from cds_service.core.json_object import JsonObject
from cds_service.errors import MalformedJson
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault

_JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json"})
_FHIR_VERSION = re.compile(r";\s*fhirVersion\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_R4_AND_R4B = frozenset({"4.0", "4.0.1", "4.3", "4.3.0"})


def resource_in(answer: HttpAnswer, expected_type: str) -> JsonObject | Refused:
    """The resource of this type in the body, or why there is none.

    The version is judged by the `fhirVersion` parameter of the content type, where there is one
    (https://hl7.org/fhir/R4/http.html#version-parameter).
    """
    if answer.media_type.partition(";")[0].strip().lower() not in _JSON_TYPES:
        return Refused(UpstreamFault.NOT_JSON)
    version = _FHIR_VERSION.search(answer.media_type)
    if version and version[1] not in _R4_AND_R4B:
        return Refused(UpstreamFault.WRONG_VERSION)
    try:
        value = strict_json.parse(answer.body)
    except MalformedJson:
        return Refused(UpstreamFault.NOT_JSON)
    if isinstance(value, dict) and value.get("resourceType") == expected_type:
        return value
    return Refused(_type_fault(value))


def _type_fault(value: object) -> UpstreamFault:
    match value:
        case {"resourceType": "OperationOutcome"}:
            return UpstreamFault.OPERATION_OUTCOME
        case {"resourceType": str()}:
            return UpstreamFault.WRONG_TYPE
        case _:
            return UpstreamFault.NOT_FHIR
