"""The current state of what was notified, fetched from the source: never what was sent along.

A result is read with its specimen and with the reports that name it: a withdrawn report takes its
results back, and one may name the specimen that the result does not. So it makes no difference
which of them was notified, or in which order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.core.card import JsonObject
from cds_service.events.faults import TRANSIENT, UpstreamFailed, faults_in
from cds_service.fhir.fetched import Fetched, NotFound, Refused, Resource, UpstreamFault
from cds_service.fhir.query import Query, Read, Search
from cds_service.fhir.reference import Literal, may_be_on, target_of
from cds_service.fhir.session import FhirSession
from cds_service.fhir.shape import a_text, an_object, objects, resources_of, type_of, version_of
from cds_service.store.work_item import Kind, Target

_WITHDRAWN_REPORT = frozenset({"entered-in-error", "cancelled"})
_HOLDS_UP = {
    "specimen": TRANSIENT,
    "reports": TRANSIENT | {UpstreamFault.OPERATION_OUTCOME},
}
"""Faults that hold a result up. A specimen that may not be read does not: the result is then read
by its own code. Nothing would tell that the search for a withdrawn report failed."""


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
    """A Bundle of the result, its specimen and its reports."""
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
    others = _beside(session, resource, target)
    reports = [each for each in others if _is_report(each)]
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
            "entry": [{"resource": each} for each in (resource, *others)],
        },
        order=next((f"ServiceRequest/{id_}" for id_ in orders), ""),
        reported=tuple(Target(Kind.OBSERVATION, id_) for id_ in reported),
    )


def version_told(resource: JsonObject) -> str:
    """The version id; where the server keeps none, when it was updated, else what it holds."""
    updated = a_text(an_object(resource.get("meta")).get("lastUpdated"))
    return version_of(resource) or updated or json.dumps(resource, sort_keys=True, default=str)


def read_requester(session: FhirSession, order: str) -> str:
    """Who ordered the test, empty when that cannot be told. Raises UpstreamFailed."""
    match session.fetch(order):
        case Resource(resource):
            match target_of(an_object(resource.get("requester"))):
                case Literal(base, kind, id_, _) if may_be_on(str(session.base), base):
                    return f"{kind}/{id_}"
                case _:
                    return ""
        case NotFound():
            return ""
        case Refused(fault):
            failed = UpstreamFailed(fault, during="order")
            if failed.passes:
                raise failed
            return ""


def _beside(session: FhirSession, resource: JsonObject, target: Target) -> list[JsonObject]:
    """The specimen and the reports; one that we may not read is left out. Raises UpstreamFailed."""
    queries: dict[str, Query] = {}
    server = str(session.base)
    if target.kind is Kind.OBSERVATION:
        queries["reports"] = Search("DiagnosticReport", f"result={target.reference}&_count=20")
    if specimen := _literal_id(resource.get("specimen"), "Specimen", server):
        queries["specimen"] = Read("Specimen", specimen)
    found = list(_read(session.fetch_all(queries))) if queries else []
    if "specimen" not in queries and (specimen := _specimen_named_by([resource, *found], server)):
        found += _read(session.fetch_all({"specimen": Read("Specimen", specimen)}))
    return found


def _specimen_named_by(reports: Iterable[JsonObject], server: str) -> str:
    """The id of the one specimen that the reports among these name, where they name no other."""
    named = {
        _literal_id(each, "Specimen", server)
        for report in reports
        if _is_report(report) and not _is_withdrawn(report)
        for each in objects(report.get("specimen"))
    }
    return named.pop() if len(named) == 1 else ""


def _read(fetched: Mapping[str, Fetched]) -> Iterator[JsonObject]:
    for key, got in fetched.items():
        match got:
            case Resource(json_) if key == "specimen":
                yield json_
            case Resource(bundle):
                for fault in faults_in(got):
                    _raise_if_held_up(fault, key)
                yield from (each for each in resources_of(bundle) if _is_report(each))
            case NotFound():
                continue
            case Refused(fault):
                _raise_if_held_up(fault, key)


def _is_report(resource: JsonObject) -> bool:
    return type_of(resource) == "DiagnosticReport"


def _is_withdrawn(report: JsonObject) -> bool:
    return a_text(report.get("status")) in _WITHDRAWN_REPORT


def _raise_if_held_up(fault: UpstreamFault, key: str) -> None:
    if fault in _HOLDS_UP[key]:
        raise UpstreamFailed(fault, during=key)


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
