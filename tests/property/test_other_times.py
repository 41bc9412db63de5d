"""The same record at another time, or with its times written in another zone, comes to the same."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

import fhir_fixtures
from cds_service.config import Settings
from cds_service.knowledge.files import load_library, with_site
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.property.conftest import cards, come_to
from tests.property.wire import HOOKS, NOW, Chart, Json, charts

CALENDAR = 28
"""Years after which days of the week and leap days come again, within these two centuries."""
_TIMED = r"T[0-9:]{8}(?:Z|[+-][0-9:]{5})"
_DATE = re.compile(rf'"(\d{{4}})((?:-\d\d(?:-\d\d(?:{_TIMED})?)?)?)"')
_TIME = re.compile(rf'"(\d{{4}}-\d\d-\d\d{_TIMED})"')
_READ = r" [0-9:]{5}(?::[0-9:.]+)? UTC(?:[+-][0-9:]{5})?"
"""A time of day as cards have it."""
_SHOWN = re.compile(rf"\d{{4}}-\d\d-\d\d(?:{_READ})?|\b(?:19|20)\d\d(?:-\d\d)?\b")
services = st.sampled_from(sorted(HOOKS))
few = settings(max_examples=25)


@pytest.fixture(scope="module")
def earlier() -> FlaskClient:
    """The service as it would have answered so many years ago."""
    library = with_site(load_library(), fhir_fixtures.site_path())
    now = NOW.replace(year=NOW.year - CALENDAR)
    return create_app(Settings(), library, Ports(now=lambda: now)).test_client()


def said(answer: list[Json]) -> list[Any]:
    """All that cards say, but for the dates of results; the sources have years of their own."""
    told = [_SHOWN.sub("date", f"{card['summary']}\n{card['detail']}") for card in answer]
    return [come_to(answer), told]


@few
@given(charts(), services)
def test_a_record_that_is_older_with_its_reader_comes_to_the_same(
    client: FlaskClient, earlier: FlaskClient, chart: Chart, service: str
) -> None:
    text = json.dumps(chart.request(service))
    older = _DATE.sub(lambda date: f'"{int(date[1]) - CALENDAR}{date[2]}"', text)
    assert said(cards(earlier, service, older)) == said(cards(client, service, text))


@few
@given(charts(), services, st.randoms())
def test_a_time_may_be_written_in_any_zone_of_its_day(
    client: FlaskClient, chart: Chart, service: str, random: Random
) -> None:
    def elsewhere(time: re.Match[str]) -> str:
        return f'"{_in_another_zone(time[1], random)}"'

    text = json.dumps(chart.request(service))
    other = _TIME.sub(elsewhere, text)
    assert said(cards(client, service, other)) == said(cards(client, service, text))


def _in_another_zone(written: str, random: Random) -> str:
    """The same time, in a zone in which it is of the same day."""
    moment = datetime.fromisoformat(written)
    zones = [timezone(timedelta(minutes=minutes)) for minutes in range(-12 * 60, 14 * 60 + 1, 15)]
    there = [moment.astimezone(zone) for zone in zones]
    return random.choice([one for one in there if one.date() == moment.date()]).isoformat()
