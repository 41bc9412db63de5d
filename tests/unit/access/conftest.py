"""Registered clients, and a folder with what a registry names."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.access.registry import ClientRegistry
from tests.unit.access.minting import EC, FILE_CLIENT, key_set, registry


@pytest.fixture
def clients(tmp_path: Path) -> ClientRegistry:
    """The two hospitals of `minting.REGISTRY`."""
    return registry(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry of one client beside its keys, and the secret of a source."""
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    (tmp_path / "clients.toml").write_text(FILE_CLIENT)
    (tmp_path / "secret").write_text("a-shared-secret-of-some-length")
    return tmp_path
