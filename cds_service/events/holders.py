"""What names a result and says more of it: the reports that hold it, and its panels.

Both are looked for side by side. A report may be withdrawn and take its results back; both may name
the specimen that the result does not (decisions 100 and 103).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.core.json_object import JsonObject
from cds_service.events.faults import MOST_ATTEMPTS, TRANSIENT, UpstreamFailed, faults_in
from cds_service.fhir.calls.fetched import Fetched, NotFound, Refused, Resource, UpstreamFault
from cds_service.fhir.calls.query import FirstPage, Search
from cds_service.fhir.calls.session import FhirSession
from cds_service.fhir.reference import Literal, may_be_on, target_of
from cds_service.fhir.shape import an_object, objects, resources_of, type_of
from cds_service.store.work_item import Kind, Target

_HOLDS_UP = TRANSIENT | {UpstreamFault.OPERATION_OUTCOME}
"""Faults of the search for reports that hold a result up: nothing would tell that a withdrawn
report was not found."""
_OF_A_PANEL = ("resourceType", "id", "meta", "status", "subject", "specimen", "hasMember")
"""What is read of a panel."""


@dataclass(frozen=True, slots=True)
class Holders:
    """What was found of a result."""

    reports: list[JsonObject] = field(default_factory=list)
    panels: list[JsonObject] = field(default_factory=list)
    """Observations that name it under `hasMember`, as far as they speak of their members."""


def find_holders(
    session: FhirSession, target: Target, resource: JsonObject, *, attempts: int
) -> Holders:
    """What names a result, as it is found at this attempt to read it; nothing for a report, and
    nothing of what may not be read. Raises UpstreamFailed.

    Panels are looked for only where the result names a patient and no specimen: elsewhere they tell
    nothing, and a server that does not know `has-member` may answer with whatever it has.
    """
    if target.kind is not Kind.OBSERVATION:
        return Holders()
    server = str(session.base)
    patient_id = first_id(resource.get("subject"), "Patient", server)
    searches: dict[str, Search | FirstPage] = {
        "reports": Search("DiagnosticReport", f"result={target.reference}&_count=20")
    }
    if patient_id and "specimen" not in resource:
        named = f"patient={patient_id}&has-member={target.reference}&_count=20"
        searches["panels"] = FirstPage(Search("Observation", named))
    found: Mapping[str, Fetched] = session.fetch_all(searches)
    return Holders(
        _reports(found["reports"]),
        [
            _only_as_panel(each)
            for each in (_panels(found["panels"], attempts) if "panels" in found else ())
            if target.id in ids_of(objects(each.get("hasMember")), "Observation", server)
            and patient_id == first_id(each.get("subject"), "Patient", server)
        ],
    )


def _reports(answer: Fetched) -> list[JsonObject]:
    match answer:
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


def _panels(answer: Fetched, attempts: int) -> list[JsonObject]:
    """Observations found as panels. A server may refuse a parameter that it does not know, or fail
    at it each time: so only a fault that may pass holds a result up, and not for ever.
    """
    match answer:
        case Resource(bundle):
            return [each for each in resources_of(bundle) if type_of(each) == "Observation"]
        case Refused(fault) if fault in TRANSIENT and attempts < MOST_ATTEMPTS:
            raise UpstreamFailed(fault, during="panels")
        case _:
            return []


def _only_as_panel(observation: JsonObject) -> JsonObject:
    """It was not notified: if it is a result itself, that has no answer here."""
    kept = {name: observation[name] for name in _OF_A_PANEL if name in observation}
    inside = [each for each in objects(observation.get("contained")) if type_of(each) == "Specimen"]
    return {**kept, "code": {"text": "panel"}, **({"contained": inside} if inside else {})}


def ids_of(references: Iterable[JsonObject], kind: str, server: str) -> Iterator[str]:
    """The ids of what is referred to on this server and is of this type. The same id on another
    server is another resource.
    """
    for reference in references:
        match target_of(reference):
            case Literal(base, type_, id_, _) if type_ == kind and may_be_on(server, base):
                yield id_
            case _:
                continue


def first_id(reference: object, kind: str, server: str) -> str:
    """The id that one reference names so, empty where it names none."""
    return next(ids_of([an_object(reference)], kind, server), "")
