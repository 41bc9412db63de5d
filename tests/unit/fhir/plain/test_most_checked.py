"""How much of one request the models of FHIR are asked about, and what is told of the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, InvalidResource, LabResult, PatientRecord
from cds_service.fhir import parts, validate
from cds_service.fhir.bundle import open_document
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.parts import MOST_READ
from cds_service.fhir.plain import grammar
from cds_service.fhir.report import Reports
from cds_service.fhir.scope import Scope
from cds_service.fhir.subject import Whose
from cds_service.fhir.validate import MOST_ELEMENTS
from cds_service.fhir.wanted import Wanted
from tests.unit.fhir.given import (
    FERRITIN,
    LOINC,
    ODD,
    PATIENT,
    SIL2R,
    SUBJECT,
    bundle,
    concept,
    observation,
    only,
    record,
    resource,
    result,
)


def results(*resources: JsonObject) -> Sequence[LabResult | InvalidResource]:
    return record(bundle(*resources)).results


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
    for length in (grammar.MOST_ITEMS, grammar.MOST_ITEMS + 1):
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
    document = open_document(bundle(*panels))
    scope = Scope(document.index)
    reader = ObservationReader(scope, Whose(PATIENT), Reports(""), wanted.accepted)
    assert len(parts.read_laboratory(document, reader, wanted).analyte) == MOST_READ
