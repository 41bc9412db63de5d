"""A search for what has changed that shows more than can be read in one go, or cannot be read on.

It is taken up where it ended. Where that cannot be told it fails: rather that than lose a result.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from cds_service.events.faults import UpstreamFailed
from cds_service.events.search import PAGE
from cds_service.fhir.calls.fetched import Complete
from tests.event_world import World, observation
from tests.little_fhir import Json, refusing
from tests.unit.events.watching import searches

MINUTE = timedelta(minutes=1)


def changed(here: World, *after: timedelta) -> datetime:
    """Results `o0`, `o1`… that changed so long after the moment which is given back."""
    begin = here.clock().replace(microsecond=0) - timedelta(hours=1)
    for number, each in enumerate(after):
        kept = here.fhir.put(observation(f"o{number}"))
        kept["meta"]["lastUpdated"] = (begin + each).isoformat()
    return begin


def shows(here: World, most: int) -> None:
    """A search shows so many of the oldest, and the page with the others cannot be had.

    Beside them stands what was not asked for, and changed last of all.
    """
    included = {
        "resourceType": "Patient",
        "id": "p9",
        "meta": {"lastUpdated": (here.clock() + timedelta(days=1)).isoformat()},
    }

    def answer(query: dict[str, list[str]]) -> Json:
        found = here.fhir._search("Observation", urlencode(query, doseq=True))
        if "_lastUpdated" not in query:
            return found
        there = found["entry"]
        links = [next_page(here)] if len(there) > most else []
        return {**found, "entry": [*there[:most], {"resource": included}], "link": links}

    here.fhir.operations["Observation"] = answer


def next_page(here: World) -> Json:
    here.fhir.operations["next-page"] = refusing(503)
    return {"relation": "next", "url": f"{here.fhir.base}/next-page"}


def test_it_goes_on_from_the_newest_that_was_shown_until_there_is_no_more(here: World) -> None:
    begin = changed(here, *(number * MINUTE for number in range(1, 6)))
    shows(here, most=2)
    found = here.workshop.caretaker.catch_up(here.room.source("lab"), begin)
    assert sorted(target.id for target in found.targets) == ["o0", "o1", "o2", "o3", "o4"]
    assert found.extent == Complete()
    assert searches(here) == [begin, *(begin + number * MINUTE for number in (2, 3, 4))]
    here.work()
    assert len(here.evaluated()) == 5


def test_the_oldest_are_asked_for_first_since_only_then_it_can_be_taken_up(here: World) -> None:
    here.workshop.caretaker.catch_up(here.room.source("lab"), here.clock())
    ((_method, path),) = here.fhir.calls
    asked = parse_qs(urlsplit(path).query)
    assert (asked["_sort"], asked["_count"]) == (["_lastUpdated"], [str(PAGE)])


def test_of_more_results_of_one_moment_than_can_be_read_none_is_passed_over(here: World) -> None:
    begin = changed(here, MINUTE, MINUTE, MINUTE, 2 * MINUTE)
    shows(here, most=2)
    with pytest.raises(UpstreamFailed, match="search: status-5xx"):
        here.workshop.caretaker.catch_up(here.room.source("lab"), begin)
    assert searches(here) == [begin, begin + MINUTE]


@pytest.mark.parametrize("updated", [None, 7, "", "soon", "2199-03-01", "2199-03-01T08:00:00"])
def test_results_that_do_not_say_when_they_changed_do_not_tell_where_to_go_on(
    here: World, updated: Any
) -> None:
    """A day or a moment without a zone is no moment either."""
    page = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": {**observation(), "meta": {"lastUpdated": updated}}}],
        "link": [next_page(here)],
    }
    here.fhir.operations["Observation"] = lambda _query: page
    here.something_has_changed()
    here.work()
    assert here.causes() == ["search: status-5xx"]
