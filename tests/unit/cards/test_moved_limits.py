"""The worked cases hold every number: one that is moved is noticed by `knowledge check`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.core.schema import LimitRow, MetWhen
from cds_service.knowledge.check import case_faults
from tests import packaged

SIL2R = packaged.SIL2R
AT_THE_NUMBER = {
    MetWhen.ABOVE: MetWhen.AT_OR_ABOVE,
    MetWhen.AT_OR_ABOVE: MetWhen.ABOVE,
    MetWhen.BELOW: MetWhen.AT_OR_BELOW,
    MetWhen.AT_OR_BELOW: MetWhen.BELOW,
}
MOVED: dict[str, Callable[[LimitRow], dict[str, object]]] = {
    "lower by a hundredth": lambda limit: {"value": limit.value * Decimal("0.99")},
    "higher by a hundredth": lambda limit: {"value": limit.value * Decimal("1.01")},
    "the other way at the number itself": lambda limit: {"met_when": AT_THE_NUMBER[limit.met_when]},
}
"""How it is moved -> the cells of its row that change."""


@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("limit", SIL2R.limits.values(), ids=lambda limit: limit.id)
def test_a_limit_that_is_moved_is_noticed(limit: LimitRow, moved: str) -> None:
    other = limit.model_copy(update=MOVED[moved](limit))
    base = replace(SIL2R, limits={**SIL2R.limits, limit.id: other})
    assert any(case_faults(base)), f"No worked case is at the number of {limit.id}."
