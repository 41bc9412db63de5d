"""What one request may cost: nothing in it is looked at again for each thing that refers to it.

Sizes and calls are counted here, never seconds. See docs/decisions/0042-what-one-request-costs.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from cds_service.core.card import JsonObject
from cds_service.core.elements import SpecimenLink
from cds_service.core.model import Availability, InvalidResource, LabResult, PatientRecord
from cds_service.fhir import bundle as bundle_module
from cds_service.fhir import lone_report, parts, plain, validate, versions
from cds_service.fhir.bundle import Entry, open_document
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.orders import EveryDraft, Selected, read_drafts
from cds_service.fhir.parts import MOST_READ
from cds_service.fhir.report import MOST_SPECIMENS, reports_in
from cds_service.fhir.subject import Whose
from cds_service.fhir.validate import MOST_ELEMENTS
from cds_service.fhir.versions import only_newest
from cds_service.fhir.wanted import Wanted
from tests.unit.fhir.given import (
    FERRITIN,
    LEFT_OUT,
    LOINC,
    PATIENT,
    SIL2R,
    bundle,
    concept,
    observation,
    only,
    record,
    resource,
    result,
    specimen,
)

SUBJECT = {"reference": f"Patient/{PATIENT}"}
ODD = {"language": "de", "_language": {"id": "a"}}
"""Valid FHIR R4, and not plain: only the models can tell."""


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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of the resources about which the models were asked, in turn."""
    kinds: list[str] = []
    check_fully = validate.check_fully

    def counting(what: JsonObject) -> None:
        kinds.append(what["resourceType"])
        check_fully(what)

    monkeypatch.setattr(validate, "check_fully", counting)
    return kinds


