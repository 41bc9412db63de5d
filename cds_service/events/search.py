"""Looking for results that have changed: after an empty notification, a gap or a stop.

The search is by the codes of the knowledge and by `_lastUpdated`, oldest first, so that a search
that had to end early can be taken up where it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.events.current import version_told
from cds_service.events.faults import UpstreamFailed, answered, faults_in
from cds_service.fhir.calls.fetched import Complete, Partial, UpstreamFault
from cds_service.fhir.calls.query import in_query
from cds_service.fhir.calls.session import FhirSession
from cds_service.fhir.shape import an_id, resources_of, type_of
from cds_service.fhir.supplied import says_it_is_not_all
from cds_service.fhir.versions import updated
from cds_service.store.work_item import Kind, Target

PAGE = 200
END = datetime.max.replace(tzinfo=UTC)
"""Later than anything that can have changed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What has changed, each in the version that was found; Partial where it may not be all."""

    versions: Mapping[Target, str]
    extent: Complete | Partial

    @property
    def targets(self) -> tuple[Target, ...]:
        """What has changed."""
        return tuple(self.versions)


def criteria(knowledge: KnowledgeBase) -> str:
    """The search for all results of an analyte: of accepted, refused and local codes.

    Refused ones too: that a result may be of another test than was meant is worth saying.
    """
    codes = sorted(knowledge.analyte_codes, key=lambda pair: (pair[0] != LOINC, pair))
    tokens = ",".join(f"{in_query(system)}%7C{in_query(code)}" for system, code in codes)
    return f"Observation?code={tokens}"


def changed_since(
    session: FhirSession, knowledge: Sequence[KnowledgeBase], since: datetime
) -> Found:
    """The results that have changed since then, however many. Raises UpstreamFailed.

    Where a server says itself that its answer may not be all, what it has shown is given.
    """
    versions: dict[Target, str] = {}
    extent: Complete | Partial = Complete()
    for base in knowledge:
        reached = since
        while reached != END:
            stretch, reached = _stretch(session, base, reached)
            versions.update(_versions(_observations(stretch)))
            if says_it_is_not_all(stretch):
                extent = Partial(UpstreamFault.INCOMPLETE)
    return Found(versions, extent)


def _stretch(
    session: FhirSession, base: KnowledgeBase, since: datetime
) -> tuple[JsonObject, datetime]:
    """What one search gives, and how far it came: END when there was no more."""
    moment = quote(since.astimezone(UTC).isoformat(timespec="milliseconds"), safe="")
    query = f"{criteria(base)}&_lastUpdated=ge{moment}&_sort=_lastUpdated&_count={PAGE}"
    found = answered(session.fetch(query), during="search")
    if UpstreamFault.OPERATION_OUTCOME in faults_in(found):
        raise UpstreamFailed(UpstreamFault.OPERATION_OUTCOME, during="search")
    match found.extent:
        case Complete():
            return found.json, END
        case Partial(fault):
            newest = _newest(_observations(found.json), since)
            if newest <= since:  # more in one moment than can be read: rather fail than lose some
                raise UpstreamFailed(fault, during="search")
            return found.json, newest


def _observations(bundle: JsonObject) -> list[JsonObject]:
    return [each for each in resources_of(bundle) if type_of(each) == "Observation"]


def _versions(resources: Iterable[JsonObject]) -> Iterator[tuple[Target, str]]:
    for resource in resources:
        if id_ := an_id(resource.get("id")):
            yield Target(Kind.OBSERVATION, id_), version_told(resource)


def _newest(resources: Iterable[JsonObject], since: datetime) -> datetime:
    """When the newest was changed; `since` where none says so."""
    return max([since, *(moment for each in resources for moment in updated(each))])
