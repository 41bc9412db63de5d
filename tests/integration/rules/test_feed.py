"""The watch over silence from end to end: what /metrics of a running application prints, day by
day, is what the rules read, and a code that changes raises the alarm (T-113, Wright's case).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import fhir_fixtures
from cds_service.knowledge.files import Library
from tests.event_world import LOINC, PATIENT, SERUM, World, observation, world
from tests.integration.rules.conftest import Promtool
from tests.integration.rules.series import file_of
from tests.watched import expressions, selectors

pytestmark = pytest.mark.integration

SERVICE = "sil2r-lab-result"
ITS_OWN = "SIL2R-NEW"
"""A code of the laboratory's own, of which nobody has told the service."""
CHANGED, DAYS = 45, 56

Series = dict[str, dict[int, float]]


@pytest.fixture
def here(tmp_path: Path, library: Library) -> Iterator[World]:
    with world(tmp_path, library, 'topic = "http://example.org/topics/lab-result"\n') as made:
        made.fhir.put(PATIENT)
        yield made


def call(here: World, coding: dict[str, str]) -> int:
    """Send a result with this code to the hook; how many cards came back."""
    request = json.loads(fhir_fixtures.text("lab_result_minimal"))
    (entry,) = request["context"]["results"]["entry"]
    entry["resource"]["code"] = {"coding": [coding], "text": "Soluble IL-2 receptor"}
    answer = here.web.post(f"/cds-services/{SERVICE}", json=request)
    assert answer.status_code == 200
    return len(answer.get_json()["cards"])


def printed(here: World) -> Iterator[tuple[str, dict[str, str], float]]:
    """Every sample that /metrics prints: name, labels, value."""
    here.ready()
    for family in text_string_to_metric_families(here.metrics()):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                yield sample.name, sample.labels, sample.value


def test_t113_a_code_that_changes_in_the_feed_of_a_running_service_raises_the_alarm(
    here: World, tmp_path: Path, promtool: Promtool
) -> None:
    scraped: Series = defaultdict(dict)
    for day in range(DAYS):
        ours: Any = {"system": LOINC, "code": SERUM}
        if day >= CHANGED:
            ours = {"system": "http://example.org/codes", "code": ITS_OWN}
        cards = call(here, ours) + call(here, ours)
        assert cards == (2 if day < CHANGED else 0)
        for _ in range(3):
            assert call(here, {"system": LOINC, "code": "2160-0"}) == 0
        here.arrives(observation(f"o{day}", code={"coding": [ours]}))
        for name, labels, value in printed(here):
            inside = ",".join(f'{label}="{said}"' for label, said in labels.items())
            scraped[f"{name}{{{inside}}}"][day] = value
    file = file_of(
        tmp_path,
        {name: hourly(values) for name, values in scraped.items() if "_bucket" not in name},
        interval="1h",
        expected={
            f"{CHANGED}d": (),
            f"{DAYS - 1}d": [
                ("CdsCardsFewer", "sandbox", SERVICE),
                ("CdsCardsFewer", "lab", "events"),
                ("CdsCallsWithoutCard", "lab", "events"),
            ],
        },
    )
    assert promtool(file) == ""


def hourly(values: dict[int, float]) -> str:
    """What was scraped once a day, as if nothing had happened for the hours of the next."""
    days = (values.get(day) for day in range(DAYS))
    return " ".join("_x23" if value is None else f"{value:g}x23" for value in days)


def test_t113_what_is_watched_is_printed_with_those_labels(here: World) -> None:
    """Of a service that has been called and notified, and of which something was refused."""
    call(here, {"system": LOINC, "code": SERUM})
    here.post(headers={"Authorization": "Bearer wrong"})
    here.arrives(observation())
    labels = {name: set(labels) for name, labels, _ in printed(here)}
    watched = [each for expression in expressions() for each in selectors(expression)]
    asked = [each for each in watched if each.metric.startswith("cds_")]
    never_here = {"cds_feedback_total"}
    assert {each.metric for each in asked} - set(labels) == never_here
    for each in asked:
        if each.metric not in never_here:
            assert each.labels <= labels[each.metric]
