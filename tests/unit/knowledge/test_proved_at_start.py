"""Knowledge is proved whenever it is loaded: nothing starts with what is not sound (H14)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service import wiring
from cds_service.config import Settings
from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import load_configured
from tests import toy
from tests.unit.core.proof.case_slips import CASES
from tests.unit.core.proof.proof_slips import CODES, NUMBERS, WORDS
from tests.unit.core.proof.slip import Slip
from tests.unit.core.proof.table_slips import TABLE

ONE_OF_EACH = [next(iter(kind.values())) for kind in (CODES, NUMBERS, TABLE, WORDS, CASES)]


@pytest.mark.parametrize("start", [wiring.prepared, wiring.open_events, load_configured])
@pytest.mark.parametrize(
    "slip", ONE_OF_EACH, ids=["a code", "a number", "the table", "a word", "a case"]
)
def test_nothing_starts_with_knowledge_that_is_not_sound(
    slip: Slip, start: Callable[[Settings], object], tmp_path: Path
) -> None:
    cards = tmp_path / "cards"
    for name, text in toy.edited(f"toy/{slip.file}", slip.old, slip.new).items():
        (cards / name).parent.mkdir(parents=True, exist_ok=True)
        (cards / name).write_text(text, encoding="utf-8")
    kept = tmp_path / "cds.sqlite3"
    with pytest.raises(KnowledgeError) as refused:
        start(Settings(knowledge=cards, database_url=f"sqlite:///{kept}"))
    assert slip.where in refused.value.one_line()
    assert not kept.exists(), "refused before anything was made"
