"""T-46: a search is read on as long as its links stay at home, and only so far."""

from __future__ import annotations

import pytest

from cds_service.core.model import Availability
from cds_service.fhir.calls.authorization import AccessToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import (
    Complete,
    Fetched,
    Partial,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.calls.network import Network
from cds_service.fhir.calls.query import FirstPage, FurtherPages, Search
from cds_service.fhir.calls.session import Limits
from cds_service.fhir.client import FhirClient
from cds_service.fhir.supplied import supplied
from cds_service.origins import AllowList, FhirBase, LoopbackRule
from tests import faults
from tests.fault_server import FaultServer
from tests.faults import Conversation, bundle, observation, reply, reply_json
from tests.unit.fhir_client.conftest import Opens

SEARCH = "Observation?patient=1"
SOME_MS = 1_500
"""Time enough for a page or two on a busy machine; a page that hangs uses it up."""


def _numbers(fetched: Fetched) -> list[str]:
    assert isinstance(fetched, Resource)
    return [entry["resource"]["id"] for entry in fetched.json.get("entry", [])]


def _extent(fetched: Fetched) -> Complete | Partial:
    assert isinstance(fetched, Resource)
    return fetched.extent


def _leads_to(server: FaultServer, link: str) -> None:
    """The first page of the search links to this one."""
    server.on("/fhir/Observation", reply_json(bundle(observation(1), next_link=link)))


def _limited(base: FhirBase, limits: Limits) -> Fetched:
    client = FhirClient(AllowList.of([], LoopbackRule.ALLOWED), limits=limits)
    try:
        with client.session(base, AccessToken("secret"), Deadline.after(20_000)) as session:
            return session.fetch(SEARCH)
    finally:
        client.close()


def _endless_pages(server: FaultServer) -> None:
    """Each page links to the next, for ever."""

    def page(talk: Conversation) -> None:
        number = len(server.calls)
        link = f"{server.base}?page={number}"
        reply_json(bundle(observation(number), next_link=link))(talk)

    server.on("/fhir/Observation", page)
    server.on("/fhir", page)


def test_a_search_of_one_page_is_complete(server: FaultServer, session_of: Opens) -> None:
    page = bundle(observation(1))
    server.on("/fhir/Observation", reply_json(page))
    assert session_of().fetch(SEARCH) == Resource(page, Complete())
    assert server.targets() == ["/fhir/Observation?patient=1"]


@pytest.mark.parametrize("totals", [(None, 3), (2, 3), (3, 2)], ids=str)
def test_a_number_of_matches_counts_on_whichever_page_it_stands(
    server: FaultServer, session_of: Opens, totals: tuple[int | None, int]
) -> None:
    """Some servers are still counting when they send the first page."""
    first, second = ({"total": total} if total else {} for total in totals)
    link = f"{server.base}?page=2"
    server.on("/fhir/Observation", reply_json({**bundle(observation(1), next_link=link), **first}))
    server.on("/fhir", reply_json({**bundle(observation(2)), **second}))
    found = session_of().fetch(SEARCH)
    assert isinstance(found, Resource)
    assert _numbers(found) == ["o1", "o2"]
    assert supplied(found.json).availability is Availability.PARTIAL


def test_an_empty_search_is_complete_and_empty(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Observation", reply_json(bundle()))
    assert session_of().fetch(SEARCH) == Resource(bundle(), Complete())


def test_pages_are_merged_in_order_and_leave_no_link(
    server: FaultServer, session_of: Opens
) -> None:
    pages = [
        bundle(observation(1), next_link=f"{server.base}/Observation?page=2"),
        bundle(observation(2), next_link=f"{server.base}?_getpages=abc&n=3"),
        bundle(observation(3)),
    ]
    server.on("/fhir/Observation?patient=1", reply_json(pages[0]))
    server.on("/fhir/Observation?page=2", reply_json(pages[1]))
    server.on("/fhir?_getpages=abc&n=3", reply_json(pages[2]))
    fetched = session_of().fetch(SEARCH)
    assert _numbers(fetched) == ["o1", "o2", "o3"]
    assert isinstance(fetched, Resource)
    assert fetched.extent == Complete()
    assert "link" not in fetched.json


@pytest.mark.parametrize("goes_on", [True, False])
def test_of_a_search_for_its_first_page_no_link_is_followed(
    goes_on: bool, server: FaultServer, session_of: Opens
) -> None:
    link = f"{server.base}/Observation?page=2" if goes_on else ""
    server.on("/fhir/Observation", reply_json(bundle(observation(1), next_link=link)))
    query = FirstPage(Search("Observation", "patient=1"))
    fetched = session_of().fetch_all({"": query})[""]
    assert _numbers(fetched) == ["o1"]
    assert _extent(fetched) == (Partial(UpstreamFault.PAGE_LIMIT) if goes_on else Complete())
    assert server.targets() == ["/fhir/Observation?patient=1"]


def test_a_first_page_that_is_none_is_refused(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Observation", reply_json({"resourceType": "Bundle", "type": "collection"}))
    query = FirstPage(Search("Observation", "patient=1"))
    assert session_of().fetch_all({"": query})[""] == Refused(UpstreamFault.NOT_FHIR)


def test_t46_a_link_to_another_origin_is_not_followed_and_gets_no_token(
    server: FaultServer,
) -> None:
    with FaultServer() as elsewhere:
        link = f"{elsewhere.base}/Observation?page=2"
        _leads_to(server, link)
        base = AllowList.of([], LoopbackRule.ALLOWED).find(server.base)
        assert isinstance(base, FhirBase)
        fetched = _limited(base, Limits())
        assert elsewhere.connections == 0
    assert isinstance(fetched, Resource)
    assert fetched.extent == Partial(UpstreamFault.NOT_ALLOWED)
    assert fetched.json["link"] == [{"relation": "next", "url": link}]
    assert server.calls[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("path", ["/other?page=2", "/fhir-2/Observation", "/fhir/../admin", ""])
def test_t46_a_link_off_the_base_path_is_not_followed(
    path: str, server: FaultServer, session_of: Opens
) -> None:
    _leads_to(server, f"{server.origin}{path}")
    fetched = session_of().fetch(SEARCH)
    assert _extent(fetched) == Partial(UpstreamFault.NOT_ALLOWED)
    assert len(server.calls) == 1


def test_t46_a_loop_of_links_is_left(server: FaultServer, session_of: Opens) -> None:
    _leads_to(server, f"{server.base}/Observation?page=2")
    fetched = session_of().fetch(SEARCH)
    assert _extent(fetched) == Partial(UpstreamFault.PAGE_LOOP)
    assert server.targets() == ["/fhir/Observation?patient=1", "/fhir/Observation?page=2"]


def test_t46_a_thousand_pages_are_read_up_to_the_limit(server: FaultServer, base: FhirBase) -> None:
    _endless_pages(server)
    fetched = _limited(base, Limits(pages=7))
    assert _extent(fetched) == Partial(UpstreamFault.PAGE_LIMIT)
    assert len(server.calls) == 7
    assert len(_numbers(fetched)) == 7


def test_t46_entries_are_capped(server: FaultServer, base: FhirBase) -> None:
    _endless_pages(server)
    fetched = _limited(base, Limits(pages=1_000, entries=3))
    assert _extent(fetched) == Partial(UpstreamFault.PAGE_LIMIT)
    assert len(_numbers(fetched)) == 3


def test_t46_bytes_are_capped_over_all_pages_together(server: FaultServer, base: FhirBase) -> None:
    _endless_pages(server)
    fetched = _limited(base, Limits(pages=1_000, body_bytes=1_000))
    assert _extent(fetched) == Partial(UpstreamFault.TOO_LARGE)
    assert 1 < len(server.calls) < 12


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (reply(b"", status=500), UpstreamFault.STATUS_5XX),
        (reply(b"", status=401), UpstreamFault.STATUS_401),
        (reply(b"", status=404), UpstreamFault.STATUS_404),
        (faults.half_json, UpstreamFault.NOT_JSON),
        (faults.reset_mid_body, UpstreamFault.BROKEN),
        (reply_json({"resourceType": "Bundle", "type": "history"}), UpstreamFault.NOT_FHIR),
    ],
)
def test_a_further_page_that_fails_leaves_what_was_read_as_partial(
    second: faults.Fault, fault: UpstreamFault, server: FaultServer, session_of: Opens
) -> None:
    _leads_to(server, f"{server.base}/Observation?page=2")
    server.on("/fhir/Observation?page=2", second)
    fetched = session_of().fetch(SEARCH)
    assert _numbers(fetched) == ["o1"]
    assert _extent(fetched) == Partial(fault)


@pytest.mark.parametrize("second", [faults.hang_before_headers, faults.drip_body])
def test_t46_t66_a_further_page_that_hangs_costs_none_of_those_before_it(
    second: faults.Fault, server: FaultServer, session_of: Opens
) -> None:
    link = f"{server.base}/Observation?page=2"
    first = bundle(observation(1), next_link=link)
    server.on("/fhir/Observation", reply_json(first))
    server.on("/fhir/Observation?page=2", second)
    fetched = session_of(SOME_MS).fetch(SEARCH)
    assert fetched == Resource(first, Partial(UpstreamFault.TIMEOUT))


def test_t46_t66_a_page_after_a_prefetched_one_that_hangs_leaves_what_was_read(
    server: FaultServer, session_of: Opens
) -> None:
    sent = bundle(observation(1), next_link=f"{server.base}/Observation?page=2")
    second = bundle(observation(2), next_link=f"{server.base}/Observation?page=3")
    server.on("/fhir/Observation?page=2", reply_json(second))
    server.on("/fhir/Observation?page=3", faults.hang_before_headers)
    fetched = session_of(SOME_MS).fetch_all({"sil2r": FurtherPages(sent)})["sil2r"]
    assert _numbers(fetched) == ["o1", "o2"]
    assert _extent(fetched) == Partial(UpstreamFault.TIMEOUT)


def test_t66_a_first_page_that_hangs_leaves_nothing(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Observation", faults.hang_before_headers)
    assert session_of(SOME_MS).fetch(SEARCH) == Refused(UpstreamFault.TIMEOUT)


@pytest.mark.parametrize(
    "page",
    [
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "type": "searchset", "entry": {}},
        {"resourceType": "Bundle", "type": "searchset", "entry": [1]},
        {"resourceType": "Bundle", "type": "searchset", "entry": None},
    ],
)
def test_a_bundle_that_is_no_search_result_is_refused(
    page: object, server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Observation", reply_json(page))
    assert session_of().fetch(SEARCH) == Refused(UpstreamFault.NOT_FHIR)


@pytest.mark.parametrize("links", [{}, "next", [1], [{"relation": "self", "url": "x"}], None])
def test_links_of_another_shape_are_no_next_link(
    links: object, server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Observation", reply_json({**bundle(), "link": links}))
    assert session_of().fetch(SEARCH) == Resource(bundle(), Complete())


@pytest.mark.parametrize("address", [{}, {"url": ""}, {"url": None}, {"url": 5}])
def test_t46_a_next_link_without_an_address_is_not_the_end(
    address: dict[str, object], server: FaultServer, session_of: Opens
) -> None:
    """There is more, and nobody says where."""
    link = {"relation": "next", **address}
    server.on("/fhir/Observation", reply_json({**bundle(observation(1)), "link": [link]}))
    fetched = session_of().fetch(SEARCH)
    assert _numbers(fetched) == ["o1"]
    assert isinstance(fetched, Resource)
    assert fetched.extent == Partial(UpstreamFault.NOT_ALLOWED)
    assert supplied(fetched.json).availability is Availability.PARTIAL
    assert server.targets() == ["/fhir/Observation?patient=1"]


def test_the_pages_after_a_prefetched_one_are_read_on(
    server: FaultServer, session_of: Opens
) -> None:
    sent = bundle(observation(1), next_link=f"{server.base}/Observation?page=2")
    server.on("/fhir/Observation?page=2", reply_json(bundle(observation(2))))
    fetched = session_of().fetch_all({"sil2r": FurtherPages(sent)})["sil2r"]
    assert _numbers(fetched) == ["o1", "o2"]
    assert server.targets() == ["/fhir/Observation?page=2"]
    assert sent == bundle(observation(1), next_link=f"{server.base}/Observation?page=2")


def test_t47_references_and_addresses_inside_the_data_are_never_fetched(
    server: FaultServer, session_of: Opens
) -> None:
    with FaultServer() as elsewhere:
        lure = {
            "resourceType": "Observation",
            "id": "o1",
            "hasMember": [{"reference": f"{elsewhere.base}/Observation/2"}],
            "derivedFrom": [{"reference": f"{server.base}/Observation/3"}],
            "contained": [{"resourceType": "DocumentReference", "url": elsewhere.base}],
        }
        server.on("/fhir/Observation", reply_json(bundle(lure)))
        assert _numbers(session_of().fetch(SEARCH)) == ["o1"]
        assert elsewhere.connections == 0
    assert len(server.calls) == 1


def test_the_default_network_is_the_strict_one() -> None:
    assert Network().reach == "site"
