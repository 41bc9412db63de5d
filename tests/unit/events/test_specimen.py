"""A notified result is read with its Specimen, as its server has it now: never blood for CSF."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_world import SERUM, World, a_result, containing
from tests.little_fhir import Json, refusing

ANY_SPECIMEN = "38352-1"
"""Interleukin 2 receptor in units per volume: the code does not say where it was taken."""
CSF, SERUM_SAMPLE, URINE = "CSF", "SER", "UR"


def sample(type_: str, **more: Any) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/v2-0487"
    return {
        "resourceType": "Specimen",
        "id": "s1",
        "type": {"coding": [{"system": system, "code": type_}]},
        "subject": {"reference": "Patient/p1"},
        **more,
    }


def result(code: str = ANY_SPECIMEN) -> Json:
    return a_result("o1", code, specimen={"reference": "Specimen/s1"})


def outcome(here: World) -> tuple[str, ...]:
    """What the one evaluation came to: its findings, or why there are none."""
    (record,) = here.records()
    return (*record.findings, *record.reasons)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (SERUM_SAMPLE, "hlh-2004-criterion-met"),
        (CSF, "no-laboratory-limit"),
        (URINE, "specimen-not-covered"),
    ],
)
def test_where_the_code_names_no_specimen_the_one_on_the_server_tells(
    here: World, type_: str, expected: str
) -> None:
    here.fhir.put(sample(type_))
    here.arrives(result())
    first, *_others = outcome(here)
    assert first == expected


def test_a_result_coded_as_serum_whose_specimen_is_csf_is_not_interpreted(here: World) -> None:
    here.fhir.put(sample(CSF))
    here.arrives(result(SERUM))
    assert outcome(here) == ("specimen-conflict",)


def test_a_result_waits_for_a_specimen_that_cannot_be_had_just_now(here: World) -> None:
    """Evaluated without it, this one would be shown as serum, and be looked at only once."""
    here.fhir.put(sample(CSF))
    here.fhir.operations["Specimen/s1"] = refusing(503)
    here.arrives(result(SERUM))
    assert here.records() == []
    assert here.causes() == ["Specimen: status-5xx"]

    del here.fhir.operations["Specimen/s1"]
    here.clock.pass_(minutes=8)
    here.work()
    assert outcome(here) == ("specimen-conflict",)


@pytest.mark.parametrize("status", [403, 404])
def test_one_that_may_not_be_read_or_is_not_there_is_done_without(here: World, status: int) -> None:
    here.fhir.operations["Specimen/s1"] = refusing(status)
    here.arrives(result())
    assert outcome(here) == ("specimen-unknown",)


# ------------------------------------------------------------------ named by the report alone


def report(*specimens: str, status: str = "final") -> Json:
    named = [{"reference": f"Specimen/{name}"} for name in specimens]
    return {**containing("DiagnosticReport", status=status), "id": "r1", "specimen": named}


def unsampled(code: str) -> Json:
    return a_result("o1", code)


def test_a_result_coded_as_serum_whose_report_says_csf_is_not_interpreted(here: World) -> None:
    here.fhir.put(sample(CSF))
    here.fhir.put({**report("s1"), "result": [{"reference": "Observation/o1"}]})
    here.arrives(unsampled(SERUM))
    assert outcome(here) == ("specimen-conflict",)


def test_a_result_in_its_report_has_the_specimen_of_that(here: World) -> None:
    here.fhir.put(sample(CSF))
    here.arrives({**containing("DiagnosticReport", unsampled(SERUM)), **SAMPLED})
    assert outcome(here) == ("specimen-conflict",)


SAMPLED = {"specimen": [{"reference": "Specimen/s1"}]}


@pytest.mark.parametrize("named", [("s1", "s2"), ()])
def test_of_several_specimens_of_a_report_none_is_read(here: World, named: tuple[str, ...]) -> None:
    here.fhir.put(sample(CSF))
    here.fhir.put({**report(*named), "result": [{"reference": "Observation/o1"}]})
    here.arrives(unsampled(ANY_SPECIMEN))
    assert outcome(here) == ("specimen-unknown",)


def test_a_result_waits_for_the_specimen_of_its_report_too(here: World) -> None:
    here.fhir.put({**report("s1"), "result": [{"reference": "Observation/o1"}]})
    here.fhir.operations["Specimen/s1"] = refusing(503)
    here.arrives(unsampled(SERUM))
    assert here.records() == []
    assert here.causes() == ["Specimen: status-5xx"]
