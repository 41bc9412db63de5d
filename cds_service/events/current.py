"""The current state of what was notified, fetched from the source: never what was sent along.

A result is read with the reports and panels that name it (see `holders`): a withdrawn report takes
its results back, and each may name the specimen that the result does not. So it makes no difference
which of them was notified, or in which order. Specimens are read with the rest of the record
(`hooks.referred`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cds_service.core.json_object import JsonObject
from cds_service.events.faults import UpstreamFailed
from cds_service.events.holders import find_holders, first_id, ids_of
from cds_service.fhir.calls.fetched import NotFound, Refused, Resource
from cds_service.fhir.calls.session import FhirSession
from cds_service.fhir.reference import Literal, may_be_on, target_of
from cds_service.fhir.report import is_withdrawn
from cds_service.fhir.shape import a_text, an_object, objects, version_of
from cds_service.store.work_item import Kind, Target

_CLINICIANS = frozenset({"Practitioner", "PractitionerRole", "Organization"})
"""Requesters of a ServiceRequest who may be told: not a patient, a relative or a device."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The server has it no longer."""


@dataclass(frozen=True, slots=True)
class Current:
    """A result as it stands now, with what belongs to it."""

    resource: JsonObject
    patient_id: str
    """Empty when the result names no patient by its id."""
    version: str
    """The version of the result, marked where all its reports were withdrawn. Where the server
    keeps no versions, it is all that the result says.
    """
    otherwise: str
    """What the version would be if its reports did the opposite."""
    results: JsonObject
    """A Bundle of the result, its reports and its panels."""
    order: str
    """`ServiceRequest/1`, empty when the result names none."""
    reported: tuple[Target, ...]
    """The results that it names as a report."""


def read_current(session: FhirSession, target: Target, *, attempts: int) -> Current | Gone:
    """A result or report as it stands, at this attempt to read it. Raises UpstreamFailed."""
    match session.fetch(target.reference):
        case Resource(resource):
            pass
        case NotFound():
            return Gone()
        case Refused(fault):
            raise UpstreamFailed(fault, during="read")
    holders = find_holders(session, target, resource, attempts=attempts)
    server = str(session.base)
    orders = ids_of(objects(resource.get("basedOn")), "ServiceRequest", server)
    reported = ids_of(objects(resource.get("result")), "Observation", server)
    version, otherwise = _versions(resource, holders.reports)
    return Current(
        resource=resource,
        patient_id=first_id(resource.get("subject"), "Patient", server),
        version=version,
        otherwise=otherwise,
        results={
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": each} for each in (resource, *holders.reports, *holders.panels)],
        },
        order=next((f"ServiceRequest/{id_}" for id_ in orders), ""),
        reported=tuple(Target(Kind.OBSERVATION, id_) for id_ in reported),
    )


def version_told(resource: JsonObject) -> str:
    """The version id; where the server keeps none, when it was updated, else what it holds."""
    updated = a_text(an_object(resource.get("meta")).get("lastUpdated"))
    return version_of(resource) or updated or json.dumps(resource, sort_keys=True, default=str)


def read_requester(session: FhirSession, order: str, patient_id: str) -> str:
    """The clinician who ordered the test for this patient, empty when there is none that can be
    told. Raises UpstreamFailed.
    """
    match session.fetch(order):
        case Resource(resource):
            named = first_id(resource.get("subject"), "Patient", str(session.base))
            if named and patient_id and named != patient_id:
                return ""
            match target_of(an_object(resource.get("requester"))):
                case Literal(base, kind, id_, _) if kind in _CLINICIANS:
                    return f"{kind}/{id_}" if may_be_on(str(session.base), base) else ""
                case _:
                    return ""
        case NotFound():
            return ""
        case Refused(fault):
            failed = UpstreamFailed(fault, during="order")
            if failed.passes:
                raise failed
            return ""


def _versions(resource: JsonObject, reports: list[JsonObject]) -> tuple[str, str]:
    """The version, marked if all reports were withdrawn; and what it would be in the other case."""
    upheld = version_told(resource)
    fallen = f"{upheld} withdrawn-with-report"
    states = set(map(is_withdrawn, reports))
    return (fallen, upheld) if states == {True} else (upheld, fallen)
