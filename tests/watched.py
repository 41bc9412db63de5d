"""What is watched: the alerts of Prometheus and the panels of Grafana, and what they ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "docker" / "prometheus-rules.yaml"
DASHBOARD = ROOT / "docker" / "grafana-dashboard.json"
_SELECTOR = re.compile(r"\b(cds[_:][a-z_:]+)(?:{([^}]*)})?")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")


@dataclass(frozen=True)
class Selector:
    """One place where an expression names a metric, and what it wants of labels."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]

    @property
    def labels(self) -> set[str]:
        """The labels that it looks at."""
        return {label for label, _, _ in self.matchers}


def rules() -> list[dict[str, Any]]:
    """All rules, those that record and those that raise an alarm."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    """The names of what the rules record for one another and for the dashboard."""
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> list[str]:
    """Everything that Prometheus is asked, by alerts and by panels."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *asked]


def selectors(expression: str) -> Iterator[Selector]:
    for metric, matchers in _SELECTOR.findall(expression):
        yield Selector(metric, tuple(_MATCHER.findall(matchers)))


def grouped_by(expression: str) -> set[str]:
    """The labels by which an expression adds up or joins."""
    return {label.strip() for some in _GROUPED.findall(expression) for label in some.split(",")}
