"""One resource that came in several copies, each written in its own way, is one."""

from __future__ import annotations

from itertools import permutations

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.fhir.supplied import supplied
from tests.unit.fhir.given import BASE, LEFT_OUT, bundle, entry, observation, quantity, record, refs

LABORATORY = [{"reference": "Organization/1"}]
BARE = observation(performer=LABORATORY)
VERSIONED = observation(performer=LABORATORY, meta={"versionId": "2"})
ADDRESSED = entry(
    observation(
        performer=[{"reference": f"{BASE}/Organization/1"}],
        subject={"reference": f"{BASE}/Patient/pat-1"},
        meta={"versionId": "2"},
    ),
    f"{BASE}/Observation/obs-1",
)
COPIES = (BARE, VERSIONED, ADDRESSED)


@pytest.mark.parametrize("copies", list(permutations(COPIES)))
def test_copies_among_the_results_are_one_and_the_last_version_stands_for_all(
    copies: tuple[JsonObject, ...],
) -> None:
    """A page that was sent is kept beside the search that was made again."""
    search = supplied(bundle(*copies, type="searchset"))
    found = record(search.resource, sil2r=search)
    assert [(one.ref.resource, one.ref.version) for one in found.results] == [
        ("Observation/obs-1", "2")
    ]


@pytest.mark.parametrize(("arrived", "known"), list(permutations(COPIES, 2)))
def test_a_copy_in_the_record_is_no_earlier_result(arrived: JsonObject, known: JsonObject) -> None:
    found = record(bundle(arrived), sil2r=bundle(known))
    assert (refs(found.results), found.history) == (["Observation/obs-1"], ())


def test_a_late_version_is_replaced_by_one_copy_of_the_newest() -> None:
    late = observation(meta={"versionId": "1"}, status="preliminary")
    found = record(bundle(late, VERSIONED), sil2r=bundle(ADDRESSED))
    assert (refs(found.results), found.history) == (["Observation/obs-1"], ())


def test_copies_that_are_not_valid_stay_two() -> None:
    """What they say cannot be compared."""
    broken = [observation(status="banana", meta={"versionId": each}) for each in ("a", "b")]
    assert refs(record(bundle(*broken)).results) == ["Observation/obs-1"] * 2


def test_results_without_an_id_of_their_own_are_not_taken_for_copies() -> None:
    """Two samples of one day may well have the same value."""
    one = observation(id=LEFT_OUT)
    other = {**one, "note": [{"text": "second sample"}]}
    assert len(record(bundle(one, other)).results) == 2


def test_copies_of_one_server_are_one_beside_a_result_of_another() -> None:
    """The server is written in two ways, and another has given the same id to another result."""
    name, another = "Observation/obs-1", observation(valueQuantity=quantity("900"))
    found = record(
        bundle(
            entry(BARE, f"https://ehr.example.org/fhir/{name}"),
            entry(VERSIONED, f"https://EHR.example.org:443/fhir/{name}"),
            entry(another, f"https://laboratory.example.com/fhir/{name}"),
        )
    )
    assert [one.ref.version for one in found.results] == ["2", ""]
