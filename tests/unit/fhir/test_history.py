"""What a record holds beside its results: earlier ones, companions, and whose they are."""

from __future__ import annotations

from itertools import permutations

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, LabResult, Subject
from tests.unit.fhir.given import (
    ANOTHER,
    BASE,
    LEFT_OUT,
    LOINC,
    UCUM,
    bundle,
    concept,
    entry,
    ferritin,
    observation,
    patient,
    quantity,
    record,
    refs,
)


def test_history_is_what_results_do_not_hold_already() -> None:
    old = observation(id="obs-0", effectiveDateTime="2025-03-01")
    same = observation(meta={"versionId": "1"})
    found = record(bundle(observation()), sil2r=bundle(same, old))
    assert refs(found.history) == ["Observation/obs-0"]


@pytest.mark.parametrize("display", [{}, {"display": "Laboratory A"}])
@pytest.mark.parametrize("server", ["", f"{BASE}/", "https://inside.example.org/fhir/"])
def test_a_result_that_arrived_without_its_address_is_no_second_one_in_the_record(
    display: JsonObject, server: str
) -> None:
    """A search says where each entry stands; who fires the hook need not."""
    arrived = observation(performer=[{"reference": "Organization/1", **display}])
    found = observation(performer=[{"reference": f"{server}Organization/1", **display}])
    stands = entry(found, "https://inside.example.org/fhir/Observation/obs-1")
    assert record(bundle(arrived), sil2r=bundle(stands)).history == ()


def test_one_id_in_two_laboratories_is_history() -> None:
    one, other = (observation(performer=[{"display": name}]) for name in ("A", "B"))
    assert len(record(bundle(one), sil2r=bundle(other)).history) == 1


def test_what_one_id_holds_twice_in_different_units_is_history() -> None:
    in_words = observation(valueQuantity=quantity(unit="pg/mL"))
    assert len(record(bundle(observation()), sil2r=bundle(in_words)).history) == 1
    one, other = (
        bundle(observation(valueQuantity=quantity(system=UCUM, code=code)))
        for code in ("[arb'U]/mL", "pg/mL")
    )
    assert len(record(one, sil2r=other).history) == 1


@pytest.mark.parametrize(
    ("before", "now"),
    [
        *permutations(
            (
                {},
                {"valueQuantity": LEFT_OUT},
                {"valueQuantity": LEFT_OUT, "valueString": "see report"},
            ),
            2,
        )
    ],
)
def test_what_one_id_holds_as_a_number_as_words_and_not_at_all_is_history(
    before: JsonObject, now: JsonObject
) -> None:
    found = record(bundle(observation(**now)), sil2r=bundle(observation(**before)))
    assert len(found.history) == 1


@pytest.mark.parametrize(
    ("now", "before", "is_history"),
    [
        ({"id": LEFT_OUT}, {"id": LEFT_OUT}, False),
        ({"id": LEFT_OUT}, {"id": LEFT_OUT, "effectiveDateTime": "2025-03-01"}, True),
        ({"status": "banana"}, {}, False),
        ({"status": "banana"}, {"id": "obs-0"}, True),
        ({"status": "banana", "id": LEFT_OUT}, {"id": LEFT_OUT}, True),
    ],
    ids=[
        "no id, the same",
        "no id, another",
        "now invalid, the same id",
        "now invalid, another id",
        "now invalid, no id",
    ],
)
def test_what_has_no_id_or_is_invalid_now_is_known_again(
    now: JsonObject, before: JsonObject, *, is_history: bool
) -> None:
    found = record(bundle(observation(**now)), sil2r=bundle(observation(**before)))
    assert bool(found.history) is is_history


def test_one_number_written_with_more_digits_is_not_another() -> None:
    longer = observation(valueQuantity=quantity("5200.00"))
    assert record(bundle(observation()), sil2r=bundle(longer)).history == ()


def test_when_the_search_itself_is_interpreted_nothing_is_doubled() -> None:
    search = bundle(observation(), observation(id=LEFT_OUT), observation(id="obs-0"))
    found = record(search, sil2r=search)
    assert len(found.results) == 3
    assert found.history == ()


def test_companions_come_from_the_labs_and_from_the_results_each_once() -> None:
    found = record(bundle(observation(), ferritin()), labs=bundle(ferritin(), ferritin(id="fer-2")))
    assert refs(found.companions) == ["Observation/fer-1", "Observation/fer-2"]


def test_t22_of_another_patient_results_are_marked_and_everything_else_is_left_out() -> None:
    found = record(
        bundle(observation(subject=ANOTHER), ferritin(subject=ANOTHER)),
        sil2r=bundle(observation(id="obs-0", subject=ANOTHER), observation(id="obs-2")),
        labs=bundle(ferritin(id="fer-2", subject=ANOTHER)),
    )
    (result,) = found.results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.ANOTHER_PATIENT
    assert refs(found.history) == ["Observation/obs-2"]
    assert found.companions == ()
    assert found.availability["sil2r"] is Availability.GIVEN
    assert found.availability["labs"] is Availability.OF_ANOTHER_PATIENT


def test_references_between_parts_are_followed_without_leaving_what_was_given() -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    results = bundle(observation(subject={"reference": urn}))
    found = record(results, conditions=bundle(entry(patient(), urn)))
    (result,) = found.results
    assert isinstance(result, LabResult)
    assert result.subject is Subject.THIS_PATIENT


def test_one_content_under_one_id_is_one_result_whatever_its_versions() -> None:
    def version(*texts: str) -> JsonObject:
        return bundle(
            *(observation(meta={"versionId": text} if text else LEFT_OUT) for text in texts)
        )

    def history(than: JsonObject, *found: str) -> list[str]:
        return [one.ref.version for one in record(than, sil2r=version(*found)).history]

    for now, before in permutations(("1", "a", ""), 2):
        assert history(version(now), before) == []
    for found in permutations(("1", "a", "")):
        assert history(bundle(), *found) == ["a"]


@pytest.mark.parametrize(
    "other",
    [
        {"effectiveDateTime": "2025-03-01"},
        {"code": concept(LOINC, "99768-4")},
        {"referenceRange": [{"high": quantity("9000")}]},
        {"performer": [{"display": "Laboratory B"}]},
    ],
    ids=str,
)
def test_one_id_with_two_contents_is_two_in_whatever_order_they_come(other: JsonObject) -> None:
    """Which day, code or range is meant must not depend on the order of a search."""
    sent = observation(), observation(**other)
    one_way, other_way = (
        record(bundle(observation(id="obs-2")), sil2r=bundle(*each)).history
        for each in permutations(sent)
    )
    assert len(one_way) == 2
    assert one_way == other_way
    results, reverse = (record(bundle(*each)).results for each in permutations(sent))
    assert results == reverse
    assert set(results) == set(one_way)


def test_a_companion_that_comes_with_two_days_has_both_in_either_order() -> None:
    sent = ferritin(), ferritin(effectiveDateTime="2025-03-01")
    one, other = (
        record(bundle(observation()), labs=bundle(*each)).companions for each in permutations(sent)
    )
    assert len(one) == 2
    assert one == other


def test_a_companion_that_came_under_the_key_of_the_analyte_counts() -> None:
    """When a chart was opened it did, and beside a result that arrived it did not."""
    known = bundle(observation(id="obs-0", effectiveDateTime="2026-02-01"), ferritin())
    for found in (record(known, sil2r=known), record(bundle(observation()), sil2r=known)):
        assert refs(found.companions) == ["Observation/fer-1"]
