"""The packaged knowledge with a second analyte beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds_service.knowledge.files import Library, load_library
from tests import toy

PACKAGED = Path(__file__).parents[2] / "cards"
KNOWN_SOURCE = "henter-2007"
"""A second analyte may rest on a paper that the shared bibliography holds already."""


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The packaged knowledge as it stands, with one more folder beside it."""
    cards = tmp_path_factory.mktemp("knowledge") / "cards"
    shutil.copytree(PACKAGED, cards)
    for name, text in toy.folder(KNOWN_SOURCE).items():
        file = cards / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return load_library(cards)
