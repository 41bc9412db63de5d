"""The exported knowledge as R4 and R4B, and how a resource of it is found."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.knowledge.export.write import r4_resources, r4b_resources

DIGEST = "ab" * 32


@pytest.fixture(scope="session")
def r4(sil2r: KnowledgeBase) -> list[dict[str, Any]]:
    return r4_resources(sil2r, DIGEST)


@pytest.fixture(scope="session")
def r4b(sil2r: KnowledgeBase) -> list[dict[str, Any]]:
    return r4b_resources(sil2r, DIGEST)


def only(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of one type, of which there is one at least."""
    found = [resource for resource in resources if resource["resourceType"] == kind]
    assert found, kind
    return found
