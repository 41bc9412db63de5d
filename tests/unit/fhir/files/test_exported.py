"""The resources of an export: whose each is, since when it was known, what it points at."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.core.model import Availability, LabResult, Patient, Subject
from cds_service.fhir.files.charts import Charts
from cds_service.fhir.files.exported import UNDATED
from tests.unit.fhir.files.exporting import (
    FERRITIN,
    WANTED,
    Json,
    bundle,
    charts_of,
    ids,
    observation,
    of,
    of_urn,
    report,
    transaction,
    urn,
)


def test_a_patient_is_known_by_a_full_address_of_whatever_server() -> None:
    subject: Json = {"subject": {"reference": "https://ehr.example.org/fhir/Patient/a"}}
    ((arrival,),) = charts_of(observation("x", "2026-01-05", **subject))
    (result,) = arrival.record(WANTED).results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.THIS_PATIENT


@pytest.mark.parametrize("patient", [{"id": "p77"}, {}], ids=["another id", "no id yet"])
def test_in_a_transaction_a_patient_is_called_by_a_uuid(patient: Json) -> None:
    (chart,) = charts_of(
        transaction(
            patient={"resourceType": "Patient", "birthDate": "1970", **patient},
            first=observation("x", "2026-01-05", **of_urn("patient")),
            late=observation("y", "2026-01-09", **of_urn("patient")),
            ferritin=observation("f", "2026-01-01", FERRITIN, **of_urn("patient")),
            none=observation("z", "2026-01-01", **of_urn("patient"), code="2951-2"),
        ),
    )
    assert [each.patient_id for each in chart] == [patient.get("id", urn("patient")[9:])] * 2
    assert [ids(each.parts["labs"].resource)[0] for each in chart] == ["f", "f"]
    record = chart[-1].record(WANTED)
    (result,) = record.results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.THIS_PATIENT
    assert len(record.history) == len(record.companions) == 1
    assert isinstance(record.patient, Patient)


def test_an_address_that_two_transactions_use_leads_to_each_patients_own_specimen() -> None:
    pointing: Json = {"specimen": {"reference": urn("specimen")}}
    charts = charts_of(
        *(
            transaction(
                patient={"resourceType": "Patient", "id": name},
                result=observation(f"x-{name}", "2026-01-05", **pointing, **of(name)),
                specimen={"resourceType": "Specimen", "id": f"s-{name}", **of(name)},
            )
            for name in "ab"
        )
    )
    assert [ids(each.results)[:2] for (each,) in charts] == [["x-a", "s-a"], ["x-b", "s-b"]]


def test_in_a_bundle_of_one_patient_a_subject_without_an_address_is_that_patient() -> None:
    known_by = observation("x", "2026-01-05", subject={"identifier": {"value": "x"}})
    ((arrival,),) = charts_of(bundle({"resourceType": "Patient", "id": "a"}, known_by))
    assert arrival.patient_id == "a"
    typed = observation("x", "2026-01-05", subject={"type": "Patient", "display": "A. B."})
    ((arrival,),) = charts_of(bundle({"resourceType": "Patient", "id": "a"}, typed))
    assert arrival.patient_id == "a"
    at = observation("x", "2026-01-05", subject={"type": "Location", "display": "ward"})
    ((arrival,),) = charts_of(bundle({"resourceType": "Patient", "id": "a"}, at))
    assert arrival.patient_id == ""


def test_in_a_bundle_of_two_patients_what_names_nobody_is_nobodys() -> None:
    patients = [{"resourceType": "Patient", "id": name, "birthDate": "1970"} for name in "ab"]
    charts = charts_of(
        bundle(
            *patients,
            observation("x", "2026-01-05"),
            observation("y", "2026-01-05", **of("b")),
            observation("z", "2026-01-05", subject={}),
        )
    )
    assert [(each.patient_id, each.parts["patient"].resource) for (each,) in charts] == [
        ("a", patients[0]),
        ("b", patients[1]),
        ("", {}),
    ]


def test_what_is_no_resource_or_a_bundle_inside_of_one_is_counted() -> None:
    charts = Charts([WANTED])
    assert charts.look(bundle(observation("x", "2026-01-05"))) == 0
    assert charts.look(bundle(bundle(observation("x", "2026-01-05")), {}, {"id": "x"})) == 3
    assert charts.look({"resourceType": "Bundle", "entry": [None, "x", 5]}) == 3
    assert charts.look({"resourceType": "Bundle", "type": "searchset"}) == 0, "it found nothing"


def test_in_a_bundle_of_one_patient_what_names_nobody_is_theirs() -> None:
    unnamed = observation("x", "2026-01-05")
    del unnamed["subject"]
    ((arrival,),) = charts_of(bundle({"resourceType": "Patient", "id": "a"}, unnamed))
    assert arrival.patient_id == "a"
    assert arrival.parts["patient"].availability is Availability.GIVEN


@pytest.mark.parametrize(
    "told",
    [
        {"resourceType": "Procedure", "performedPeriod": {"start": "2026-02-01"}},
        {"resourceType": "Procedure", "performedDateTime": "2026-02-01"},
        {"resourceType": "Condition", "onsetDateTime": "2026-02-01"},
        {"resourceType": "Condition", "onsetPeriod": {"start": "2026-02-01"}},
    ],
    ids=lambda told: next(name for name in told if name != "resourceType"),
)
def test_what_was_found_later_was_not_known_before(told: Json) -> None:
    (chart,) = charts_of(
        observation("early", "2026-01-05"),
        observation("late", "2026-03-05"),
        {"id": "found", **of("a"), **told},
    )
    assert [bool(each.parts["conditions"].resource) for each in chart] == [False, True]


def test_a_year_that_stands_where_there_was_none_is_no_day() -> None:
    ((arrival,),) = charts_of(observation("x", "0001-01-02", issued="1753-01-01T00:00:00Z"))
    assert arrival.day == UNDATED
    ((arrival,),) = charts_of(observation("x", "1900-01-01"))
    assert arrival.day == UNDATED
    ((arrival,),) = charts_of(observation("x", "1901-01-01"))
    assert arrival.day == date(1901, 1, 1)
    ((arrival,),) = charts_of(observation("x", "2026-01-02", issued="0001-01-02T00:00:00Z"))
    assert arrival.day == date(2026, 1, 2)


def test_a_day_may_be_that_of_an_instant_or_of_the_result_inside_a_report() -> None:
    ((arrival,),) = charts_of(observation("x", effectiveInstant="2026-01-05T08:00:00Z"))
    assert arrival.day == date(2026, 1, 5)
    undated = report("r", contained=[observation("inner", "2026-01-05")])
    del undated["issued"]
    ((arrival,),) = charts_of(undated)
    assert arrival.day == date(2026, 1, 5)


def test_what_a_result_points_at_comes_with_it_and_nothing_else_of_its_kind() -> None:
    ((arrival,),) = charts_of(
        observation("x", "2026-01-05", specimen={"reference": "Specimen/csf"}),
        {"resourceType": "Specimen", "id": "csf", **of("a")},
        {"resourceType": "Specimen", "id": "other", **of("a")},
    )
    assert ids(arrival.results) == ["x", "csf"]


def test_a_specimen_is_found_by_the_address_that_its_result_or_report_gives() -> None:
    specimen = {"resourceType": "Specimen", "id": "csf", **of("a")}
    address: Json = {"reference": "https://ehr.example.org/fhir/Specimen/csf"}
    ((arrival,),) = charts_of(observation("x", "2026-01-05", specimen=address), specimen)
    assert ids(arrival.results) == ["x", "csf"]
    reported = report("r", "x", specimen=[address], issued="2026-01-05T18:00:00Z")
    ((arrival,),) = charts_of(observation("x", "2026-01-05"), reported, specimen)
    assert ids(arrival.results) == ["x", "r", "csf"]


def test_a_result_does_not_bring_a_later_one_along_because_it_points_at_it() -> None:
    """The copy of a corrected result names the one that followed; on its day nobody knew that."""
    (chart,) = charts_of(
        observation("x", "2026-01-05", derivedFrom=[{"reference": "Observation/y"}]),
        observation("y", "2026-03-05"),
    )
    assert [ids(each.results) for each in chart] == [["x"], ["y"]]


def test_a_medication_stands_beside_a_result_with_the_drug_that_it_points_at() -> None:
    request = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "authoredOn": "2026-01-01",
        "medicationReference": {"reference": "Medication/drug"},
        **of("a"),
    }
    drug = {"resourceType": "Medication", "id": "drug"}
    ((arrival,),) = charts_of(observation("x", "2026-01-05"), request, drug)
    assert ids(arrival.parts["medications"].resource) == ["m", "drug"]
