"""Which Specimen a reference means, where servers, versions or contents under one name differ."""

from __future__ import annotations

from itertools import permutations

import pytest

from cds_service.core.elements import Coding, NoMoment, SpecimenGiven, SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from tests.unit.fhir.given import (
    BASE,
    CSF,
    RESOLVED,
    bundle,
    concept,
    entry,
    followed,
    observation,
    record,
    resource,
    specimen,
)

NORTH = "https://ehr.example.org/north/fhir"
UNRESOLVED = SpecimenGiven(SpecimenLink.UNRESOLVED)
UNCERTAIN = SpecimenGiven(SpecimenLink.UNCERTAIN, (CSF,))
BLOOD = Coding("x:y", "blood")


def test_a_relative_reference_means_the_server_that_the_result_came_from() -> None:
    here, there = "https://a.example.org", "https://b.example.org"
    blood = specimen(type={"coding": [{"system": "x:y", "code": "blood"}]})
    found = followed(
        {"reference": "Specimen/spec-1"},
        entry(blood, f"{there}/Specimen/spec-1"),
        entry(specimen(), f"{here}/Specimen/spec-1"),
        url=f"{here}/Observation/obs-1",
    )
    assert found.specimen == RESOLVED


@pytest.mark.parametrize(
    ("reference", "result_at", "specimen_at", "found"),
    [
        ("Specimen/spec-1", BASE, BASE, RESOLVED),
        ("Specimen/spec-1", BASE, "https://EHR.example.org:443/fhir", RESOLVED),
        ("Specimen/spec-1", BASE, "", RESOLVED),
        ("Specimen/spec-1", "", NORTH, RESOLVED),
        ("Specimen/spec-1", BASE, NORTH, UNCERTAIN),
        ("Specimen/spec-1", NORTH, BASE, UNCERTAIN),
        (f"{BASE}/Specimen/spec-1", "", NORTH, UNCERTAIN),
        ("Specimen/spec-2", BASE, NORTH, UNRESOLVED),
        (f"{BASE}/Specimen/spec-1", NORTH, BASE, RESOLVED),
    ],
)
def test_a_specimen_of_the_same_id_on_another_server_may_not_be_the_one_that_is_named(
    reference: str, result_at: str, specimen_at: str, found: SpecimenGiven
) -> None:
    """Two tenants of one host each have a Specimen/spec-1: serum here may be CSF there."""
    read = followed(
        {"reference": reference},
        entry(specimen(), f"{specimen_at}/Specimen/spec-1" if specimen_at else ""),
        url=f"{result_at}/Observation/obs-1" if result_at else "",
    )
    assert read.specimen == found


@pytest.mark.parametrize(("specimen_at", "found"), [(BASE, RESOLVED), (NORTH, UNCERTAIN)])
def test_what_a_report_contains_is_on_the_server_of_the_report(
    specimen_at: str, found: SpecimenGiven
) -> None:
    inner = observation(id="o", specimen={"reference": "Specimen/spec-1"})
    outer = resource("DiagnosticReport", id="rep-1", status="final", contained=[inner])
    at = entry(outer, f"{BASE}/DiagnosticReport/rep-1")
    (read,) = record(bundle(at, entry(specimen(), f"{specimen_at}/Specimen/spec-1"))).results
    assert isinstance(read, LabResult)
    assert read.specimen == found
    of_report = {**outer, "specimen": [{"reference": "Specimen/spec-1"}]}
    of_report["contained"] = [observation(id="o")]
    at = entry(of_report, f"{BASE}/DiagnosticReport/rep-1")
    (read,) = record(bundle(at, entry(specimen(), f"{specimen_at}/Specimen/spec-1"))).results
    assert isinstance(read, LabResult)
    assert read.specimen == found


def test_of_two_parts_that_hold_different_specimens_of_one_name_neither_counts() -> None:
    blood = bundle(specimen(type=concept("x:y", "blood")))
    for one, other in permutations((blood, bundle(specimen()))):
        found = followed({"reference": "Specimen/spec-1"}, sil2r=one, labs=other)
        assert found.specimen.link is SpecimenLink.UNCERTAIN
        assert set(found.specimen.codings) == {CSF, BLOOD}
    assert followed({"reference": "Specimen/spec-1"}, specimen(), labs=blood).specimen == RESOLVED


