"""What one request may cost: nothing in it is looked at again for each thing that refers to it.

Sizes and calls are counted here, never seconds. See docs/decisions/0042-what-one-request-costs.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from cds_service.core.elements import SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult
from cds_service.fhir import lone_report, results_named, validate, versions
from cds_service.fhir import scope as scope_module
from cds_service.fhir.bundle import MOST_MEANT, Document, Entry, open_document
from cds_service.fhir.parts import MOST_READ
from cds_service.fhir.report import MOST_SPECIMENS, reports_in
from cds_service.fhir.versions import only_newest
from cds_service.fhir.wanted import Wanted
from tests.unit.fhir.conftest import calls_of
from tests.unit.fhir.given import (
    LOINC,
    ODD,
    OTHER_TEST,
    SIL2R,
    SUBJECT,
    bundle,
    concept,
    entry,
    ferritin,
    observation,
    only,
    patient,
    quantity,
    record,
    refs,
    resource,
    specimen,
)


class Compared(dict[str, Any]):
    """A resource that counts how often it is held against another one."""

    times = 0

    def __eq__(self, other: object) -> bool:
        type(self).times += 1
        return super().__eq__(other)

    __hash__ = None


@pytest.fixture(autouse=True)
def _from_zero() -> None:
    Compared.times = 0


def results(*resources: JsonObject) -> Sequence[LabResult | InvalidResource]:
    return record(bundle(*resources)).results


@pytest.mark.parametrize("id_", [{}, {"id": "a"}])
def test_t59_results_under_one_name_are_not_held_against_each_other(id_: JsonObject) -> None:
    same = {"resourceType": "Observation", "code": concept(*SIL2R), **id_}
    many = [Compared(same, issued=str(number)) for number in range(1_000)]
    assert len(results(*many)) == MOST_READ
    assert Compared.times == 0


def test_results_and_history_are_not_held_against_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what is the same is compared, once with what it repeats."""
    compared: list[object] = []
    equal = LabResult.__eq__

    def counting(one: LabResult, other: object) -> bool:
        compared.append(one)
        return equal(one, other)

    monkeypatch.setattr(LabResult, "__eq__", counting)

    def nameless(number: int) -> JsonObject:
        made = observation(method={"text": str(number)})
        del made["id"]
        return made

    found = record(bundle(*map(nameless, range(100))), sil2r=bundle(*map(nameless, range(70, 150))))
    assert len(found.history) == 50
    assert len(compared) == 30


def test_what_stands_for_many_versions_is_put_in_their_place_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Newest(list[Entry]):
        gone_through = 0

        def __iter__(self) -> Iterator[Entry]:
            Newest.gone_through += 1
            return super().__iter__()

    newest_of = versions._newest
    monkeypatch.setattr(versions, "_newest", lambda same: Newest(newest_of(same)))
    sent = [
        resource("Condition", id="1", meta={"versionId": number})
        for number in ("1", "2")
        for _ in range(100)
    ]
    (document,) = only_newest({0: open_document(bundle(*sent))}).values()
    assert len(document.entries) == 100
    assert Newest.gone_through < 10


@pytest.mark.parametrize(
    ("type_", "link"),
    [
        (concept("http://snomed.info/sct", "258450006"), SpecimenLink.RESOLVED),
        (5, SpecimenLink.INVALID),
    ],
)
def test_a_specimen_that_many_results_share_is_judged_once(
    asked: list[str], type_: object, link: SpecimenLink
) -> None:
    many = [
        observation(id=f"o{number}", specimen={"reference": "Specimen/spec-1"})
        for number in range(50)
    ]
    found = results(*many, specimen(type=type_, **ODD))
    assert {one.specimen.link for one in found if isinstance(one, LabResult)} == {link}
    assert asked == ["Specimen"]


@pytest.mark.parametrize("status", ["active", 5])
def test_a_medication_that_many_requests_share_is_judged_once(
    asked: list[str], status: object
) -> None:
    drug = resource("Medication", id="m", status=status, code=concept("x:y", "a"), **ODD)
    requests = [
        resource(
            "MedicationRequest",
            id=f"r{number}",
            status="active",
            intent="order",
            subject=SUBJECT,
            medicationReference={"reference": "Medication/m"},
        )
        for number in range(50)
    ]
    found = record(bundle(observation()), medications=bundle(*requests, drug))
    assert len(found.entries) == (50 if status == "active" else 0)
    assert asked == ["Medication"]


def test_a_specimen_that_was_sent_many_times_is_compared_once_however_many_refer_to_it() -> None:
    copies = [Compared(specimen()) for _ in range(20)]
    many = [
        observation(id=f"o{number}", specimen={"reference": "Specimen/spec-1"})
        for number in range(50)
    ]
    found = results(*many, *copies)
    assert {one.specimen.link for one in found if isinstance(one, LabResult)} == {
        SpecimenLink.RESOLVED
    }
    assert Compared.times <= len(copies)


