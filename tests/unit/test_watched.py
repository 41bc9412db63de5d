"""What alerts and panels ask for is there under that name, and the page says what to do about each
alert. What raises them is tested in `tests/integration/rules`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.events.inbox import Taken
from cds_service.fhir.access import NoAccessReason
from cds_service.hooks.services import build_registry
from cds_service.store.subscription import SubscriptionHealth
from tests.documentation import rows, section
from tests.watched import (
    DASHBOARD,
    RULES,
    alerts,
    expressions,
    grouped_by,
    recorded,
    selectors,
)

OPERATIONS = "docs/operations.md"
ALL = [each for expression in expressions() for each in selectors(expression)]
OF_THE_WEEKS = {"client", "service"}
"""The labels of what the rules record."""


def labels_of(metric: str) -> set[str]:
    """As the page lists them, which `test_docs.py` holds to the code. Raises KeyError."""
    if metric in recorded():
        return OF_THE_WEEKS
    table = rows(section(OPERATIONS, "The metrics"))
    listed = {name.strip("`"): set(re.findall("`(.+?)`", labels)) for name, labels, _ in table}
    if metric.endswith("_bucket"):
        return listed[metric.removesuffix("_bucket")] | {"le"}
    return listed[metric]


@pytest.mark.parametrize("expression", expressions())
def test_t113_every_metric_and_label_that_is_watched_exists(expression: str) -> None:
    watched = list(selectors(expression))
    known = {label for each in watched for label in labels_of(each.metric)}
    for each in watched:
        assert each.labels <= labels_of(each.metric), each
    made = set(re.findall(r'"(\w+)", "\$1"', expression))
    assert grouped_by(expression) <= known | made


def test_t113_every_number_that_is_recorded_is_asked_for() -> None:
    assert recorded() <= {each.metric for each in ALL}


def values_of(label: str) -> set[str]:
    """Every value, or pattern of values, that is asked for of a label."""
    return {value for each in ALL for name, _, value in each.matchers if name == label}


def test_t113_the_values_of_labels_that_are_watched_are_those_that_are_counted() -> None:
    assert values_of("said") == {"cards"}
    assert values_of("taken") == {Taken.EVENTS.value}
    assert values_of("fault") == {NoAccessReason.NO_SERVER.value}


def test_t113_the_services_that_are_watched_by_name_exist(sil2r: KnowledgeBase) -> None:
    offered = build_registry((sil2r,), lab_result_hook="org.example.results").services
    patterns = {part for value in values_of("service") for part in value.split("|")}
    assert patterns - {"", "events"}
    for pattern in patterns - {"", "events"}:
        assert [each for each in offered if re.fullmatch(pattern, each)], pattern


@pytest.mark.parametrize("file", [RULES, DASHBOARD], ids=lambda file: file.name)
def test_events_that_stop_are_watched(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace('\\"', '"')
    states = set(re.findall(r'cds_event[a-z_]*{state=~?"([a-z|-]+)"', text))
    assert {part for state in states for part in state.split("|")} >= {
        "waiting",
        "set-aside",
        SubscriptionHealth.SILENT.value,
        SubscriptionHealth.BROKEN.value,
    }


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    told = section(OPERATIONS, "When something is wrong")
    for name, alert in alerts().items():
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["summary"]
        assert f"`{name}`" in told, name
