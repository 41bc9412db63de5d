"""The same record, sent in another way, gets the same answer.

Through the service, as a client calls it. Each change keeps what the record means: by FHIR R4,
by the grammar of JSON, or by what we say that we read (docs/integrating.md).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.conftest import cards, come_to
from tests.property.wire import (
    BASE,
    HOOKS,
    LOINC,
    UCUM,
    Chart,
    Json,
    bundle,
    bundles,
    charts,
    concept,
    resource,
    resources,
)

Change = Callable[[Json, Random], None]
services = st.sampled_from(sorted(HOOKS))
few = settings(max_examples=15)


# ------------------------------------------------------------------ where and in which order


def in_another_order(request: Json, random: Random) -> None:
    _with_entries_in_another_order(request, random)
    for each in resources(request):
        random.shuffle(each.get("code", {}).get("coding", []))
        random.shuffle(each.get("category", []))


def _with_entries_in_another_order(request: Json, random: Random) -> None:
    for each in bundles(request):
        random.shuffle(each["entry"])


def given_twice(request: Json, random: Random) -> None:
    """What arrived is in the record already, and a Bundle says some things twice."""
    arrived = request["context"].get("results", {}).get("entry", [])
    for each in bundles(request):
        each["entry"] += copy.deepcopy([e for e in each["entry"] if random.random() < 0.5])
    request["prefetch"]["sil2r"].setdefault("entry", []).extend(copy.deepcopy(arrived))


def among_others(request: Json, random: Random) -> None:
    """Beside what a search included, another test, and a panel that names the results."""
    for each in bundles(request):
        named = [
            {"reference": f"Observation/{entry['resource']['id']}"}
            for entry in each["entry"]
            if entry["resource"]["resourceType"] == "Observation"
        ]
        panel = {"status": "final", "code": concept(LOINC, "24323-8"), "hasMember": named or None}
        glucose = {"status": "final", "code": concept(LOINC, "2339-0")}
        others = [
            resource("Encounter", "e", status="finished"),
            resource("Observation", "panel", **panel),
            resource("Observation", "g", **glucose, valueQuantity={"value": 9, "unit": "mmol/L"}),
        ]
        for other in bundle("searchset", others)["entry"]:
            each["entry"].insert(random.randint(0, len(each["entry"])), other)


def beside_older_versions(request: Json, random: Random) -> None:
    """Each with the value that it had before."""
    for each in bundles(request):
        for entry in list(each["entry"]):
            older = copy.deepcopy(entry)
            older["resource"]["meta"] = {"versionId": "9"}
            if "valueQuantity" in older["resource"]:
                older["resource"]["valueQuantity"]["value"] = random.randint(0, 30_000)
            each["entry"].insert(random.randint(0, len(each["entry"])), older)


# ------------------------------------------------------------------ by which names


def _each_reference(value: object, change: Callable[[Json], None]) -> None:
    match value:
        case dict():
            if isinstance(value.get("reference"), str):
                change(value)
            for inner in value.values():
                _each_reference(inner, change)
        case list():
            for inner in value:
                _each_reference(inner, change)
        case _:
            pass  # a text or a number refers to nothing


def by_full_addresses(request: Json, random: Random) -> None:
    """Absolute references to the server of the request, with entries that say no address."""

    def absolute(reference: Json) -> None:
        kind = reference["reference"].split("/")[0]
        if kind != "Organization":  # it is shown as it was sent
            host = random.choice((BASE, BASE.replace("ehr.example", "EHR.Example")))
            reference.update({"reference": f"{host}/{reference['reference']}", "type": kind})

    for each in bundles(request):
        for entry in each["entry"]:
            _each_reference(entry["resource"], absolute)
            del entry["fullUrl"]


def with_specimens_inside(request: Json, _random: Random) -> None:
    """Contained in the result that names them."""
    for each in bundles(request):
        inside = {e["resource"]["id"]: e["resource"] for e in each["entry"] if _is_specimen(e)}
        each["entry"] = [entry for entry in each["entry"] if not _is_specimen(entry)]
        for entry in each["entry"]:
            if specimen := entry["resource"].get("specimen"):
                id_ = specimen["reference"].removeprefix("Specimen/")
                specimen["reference"] = f"#{id_}"
                contained = {name: v for name, v in inside[id_].items() if name != "meta"}
                entry["resource"]["contained"] = [contained]


def with_specimens_by_urn(request: Json, _random: Random) -> None:
    for each in bundles(request):
        for entry in filter(_is_specimen, each["entry"]):
            entry["fullUrl"] = _urn(entry["resource"]["id"])
        for entry in each["entry"]:
            if specimen := entry["resource"].get("specimen"):
                specimen["reference"] = _urn(specimen["reference"].removeprefix("Specimen/"))


def _is_specimen(entry: Json) -> bool:
    return bool(entry["resource"]["resourceType"] == "Specimen")


def _urn(id_: str) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{int(id_[1:]):012}"


# ------------------------------------------------------------------ what says nothing


def with_what_says_nothing(request: Json, _random: Random) -> None:
    """Extensions, narrative, displays and members that nobody knows."""
    nothing = [{"url": "https://example.org/nothing", "valueString": "0"}]
    for each in resources(request):
        each["extension"] = nothing
        each["meta"]["profile"] = ["https://example.org/profile"]
        each["text"] = {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml"/>'}
        each["subject"]["display"] = "N. N."
        for name in ("status", "effectiveDateTime", "issued"):
            if isinstance(each.get(name), str):
                each[f"_{name}"] = {"extension": nothing}
    request["extension"] = {"org.example.x": 1}
    request["context"]["unknown"] = request["unknown"] = "?"
    request["hookInstance"] = "00000000-0000-4000-8000-000000000002"
    request["context"]["patientId"] = "Patient/p"


def by_the_same_names(_request: Json, _random: Random) -> None:
    """As they are."""


NAMED = (by_the_same_names, by_full_addresses, with_specimens_inside, with_specimens_by_urn)
PLACED = (
    in_another_order,
    with_what_says_nothing,
    beside_older_versions,
    among_others,
    given_twice,
)


@pytest.mark.parametrize("named", NAMED, ids=lambda change: change.__name__)
@settings(max_examples=30)
@given(charts(), services, st.sets(st.sampled_from(PLACED)))
def test_the_same_record_gets_the_same_cards(
    client: FlaskClient, named: Change, chart: Chart, service: str, placed: set[Change]
) -> None:
    request, random = chart.request(service), Random(1)
    before = cards(client, service, request)
    for change in (named, *(change for change in PLACED if change in placed)):
        change(request, random)
    assert cards(client, service, request) == before


def with_odd_results(request: Json, random: Random) -> None:
    """Copies that are dated ahead, not valid, or of the same id without saying which is newer."""
    for each in bundles(request):
        for number, entry in enumerate(list(each["entry"])):
            odd = copy.deepcopy(entry)
            inside = odd["resource"]
            match random.choice(("as it is", "ahead", "not valid", "without id", "version")):
                case "ahead":
                    inside |= {"id": f"ahead{number}", "effectiveDateTime": "2031-02-03"}
                case "not valid":
                    inside |= {"id": f"odd{number}", "status": "done"}
                case "without id":
                    del inside["id"], odd["fullUrl"]
                    inside["status"] = "done"
                case "version":
                    del inside["meta"], entry["resource"]["meta"]
                    if "valueQuantity" in inside:
                        inside["valueQuantity"]["value"] = random.randint(0, 30_000)
                case _:
                    continue
            if "id" in inside:
                odd["fullUrl"] = f"{BASE}/{inside['resourceType']}/{inside['id']}"
            each["entry"].append(odd)


@settings(max_examples=60)
@given(charts(), services, st.integers(0, 1000))
def test_odd_results_in_any_order_get_the_same_cards(
    client: FlaskClient, chart: Chart, service: str, seed: int
) -> None:
    """Of several that could be named on a card, the first to come was."""
    request, random = chart.request(service), Random(seed)
    with_odd_results(request, random)
    before = cards(client, service, request)
    _with_entries_in_another_order(request, random)
    assert cards(client, service, request) == before


@few
@given(charts(), services)
def test_the_same_json_written_in_another_way_gets_the_same_cards(
    client: FlaskClient, chart: Chart, service: str
) -> None:
    request, random = chart.request(service), Random(1)
    written = json.dumps(_members_in_another_order(request, random), indent=random.choice((1, 3)))
    escaped = re.sub(r"(?<=[a-z])[a-z](?=[^\"\\\n]*\":)", lambda m: f"\\u{ord(m[0]):04x}", written)
    assert cards(client, service, f"\n\t{escaped} ") == cards(client, service, request)


def _members_in_another_order(value: Any, random: Random) -> Any:
    match value:
        case dict():
            members = random.sample(list(value.items()), len(value))
            return {name: _members_in_another_order(inner, random) for name, inner in members}
        case list():
            return [_members_in_another_order(inner, random) for inner in value]
        case _:
            return value


# ------------------------------------------------------------------ numbers and units

WRITTEN: dict[str, Callable[[Decimal], str]] = {
    "with further zeros": lambda number: f"{number:.6f}",
    "with an exponent": lambda number: f"{number:E}",
}


@pytest.mark.parametrize("written", WRITTEN)
@few
@given(charts(), services)
def test_the_same_number_in_other_digits_comes_to_the_same(
    client: FlaskClient, written: str, chart: Chart, service: str
) -> None:
    """`2400`, `2400.000000` and `2.4E+3`; the card shows each as it came."""
    text = json.dumps(chart.request(service))
    other = re.sub(r"(?<=\"value\": )[0-9.]+", lambda m: WRITTEN[written](Decimal(m[0])), text)
    assert come_to(cards(client, service, other)) == come_to(cards(client, service, text))


def with_the_unit_in_text(quantity: Json) -> None:
    quantity["unit"] = _unit(quantity)
    quantity.pop("code", None)
    quantity.pop("system", None)


def in_another_unit_of_the_family(quantity: Json) -> None:
    """1 ng/mL is 1000 pg/mL, and 1 U/mL is 1 kU/L."""
    other, by = OTHER_UNIT.get(_unit(quantity), (_unit(quantity), "1"))
    quantity["value"] = float(Decimal(str(quantity["value"])) * Decimal(by))
    quantity |= {"unit": other, "code": other, "system": UCUM}


ENDS = ("low", "high")
OTHER_UNIT = {
    "pg/mL": ("ng/mL", "0.001"),
    "ng/mL": ("ng/L", "1000"),
    "U/mL": ("kU/L", "1"),
    "kU/L": ("U/mL", "1"),
}


def _unit(quantity: Json) -> str:
    return str(quantity.get("code", quantity.get("unit")))


@pytest.mark.parametrize("change", [with_the_unit_in_text, in_another_unit_of_the_family])
@few
@given(charts(), services)
def test_the_same_amount_in_another_unit_comes_to_the_same(
    client: FlaskClient, change: Callable[[Json], None], chart: Chart, service: str
) -> None:
    request = chart.request(service)
    for each in resources(request):
        for bound in (row[end] for row in each.get("referenceRange", ()) for end in ENDS):
            bound.setdefault("unit", _unit(each["valueQuantity"]))  # which it has anyway
    before = cards(client, service, request)
    for each in resources(request):
        if each["id"].startswith("o"):
            change(each["valueQuantity"])
    assert come_to(cards(client, service, request)) == come_to(before)
