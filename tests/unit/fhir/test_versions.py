"""Of several versions of one resource the newest counts, in whatever part of the record it came."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from cds_service.core.elements import Moment, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, Patient, RecordKind, Subject
from tests.unit.fhir.files.charting import ATC, condition, kinds, request, the_record
from tests.unit.fhir.given import (
    FERRITIN,
    LEFT_OUT,
    LOINC,
    bundle,
    concept,
    entry,
    observation,
    patient,
    quantity,
    record,
    refs,
    resource,
    specimen,
)

EARLY, LATE = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"
FINAL = observation(meta={"versionId": "1"})
WITHDRAWN = observation(meta={"versionId": "2"}, status="entered-in-error")
CORRECTED = observation(
    meta={"versionId": "2"}, status="corrected", valueQuantity=quantity("520.0")
)


def version(number: int | str = "", updated: str = "", **changes: Any) -> JsonObject:
    meta = {"versionId": str(number)} if number != "" else {}
    meta |= {"lastUpdated": updated} if updated else {}
    return observation(meta=meta, **changes) if meta else observation(**changes)


def read(*sent: JsonObject) -> list[tuple[str, str]]:
    """Version and status of every result of a Bundle."""
    return [(one.ref.version, one.status) for one in results(record(bundle(*sent)).results)]


def results(found: tuple[LabResult | InvalidResource, ...]) -> list[LabResult]:
    return [one for one in found if isinstance(one, LabResult)]


# ------------------------------------------------------------------ which one is the newest


@pytest.mark.parametrize("newer", [WITHDRAWN, CORRECTED], ids=["withdrawn", "corrected"])
def test_a_result_and_its_newer_version_are_one_result_in_either_order(newer: JsonObject) -> None:
    assert read(FINAL, newer) == read(newer, FINAL) == [("2", newer["status"])]


def test_when_it_was_updated_counts_before_the_number_of_the_version() -> None:
    old, new = version(10, EARLY), version(9, LATE, status="amended")
    assert read(old, new) == read(new, old) == [("9", "amended")]


def test_version_numbers_are_compared_as_numbers() -> None:
    for sent in permutations([version(9), version(10, status="corrected"), version(1)]):
        assert read(*sent) == [("10", "corrected")]


def test_an_update_time_on_one_version_alone_orders_nothing() -> None:
    assert read(version(2, status="corrected"), version(1, LATE)) == [("2", "corrected")]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("registered", "preliminary"),
        ("preliminary", "final"),
        ("final", "corrected"),
        ("final", "amended"),
        ("corrected", "entered-in-error"),
        ("final", "entered-in-error"),
        ("final", "cancelled"),
    ],
)
@pytest.mark.parametrize("versions", [("", ""), ("c4f", "a11"), ("", "7")])
def test_where_neither_time_nor_number_tell_the_later_status_counts(
    earlier: str, later: str, versions: tuple[str, str]
) -> None:
    """A withdrawn result must not be shown as valid because its versions have no numbers."""
    one, other = (
        version(number, status=status)
        for number, status in zip(versions, (earlier, later), strict=True)
    )
    assert [status for _, status in read(one, other)] == [later]
    assert [status for _, status in read(other, one)] == [later]


def test_versions_that_nothing_orders_all_stay() -> None:
    one, other = version("c4f"), version("a11", valueQuantity=quantity("520.0"))
    assert len(read(one, other)) == 2


def test_two_results_without_an_id_are_no_versions_of_one() -> None:
    one = version(updated=EARLY, id=LEFT_OUT)
    other = version(updated=LATE, id=LEFT_OUT, valueQuantity=quantity("520.0"))
    assert len(read(FINAL, CORRECTED, one, other)) == 3


def test_two_servers_may_give_one_id_to_two_results() -> None:
    here = entry(version(1), "https://ehr.example.org/fhir/Observation/obs-1")
    same = entry(version(2), "https://EHR.example.org:443/fhir/Observation/obs-1")
    elsewhere = entry(version(3), "https://laboratory.example.org/fhir/Observation/obs-1")
    assert [number for number, _ in read(here, same)] == ["2"]
    assert [number for number, _ in read(here, same, elsewhere)] == ["2", "3"]


def test_a_version_that_names_no_server_is_of_the_only_one_that_is_named() -> None:
    here = entry(version(1), "https://ehr.example.org/fhir/Observation/obs-1")
    assert read(here, version(2, status="corrected")) == [("2", "corrected")]
    assert read(version(1), entry(WITHDRAWN, here["fullUrl"])) == [("2", "entered-in-error")]


def test_what_became_of_a_result_counts_even_where_it_is_another_patients_now() -> None:
    moved = version(2, subject={"reference": "Patient/pat-2"})
    (found,) = results(record(bundle(FINAL), sil2r=bundle(moved)).results)
    assert found.subject is Subject.ANOTHER_PATIENT


def test_what_became_of_a_result_counts_even_where_it_is_of_another_test_now() -> None:
    other_test = version(2, code=concept("http://loinc.org", "718-7"))
    assert record(bundle(FINAL), sil2r=bundle(other_test)).results == ()


def test_a_newer_version_that_is_not_valid_is_told_and_the_older_one_is_not_read() -> None:
    (found,) = record(bundle(FINAL, version(2, status="done"))).results
    assert isinstance(found, InvalidResource)
    assert (found.ref.version, found.where) == ("2", "Observation.status")


# ------------------------------------------------------------------ wherever it came from


@pytest.mark.parametrize("part", ["sil2r", "labs"])
@pytest.mark.parametrize("newer", [WITHDRAWN, CORRECTED], ids=["withdrawn", "corrected"])
def test_a_late_message_does_not_bring_back_what_the_record_has_replaced(
    part: str, newer: JsonObject
) -> None:
    sent: dict[str, Any] = {part: bundle(newer)}
    found = record(bundle(FINAL), **sent)
    assert [one.status for one in results(found.results)] == [newer["status"]]
    assert found.history == ()


def test_a_stale_record_does_not_bring_back_what_the_message_has_replaced() -> None:
    found = record(bundle(WITHDRAWN), sil2r=bundle(FINAL))
    assert [one.status for one in results(found.results)] == [Status.ENTERED_IN_ERROR]
    assert found.history == ()


def test_a_result_before_that_was_withdrawn_is_no_history_that_stands() -> None:
    older = {"id": "obs-0", "effectiveDateTime": "2026-02-01"}
    stood = observation(**older, meta={"versionId": "1"})
    fell = observation(**older, meta={"versionId": "2"}, status="entered-in-error")
    found = record(bundle(observation()), sil2r=bundle(stood, fell))
    assert [one.status for one in found.history] == [Status.ENTERED_IN_ERROR]


def test_of_two_versions_of_two_specimens_the_newest_alone_can_be_the_pair_of_a_third() -> None:
    in_blood = version(1, id="obs-0")
    in_csf = version(2, id="obs-0", code=concept(LOINC, "99768-4"))
    for sent in ((in_blood, in_csf), (in_csf, in_blood)):
        for found in (
            record(bundle(observation()), sil2r=bundle(*sent)),
            record(bundle(observation(), sent[0]), sil2r=bundle(sent[1])),
        ):
            known = [*results(found.results), *found.history]
            assert [
                one.ref.version for one in known if one.ref.resource == "Observation/obs-0"
            ] == ["2"]


@pytest.mark.parametrize("where", ["results", "labs"])
def test_a_companion_that_was_withdrawn_is_not_read_as_it_was(where: str) -> None:
    stood = observation(id="fer", code=concept(*FERRITIN), meta={"versionId": "1"})
    fell = {**stood, "meta": {"versionId": "2"}, "status": "entered-in-error"}
    sent = (observation(), fell) if where == "results" else (observation(),)
    labs = (stood,) if where == "results" else (stood, fell)
    found = record(bundle(*sent), labs=bundle(*labs))
    assert [one.status for one in found.companions] == [Status.ENTERED_IN_ERROR]


VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CONDITION = condition()
PRESCRIBED = request(medicationCodeableConcept=concept(ATC, "H02AB06"))


@pytest.mark.parametrize(
    ("stood", "fell"),
    [
        (CONDITION, {"verificationStatus": concept(VERIFICATION, "entered-in-error")}),
        (PRESCRIBED, {"status": "entered-in-error"}),
        (PRESCRIBED, {"status": "stopped"}),
        (PRESCRIBED, {"status": "cancelled"}),
    ],
    ids=["condition", "prescription", "stopped", "cancelled"],
)
def test_an_entry_of_the_record_that_fell_does_not_count_as_it_was(
    stood: JsonObject, fell: JsonObject
) -> None:
    """A page that was sent holds it as it was, the search that was made again as it is."""
    now = {**stood, **fell}
    for order in ((stood, now), (now, stood)):
        assert the_record(*order).entries == ()


def test_a_prescription_that_is_completed_is_not_in_force_too() -> None:
    now = {**PRESCRIBED, "status": "completed"}
    for order in ((PRESCRIBED, now), (now, PRESCRIBED)):
        assert kinds(*order) == [RecordKind.COURSE]


def test_the_newest_version_of_a_specimen_tells_what_it_is() -> None:
    blood = specimen(meta={"versionId": "1"})
    csf = specimen(
        meta={"versionId": "2"}, type=concept("http://snomed.info/sct", "258450006-corrected")
    )
    sent = observation(specimen={"reference": "Specimen/spec-1"})
    for given in (
        record(bundle(sent, blood, csf)),
        record(bundle(sent, blood), sil2r=bundle(csf)),
        record(bundle(sent, csf), labs=bundle(blood)),
    ):
        (found,) = results(given.results)
        assert [code.code for code in found.specimen.codings] == ["258450006-corrected"]


@pytest.mark.parametrize("part", ["results", "sil2r"])
def test_the_newest_version_of_a_report_tells_whether_its_results_stand(part: str) -> None:
    names = {"id": "rep", "result": [{"reference": "Observation/obs-1"}]}
    stood = resource("DiagnosticReport", status="final", meta={"versionId": "1"}, **names)
    fell = {**stood, "status": "entered-in-error", "meta": {"versionId": "2"}}
    sent = [observation(), stood, *([fell] if part == "results" else [])]
    parts: dict[str, Any] = {"sil2r": bundle(fell)} if part == "sil2r" else {}
    (found,) = results(record(bundle(*sent), **parts).results)
    assert found.status is Status.ENTERED_IN_ERROR


def test_what_a_report_contains_goes_with_its_version() -> None:
    inside = observation(id="a")
    stood = resource(
        "DiagnosticReport", id="rep", status="final", meta={"versionId": "1"}, contained=[inside]
    )
    fell = {**stood, "status": "cancelled", "meta": {"versionId": "2"}}
    assert [status for _, status in read(stood, fell)] == ["entered-in-error"]


def test_the_patient_is_read_in_the_newest_version_too() -> None:
    wrong = patient(meta={"versionId": "1"}, birthDate="2016-07-14")
    right = patient(meta={"versionId": "2"})
    found = record(bundle(observation(), right), patient=wrong).patient
    assert isinstance(found, Patient)
    assert found.ref.version == "2"


SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


@pytest.mark.parametrize("part_first", [True, False])
def test_of_one_version_that_was_sent_whole_and_in_part_the_whole_one_counts(
    part_first: bool,
) -> None:
    whole = patient(meta={"versionId": "2"}, birthDate="2016-07-14")
    part = {
        "resourceType": "Patient",
        "id": whole["id"],
        "meta": {"versionId": "2", "tag": [SUBSETTED]},
    }
    sent = (part, whole) if part_first else (whole, part)
    found = record(bundle(observation(), sent[0]), patient=sent[1]).patient
    assert isinstance(found, Patient)
    assert isinstance(found.birth, Moment)


def test_a_newer_version_of_which_only_a_part_was_sent_counts_all_the_same() -> None:
    part = {**CORRECTED, "meta": {"versionId": "2", "tag": [SUBSETTED]}}
    assert read(FINAL, part) == [("2", "corrected")]


def test_orders_see_the_newest_version_of_what_is_there() -> None:
    found = record({}, sil2r=bundle(FINAL, CORRECTED))
    assert [one.status for one in found.history] == [Status.CORRECTED]


# ------------------------------------------------------------------ a history


def changed(method: str, what: JsonObject | None = None) -> JsonObject:
    change: JsonObject = {"request": {"method": method, "url": "Observation/obs-1"}}
    return change if what is None else {**change, "resource": what}


def test_a_result_that_its_history_says_is_deleted_is_gone() -> None:
    deleted = {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [changed("DELETE"), changed("PUT", WITHDRAWN), changed("POST", FINAL)],
    }
    assert record(deleted).results == ()
    another = observation(id="obs-2")
    assert refs(record(bundle(FINAL, another), sil2r=deleted).results) == ["Observation/obs-2"]


def test_only_a_history_says_what_was_deleted() -> None:
    """A transaction asks for a deletion; whether it was done stands elsewhere."""
    asked = [changed("DELETE"), {"resource": FINAL}]
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": asked}
    assert len(record(transaction).results) == 1


@pytest.mark.parametrize("url", ["Observation/obs-1", "Observation?identifier=4711"])
def test_a_result_that_came_back_after_its_deletion_is_there(url: str) -> None:
    """By an update of its id, or by a conditional one, of which only the resource tells the id."""
    back = changed("PUT", version(4)) | {"request": {"method": "PUT", "url": url}}
    history = {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [back, changed("DELETE"), changed("POST", FINAL)],
    }
    assert [one.ref.version for one in results(record(history).results)] == ["4"]