def calls_of(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[object]:
    """What a function of a module is called with, from now on."""
    seen: list[object] = []
    real: Callable[..., object] = getattr(module, name)

    def counting(what: object, *more: object) -> object:
        seen.append(what)
        return real(what, *more)

    monkeypatch.setattr(module, name, counting)
    return seen


def results(*resources: JsonObject) -> Sequence[LabResult | InvalidResource]:
    return record(bundle(*resources)).results


# ------------------------------------------------------------------ each resource once


@pytest.mark.parametrize("id_", [{}, {"id": "a"}])
def test_t59_results_under_one_name_are_not_held_against_each_other(id_: JsonObject) -> None:
    same = {"resourceType": "Observation", "code": concept(*SIL2R), **id_}
    many = [Compared(same, issued=str(number)) for number in range(1_000)]
    assert len(results(*many)) == MOST_READ
    assert Compared.times == 0


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


def test_results_and_history_are_not_held_against_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[object] = []

    def counting(one: object, other: object) -> bool:
        compared.append(one)
        return one is other

    monkeypatch.setattr(LabResult, "__eq__", counting)

    def nameless(number: int) -> JsonObject:
        made = observation(method={"text": str(number)})
        del made["id"]
        return made

    found = record(bundle(*map(nameless, range(100))), sil2r=bundle(*map(nameless, range(70, 150))))
    assert len(found.history) == 50
    assert compared == []


def test_of_one_id_another_version_is_another_result_and_no_version_is_any() -> None:
    def version(*texts: str) -> JsonObject:
        return bundle(
            *(observation(meta={"versionId": text} if text else LEFT_OUT) for text in texts)
        )

    def history(than: str, *found: str) -> int:
        return len(record(version(than), sil2r=version(*found)).history)

    assert history("1", "1") == history("1", "") == history("", "1") == 0
    assert history("a", "b") == 1


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
    assert found.specimen.link is SpecimenLink.UNRESOLVED


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
    looked_into = calls_of(monkeypatch, bundle_module, "objects")
    assert len(results(report)) == 50
    assert sum(what is report["contained"] for what in looked_into) == 1


def test_what_an_order_contains_is_listed_once_for_all_its_performers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = [
        resource("Organization", id=f"y{number}", name=f"Lab {number}") for number in range(90)
    ]
    order = draft(contained=inside, performer=[{"reference": f"#y{n}"} for n in range(90)])
    looked_into = calls_of(monkeypatch, bundle_module, "objects")
    (read,) = drafts(order).drafts.beside
    assert [one.display for one in read.performers] == [f"Lab {number}" for number in range(90)]
    assert sum(what is inside for what in looked_into) == 1


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
    entries = bundle_module.open_document(bundle(*many, *reports)).entries
    lone = list(lone_report.lone_reports(entries, entries[:50], wanted.accepted))
    assert len(lone) == 20
    assert len(looked_at) == 20 * 3


# ------------------------------------------------------------------ no more than fits


def test_t52_a_resource_larger_than_any_real_one_is_refused_unseen(
    asked: list[str],
) -> None:
    ranges = [{"low": {"value": 1}}] * (MOST_ELEMENTS // 3)
    found = only(observation(referenceRange=ranges))
    assert isinstance(found, InvalidResource)
    assert found.where == "Observation"
    assert asked == []


def test_a_panel_of_a_hundred_components_is_read() -> None:
    part = {
        "code": {"coding": [{"system": LOINC, "code": "1-8", "display": "a"}], "text": "b"},
        "valueQuantity": {"value": 1, "unit": "g", "system": "x:y", "code": "g"},
        "referenceRange": [{"low": {"value": 1, "unit": "g"}, "high": {"value": 2, "unit": "g"}}],
        "interpretation": [{"coding": [{"system": "x:y", "code": "N"}]}],
    }
    assert result(component=[part] * 100, **ODD).ref.resource == "Observation/obs-1"


def test_an_array_longer_than_a_plain_one_is_for_the_models_and_valid(asked: list[str]) -> None:
    for length in (plain.MOST_ITEMS, plain.MOST_ITEMS + 1):
        assert result(note=[{"text": "a"}] * length).ref.resource == "Observation/obs-1"
    assert asked == ["Observation"]


def five_odd_results() -> list[JsonObject]:
    return [observation(id=f"o{number}", **ODD) for number in range(5)]


def test_the_models_are_asked_about_so_much_and_what_comes_after_is_refused(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    one = five_odd_results()[0]
    monkeypatch.setattr(validate, "MOST_CHECKED", 3 * validate._elements(one))
    found = results(*five_odd_results(), observation(id="plain"))
    invalid = [item.ref.resource for item in found if isinstance(item, InvalidResource)]
    assert invalid == ["Observation/o3", "Observation/o4"]
    assert len(asked) == 3


def test_all_parts_of_a_record_share_what_the_models_may_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validate, "MOST_CHECKED", 5 * validate._elements(five_odd_results()[0]))
    condition = resource("Condition", id="c", subject=SUBJECT, code=concept("x:y", "a"))

    def chart(*more: JsonObject) -> PatientRecord:
        return record(bundle(*five_odd_results()), conditions=bundle(condition, *more))

    assert chart().availability["conditions"] is Availability.GIVEN
    odd = chart(condition | {"id": "d"} | ODD)
    assert odd.availability["conditions"] is Availability.PARTIAL
    assert [entry.ref.resource for entry in odd.entries] == ["Condition/c"]


@pytest.mark.parametrize("entry", [{"resource": {}}, 5])
def test_of_entries_that_are_no_resource_only_the_first_are_told(entry: object) -> None:
    many: JsonObject = {"resourceType": "Bundle", "entry": [entry] * 1_000}
    assert 0 < len(record(many).results) <= MOST_READ


def test_of_panels_full_of_results_as_many_are_told_as_results_are_read() -> None:
    part = {"code": concept(*SIL2R)}
    panels = [
        observation(id=f"o{number}", code=concept("x:y", "panel"), component=[part] * 90)
        for number in range(10)
    ]
    wanted = Wanted("sil2r", frozenset({SIL2R}), frozenset({FERRITIN}), frozenset({SIL2R}))
    document = bundle_module.open_document(bundle(*panels))
    scope = bundle_module.Scope(document.index)
    reader = ObservationReader(scope, Whose(PATIENT), accepted=wanted.accepted)
    assert len(parts.read_laboratory(document, reader, wanted).analyte) == MOST_READ


# ------------------------------------------------------------------ orders


def draft(**more: Any) -> JsonObject:
    return resource(
        "ServiceRequest",
        id="1",
        status="draft",
        intent="order",
        code=concept(*SIL2R),
        subject=SUBJECT,
        **more,
    )


def drafts(*orders: JsonObject) -> Any:
    wanted = Wanted("sil2r", frozenset({SIL2R}), frozenset())
    return read_drafts(bundle(*orders), meant=EveryDraft(), whose=Whose(PATIENT), wanted=wanted)


def test_a_specimen_that_an_order_names_many_times_is_one() -> None:
    code = {"system": "http://snomed.info/sct", "code": "258450006"}
    order = draft(specimen=[{"reference": "Specimen/spec-1"}] * 50)
    (read,) = drafts(order, specimen(subject=SUBJECT)).drafts.beside
    assert [one.code for one in read.specimen.codings] == [code["code"]]


def test_an_order_that_names_more_specimens_than_anybody_can_tell_apart_names_none() -> None:
    order = draft(specimen=[{"reference": "Specimen/spec-1"}] * 101)
    (read,) = drafts(order, specimen(subject=SUBJECT)).drafts.beside
    assert read.specimen.link is SpecimenLink.UNRESOLVED


class Unwalked(frozenset[str]):
    """References that may be asked for, but not gone through one by one."""

    def __iter__(self) -> Any:
        raise AssertionError("gone through")


@pytest.mark.parametrize(
    ("full_url", "taken"),
    [
        ("https://ehr.example.org/fhir/ServiceRequest/7", True),
        ("ServiceRequest/7", True),
        ("https://ehr.example.org/fhir/ServiceRequest/77", False),
        ("https://ehr.example.org/fhir/XServiceRequest/7", False),
        ("urn:uuid:7", False),
        ("", False),
    ],
)
def test_a_selected_draft_is_found_by_the_end_of_its_address(full_url: str, taken: bool) -> None:
    nameless = draft()
    del nameless["id"]
    entry = bundle_module.Entry(nameless, full_url, nameless, "ServiceRequest")
    many = Unwalked({"ServiceRequest/7", "", *(f"ServiceRequest/x{n}" for n in range(1_000))})
    assert Selected(many).takes(entry) is taken


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
