"""Two specimens drawn together, what is made of them, and the index with its albumins."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.core.fact import Fact
from cds_service.core.model import LabResult
from cds_service.core.verdict import Answer
from tests import toy
from tests.records import answer_to, companions, named, record

A_WEEK_LATER = date(2026, 3, 8)
"""When everything within seven days of 1 March can have been collected."""
ALBUMINS = ("albumin-csf 0.2 g/L", "albumin-serum 40 g/L")


def dew(value: str = "100 pg/mL", on: str = "2026-03-01", **changes: Any) -> LabResult:
    return named("dew", value, toy.DEW_MASS, on=on, **changes)


def sap(value: str = "1000 pg/mL", on: str = "2026-03-01", **changes: Any) -> LabResult:
    return named("sap", value, toy.SAP_MASS, on=on, **changes)


def beside(main: LabResult, *others: LabResult, albumins: tuple[str, ...] = ()) -> Answer:
    given = record(main, history=others, companions=companions(*albumins))
    return answer_to(given, at=A_WEEK_LATER)


def index(main: LabResult, *others: LabResult, albumins: tuple[str, ...] = ALBUMINS) -> Fact:
    return beside(main, *others, albumins=albumins).facts["ratio.toy-index"]
