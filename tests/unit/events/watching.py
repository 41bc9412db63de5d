"""What an operator can see of the care for subscriptions: lines of the log, and searches."""

from __future__ import annotations

import json
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.event_world import World

SILENT = "CDS-L405"
BROKEN = "CDS-L406"
GAP = "CDS-L404"


def told(capsys: pytest.CaptureFixture[str], code: str) -> int:
    """How many lines of this code were logged since the last look."""
    lines = capsys.readouterr().err.splitlines()
    return sum(json.loads(line)["code"] == code for line in lines)


def searches(here: World) -> list[datetime]:
    """From when on the searches reached that were made since the last look."""
    queries = [parse_qs(urlsplit(path).query) for _method, path in here.fhir.calls]
    here.fhir.calls.clear()
    begins = [begin for query in queries for begin in query.get("_lastUpdated", [])]
    return [datetime.fromisoformat(begin.removeprefix("ge")) for begin in begins]


def classic(here: World, status: str) -> None:
    """A subscription without a topic, which was active when it was made."""
    here.expect()
    classic_there(here, status)


def classic_there(here: World, status: str) -> None:
    """What its server makes of it, without a word to us."""
    here.fhir.put({"resourceType": "Subscription", "id": "s1", "status": status})
