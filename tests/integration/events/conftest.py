"""One real FHIR server for the module that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.events.hospital import FhirServer, fhir_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    """An open FHIR server, empty at first."""
    with fhir_server(tmp_path_factory.mktemp("sekmet")) as running:
        yield running
