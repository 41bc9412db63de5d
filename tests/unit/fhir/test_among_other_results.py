"""Results of the analyte under the key of the other laboratory results, as of a client that sends
all of a laboratory under one key and `null` under the other.
"""

from __future__ import annotations

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, InvalidResource, PatientRecord
from cds_service.fhir.supplied import supplied
from tests.unit.fhir.given import (
    ANOTHER,
    SIL2R,
    bundle,
    concept,
    entry,
    ferritin,
    observation,
    record,
    refs,
)

OLDER = observation(id="obs-0", effectiveDateTime="2026-02-01")


def charted(own: object, *labs: JsonObject) -> PatientRecord:
    """The record as it is read when the chart is opened."""
    part = supplied(own)
    return record(part.resource, sil2r=part, labs=bundle(*labs))


@pytest.mark.parametrize("own", [None, bundle(type="searchset")], ids=["null", "nothing found"])
def test_they_are_the_results_of_a_chart_that_has_no_others(own: object) -> None:
    found = charted(own, observation(), ferritin())
    assert (refs(found.results), found.history) == (["Observation/obs-1"], ())
    assert refs(found.companions) == ["Observation/fer-1"]


def test_they_stand_beside_the_others_of_a_chart_and_none_twice() -> None:
    found = charted(bundle(OLDER), OLDER, observation())
    assert refs(found.results) == ["Observation/obs-0", "Observation/obs-1"]
    assert found.history == ()


def test_beside_a_result_that_arrived_they_are_earlier_ones() -> None:
    found = record(bundle(observation()), sil2r=None, labs=bundle(OLDER, observation()))
    assert (refs(found.results), refs(found.history)) == (
        ["Observation/obs-1"],
        ["Observation/obs-0"],
    )


def test_those_of_another_patient_are_left_out() -> None:
    found = charted(None, observation(subject=ANOTHER), ferritin())
    assert found.results == ()
    assert found.availability["labs"] is Availability.GIVEN


def test_one_that_is_not_valid_is_told_with_the_results_of_a_chart() -> None:
    found = charted(None, observation(status="banana"), ferritin())
    (told,) = found.results
    assert isinstance(told, InvalidResource)
    assert found.availability["labs"] is Availability.PARTIAL


def test_one_that_is_not_valid_counts_by_any_code_of_the_analyte_and_by_no_other() -> None:
    """Of other results nothing is told on a chart: they may be of any test."""
    under_two = concept(*SIL2R)["coding"] + concept("urn:oid:2.999.9", "x")["coding"]
    ours = observation(code={"coding": under_two}, status="banana")
    found = charted(None, ours, observation(id="any", code=5), {"resource": None})
    assert refs(found.results) == ["Observation/obs-1"]


@pytest.mark.parametrize(
    "unreadable",
    [observation(code=5), observation(status="banana"), entry({"id": "x"}), {"resource": None}],
    ids=["code", "status", "no type", "no resource"],
)
def test_what_could_not_be_read_among_the_other_results_is_told(unreadable: JsonObject) -> None:
    """A companion test may be lost with it, and nothing said so."""
    found = record(bundle(OLDER), sil2r=None, labs=bundle(ferritin(), unreadable))
    assert found.availability["labs"] is Availability.PARTIAL
    assert len(found.unread) == 1
    (told,) = found.results
    assert told.ref.resource == "Observation/obs-0"
