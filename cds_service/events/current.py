"""The current state of what was notified, fetched from the source: never what was sent along.

A result is read with the reports that name it: a withdrawn report takes its results back, and one
may name the specimen that the result does not. So it makes no difference which of them was
notified, or in which order. Specimens are read with the rest of the record (`hooks.referred`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.core.card import JsonObject
from cds_service.events.faults import TRANSIENT, UpstreamFailed, faults_in
from cds_service.fhir.fetched import NotFound, Refused, Resource, UpstreamFault
from cds_service.fhir.reference import Literal, may_be_on, target_of
from cds_service.fhir.session import FhirSession
from cds_service.fhir.shape import a_text, an_object, objects, resources_of, type_of, version_of
from cds_service.store.work_item import Kind, Target

_WITHDRAWN_REPORT = frozenset({"entered-in-error", "cancelled"})
_CLINICIANS = frozenset({"Practitioner", "PractitionerRole", "Organization"})
"""Requesters of a ServiceRequest who may be told: not a patient, a relative or a device."""
_HOLDS_UP = TRANSIENT | {UpstreamFault.OPERATION_OUTCOME}
"""Faults of the search for reports that hold a result up: nothing would tell that a withdrawn
report was not found."""


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
    """A Bundle of the result and its reports."""
    order: str
    """`ServiceRequest/1`, empty when the result names none."""
    reported: tuple[Target, ...]
    """The results that it names as a report."""


def read_current(session: FhirSession, target: Target) -> Current | Gone:
    """A result or report as it stands. Raises UpstreamFailed."""
    match session.fetch(target.reference):
        case Resource(resource):
            pass
        case NotFound():
            return Gone()
        case Refused(fault):
            raise UpstreamFailed(fault, during="read")
    reports = _reports(session, target)
    server = str(session.base)
    orders = _ids(objects(resource.get("basedOn")), "ServiceRequest", server)
    reported = _ids(objects(resource.get("result")), "Observation", server)
    version, otherwise = _versions(resource, reports)
    return Current(
        resource=resource,
        patient_id=_literal_id(resource.get("subject"), "Patient", server),
        version=version,
        otherwise=otherwise,
        results={
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": each} for each in (resource, *reports)],
        },
        order=next((f"ServiceRequest/{id_}" for id_ in orders), ""),
        reported=tuple(Target(Kind.OBSERVATION, id_) for id_ in reported),
    )


def version_told(resource: JsonObject) -> str:
    """The version id; where the server keeps none, when it was updated, else what it holds."""
    updated = a_text(an_object(resource.get("meta")).get("lastUpdated"))
    return version_of(resource) or updated or json.dumps(resource, sort_keys=True, default=str)


def read_requester(session: FhirSession, order: str) -> str:
    """The clinician who ordered the test, empty when there is none that can be told. Raises
    UpstreamFailed.
    """
    match session.fetch(order):
        case Resource(resource):
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


def _reports(session: FhirSession, target: Target) -> list[JsonObject]:
    """The reports that name a result; without them where they may not be read. Raises
    UpstreamFailed.
    """
    if target.kind is not Kind.OBSERVATION:
        return []
    search = f"DiagnosticReport?result={target.reference}&_count=20"
    match session.fetch(search):
        case Resource(bundle) as got:
            faults, found = list(faults_in(got)), resources_of(bundle)
        case NotFound():
            faults, found = [], []
        case Refused(fault):
            faults, found = [fault], []
    for fault in faults:
        if fault in _HOLDS_UP:
            raise UpstreamFailed(fault, during="reports")
    return [each for each in found if type_of(each) == "DiagnosticReport"]


def _is_withdrawn(report: JsonObject) -> bool:
    return a_text(report.get("status")) in _WITHDRAWN_REPORT


def _versions(resource: JsonObject, reports: list[JsonObject]) -> tuple[str, str]:
    """The version, marked if all reports were withdrawn; and what it would be in the other case."""
    upheld = version_told(resource)
    fallen = f"{upheld} withdrawn-with-report"
    states = set(map(_is_withdrawn, reports))
    return (fallen, upheld) if states == {True} else (upheld, fallen)


def _ids(references: Iterable[JsonObject], kind: str, server: str) -> Iterator[str]:
    """The ids of what is referred to on this server and is of this type. The same id on another
    server is another resource.
    """
    for reference in references:
        match target_of(reference):
            case Literal(base, type_, id_, _) if type_ == kind and may_be_on(server, base):
                yield id_
            case _:
                continue


def _literal_id(reference: object, kind: str, server: str) -> str:
    return next(_ids([an_object(reference)], kind, server), "")
