"""A result inside a panel is noticed, and its value is never read."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import Coding, NotNumeric, NoValue, ResourceRef, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, Subject
from cds_service.fhir.observation import FLAGS
from tests.unit.fhir.given import (
    FERRITIN,
    LEFT_OUT,
    LOINC,
    SIL2R,
    bundle,
    concept,
    observation,
    quantity,
    record,
    result,
)

PANEL, IL2, CSF = (LOINC, "82335-1"), (LOINC, "33939-0"), (LOINC, "99768-4")
NOT_READ = NotNumeric("component")


def component(code: tuple[str, str] = SIL2R, **changes: Any) -> JsonObject:
    part = {"code": concept(*code), "valueQuantity": quantity(5230, "pg/mL"), **changes}
    return {key: value for key, value in part.items() if value is not LEFT_OUT}


def panel(*parts: JsonObject, **changes: Any) -> JsonObject:
    """A cytokine panel: an Observation without a value of its own."""
    given: JsonObject = {"code": concept(*PANEL), "valueQuantity": LEFT_OUT, "component": [*parts]}
    return observation(**{**given, **changes})


def found_in(*resources: JsonObject) -> list[LabResult]:
    results = record(bundle(*resources)).results
    assert all(isinstance(found, LabResult) for found in results), results
    return [found for found in results if isinstance(found, LabResult)]


def test_a_result_in_a_panel_is_there_with_the_panel_s_own_facts_and_no_value() -> None:
    (found,) = found_in(panel(component(FERRITIN), component()))
    assert found.codings == (Coding(*SIL2R),)
    assert found.value == NOT_READ
    assert found.ref == ResourceRef("Observation/obs-1")
    assert (found.status, found.subject) == (Status.FINAL, Subject.THIS_PATIENT)


def test_each_component_of_the_analyte_is_a_result_of_its_own() -> None:
    found = found_in(panel(component(SIL2R), component(CSF)))
    assert [result.codings for result in found] == [(Coding(*SIL2R),), (Coding(*CSF),)]


def test_nothing_that_was_measured_of_the_panel_is_taken_for_its_component() -> None:
    """A panel with a number, a range and a flag of its own: none of them is of the receptor."""
    (found,) = found_in(
        panel(
            component(),
            valueQuantity=quantity(52, "pg/mL"),
            referenceRange=[{"high": quantity(10, "pg/mL")}],
            interpretation=[concept(FLAGS, "H")],
        )
    )
    assert (found.value, found.ranges, found.flags) == (NOT_READ, (), ())


def test_each_component_without_a_value_says_its_own_reason() -> None:
    absent = component(
        CSF, valueQuantity=LEFT_OUT, dataAbsentReason=concept("x:y", "not-performed")
    )
    found = found_in(panel(component(), absent))
    assert [result.value for result in found] == [NOT_READ, NoValue("not-performed")]


def test_interleukin_2_in_a_panel_was_meant_as_such_and_is_not_told() -> None:
    assert found_in(panel(component(IL2), component(FERRITIN))) == []


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ({"dataAbsentReason": concept("x:y", "not-performed")}, NoValue("not-performed")),
        ({}, NoValue()),
    ],
)
def test_a_component_without_a_value_says_why(reason: JsonObject, value: NoValue) -> None:
    (found,) = found_in(panel(component(valueQuantity=LEFT_OUT, **reason)))
    assert found.value == value


def test_a_panel_of_another_patient_is_told_as_that_patient_s() -> None:
    (found,) = found_in(panel(component(), subject={"reference": "Patient/pat-2"}))
    assert found.subject is Subject.ANOTHER_PATIENT


def test_a_panel_that_is_not_valid_fhir_says_so_under_the_code_of_the_analyte() -> None:
    (found,) = record(bundle(panel(component(), status="banana"))).results
    assert isinstance(found, InvalidResource)
    assert (found.where, found.codings) == ("Observation.status", (Coding(*SIL2R),))


@pytest.mark.parametrize("broken", [[], {}, "x", [5], [{"code": "x"}], [{"code": {"coding": 5}}]])
def test_components_of_any_shape_are_no_result(broken: object) -> None:
    assert record(bundle(panel(component=broken))).results == ()


def test_a_result_whose_value_lies_in_a_component_is_not_called_empty() -> None:
    assert result(valueQuantity=LEFT_OUT, component=[component()]).value == NOT_READ
    assert result(valueQuantity=LEFT_OUT, component=[component(CSF)]).value == NOT_READ


def test_what_the_laboratory_says_of_the_missing_value_comes_first() -> None:
    changes = {"valueQuantity": LEFT_OUT, "dataAbsentReason": concept("x:y", "error")}
    assert result(**changes, component=[component(CSF)]).value == NoValue("error")
