"""A withdrawn DiagnosticReport takes back the result that it names, and no other of the same id."""

from __future__ import annotations

import pytest

from cds_service.core.elements import SpecimenGiven, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from tests.unit.fhir.given import (
    BASE,
    LEFT_OUT,
    RESOLVED,
    bundle,
    entry,
    observation,
    record,
    resource,
    specimen,
)

HERE = f"{BASE}/Observation/obs-1"
THERE = "https://other.example.org/fhir/Observation/obs-1"


def report(status: str, named: str) -> JsonObject:
    result = [{"reference": named}]
    return resource("DiagnosticReport", id=f"rep-{status}", status=status, result=result)


def status_of(full_url: str, *reports: JsonObject, server: str, **members: object) -> Status:
    """Of a final result that stands at this address; `server` is that of the call."""
    own = entry(observation(status="final", **members), full_url)
    (found,) = record(bundle(own, *reports), fhir_base=server).results
    assert isinstance(found, LabResult)
    return found.status


@pytest.mark.parametrize(
    ("at", "named", "server"),
    [(HERE, THERE, BASE), (HERE, THERE, ""), (THERE, HERE, BASE), (THERE, HERE, "")],
    ids=str,
)
def test_the_result_of_one_server_does_not_fall_with_the_report_of_another(
    at: str, named: str, server: str
) -> None:
    assert status_of(at, report("cancelled", named), server=server) is Status.FINAL
    own, other = report("cancelled", at), report("final", named)
    assert status_of(at, own, other, server=server) is Status.ENTERED_IN_ERROR


@pytest.mark.parametrize("server", [BASE, ""])
@pytest.mark.parametrize("at", [HERE, THERE])
def test_it_falls_with_a_report_that_names_it_by_its_address_or_by_its_id(
    at: str, server: str
) -> None:
    for named in (at, "Observation/obs-1"):
        assert status_of(at, report("cancelled", named), server=server) is Status.ENTERED_IN_ERROR
        upheld = report("cancelled", at), report("final", named)
        assert status_of(at, *upheld, server=server) is Status.FINAL


def test_a_result_without_an_id_falls_with_the_report_that_names_its_address() -> None:
    withdrawn = report("cancelled", HERE)
    assert status_of(HERE, withdrawn, server=BASE, id=LEFT_OUT) is Status.ENTERED_IN_ERROR


@pytest.mark.parametrize(
    ("result_at", "report_at", "status"),
    [
        (HERE, HERE, Status.ENTERED_IN_ERROR),
        (HERE, THERE, Status.FINAL),
        (THERE, HERE, Status.FINAL),
        (HERE, "", Status.ENTERED_IN_ERROR),
        ("", THERE, Status.ENTERED_IN_ERROR),
    ],
)
def test_a_report_that_names_a_result_without_an_address_means_its_own_server(
    result_at: str, report_at: str, status: Status
) -> None:
    withdrawn = report("cancelled", "Observation/obs-1")
    at = report_at.replace("Observation", "DiagnosticReport")
    assert status_of(result_at, entry(withdrawn, at), server=BASE) is status


def test_a_result_does_not_have_the_specimen_that_a_report_of_another_server_names() -> None:
    sample = {
        **report("final", "Observation/obs-1"),
        "specimen": [{"reference": "Specimen/spec-1"}],
    }

    def specimen_of(result_at: str, report_at: str) -> SpecimenGiven:
        sent = entry(sample, report_at), specimen()
        (found,) = record(bundle(entry(observation(), result_at), *sent)).results
        assert isinstance(found, LabResult)
        return found.specimen

    assert specimen_of(HERE, f"{BASE}/DiagnosticReport/1") == RESOLVED
    assert specimen_of(THERE, f"{BASE}/DiagnosticReport/1") == SpecimenGiven()