def test_two_different_specimens_under_one_id_still_prove_nothing() -> None:
    found = only(
        observation(specimen={"reference": "Specimen/spec-1"}),
        specimen(),
        specimen(type=concept("http://snomed.info/sct", "258450006x")),
        specimen(),
    )
    assert isinstance(found, LabResult)
    assert found.specimen.link is SpecimenLink.UNCERTAIN


def test_of_thousands_of_specimens_under_one_id_only_some_are_kept_as_what_may_be_meant() -> None:
    namesakes = [specimen(type=concept("x:y", str(number))) for number in range(2000)]
    found = only(observation(specimen={"reference": "Specimen/spec-1"}), *namesakes)
    assert isinstance(found, LabResult)
    assert len(found.specimen.codings) == MOST_MEANT


@pytest.mark.parametrize("performer", [{"reference": "#y1"}, {"reference": "#nobody"}])
def test_what_a_report_contains_is_listed_once_for_all_results_in_it(
    monkeypatch: pytest.MonkeyPatch, performer: JsonObject
) -> None:
    inside = [resource("Organization", id=f"y{number}", name="Lab") for number in range(300)]
    held = [
        observation(id=f"o{number}", specimen={"reference": "#s"}, performer=[performer] * 20)
        for number in range(50)
    ]
    report = resource("DiagnosticReport", id="d", status="final", contained=[*held, *inside])
    looked_into = calls_of(monkeypatch, scope_module, "objects")
    assert len(results(report)) == 50
    assert sum(what is report["contained"] for what in looked_into) == 1


def test_a_report_is_held_against_names_not_against_each_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [observation(id=f"o{number}") for number in range(50)]
    reports = [
        resource(
            "DiagnosticReport",
            id=f"d{number}",
            status="final",
            code=concept(LOINC, "99768-4"),
            result=[{"reference": "Observation/elsewhere"}] * 3,
        )
        for number in range(20)
    ]
    wanted = Wanted("sil2r", frozenset({SIL2R}), frozenset(), frozenset({(LOINC, "99768-4")}))
    looked_at = calls_of(monkeypatch, lone_report, "target_of")
    entries = open_document(bundle(*many, *reports)).entries
    lone = list(lone_report.lone_reports(entries, entries[:50], wanted.accepted))
    assert len(lone) == 20
    assert len(looked_at) == 20 * 3


@pytest.mark.parametrize("size", [20, 40])
def test_results_of_many_servers_are_not_held_against_each_reference_to_their_id(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    servers = [f"https://s{number}.example.org/fhir" for number in range(size)]
    there = [
        entry(observation(valueQuantity=quantity(number)), f"{server}/Observation/obs-1")
        for number, server in enumerate(servers)
    ]
    named = [{"reference": f"{server}/x/Observation/obs-1"} for server in servers]
    withdrawn = resource("DiagnosticReport", id="d", status="cancelled", result=named)
    written = calls_of(monkeypatch, results_named, "address_on")
    assert len(record(bundle(*there, withdrawn)).results) == size
    assert len(written) == 2 * size


def test_what_reports_say_of_specimens_is_looked_up_only_so_far() -> None:
    named = {
        "result": [{"reference": "Observation/obs-1"}],
        "specimen": [{"reference": "#s"}] * 101,
    }
    many = resource("DiagnosticReport", id="many", status="final", **named)
    few = [
        resource("DiagnosticReport", id=f"r{n}", status="final", **{**named, "specimen": [{}]})
        for n in range(MOST_SPECIMENS + 5)
    ]
    for reports in ([many], few):
        entries = open_document(bundle(observation(), *reports)).entries
        found = reports_in(entries, "")
        assert len(list(found.specimens_of(entries[0]))) == MOST_SPECIMENS + 1
        (read,) = record(bundle(observation(), *reports)).results
        assert isinstance(read, LabResult)
        assert read.specimen.link is SpecimenLink.NONE


def test_t59_ten_thousand_results_of_other_tests_cost_no_validation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    check = validate.Checks.check

    def counting(checks: validate.Checks, what: JsonObject) -> None:
        seen.append(what["id"])
        check(checks, what)

    monkeypatch.setattr(validate.Checks, "check", counting)
    chart = bundle(*(observation(id=f"x{n}", code=OTHER_TEST) for n in range(10_000)), ferritin())
    record(bundle(observation()), labs=chart)
    assert seen == ["obs-1", "fer-1"]


def test_a_document_that_stands_in_several_parts_is_opened_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[JsonObject] = []

    def opening(document: JsonObject) -> Document:
        opened.append(document)
        return open_document(document)

    monkeypatch.setattr("cds_service.fhir.read.open_document", opening)
    whole = bundle(observation(), ferritin(), patient())
    read = record(
        whole, patient=whole, sil2r=whole, labs=whole, conditions=whole, medications=whole
    )
    assert refs(read.results) == ["Observation/obs-1"]
    assert opened == [whole]
