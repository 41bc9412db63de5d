"""A companion result in a component of a panel is read as one that stands by itself."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

import cds_service.fhir.parts as parts_module
import cds_service.fhir.wanted as wanted_module
from cds_service.core.elements import (
    Coding,
    Comparator,
    ComponentRef,
    Measured,
    NotNumeric,
    NoValue,
    ResourceRef,
    Status,
)
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, LabResult, PatientRecord
from cds_service.fhir.files.file import read_file
from cds_service.fhir.observation import FLAGS
from cds_service.fhir.wanted import wanted_by
from tests.packaged import SIL2R as KNOWLEDGE
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
    resource,
    specimen,
)

BLOOD_COUNT = (LOINC, "58410-2")
HAEMOGLOBIN, PLATELETS, CREATININE = (LOINC, "718-7"), (LOINC, "777-3"), (LOINC, "2160-0")
FIBRINOGEN, TRIGLYCERIDES = (LOINC, "3255-7"), (LOINC, "2571-8")
WANTED = wanted_by(KNOWLEDGE)


def part(
    code: tuple[str, str], value: str | int = 80, unit: str = "g/L", **more: Any
) -> JsonObject:
    given = {"code": concept(*code), "valueQuantity": quantity(value, unit), **more}
    return {key: each for key, each in given.items() if each is not LEFT_OUT}


def panel(*components: JsonObject, **changes: Any) -> JsonObject:
    given: JsonObject = {"id": "cbc", "code": concept(*BLOOD_COUNT), "valueQuantity": LEFT_OUT}
    return observation(**{**given, "component": [*components], **changes})


def read(results: JsonObject, **parts: Any) -> PatientRecord:
    return record(results, wanted=WANTED, **parts)


def beside(*resources: JsonObject) -> tuple[LabResult, ...]:
    """The companion results in the laboratory part of a chart."""
    return read({}, labs=bundle(*resources)).companions


def values(found: tuple[LabResult, ...]) -> list[tuple[str, object]]:
    """The code of each result, and its number or what it has instead."""

    def said(one: LabResult) -> object:
        return one.value.number.text if isinstance(one.value, Measured) else one.value

    return [(one.codings[0].code, said(one)) for one in found]


# ------------------------------------------------------------------ its own, and the panel's


def test_a_count_in_a_panel_has_its_own_value_range_and_flag_and_all_else_of_the_panel() -> None:
    haemoglobin = part(
        HAEMOGLOBIN,
        "79.0",
        referenceRange=[{"low": quantity(120, "g/L")}],
        interpretation=[concept(FLAGS, "L")],
    )
    whole = panel(
        haemoglobin,
        status="amended",
        meta={"versionId": "3"},
        issued="2026-03-01T10:00:00Z",
        performer=[{"reference": "Organization/lab-1", "display": "Laboratory 1"}],
        specimen={"reference": "Specimen/spec-1"},
        method={"text": "analyser"},
        interpretation=[concept(FLAGS, "HH")],
    )
    (found,) = beside(whole, specimen())
    alone = {**whole, **haemoglobin, "id": "hb"}
    (itself,) = beside({k: v for k, v in alone.items() if k != "component"}, specimen())
    assert found.ref == ComponentRef("Observation/cbc", "3", "718-7 1")
    assert replace(found, ref=itself.ref) == itself
    assert (found.flags, found.status) == (("L",), Status.AMENDED)


def test_all_companions_of_a_panel_are_read_and_no_other_component() -> None:
    leukocytes = part((LOINC, "6690-2"), 3, "10*9/L")
    found = beside(panel(part(HAEMOGLOBIN, 79), leukocytes, part(PLATELETS, 60, "10*9/L")))
    assert values(found) == [("718-7", "79"), ("777-3", "60")]


@pytest.mark.parametrize("code", [BLOOD_COUNT, (LOINC, "57021-8"), ("urn:oid:2.999.7", "KBB")])
def test_whatever_the_code_of_the_panel_its_components_tell(code: tuple[str, str]) -> None:
    assert len(beside(panel(part(HAEMOGLOBIN), code=concept(*code)))) == 1


def test_a_panel_in_words_alone_is_read_too() -> None:
    assert len(beside(panel(part(HAEMOGLOBIN), code={"text": "Blutbild"}))) == 1


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({"valueQuantity": LEFT_OUT, "valueString": "clotted"}, NotNumeric("valueString")),
        (
            {"valueQuantity": LEFT_OUT, "dataAbsentReason": concept("x:y", "not-performed")},
            NoValue("not-performed"),
        ),
        ({"valueQuantity": LEFT_OUT}, NoValue()),
    ],
)
def test_a_component_without_a_number_says_so_as_a_result_by_itself(
    more: JsonObject, value: object
) -> None:
    (found,) = beside(panel(part(PLATELETS, **more)))
    assert found.value == value


def test_a_comparator_of_a_component_is_kept() -> None:
    (found,) = beside(panel(part(PLATELETS, valueQuantity=quantity(10, "10*9/L", comparator="<"))))
    assert isinstance(found.value, Measured)
    assert found.value.comparator is Comparator.LESS


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error", "registered"])
def test_the_status_is_that_of_the_panel(status: str) -> None:
    (found,) = beside(panel(part(HAEMOGLOBIN), status=status))
    assert found.status == status


def test_a_panel_that_is_withdrawn_with_its_report_takes_its_components_along() -> None:
    report = resource(
        "DiagnosticReport",
        id="r",
        status="entered-in-error",
        code=concept("x:y", "z"),
        result=[{"reference": "Observation/cbc"}],
    )
    (found,) = beside(panel(part(HAEMOGLOBIN)), report)
    assert found.status is Status.ENTERED_IN_ERROR


# ------------------------------------------------------------------ what is not taken for one


def test_of_another_patient_s_panel_nothing_is_read() -> None:
    foreign = panel(part(HAEMOGLOBIN), subject={"reference": "Patient/pat-2"})
    chart = read({}, labs=bundle(foreign))
    assert chart.companions == ()
    assert chart.availability["labs"] is Availability.OF_ANOTHER_PATIENT


@pytest.mark.parametrize("code", [SIL2R, (LOINC, "33939-0")])
def test_a_component_whose_codes_name_sil2r_or_interleukin_2_as_well_is_no_companion(
    code: tuple[str, str],
) -> None:
    both = {"coding": [*concept(*FERRITIN)["coding"], *concept(*code)["coding"]]}
    assert beside(panel({**part(FERRITIN), "code": both})) == ()


def test_of_a_panel_that_is_not_valid_nothing_is_read_and_the_part_is_not_whole() -> None:
    chart = read({}, labs=bundle(panel(part(HAEMOGLOBIN), status="banana"), panel(id="other")))
    assert chart.companions == ()
    assert chart.availability["labs"] is Availability.FAILED


@pytest.mark.parametrize(
    "fault",
    [
        {"valueQuantity": quantity(79, "g/L", comparator="~")},
        {"valueQuantity": {"value": 79, "code": "g/L"}},
        {"dataAbsentReason": concept("x:y", "unknown")},
        {"referenceRange": [{"low": quantity(120, "g/L", comparator="<")}]},
    ],
)
def test_a_component_that_contradicts_itself_is_left_out_and_the_part_is_not_whole(
    fault: JsonObject,
) -> None:
    chart = read({}, labs=bundle(panel(part(HAEMOGLOBIN, **fault), part(PLATELETS, 60, "10*9/L"))))
    assert values(chart.companions) == [("777-3", "60")]
    assert chart.availability["labs"] is Availability.PARTIAL


@pytest.mark.parametrize("broken", [[], {}, "x", [5], [{"code": "x"}], [{"code": {"coding": 5}}]])
def test_components_of_any_shape_are_no_companion(broken: object) -> None:
    assert beside(panel(component=broken)) == ()


# ------------------------------------------------------------------ panels that are results as well


def test_a_panel_that_has_a_companion_s_value_itself_is_read_with_its_components() -> None:
    own = {"code": concept(*HAEMOGLOBIN), "valueQuantity": quantity(79, "g/L")}
    found = beside(panel(part(PLATELETS, 60, "10*9/L"), **own))
    assert values(found) == [("718-7", "79"), ("777-3", "60")]
    assert [type(one.ref) for one in found] == [ResourceRef, ComponentRef]


def test_a_panel_under_the_code_of_its_component_has_the_value_there_alone() -> None:
    """Beside a value of its own the same code in a component is no valid FHIR (obs-7)."""
    code = concept(*HAEMOGLOBIN)
    assert values(beside(panel(part(HAEMOGLOBIN), code=code))) == [
        ("718-7", NoValue()),
        ("718-7", "80"),
    ]
    twice = read({}, labs=bundle(panel(part(HAEMOGLOBIN), code=code, valueQuantity=quantity())))
    assert (twice.companions, twice.availability["labs"]) == ((), Availability.FAILED)


@pytest.mark.parametrize("own", [{}, {"code": concept(*BLOOD_COUNT), "valueQuantity": LEFT_OUT}])
def test_components_beside_sil2r_are_read(own: JsonObject) -> None:
    """Of the analyte itself, and of a panel that holds it: the latter is not read (decision 41)."""
    inside = [part(FERRITIN, 5200, "ng/mL"), *([part(SIL2R, 5200, "U/mL")] if own else [])]
    chart = read(bundle(observation(component=inside, **own)))
    assert values(chart.companions) == [("2276-4", "5200")]
    assert [one.codings for one in chart.results if isinstance(one, LabResult)] == [
        (Coding(*SIL2R),)
    ]


def test_a_panel_that_lies_in_a_report_is_read() -> None:
    report = resource(
        "DiagnosticReport",
        id="r",
        status="final",
        code=concept("x:y", "z"),
        contained=[panel(part(HAEMOGLOBIN))],
        result=[{"reference": "#cbc"}],
    )
    assert values(beside(report)) == [("718-7", "80")]


def test_a_file_with_such_a_panel_holds_a_laboratory_part() -> None:
    file = read_file(bundle(observation(), panel(part(HAEMOGLOBIN))), WANTED)
    assert file.parts["labs"].availability is Availability.GIVEN
    without = read_file(bundle(observation(), panel(part((LOINC, "6690-2")))), WANTED)
    assert without.parts["labs"].availability is Availability.MISSING


# ------------------------------------------------------------------ each once


def test_equal_values_of_two_tests_in_one_panel_are_two_results() -> None:
    """Fibrinogen and triglycerides of 150 mg/dL."""
    found = beside(panel(part(FIBRINOGEN, 150, "mg/dL"), part(TRIGLYCERIDES, 150, "mg/dL")))
    assert [one.codings[0].code for one in found] == ["3255-7", "2571-8"]


def test_two_values_of_one_test_in_one_panel_are_two_results() -> None:
    found = beside(panel(part(PLATELETS, 60, "10*9/L"), part(PLATELETS, 90, "10*9/L")))
    assert [one.ref.name for one in found] == ["Observation/cbc 777-3 1", "Observation/cbc 777-3 2"]


def test_a_panel_among_the_results_and_in_the_chart_is_one() -> None:
    cbc = panel(part(HAEMOGLOBIN), part(PLATELETS, 60, "10*9/L"))
    chart = read(bundle(observation(), cbc), labs=bundle(copy.deepcopy(cbc)))
    assert len(chart.companions) == 2


def test_of_two_versions_of_a_panel_the_newest_counts() -> None:
    old = panel(part(HAEMOGLOBIN, 79), meta={"versionId": "1"})
    new = panel(part(HAEMOGLOBIN, 97), meta={"versionId": "2"}, status="corrected")
    assert values(beside(new, old)) == [("718-7", "97")]


# ------------------------------------------------------------------ how much is read


def test_of_too_many_components_those_of_the_newest_panels_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts_module, "MOST_READ", 4)
    days = [
        panel(
            part(HAEMOGLOBIN, 70 + day),
            part(PLATELETS, day, "10*9/L"),
            id=f"cbc-{day}",
            effectiveDateTime=f"2026-03-0{day}",
        )
        for day in (1, 3, 2)
    ]
    chart = read({}, labs=bundle(*days))
    assert values(chart.companions) == [
        ("718-7", "73"),
        ("777-3", "3"),
        ("718-7", "72"),
        ("777-3", "2"),
    ]
    assert chart.availability["labs"] is Availability.PARTIAL
    whole = read({}, labs=bundle(*days[:2]))
    assert whole.availability["labs"] is Availability.GIVEN


def test_a_panel_of_hundreds_of_components_is_walked_through_a_fixed_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    really = wanted_module.codes_of

    def counted(coded: JsonObject) -> Any:
        nonlocal looks
        looks += 1
        return really(coded)

    monkeypatch.setattr(wanted_module, "codes_of", counted)
    other = [part((LOINC, f"{number}-0"), number) for number in range(400)]
    assert len(beside(panel(*other, part(HAEMOGLOBIN)))) == 1
    assert looks < 4 * 401
