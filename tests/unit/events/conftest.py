"""A world that only records, and one that writes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import PATIENT, World, world

WRITE_BACK = 'delivery = "write-back"\n'


@pytest.fixture
def here(tmp_path: Path, library: Library) -> Iterator[World]:
    """A world with a topic-based source whose answers are recorded only."""
    with world(tmp_path, library, 'topic = "http://example.org/topics/lab-result"\n') as made:
        made.fhir.put(PATIENT)
        yield made


@pytest.fixture
def mending(tmp_path: Path, library: Library) -> Iterator[World]:
    """A world whose subscriptions are begun anew when they have failed."""
    with world(tmp_path, library, "reactivate = true\n") as made:
        yield made


@pytest.fixture
def writing(tmp_path: Path, library: Library) -> Iterator[World]:
    """A world whose answers are written back."""
    with world(tmp_path, library, WRITE_BACK) as made:
        made.fhir.put(PATIENT)
        yield made
