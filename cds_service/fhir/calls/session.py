"""What one call asks of one FHIR server, within one deadline: reads and searches above all.

A search is read page by page, as far as its `next` links stay under the base it began at; pages,
entries and bytes are capped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from cds_service.core.json_object import JsonObject
from cds_service.fhir.calls.body import resource_in
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Send
from cds_service.fhir.calls.fetched import (
    Complete,
    Fetched,
    HttpAnswer,
    NotFound,
    Partial,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.calls.pages import Next, Pages, is_page
from cds_service.fhir.calls.query import (
    FirstPage,
    FurtherPages,
    Query,
    Read,
    Search,
    Unreadable,
    query_of,
)
from cds_service.origins import FhirBase, Inside, Outside


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a search is read."""

    pages: int = 10
    entries: int = 2_000
    body_bytes: int = 5 * 1024 * 1024
    """Of one decoded body, and of all pages of a search together."""


Get = Callable[[str, int], HttpAnswer | Refused]
"""Asks for what follows the base of the session, for so many bytes of the decoded body at most."""
RunAll = Callable[[Mapping[str, Callable[[], Fetched]], Deadline], Mapping[str, Fetched]]
"""Runs tasks side by side; every key comes back, at the deadline at the latest."""
Keep = Callable[[Resource], None]
"""Takes the pages of a search before the next one is asked for."""


@dataclass(frozen=True, slots=True)
class _Sized:
    """A resource and the bytes of its decoded body."""

    json: JsonObject
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirSession:
    """One call's exchanges with one FHIR server. Made by `FhirClient.session`."""

    base: FhirBase
    deadline: Deadline
    limits: Limits
    get: Get
    send: Send
    """Makes any other call to the server."""
    run_all: RunAll
    close: Callable[[], None]

    def __enter__(self) -> FhirSession:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def fetch(self, text: str) -> Fetched:
        """Read one resource (`Patient/123`), or search one type (`Observation?patient=123`): all
        pages come as one Bundle.
        """
        match query_of(text):
            case Unreadable():
                return Refused(UpstreamFault.NOT_ALLOWED)
            case query:
                return self.fetch_all({"": query})[""]

    def fetch_all(self, queries: Mapping[str, Query]) -> Mapping[str, Fetched]:
        """Answer several queries side by side, under the same keys, by the deadline.

        Of a search that is still being read on when the deadline comes, the pages are kept.
        """
        so_far: dict[str, Resource] = {}

        def task(key: str, query: Query) -> Callable[[], Fetched]:
            return lambda: self._fetch(query, partial(so_far.__setitem__, key))

        tasks = {key: task(key, query) for key, query in queries.items()}
        fetched = self.run_all(tasks, self.deadline)
        return {
            key: so_far.get(key, outcome) if outcome == _TOO_LATE else outcome
            for key, outcome in fetched.items()
        }

    def _fetch(self, query: Query, keep: Keep) -> Fetched:
        match query:
            case Read():
                return self._read(query)
            case Search():
                match self._page(query.relative, self.limits.body_bytes):
                    case Refused() as refused:
                        return refused
                    case _Sized(bundle, size):
                        return self._read_on(Pages(bundle, size), keep)
            case FirstPage(search):
                page = self._page(search.relative, self.limits.body_bytes)
                return page if isinstance(page, Refused) else _first_of(Pages(page.json, page.size))
            case FurtherPages(bundle):
                return self._read_on(Pages(bundle, 0), keep) if is_page(bundle) else _NOT_A_PAGE

    def _read(self, query: Read) -> Fetched:
        match self._resource(query.relative, query.resource_type, self.limits.body_bytes):
            case Refused(UpstreamFault.STATUS_404):
                return NotFound()
            case Refused() as refused:
                return refused
            case _Sized(resource):
                return Resource(resource)

    def _read_on(self, pages: Pages, keep: Keep) -> Fetched:
        """Follow `next` links to the end, or to what forbids the next step."""
        while isinstance(pages.leads_to, Next):
            keep(Resource(pages.merged(), Partial(_TOO_LATE.fault)))
            url = pages.leads_to.url
            match self._further_page(pages, url):
                case Refused(fault):
                    return Resource(pages.merged(), Partial(fault))
                case _Sized(bundle, size):
                    pages.add(url, bundle, size)
        return Resource(pages.merged(), Complete())

    def _further_page(self, pages: Pages, url: str) -> _Sized | Refused:
        if pages.count >= self.limits.pages or len(pages.entries) >= self.limits.entries:
            return Refused(UpstreamFault.PAGE_LIMIT)
        if url in pages.seen:
            return Refused(UpstreamFault.PAGE_LOOP)
        match self.base.relative(url):
            case Inside(relative):
                return self._page(relative, self.limits.body_bytes - pages.bytes_read)
            case Outside():
                return Refused(UpstreamFault.NOT_ALLOWED)

    def _page(self, relative: str, cap: int) -> _Sized | Refused:
        page = self._resource(relative, "Bundle", cap)
        return _NOT_A_PAGE if isinstance(page, _Sized) and not is_page(page.json) else page

    def _resource(self, relative: str, expected_type: str, cap: int) -> _Sized | Refused:
        answer = self.get(relative, cap)
        if isinstance(answer, Refused):
            return answer
        resource = resource_in(answer, expected_type)
        if isinstance(resource, Refused):
            return resource
        return _Sized(resource, len(answer.body))


def _first_of(pages: Pages) -> Resource:
    goes_on = isinstance(pages.leads_to, Next)
    return Resource(pages.merged(), Partial(UpstreamFault.PAGE_LIMIT) if goes_on else Complete())


_NOT_A_PAGE = Refused(UpstreamFault.NOT_FHIR)
_TOO_LATE = Refused(UpstreamFault.TIMEOUT)
