"""A report that was withdrawn withdraws its results, and it raises the status of none."""

from __future__ import annotations

import pytest

from cds_service.core.elements import ResourceRef, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from tests.unit.fhir.given import BASE, bundle, entry, observation, only, quantity, record, resource


def report(status: str, *references: str, contained: tuple[JsonObject, ...] = ()) -> JsonObject:
    members: JsonObject = {"result": [{"reference": reference} for reference in references]}
    if contained:
        members["contained"] = list(contained)
    return resource("DiagnosticReport", id=f"rep-{status}", status=status, **members)


def status_with(*reports: JsonObject, own: str = "final") -> Status:
    found = only(observation(status=own), *reports)
    assert isinstance(found, LabResult)
    return found.status


def test_a_report_never_raises_the_status_of_a_result() -> None:
    assert status_with(report("final", "Observation/obs-1"), own="preliminary") == "preliminary"
    assert (
        status_with(report("preliminary", "Observation/obs-1"), own="preliminary") == "preliminary"
    )
    assert (
        status_with(report("entered-in-error", "Observation/obs-1"), own="cancelled") == "cancelled"
    )


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_report_withdraws_the_results_it_names(status: str) -> None:
    assert status_with(report(status, "Observation/obs-1")) is Status.ENTERED_IN_ERROR
    assert status_with(report(status, "Observation/other")) is Status.FINAL


def test_a_result_stands_while_another_report_stands_for_it() -> None:
    withdrawn = report("entered-in-error", "Observation/obs-1")
    assert status_with(withdrawn, report("final", "Observation/obs-1")) is Status.FINAL


ON_THE_SERVER = f"{BASE}/Observation/obs-1"


@pytest.mark.parametrize("named", [ON_THE_SERVER, ON_THE_SERVER.replace("ehr", "EHR")])
def test_a_report_may_name_a_result_by_its_full_address_on_the_server(named: str) -> None:
    """In whatever letters the host is written; the result itself says no address here."""
    assert status_with(report("entered-in-error", named)) is Status.ENTERED_IN_ERROR
    upheld = report("entered-in-error", "Observation/obs-1"), report("final", named)
    assert status_with(*upheld) is Status.FINAL


@pytest.mark.parametrize("before", [(), ("#inside", "Observation?identifier=4711")])
def test_a_withdrawn_report_withdraws_the_results_it_names_by_urn(before: tuple[str, ...]) -> None:
    """As in the Bundle of a message, whatever else the report names before them."""
    urn = "urn:uuid:5f6c21a3-9d0e-4c7e-8a53-2f0b7d1f9e64"
    for status, expected in (("entered-in-error", Status.ENTERED_IN_ERROR), ("final", "final")):
        found = only(entry(observation(), urn), report(status, *before, urn))
        assert isinstance(found, LabResult)
        assert found.status == expected


def test_the_same_id_on_another_server_is_not_the_result_that_a_report_names() -> None:
    elsewhere = "https://other.example.org/fhir/Observation/obs-1"
    assert status_with(report("entered-in-error", elsewhere)) is Status.FINAL


def test_a_withdrawn_report_withdraws_the_results_it_contains() -> None:
    withdrawn = report("entered-in-error", "#o", contained=(observation(id="o"),))
    (found,) = record(bundle(withdrawn)).results
    assert isinstance(found, LabResult)
    assert found.status is Status.ENTERED_IN_ERROR


def test_a_contained_result_is_called_by_its_report() -> None:
    whole = report("final", "#o", contained=(observation(id="o", valueQuantity=quantity()),))
    assert only(whole).ref == ResourceRef("DiagnosticReport/rep-final#o")
