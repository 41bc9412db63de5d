"""A whole record: which resources are read, which are left out, and what each part came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from cds_service.core.card import JsonObject
from cds_service.core.elements import ResourceRef, Status
from cds_service.core.model import Availability, InvalidResource, LabResult, Subject
from cds_service.fhir import parts as parts_module
from cds_service.fhir import validate
from cds_service.fhir.bundle import Document, open_document
from cds_service.fhir.wanted import wanted_by
from tests.packaged import SIL2R
from tests.unit.fhir.given import (
    FERRITIN,
    LEFT_OUT,
    LOINC,
    UCUM,
    bundle,
    concept,
    entry,
    observation,
    patient,
    quantity,
    record,
    resource,
)

OTHER_TEST = concept(LOINC, "718-7")
ANOTHER = {"reference": "Patient/pat-2"}


def refs(results: tuple[LabResult | InvalidResource, ...]) -> list[str]:
    return [result.ref.resource for result in results]


def ferritin(**changes: Any) -> JsonObject:
    good = {"id": "fer-1", "code": concept(*FERRITIN), "valueQuantity": quantity(900, "ng/mL")}
    return observation(**{**good, **changes})


def panel(**changes: Any) -> JsonObject:
    inside = {"code": concept(LOINC, "9654-5"), "valueQuantity": quantity(900, "U/mL")}
    return observation(**{"code": OTHER_TEST, "component": [inside], **changes})


# ------------------------------------------------------------------ which Observations


def test_wanted_results_and_companions_are_told_apart_and_others_are_ignored() -> None:
    found = record(bundle(observation(), ferritin(), observation(id="hb", code=OTHER_TEST)))
    assert refs(found.results) == ["Observation/obs-1"]
    assert refs(found.companions) == ["Observation/fer-1"]


def test_a_local_code_that_the_site_has_mapped_is_wanted() -> None:
    local = observation(code=concept("urn:oid:2.999.2", "SIL2R-S"))
    assert refs(record(bundle(local)).results) == ["Observation/obs-1"]


def test_a_local_code_is_of_the_analyte_only_if_it_is_mapped_to_a_code_that_is() -> None:
    to = {("urn:oid:2.999.2", "SIL2R-S"): "9654-5", ("urn:oid:2.999.2", "IL2"): "33939-0"}
    wanted = wanted_by(replace(SIL2R, local_codes=to))
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
        ({"resourceType": "Bundle", "entry": 5}, "Bundle.entry"),
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


def test_the_same_resource_twice_is_one() -> None:
    assert len(record(bundle(observation(), observation())).results) == 1


def test_two_different_resources_of_one_id_both_stay() -> None:
    two = bundle(observation(), observation(valueQuantity=quantity(7)))
    assert len(record(two).results) == 2


def test_no_results_at_all() -> None:
    assert record({}).results == ()
    assert record({"resourceType": "Bundle", "type": "collection"}).results == ()


# ------------------------------------------------------------------ history and companions


def test_history_is_what_results_do_not_hold_already() -> None:
    old = observation(id="obs-0", effectiveDateTime="2025-03-01")
    same = observation(meta={"versionId": "1"})
    found = record(bundle(observation()), sil2r=bundle(same, old))
    assert refs(found.history) == ["Observation/obs-0"]


def test_what_one_id_holds_twice_in_different_units_is_history() -> None:
    in_words = observation(valueQuantity=quantity(unit="pg/mL"))
    assert len(record(bundle(observation()), sil2r=bundle(in_words)).history) == 1
    one, other = (
        bundle(observation(valueQuantity=quantity(system=UCUM, code=code)))
        for code in ("[arb'U]/mL", "pg/mL")
    )
    assert len(record(one, sil2r=other).history) == 1


@pytest.mark.parametrize(
    ("before", "now"),
    [
        *permutations(
            (
                {},
                {"valueQuantity": LEFT_OUT},
                {"valueQuantity": LEFT_OUT, "valueString": "see report"},
            ),
            2,
        )
    ],
)
def test_what_one_id_holds_as_a_number_as_words_and_not_at_all_is_history(
    before: JsonObject, now: JsonObject
) -> None:
    found = record(bundle(observation(**now)), sil2r=bundle(observation(**before)))
    assert len(found.history) == 1


@pytest.mark.parametrize(
    ("now", "before", "is_history"),
    [
        ({"id": LEFT_OUT}, {"id": LEFT_OUT}, False),
        ({"id": LEFT_OUT}, {"id": LEFT_OUT, "effectiveDateTime": "2025-03-01"}, True),
        ({"status": "banana"}, {}, False),
        ({"status": "banana"}, {"id": "obs-0"}, True),
    ],
    ids=[
        "no id, the same",
        "no id, another",
        "now invalid, the same id",
        "now invalid, another id",
    ],
)
def test_what_has_no_id_or_is_invalid_now_is_known_again(
    now: JsonObject, before: JsonObject, *, is_history: bool
) -> None:
    found = record(bundle(observation(**now)), sil2r=bundle(observation(**before)))
    assert bool(found.history) is is_history


def test_one_number_written_with_more_digits_is_not_another() -> None:
    longer = observation(valueQuantity=quantity("5200.00"))
    assert record(bundle(observation()), sil2r=bundle(longer)).history == ()


def test_when_the_search_itself_is_interpreted_nothing_is_doubled() -> None:
    search = bundle(observation(), observation(id=LEFT_OUT), observation(id="obs-0"))
    found = record(search, sil2r=search)
    assert len(found.results) == 3
    assert found.history == ()


def test_companions_come_from_the_labs_and_from_the_results_each_once() -> None:
    found = record(bundle(observation(), ferritin()), labs=bundle(ferritin(), ferritin(id="fer-2")))
    assert refs(found.companions) == ["Observation/fer-1", "Observation/fer-2"]


def test_t22_of_another_patient_results_are_marked_and_everything_else_is_left_out() -> None:
    found = record(
        bundle(observation(subject=ANOTHER), ferritin(subject=ANOTHER)),
        sil2r=bundle(observation(id="obs-0", subject=ANOTHER), observation(id="obs-2")),
        labs=bundle(ferritin(id="fer-2", subject=ANOTHER)),
    )
    (result,) = found.results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.ANOTHER_PATIENT
    assert refs(found.history) == ["Observation/obs-2"]
    assert found.companions == ()
    assert found.availability["sil2r"] is Availability.GIVEN
    assert found.availability["labs"] is Availability.OF_ANOTHER_PATIENT


# ------------------------------------------------------------------ availability

SEARCHED = bundle(type="searchset")
NONE: dict[str, JsonObject] = {
    "not sent": {},
    "null": {"sil2r": None, "labs": None},
    "empty": {"sil2r": SEARCHED, "labs": SEARCHED},
    "failed": dict.fromkeys(("sil2r", "labs"), resource("OperationOutcome")),
}
"""Ways in which the record holds no other results."""


def came_to(key: str, value: object) -> Availability:
    part: dict[str, Any] = {key: value}
    return record(bundle(observation()), **part).availability[key]


def test_every_part_has_an_availability_and_what_was_not_sent_is_missing() -> None:
    found = record(bundle(observation()))
    assert found.availability == {
        "results": Availability.GIVEN,
        **dict.fromkeys(
            ("patient", "sil2r", "labs", "conditions", "medications"), Availability.MISSING
        ),
    }


@pytest.mark.parametrize("key", ["patient", "sil2r", "labs", "conditions", "medications"])
def test_t64_a_part_of_a_wrong_type_has_failed(key: str) -> None:
    assert came_to(key, resource("Practitioner", id="x")) is Availability.FAILED
    assert came_to(key, bundle(resource("Practitioner", id="x"))) is Availability.FAILED


@pytest.mark.parametrize("key", ["patient", "sil2r", "labs", "conditions", "medications"])
def test_what_was_not_given_stays_so(key: str) -> None:
    assert came_to(key, None) is Availability.EMPTY
    assert came_to(key, resource("OperationOutcome")) is Availability.FAILED


def test_results_that_are_one_page_of_several_are_a_part() -> None:
    """Where they are the search as well, that part of the record says it, once."""
    page = bundle(observation(), link=[{"relation": "next", "url": "x:y"}])
    assert record(page).availability["results"] is Availability.PARTIAL
    assert record(bundle(observation())).availability["results"] is Availability.GIVEN
    both = record(page, sil2r=page).availability
    assert (both["results"], both["sil2r"]) == (Availability.GIVEN, Availability.PARTIAL)


def test_one_page_stays_partial() -> None:
    page = bundle(ferritin(), link=[{"relation": "next", "url": "x:y"}])
    assert came_to("labs", page) is Availability.PARTIAL


@pytest.mark.parametrize(
    ("labs", "availability"),
    [
        (bundle(ferritin()), Availability.GIVEN),
        (bundle(observation(code=OTHER_TEST)), Availability.GIVEN),
        (bundle(ferritin(), ferritin(id="fer-2", status="banana")), Availability.PARTIAL),
        (bundle(ferritin(status="banana")), Availability.FAILED),
    ],
)
def test_invalid_entries_of_an_optional_part_are_left_out_and_said(
    labs: JsonObject, availability: Availability
) -> None:
    assert came_to("labs", labs) is availability


def test_an_invalid_result_makes_its_own_part_less_unless_it_is_interpreted_itself() -> None:
    invalid = bundle(observation(), observation(id="obs-2", status="banana"))
    assert came_to("sil2r", invalid) is Availability.PARTIAL
    assert record(invalid, sil2r=invalid).availability["sil2r"] is Availability.GIVEN


@pytest.mark.parametrize("none", NONE.values(), ids=NONE)
def test_an_invalid_companion_among_the_results_is_left_out_and_said(none: JsonObject) -> None:
    """Else its test would be called missing on the card, and nothing told that it was sent."""
    found = record(bundle(observation(), ferritin(status="banana")), **none)
    assert found.companions == ()
    assert found.availability["results"] is Availability.PARTIAL


def test_a_search_that_came_short_and_holds_nothing_is_a_part_and_no_failure() -> None:
    short = bundle(type="searchset", total=7)
    warned = bundle(
        resource("OperationOutcome", issue=[{"severity": "warning", "code": "incomplete"}])
    )
    for key in ("sil2r", "labs", "conditions", "medications"):
        assert came_to(key, short) is Availability.PARTIAL
        assert came_to(key, warned) is Availability.PARTIAL


def test_t59_of_too_many_results_the_newest_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 2)
    many = bundle(
        *(observation(id=f"o{n}", effectiveDateTime=f"202{n}-01-01") for n in range(5)),
    )
    found = record(many, sil2r=many)
    assert refs(found.results) == ["Observation/o4", "Observation/o3"]
    assert found.availability["sil2r"] is Availability.PARTIAL


@pytest.mark.parametrize(
    "dated",
    [
        lambda day: {"effectivePeriod": {"start": day}},
        lambda day: {"effectiveInstant": f"{day}T08:00:00Z"},
        lambda day: {"issued": f"{day}T08:00:00Z"},
    ],
    ids=["period", "instant", "issued"],
)
def test_t59_the_newest_is_told_by_whatever_date_is_there(
    monkeypatch: pytest.MonkeyPatch, dated: Callable[[str], JsonObject]
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 1)
    first, newest, last = (
        observation(id=f"o{year}", effectiveDateTime=LEFT_OUT, **dated(f"{year}-01-01"))
        for year in (2023, 2025, 2024)
    )
    assert refs(record(bundle(first, newest, last)).results) == ["Observation/o2025"]


@pytest.mark.parametrize("own", ["final", "preliminary"])
@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_t59_no_number_of_withdrawn_results_hides_one_that_stands(
    monkeypatch: pytest.MonkeyPatch, status: str, own: str
) -> None:
    """Of them nothing is told: two hundred newer ones made a raised result no card at all."""
    monkeypatch.setattr(parts_module, "MOST_READ", 2)
    newer = [
        observation(id=f"o{n}", status=status, effectiveDateTime="2026-03-02") for n in range(3)
    ]
    found = record(bundle(*newer, observation(status=own)))
    assert refs(found.results)[0] == "Observation/obs-1"


def test_t59_too_many_results_are_told_of_the_place_where_they_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 1)
    one, two = bundle(observation()), bundle(observation(), observation(id="obs-2"))
    for results, history, cut in ((one, two, "sil2r"), (two, one, "results")):
        found = record(results, sil2r=history).availability
        assert [part for part in found if found[part] is Availability.PARTIAL] == [cut]
    labs = record(one, labs=bundle(ferritin(), ferritin(id="fer-2"))).availability
    assert [part for part in labs if labs[part] is Availability.PARTIAL] == ["labs"]
    whole = record(one, sil2r=bundle(observation())).availability
    assert Availability.PARTIAL not in whole.values()


@pytest.mark.parametrize("none", NONE.values(), ids=NONE)
@pytest.mark.parametrize(
    "two",
    [
        bundle(observation(), observation(id="obs-2")),
        bundle(observation(), ferritin(), ferritin(id="fer-2")),
        bundle(observation(), *(observation(id=f"o{n}", status="banana") for n in range(2))),
        bundle(observation(), *(observation(id=f"o{n}", code=5) for n in range(2))),
        bundle(observation(), *(panel(id=f"o{n}") for n in range(2))),
    ],
    ids=["results", "companions", "invalid", "unreadable", "panels"],
)
def test_t59_too_many_results_are_told_where_the_record_holds_no_others(
    monkeypatch: pytest.MonkeyPatch, two: JsonObject, none: JsonObject
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 1)
    assert record(two, **none).availability["results"] is Availability.PARTIAL


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


# ------------------------------------------------------------------ the parts together


def test_references_between_parts_are_followed_without_leaving_what_was_given() -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    results = bundle(observation(subject={"reference": urn}))
    found = record(results, conditions=bundle(entry(patient(), urn)))
    (result,) = found.results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.THIS_PATIENT


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
