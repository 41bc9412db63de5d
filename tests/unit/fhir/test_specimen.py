"""The specimen is followed through what was given, and only its codes tell what it is."""

from __future__ import annotations

import pytest

from cds_service.core.elements import Coding, Moment, NoMoment, SpecimenGiven, SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from tests.unit.fhir.given import (
    BASE,
    CSF,
    LEFT_OUT,
    RESOLVED,
    bundle,
    entry,
    followed,
    observation,
    patient,
    record,
    resource,
    specimen,
)

UNRESOLVED = SpecimenGiven(SpecimenLink.UNRESOLVED)
URN = "urn:uuid:5b1a3f2c-0a8e-4d4f-9d0b-1f6f3f0a7a11"


def test_no_specimen_is_said() -> None:
    assert followed(LEFT_OUT).specimen == SpecimenGiven(SpecimenLink.NONE)


@pytest.mark.parametrize(
    ("reference", "full_url"),
    [
        ("Specimen/spec-1", ""),
        ("Specimen/spec-1", f"{BASE}/Specimen/spec-1"),
        ("Specimen/spec-1/_history/1", ""),
        (f"{BASE}/Specimen/spec-1", ""),
        (f"{BASE}/Specimen/spec-1", f"{BASE}/Specimen/spec-1"),
        ("https://lab.example.org/Specimen/spec-1", "https://lab.example.org/Specimen/spec-1"),
        (URN, URN),
        ("urn:oid:2.999.1.2", "urn:oid:2.999.1.2"),
    ],
)
def test_a_specimen_of_the_same_bundle_is_found(reference: str, full_url: str) -> None:
    found = followed({"reference": reference}, entry(specimen(), full_url))
    assert found.specimen == RESOLVED


def test_the_words_beside_the_code_of_a_specimen_are_kept_for_the_card() -> None:
    """A code that is not in the knowledge is shown with them; by itself it says nothing."""
    coded = {"system": "urn:oid:2.999.7", "code": "L-17", "display": "Ventricular fluid"}
    found = followed({"reference": "Specimen/spec-1"}, specimen(type={"coding": [coded]}))
    assert found.specimen.codings == (Coding("urn:oid:2.999.7", "L-17", "Ventricular fluid"),)


def test_a_contained_specimen_is_found() -> None:
    what = observation(contained=[specimen(id="s")], specimen={"reference": "#s"})
    (found,) = record(bundle(what)).results
    assert isinstance(found, LabResult)
    assert found.specimen == RESOLVED


def test_a_result_contained_in_a_report_finds_the_specimen_contained_beside_it() -> None:
    inner = observation(id="o", specimen={"reference": "#s"})
    report = resource(
        "DiagnosticReport", id="rep-1", status="final", contained=[inner, specimen(id="s")]
    )
    (found,) = record(bundle(report)).results
    assert isinstance(found, LabResult)
    assert found.specimen == RESOLVED


def test_a_specimen_in_another_part_of_the_record_is_found() -> None:
    found = followed({"reference": "Specimen/spec-1"}, labs=bundle(specimen()))
    assert found.specimen == RESOLVED


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Specimen/spec-2"},
        {"reference": "https://elsewhere.example.org/Specimen/spec-2"},
        {"reference": "Patient/spec-1"},
        {"reference": "#spec-1"},
        {"reference": URN},
        {"identifier": {"value": "spec-1"}},
    ],
)
def test_a_reference_that_leads_nowhere_is_unresolved(reference: JsonObject) -> None:
    assert followed(reference, specimen(meta={"versionId": "1"})).specimen == UNRESOLVED


@pytest.mark.parametrize(
    ("other", "where", "codes"),
    [
        (specimen(type={"coding": "CSF"}), "type.coding", ()),
        (
            specimen(collection={"collectedDateTime": "2026-02-27T08:00:00"}),
            "collection.collectedDateTime",
            (CSF,),
        ),
        (
            specimen(modifierExtension=[{"url": "x:y", "valueBoolean": True}]),
            "modifierExtension",
            (CSF,),
        ),
    ],
    ids=["no codes", "a time without a zone", "a modifier"],
)
def test_an_invalid_specimen_is_told_as_that_with_the_codes_that_can_be_seen(
    other: JsonObject, where: str, codes: tuple[Coding, ...]
) -> None:
    """CSF under a test code of serum stays CSF, whatever else is wrong with its record."""
    found = followed({"reference": "Specimen/spec-1"}, other)
    given = SpecimenGiven(SpecimenLink.INVALID, codes, where=f"Specimen.{where}")
    assert (found.specimen, found.collected) == (given, NoMoment())


def test_a_specimen_that_was_entered_in_error_is_told_as_that_and_not_used() -> None:
    taken_back = specimen(status="entered-in-error")
    found = followed({"reference": "Specimen/spec-1"}, taken_back)
    assert found.specimen == SpecimenGiven(SpecimenLink.ENTERED_IN_ERROR)
    assert found.collected == NoMoment()


