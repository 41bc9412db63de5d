"""No grave result hides behind a calm one, if nothing proves that the calm one is the newer."""

from __future__ import annotations

from itertools import product

import pytest

from cds_service.core.elements import Status
from cds_service.core.model import LabResult
from cds_service.core.render import render
from tests.packaged import SIL2R
from tests.records import evaluated, moment, record
from tests.unit.cards.given import CSF_MASS, SERUM_U, named

DATES = ("2026-03-01", "2026-02-20", "2026-02", "2026", "", "2026-12-25")
"""A day, a day before, dates that leave it open, none, and one that cannot be right."""
PROVABLY_BEFORE = {("2026-02-20", "2026-03-01"), ("2026-02", "2026-03-01")}
PAIRS = (
    ("250 U/mL", "5230 U/mL", SERUM_U),
    ("250 mmol/L", "5230 U/mL", SERUM_U),
    ("100 pg/mL", "400 pg/mL", CSF_MASS),
)
"""What is calm or cannot be read, and what warns, of one specimen."""


def of(name: str, value: str, code: str, on: str, status: Status) -> LabResult:
    return named(name, value, code, collected=moment(on), status=status)


@pytest.mark.parametrize("is_known", [True, False], ids=["in the record", "sent too"])
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), ("a", "a")], ids="-".join)
@pytest.mark.parametrize("status", [Status.FINAL, Status.CORRECTED, Status.PRELIMINARY])
def test_what_may_be_urgent_speaks_in_a_summary_unless_it_is_provably_older(
    status: Status, names: tuple[str, str], *, is_known: bool
) -> None:
    for (calm, grave, code), on, other in product(PAIRS, DATES, DATES):
        if (other, on) in PROVABLY_BEFORE:
            continue
        sent = of(names[0], calm, code, on, status)
        also = of(names[1], grave, code, other, Status.FINAL)
        given = record(sent, history=(also,)) if is_known else record(sent, also)
        said = [card.summary for card in render(evaluated(given, SIL2R), SIL2R, scope="test")]
        about = (calm, grave, on, other, said)
        assert any("urgent" in summary or grave in summary for summary in said), about
