"""Series as promtool reads them, from counts of Python, and a file of tests about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests.watched import RULES

TOLD = (
    "count by (alertname, client, service)"
    ' (ALERTS{alertname!="CdsServiceDown", alertstate="firing"})'
)
"""What is told at one moment. Nobody scrapes here, so that the service is down says nothing."""


def file_of(
    folder: Path,
    series: Mapping[str, str],
    *,
    interval: str,
    expected: Mapping[str, Iterable[tuple[str, str, str]]],
    expression: str = TOLD,
) -> Path:
    """A file with one test; `expected` says by day which (alert, client, service) are told."""
    asked = [
        {"expr": expression, "eval_time": day, "exp_samples": [_sample(*each) for each in told]}
        for day, told in expected.items()
    ]
    test = {
        "interval": interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": asked,
    }
    file = folder / "test.yaml"
    written = {"rule_files": [str(RULES)], "evaluation_interval": "6h", "tests": [test]}
    file.write_text(json.dumps(written))  # JSON is YAML
    return file


def counter(each_day: Sequence[int], restarts: Iterable[int] = ()) -> str:
    """A counter from what each day brought; it begins anew on the days of a restart."""
    anew = set(restarts)
    days = enumerate(each_day)
    summed = accumulate(days, lambda so_far, day: (day[0], _next(so_far[1], day, anew)))
    return " ".join(str(value) for _, value in summed)


def _next(so_far: int, day: tuple[int, int], anew: set[int]) -> int:
    number, brought = day
    return brought if number in anew else so_far + brought


def _sample(alert: str, client: str, service: str) -> dict[str, Any]:
    labels = {"alertname": alert, "client": client, "service": service}
    inside = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return {"labels": f"{{{inside}}}", "value": 1}
