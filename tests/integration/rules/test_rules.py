"""Every alert is raised by what it is for, and by nothing that only looks like it (T-113)."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.rules.conftest import Promtool
from tests.integration.rules.series import TOLD, counter, file_of
from tests.watched import alerts

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_t113_the_alerts_are_raised_when_they_should_be_and_not_before(
    file: Path, promtool: Promtool
) -> None:
    assert promtool(file) == ""


def test_t113_no_alert_is_without_a_test_that_raises_it() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in FILES)
    expected = [line for line in text.splitlines() if "exp_samples" in line or "- {labels" in line]
    assert {name for name in alerts() if f'"{name}"' in "".join(expected)} == set(alerts())


# ---------------------------------------------------------------- a year in which nothing is wrong

YEAR = range(42 + 364)
"""Six weeks until the watch may speak, and a year."""
HOLIDAYS = range(355, 364)


def test_t113_a_year_of_weekends_holidays_restarts_and_chance_raises_no_alarm(
    tmp_path: Path, promtool: Promtool
) -> None:
    """Chance raises one in some twenty years of a site; in the year drawn here it does not."""
    chance = random.Random(3)
    series = dict(_a_year(chance))
    ever = TOLD.replace("(ALERTS{", "(count_over_time(ALERTS{").replace("})", "}[406d]))")
    file = file_of(tmp_path, series, interval="1d", expected={"406d": ()}, expression=ever)
    assert promtool(file) == ""


def _a_year(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Large and small sites; all results are sent, or those of sIL-2R only; one begins late."""
    for client, service, cards, share, begins in (
        ("large", "sil2r-lab-result", 300, 0.01, 0),
        ("middle", "sil2r-lab-result", 60, 0.2, 0),
        ("small", "sil2r-lab-result", 20, 0.05, 0),
        ("smaller", "sil2r-lab-result", 10, 0.001, 0),
        ("smallest", "sil2r-lab-result", 4, 0.05, 0),
        ("filtered", "sil2r-lab-result", 40, 1.0, 0),
        ("filtered-small", "sil2r-lab-result", 6, 0.98, 0),
        ("new", "sil2r-lab-result", 30, 0.2, 200),
        ("large", "sil2r-patient-view", 900, 0.02, 0),
        ("large", "sil2r-order-sign", 15, 0.001, 0),
    ):
        made = [_poisson(chance, cards * _part(day) if day >= begins else 0) for day in YEAR]
        others = cards * (1 / share - 1)
        rest = [_poisson(chance, others * _part(day) if day >= begins else 0) for day in YEAR]
        restarts = [day for day in YEAR if chance.random() < 0.05]
        for said, each_day in (("cards", made), ("nothing", rest)):
            labels = f'client="{client}", service="{service}", said="{said}"'
            values = " ".join(["_"] * begins + counter(each_day, restarts).split()[begins:])
            yield f"cds_calls_total{{{labels}}}", values


def _part(day: int) -> float:
    """How much of a week a day has: less at the weekend, a third of it in the holidays."""
    part = (1.25 if day % 7 < 5 else 0.375) / 7
    return part / 3 if day % 364 in HOLIDAYS else part


def _poisson(chance: random.Random, mean: float) -> int:
    """How many come by chance, where so many are expected."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    seconds, number = 0.0, -1
    while seconds <= mean:
        seconds += chance.expovariate(1)
        number += 1
    return number
