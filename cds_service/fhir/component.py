"""Observation.component: that a result of the analyte lies in one is told, its value is never read.

A component has neither status, specimen nor date of its own, and laboratories put partial results,
dilutions and ratios there: which of them is the result cannot be told by structure.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.core.card import JsonObject
from cds_service.core.model import NotNumeric, NoValue
from cds_service.fhir.shape import codings, objects
from cds_service.fhir.wanted import Codes, carries

_VALUE = ("value", "_value")


def components(observation: JsonObject, codes: Codes) -> Sequence[JsonObject]:
    """The components that carry one of these codes."""
    return [part for part in objects(observation.get("component")) if carries(part, codes)]


def noticed(component: JsonObject) -> NotNumeric | NoValue:
    """What there is to say of its value: there is one and it is not read, or why there is none."""
    if any(name.startswith(_VALUE) for name in component):
        return NotNumeric("component")
    reasons = codings(component.get("dataAbsentReason"))
    return NoValue(reasons[0].code if reasons else "")