@pytest.mark.parametrize(
    ("changes", "link"),
    [
        ({}, SpecimenLink.RESOLVED),
        ({"status": "entered-in-error"}, SpecimenLink.ENTERED_IN_ERROR),
        ({"subject": {"reference": "Patient/pat-2"}}, SpecimenLink.OF_ANOTHER_PATIENT),
    ],
)
def test_of_two_copies_that_say_the_same_it_does_not_matter_which_is_meant(
    changes: JsonObject, link: SpecimenLink
) -> None:
    """A sample that was entered in error was read as one that had not come."""
    short = specimen(**changes)
    full = {**short, "subject": {"reference": f"{BASE}/{short['subject']['reference']}"}}
    for one, other in permutations((bundle(short), bundle(full))):
        found = followed({"reference": "Specimen/spec-1"}, sil2r=one, labs=other)
        assert found.specimen.link is link


def test_two_copies_beside_another_of_their_name_prove_nothing() -> None:
    full = {**specimen(), "subject": {"reference": f"{BASE}/Patient/pat-1"}}
    other = specimen(type=concept("x:y", "blood"))
    for three in permutations((specimen(), full, other)):
        found = followed({"reference": "Specimen/spec-1"}, *three)
        assert found.specimen.link is SpecimenLink.UNCERTAIN


def test_copies_of_another_version_than_is_named_are_not_the_one_that_is_meant() -> None:
    short = specimen(meta={"versionId": "1"})
    full = {**short, "subject": {"reference": f"{BASE}/Patient/pat-1"}}
    named = {"reference": "Specimen/spec-1/_history/9"}
    found = followed(named, sil2r=bundle(short), labs=bundle(full))
    assert found.specimen.link is SpecimenLink.UNCERTAIN


@pytest.mark.parametrize(
    ("base", "found"), [("", RESOLVED), (BASE, RESOLVED), ("https://a.example.org", UNCERTAIN)]
)
def test_a_reference_with_an_address_means_the_server_of_the_request_where_one_is_known(
    base: str, found: SpecimenGiven
) -> None:
    what = bundle(observation(specimen={"reference": f"{BASE}/Specimen/spec-1"}), specimen())
    (result,) = record(what, fhir_base=base).results
    assert isinstance(result, LabResult)
    assert result.specimen == found


@pytest.mark.parametrize(
    "reference",
    ["https://elsewhere.example.org/Specimen/spec-1", "Specimen/spec-1/_history/9"],
    ids=["of another server", "of another version"],
)
def test_a_specimen_that_may_be_meant_lends_its_codes_and_no_time(reference: str) -> None:
    found = followed({"reference": reference}, specimen(meta={"versionId": "1"}))
    assert (found.specimen, found.collected) == (UNCERTAIN, NoMoment())


@pytest.mark.parametrize(
    "other",
    [
        specimen(subject={"reference": "Patient/pat-2"}),
        specimen(status="entered-in-error"),
        specimen(type={"text": "Cerebrospinal fluid"}),
    ],
    ids=["of another patient", "entered in error", "without a code"],
)
def test_of_what_may_be_meant_only_the_codes_of_this_patients_specimens_are_lent(
    other: JsonObject,
) -> None:
    found = followed({"reference": f"{NORTH}/Specimen/spec-1"}, other)
    assert found.specimen == UNRESOLVED


def test_two_different_specimens_of_one_name_prove_nothing_and_the_same_twice_is_one() -> None:
    reference = {"reference": "Specimen/spec-1"}
    other = specimen(type={"coding": [{"system": "x:y", "code": "blood"}]})
    assert followed(reference, specimen(), other).specimen == SpecimenGiven(
        SpecimenLink.UNCERTAIN, (CSF, BLOOD)
    )
    assert followed(reference, specimen(), specimen()).specimen == RESOLVED
