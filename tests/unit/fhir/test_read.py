"""Which results of a Bundle are read, which are left out, and what cannot be ruled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import ResourceRef, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult
from cds_service.fhir import validate
from cds_service.fhir.wanted import wanted_by
from tests import packaged
from tests.unit.fhir.given import (
    LEFT_OUT,
    LOINC,
    OTHER_TEST,
    SIL2R,
    bundle,
    concept,
    ferritin,
    observation,
    quantity,
    record,
    refs,
    resource,
)


def test_wanted_results_and_companions_are_told_apart_and_others_are_ignored() -> None:
    found = record(bundle(observation(), ferritin(), observation(id="hb", code=OTHER_TEST)))
    assert refs(found.results) == ["Observation/obs-1"]
    assert refs(found.companions) == ["Observation/fer-1"]


def test_a_local_code_that_the_site_has_mapped_is_wanted() -> None:
    local = observation(code=concept("urn:oid:2.999.2", "SIL2R-S"))
    assert refs(record(bundle(local)).results) == ["Observation/obs-1"]


def test_a_local_code_is_of_the_analyte_only_if_it_is_mapped_to_a_code_that_is() -> None:
    to = {("urn:oid:2.999.2", "SIL2R-S"): "9654-5", ("urn:oid:2.999.2", "IL2"): "33939-0"}
    wanted = wanted_by(replace(packaged.SIL2R, local_codes=to))
    assert {pair for pair in wanted.accepted if pair in to} == {("urn:oid:2.999.2", "SIL2R-S")}


def test_a_code_counts_only_under_its_system() -> None:
    assert record(bundle(observation(code=concept("urn:oid:2.999.2", "9654-5")))).results == ()


@pytest.mark.parametrize("code", [{"text": "sIL-2R"}, {"coding": [{"display": "sIL-2R"}]}])
def test_words_are_never_evidence_for_a_code(code: JsonObject) -> None:
    assert record(bundle(observation(code=code))).results == ()


def test_results_of_other_tests_are_never_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_checks: validate.Checks, _resource: JsonObject) -> None:
        raise AssertionError("validated")

    monkeypatch.setattr(validate.Checks, "check", fail)
    broken = observation(code=OTHER_TEST, status="banana", valueQuantity=[])
    assert record(bundle(broken)) == record(bundle(observation(code=OTHER_TEST)))


@pytest.mark.parametrize(
    "code",
    [
        LEFT_OUT,
        None,
        "9654-5",
        [],
        {},
        {"coding": {}},
        {"coding": "9654-5"},
        {"coding": ["9654-5"]},
        {"coding": [{"system": LOINC, "code": 9654}]},
        {"coding": [{"system": 5, "code": "9654-5"}]},
        {"text": "sIL-2R", "codings": [{"system": LOINC, "code": "9654-5"}]},
        {"coding": [{"system": LOINC, "Code": "9654-5"}]},
    ],
)
def test_a_result_whose_code_cannot_be_read_cannot_be_ruled_out(code: object) -> None:
    (found,) = record(bundle(observation(code=code))).results
    assert isinstance(found, InvalidResource)
    assert found.codings == ()
    assert found.where.startswith("Observation.code")


def test_a_readable_code_of_another_test_rules_a_result_out() -> None:
    code = {"coding": [{"system": LOINC, "code": "718-7"}, 5]}
    assert record(bundle(observation(code=code))).results == ()


def test_an_id_outside_the_grammar_is_not_repeated() -> None:
    (found,) = record(bundle(observation(id="Erika Mustermann"))).results
    assert found.ref == ResourceRef("Observation")


@pytest.mark.parametrize(
    ("item", "where"),
    [
        (5, "Bundle.entry[1]"),
        (None, "Bundle.entry[1]"),
        ({}, "Bundle.entry[1].resource"),
        ({"fullUrl": "https://ehr.example.org/Observation/2"}, "Bundle.entry[1].resource"),
        ({"fullUrl": "urn:uuid:2", "search": {"mode": "match"}}, "Bundle.entry[1].resource"),
        ({"resource": None}, "Bundle.entry[1].resource"),
        ({"resource": []}, "Bundle.entry[1].resource"),
        ({"resource": {}}, "Bundle.entry[1].resource"),
        ({"resource": {"resourceType": 5}}, "Bundle.entry[1].resource"),
        ({"resource": {"resourceType": "observation"}}, "Bundle.entry[1].resource"),
    ],
)
def test_an_entry_that_is_no_resource_is_told_and_the_others_are_read(
    item: object, where: str
) -> None:
    what = bundle(observation(), observation(id="obs-2"))
    what["entry"].insert(1, item)
    *read, other = record(what).results
    assert refs(tuple(read)) == ["Observation/obs-1", "Observation/obs-2"]
    assert other == InvalidResource(ResourceRef("Bundle"), where)


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ({"entry": []}, "Bundle.resourceType"),
        ({"resourceType": "bundle", "entry": []}, "Bundle.resourceType"),
        ({"resourceType": "Bundle", "entry": 5}, "Bundle.entry"),
        ({"resourceType": "Bundle", "entries": [{"resource": observation()}]}, "Bundle.entry"),
    ],
)
def test_results_that_are_no_bundle_are_told(what: JsonObject, where: str) -> None:
    assert record(what).results == (InvalidResource(ResourceRef("Bundle"), where),)


@pytest.mark.parametrize(
    "item",
    [
        {"request": {"method": "DELETE", "url": "Observation/2"}},
        {"response": {"status": "201", "location": "Observation/2"}},
        {"search": {"mode": "outcome"}},
    ],
    ids=["history", "response", "outcome"],
)
def test_an_entry_that_only_reports_what_was_done_is_nothing(item: Any) -> None:
    what = bundle(observation(), observation(id="obs-2"))
    what["entry"].insert(1, item)
    assert refs(record(what).results) == ["Observation/obs-1", "Observation/obs-2"]


def test_results_contained_in_a_report_or_a_panel_are_read_once() -> None:
    report = resource(
        "DiagnosticReport",
        id="rep-1",
        status="final",
        contained=[observation(id="a")],
        result=[{"reference": "#a"}, {"reference": "#a"}, {"reference": "Observation/obs-1"}],
    )
    panel = observation(
        id="panel",
        code=OTHER_TEST,
        contained=[observation(id="b")],
        hasMember=[{"reference": "#b"}, {"reference": "Observation/obs-1"}],
    )
    assert refs(record(bundle(report, panel, observation())).results) == [
        "DiagnosticReport/rep-1#a",
        "Observation/panel#b",
        "Observation/obs-1",
    ]


@pytest.mark.parametrize("kind", ["Composition", "Condition", "List", "ServiceRequest", "Task"])
def test_a_result_is_found_in_whatever_contains_it(kind: str) -> None:
    """A raised result that came as evidence of a diagnosis was told by nobody."""
    outer = resource(kind, id="c", contained=[observation(id="a")])
    found = record(bundle(outer)).results
    assert refs(found) == [f"{kind}/c#a"]


@pytest.mark.parametrize(
    ("kind", "status", "stands"),
    [
        ("Task", "cancelled", True),
        ("Task", "entered-in-error", False),
        ("DiagnosticReport", "cancelled", False),
        ("Observation", "cancelled", False),
    ],
)
def test_what_falls_with_what_contains_it(kind: str, status: str, *, stands: bool) -> None:
    inner = [observation(id="a")]
    outer = resource(kind, id="c", status=status, code=OTHER_TEST, contained=inner)
    (found,) = record(bundle(outer)).results
    assert isinstance(found, LabResult)
    assert (found.status is Status.FINAL) is stands


def test_a_nested_bundle_is_not_opened() -> None:
    assert record(bundle(bundle(observation()))).results == ()


@pytest.mark.parametrize("code", [concept(*SIL2R), {"coding": [{"system": 5}]}, 5])
def test_the_same_resource_twice_is_one(code: object) -> None:
    """Whether its code can be read or not: else one fault was told as two."""
    assert len(record(bundle(observation(code=code), observation(code=code))).results) == 1


def test_two_different_resources_of_one_id_both_stay() -> None:
    two = bundle(observation(), observation(valueQuantity=quantity(7)))
    assert len(record(two).results) == 2


def test_no_results_at_all() -> None:
    assert record({}).results == ()
    assert record({"resourceType": "Bundle", "type": "collection"}).results == ()


def results(*resources: JsonObject) -> Sequence[LabResult | InvalidResource]:
    return record(bundle(*resources)).results


def test_the_same_json_twice_is_still_one_result() -> None:
    nameless = observation()
    del nameless["id"]
    turned = dict(reversed(nameless.items()))
    assert len(results(nameless, turned, dict(nameless))) == 1


def test_a_number_and_the_text_that_it_is_written_as_are_two_things() -> None:
    nameless = observation(valueQuantity={"value": 5, "unit": "U/mL"})
    del nameless["id"]
    in_text = nameless | {"valueQuantity": {"value": "5", "unit": "U/mL"}}
    assert len(results(nameless, in_text)) == 2
