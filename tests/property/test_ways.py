"""The way a record comes does not change what a card says; what did not come is said.

Each part is sent, read from the client's server, or a page of it is sent and the rest read.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.calls.fetched import Refused, UpstreamFault
from tests.property.conftest import evaluation
from tests.property.hospital import UNAVAILABLE, Answer, Hospital
from tests.property.wire import BASE, HOOKS, LOINC, Chart, Json, bundle, bundles, charts, concept

services = st.sampled_from(sorted(HOOKS))
WAYS = ("sent", "read", "a page is sent", "pages are read")
ways = st.lists(st.sampled_from(WAYS), min_size=5, max_size=5)
Answers = dict[str, Answer]
FAULTS: tuple[Answer, ...] = (
    Refused(UpstreamFault.STATUS_403),
    Refused(UpstreamFault.STATUS_5XX),
    Refused(UpstreamFault.TIMEOUT),
    b'{"resourceType": "Bundle", "type": "searchset", "entry": [{"reso',
    {"resourceType": "OperationOutcome", "issue": []},
)
SERUM = concept(LOINC, "9654-5")
A_PART = "more data may exist"


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


def whole(chart: Chart, service: str) -> Json:
    """A request that holds the record; what has arrived stands in it too."""
    chart.absent = frozenset()
    request = chart.request(service)
    if service == "sil2r-lab-result":
        known = [each for each in chart.arrived if each["resourceType"] != "DiagnosticReport"]
        request["prefetch"]["sil2r"] = bundle("searchset", [*known, *chart.earlier])
    return request


def read_in_part(request: Json, queries: Mapping[str, str], drawn: list[str]) -> Answers:
    """Take from the request what is not sent; what the server answers, by its address. A page that
    holds nothing that was asked for, but a specimen only, is asked for again.
    """
    prefetch, answers = request["prefetch"], Answers()
    for way, (key, part) in zip(drawn, list(prefetch.items()), strict=True):
        entries = part.get("entry", [])
        answers[queries[key]] = part
        if "page" in way and len(entries) > 1:
            follows = f"?page=2&of={key}"
            link = [{"relation": "next", "url": f"{BASE}{follows}"}]
            answers[follows] = {**part, "entry": entries[1:]}
            prefetch[key] = {**part, "entry": entries[:1], "link": link}
        if "read" in way:
            answers[queries[key]] = prefetch.pop(key)
    return answers


def without_specimens(request: Json) -> Answers:
    """Leave them on the server, each by itself."""
    answers = Answers()
    for each in bundles(request):
        for entry in list(each["entry"]):
            if entry["resource"]["resourceType"] == "Specimen":
                each["entry"].remove(entry)
                answers[f"Specimen/{entry['resource']['id']}"] = entry["resource"]
    return answers


def without_addresses(request: Json) -> None:
    """As an interface sends results that it made itself."""
    for entry in request["context"].get("results", {}).get("entry", []):
        del entry["fullUrl"]


@settings(max_examples=50)
@given(charts(), services, ways, st.data())
def test_what_is_sent_and_what_is_read_come_to_the_same_cards(
    hospital: Hospital, chart: Chart, service: str, drawn: list[str], data: st.DataObject
) -> None:
    request = whole(chart, service)
    before = hospital.ask(service, request)
    hospital.answers = without_specimens(request) if data.draw(st.booleans()) else {}
    if data.draw(st.booleans()):
        without_addresses(request)
    for each in bundles(request):
        each["entry"] = data.draw(st.permutations(each["entry"]))
    hospital.answers |= read_in_part(request, hospital.queries(service), drawn)
    assert hospital.ask(service, request) == before


@settings(max_examples=30)
@given(charts())
def test_a_record_that_holds_nothing_but_what_arrived_adds_nothing(
    hospital: Hospital, chart: Chart
) -> None:
    """One kind of sample in one laboratory, so that each copy could pass for an earlier result."""
    results = [each for each in (*chart.arrived, *chart.earlier) if each["id"][0] == "o"]
    for each in results:
        each |= {"code": SERUM, "performer": [{"reference": "Organization/b"}]}
        each.pop("specimen", "")
    chart.arrived, chart.earlier = results, []
    request = whole(chart, "sil2r-lab-result")
    alone = request | {"prefetch": request["prefetch"] | {"sil2r": None}}
    before = hospital.ask("sil2r-lab-result", alone)
    without_addresses(request)
    assert hospital.ask("sil2r-lab-result", request) == before


@settings(max_examples=50)
@given(charts(), services, st.data())
def test_a_card_that_a_failure_has_changed_says_what_is_missing(
    hospital: Hospital, chart: Chart, service: str, data: st.DataObject
) -> None:
    request = whole(chart, service)
    before = hospital.ask(service, request)
    key = data.draw(st.sampled_from(sorted(request["prefetch"])))
    way = data.draw(st.sampled_from(WAYS[1:]))
    drawn = [way if each == key else "sent" for each in request["prefetch"]]
    queries = hospital.queries(service)
    hospital.answers = read_in_part(request, queries, drawn)
    of_it = {queries[key], *(each for each in hospital.answers if each.endswith(f"of={key}"))}
    failing = data.draw(st.sampled_from(sorted(of_it)))
    hospital.answers[failing] = data.draw(st.sampled_from(FAULTS))
    after = hospital.ask(service, request)
    if after == UNAVAILABLE:
        assert key == "sil2r"
        return
    assert after or not before
    for card in after:
        is_said = key in evaluation(card).get("missing", []) or A_PART in card["detail"]
        assert is_said or card in before
