"""An old result is not taken for one of these days: its summary names the day (H4).

The records are evaluated on 2 March 2026.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.core.elements import Moment, NoMoment, SpecimenLink
from cds_service.core.model import Subject
from cds_service.core.rendering.parts import LONGEST_SUMMARY
from tests import records
from tests.safety.results import SERUM
from tests.unit.cards.given import CSF_MASS, card_of, result

OLD = "2025-12-24"
NEW = "2026-02-16"


def summary_of(value: str, **changes: Any) -> str:
    return card_of(records.record(result(value, **changes))).summary


@pytest.mark.parametrize(
    ("on", "specimen"),
    [
        ("2026-02-16", "(serum/plasma):"),
        ("2026-02-15", "(serum/plasma, 2026-02-15):"),
        ("2026-02-15T23:30:00-05:00", "(serum/plasma, 2026-02-15):"),
        (OLD, "(serum/plasma, 2025-12-24):"),
        ("2025-12", "(serum/plasma, 2025-12):"),
        ("2026-02", "(serum/plasma):"),
    ],
)
def test_the_summary_names_the_day_of_a_result_that_is_more_than_two_weeks_old(
    on: str, specimen: str
) -> None:
    assert summary_of("9000 U/mL", on=on).startswith(f"sIL-2R 9000 U/mL {specimen}")


def test_of_a_period_the_day_is_whole_also_where_only_its_end_is_known() -> None:
    """The first ten letters of what was sent are no day."""
    ended = records.moment(OLD)
    assert isinstance(ended, Moment)
    open_start = replace(ended, text=f"../{OLD}", first_day=date.min)
    said = card_of(records.record(result("9000 U/mL", collected=open_start)))
    assert said.summary.startswith(f"sIL-2R 9000 U/mL (serum/plasma, until {OLD}):")
    assert f"(until {OLD})" in said.detail


@pytest.mark.parametrize(
    ("start", "told"), [("2019-01-01", "2019-01-01"), ("2026-02-15", "2026-02-15"), (NEW, "")]
)
def test_of_a_period_that_may_not_be_over_the_day_on_which_it_began_counts(
    start: str, told: str
) -> None:
    began = records.moment(start)
    assert isinstance(began, Moment)
    open_end = replace(began, text=f"{start}/..", last_day=date.max)
    said = card_of(records.record(result("9000 U/mL", collected=open_end))).summary
    dated = f"(serum/plasma, {told})" if told else "(serum/plasma)"
    assert said.startswith(f"sIL-2R 9000 U/mL {dated}:")


def test_so_it_is_of_a_year_that_is_not_over() -> None:
    assert "(serum/plasma, 2026)" in summary_of("9000 U/mL", on="2026")


@pytest.mark.parametrize("value", ["200 pg/mL", "200", "200 pmol/L"])
def test_so_it_is_in_every_specimen_and_where_the_result_cannot_be_read(value: str) -> None:
    assert "(CSF, 2025-12-24)" in summary_of(value, loinc=CSF_MASS, on=OLD)


def test_where_only_the_day_of_issue_is_known_it_is_that_day() -> None:
    sent = {"collected": NoMoment(), "issued": records.moment(OLD)}
    assert "(serum/plasma, 2025-12-24)" in summary_of("9000 U/mL", **sent)


def test_a_result_without_a_date_or_of_another_patient_shows_none() -> None:
    undated = {"collected": NoMoment(), "issued": NoMoment()}
    assert "(serum/plasma):" in summary_of("9000 U/mL", **undated)
    assert OLD not in summary_of("9000 U/mL", on=OLD, subject=Subject.ANOTHER_PATIENT)


def test_what_must_not_be_overlooked_needs_the_room_more_than_the_day() -> None:
    another = replace(SERUM, link=SpecimenLink.OF_ANOTHER_PATIENT)
    alert = "; its specimen is recorded for another patient"
    short = summary_of("12000 U/mL", on=OLD, specimen=another)
    assert OLD in short
    assert short.endswith(alert)
    long = summary_of("12000.500000 IU/mL", on=OLD, specimen=another)
    assert "12000.500000 IU/mL (serum/plasma): above 10000" in long
    assert long.endswith(alert)
    assert len(long) <= LONGEST_SUMMARY < len(long) + len(f", {OLD}")
