"""By what a version of a result is told, on servers that keep versions and on those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.events.current import version_told
from tests.event_world import World, observation

NINE, TEN = "2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"


def arrives(here: World, resource: Any, meta: Any) -> None:
    """Its server says no more of it than this, and we are told of it."""
    here.fhir.operations["Observation/o1"] = lambda _query: {**resource, "meta": meta}
    here.notify("o1")
    here.work()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"versionId": "1", "lastUpdated": NINE}, {"versionId": "2", "lastUpdated": NINE}),
        ({"lastUpdated": NINE}, {"lastUpdated": TEN}),
    ],
    ids=["by its id", "by when it was updated"],
)
def test_what_its_server_says_of_the_version_tells(here: World, first: Any, second: Any) -> None:
    """Not what the result holds: what was changed back has changed."""
    for meta, evaluations in ((first, 1), (first, 1), (second, 2)):
        arrives(here, observation(), meta)
        assert len(here.evaluated()) == evaluations


def test_an_id_of_the_version_tells_whatever_was_updated_beside_it(here: World) -> None:
    arrives(here, observation(), {"versionId": "1", "lastUpdated": NINE})
    arrives(here, observation(), {"versionId": "1", "lastUpdated": TEN})
    assert [row.version for row in here.evaluated()] == ["1"]


def test_where_its_server_says_nothing_what_it_holds_tells_and_is_not_kept(here: World) -> None:
    for value, evaluations in ((3000, 1), (3000, 1), (4000, 2), (3000, 2)):
        arrives(here, observation(value=value), {})
        assert len(here.evaluated()) == evaluations
    kept = [row.version for row in here.evaluated()]
    assert all(version.startswith("as ") and "000" not in version for version in kept)


def test_the_order_in_which_a_server_writes_its_members_makes_no_version() -> None:
    result = observation()
    turned = dict(reversed(result.items()))
    assert list(turned) != list(result)
    assert version_told(turned) == version_told(result)