def test_a_specimen_that_is_marked_unsatisfactory_is_told_as_that_and_tells_its_type() -> None:
    found = followed({"reference": "Specimen/spec-1"}, specimen(status="unsatisfactory"))
    assert found.specimen == SpecimenGiven(SpecimenLink.UNSATISFACTORY, (CSF,))


def test_a_specimen_of_another_patient_is_told_as_that_and_nothing_of_it_is_used() -> None:
    """A mother's tube under the newborn's result."""
    for status in ("available", "entered-in-error"):
        other = specimen(status=status, subject={"reference": "Patient/pat-2"})
        found = followed({"reference": "Specimen/spec-1"}, other).specimen
        assert found == SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT)


def test_a_specimen_whose_urn_leads_to_another_patient_is_that_patients() -> None:
    mother = entry(patient(id="pat-2"), URN)
    drawn = specimen(subject={"reference": URN})
    found = followed({"reference": "Specimen/spec-1"}, drawn, mother).specimen
    assert found == SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Location/ward"},
        {"reference": "Device/d"},
        {"reference": "Group/g"},
        {"reference": "#pt"},
        {"reference": URN},
        {"reference": "Patient?identifier=x"},
        {"type": "Device", "identifier": {"value": "1"}},
    ],
)
def test_a_specimen_of_which_nothing_proves_whose_it_is_is_unresolved_and_nobody_elses(
    subject: JsonObject,
) -> None:
    found = followed({"reference": "Specimen/spec-1"}, specimen(subject=subject))
    assert found.specimen == UNRESOLVED


def test_text_is_never_evidence_for_a_specimen() -> None:
    described = specimen(type={"text": "Cerebrospinal fluid"})
    found = followed({"reference": "Specimen/spec-1"}, described)
    assert found.specimen.link is SpecimenLink.RESOLVED
    assert found.specimen.codings == ()


DESCRIBED = specimen(type={"text": "Liquor", "coding": [{"display": "Cerebrospinal fluid"}]})


@pytest.mark.parametrize(
    ("reference", "others", "words"),
    [
        ({"reference": "Specimen/spec-1", "display": "CSF"}, [DESCRIBED], "Liquor"),
        ({"reference": "Specimen/spec-1"}, [DESCRIBED], "Liquor"),
        (
            {"reference": "Specimen/spec-1"},
            [specimen(type={"coding": [{"system": "x:y"}, {"display": "Cerebrospinal fluid"}]})],
            "Cerebrospinal fluid",
        ),
        ({"reference": "Specimen/spec-1", "display": "CSF"}, [specimen(type=LEFT_OUT)], "CSF"),
        ({"reference": "Specimen/spec-2", "display": "CSF"}, [DESCRIBED], "CSF"),
        ({"display": "CSF"}, [], "CSF"),
        ({"reference": "Specimen/spec-1", "display": "CSF"}, [specimen()], ""),
        (
            {"reference": "Specimen/spec-1"},
            [specimen(type={**specimen()["type"], "text": "Liquor"})],
            "",
        ),
        (
            {"reference": "Specimen/spec-1", "display": "CSF"},
            [specimen(status="entered-in-error")],
            "",
        ),
        (
            {"reference": "Specimen/spec-1", "display": "CSF"},
            [specimen(subject={"reference": "Patient/other"})],
            "",
        ),
    ],
    ids=[
        *("type before display", "the text of the type", "a display without a code"),
        *("a Specimen that says nothing", "one that did not come", "no reference at all"),
        *("a code was sent", "a text beside a code", "entered in error", "another patient's"),
    ],
)
def test_what_a_specimen_is_called_where_no_code_came_is_kept_for_the_reader(
    reference: JsonObject, others: list[JsonObject], words: str
) -> None:
    """CSF under a test code of serum: only the words show it."""
    assert followed(reference, *others).specimen.words == words


@pytest.mark.parametrize(
    ("collection", "text"),
    [
        ({"collectedDateTime": "2026-02-27"}, "2026-02-27"),
        ({"collectedPeriod": {"start": "2026-02", "end": "2026-03"}}, "2026-02/2026-03"),
    ],
)
def test_collection_of_the_specimen_stands_in_for_a_missing_effective_date(
    collection: JsonObject, text: str
) -> None:
    found = followed({"reference": "Specimen/spec-1"}, specimen(collection=collection))
    assert isinstance(found.collected, Moment)
    assert found.collected.text == text


def test_an_unresolved_specimen_tells_no_date() -> None:
    other = specimen(
        collection={"collectedDateTime": "2026-02-27"}, subject={"reference": "Patient/pat-2"}
    )
    assert followed({"reference": "Specimen/spec-1"}, other).collected == NoMoment()
