"""What the decision table makes of facts: the findings that fire, and what became of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cds_service.core.fact import Fact

THRESHOLD_INDETERMINATE = "threshold-indeterminate"
"""The finding that a limit lies inside the interval of a value. It has no row in the table, and no
site can mute it."""


class RowOutcome(StrEnum):
    """What became of one row of the decision table."""

    MATCHED = "matched"
    NOT_MATCHED = "not-matched"
    STRADDLED = "straddled"
    """All gates hold, but a limit lies inside the interval of the value."""
    UNKNOWN = "unknown"
    """No gate speaks against it, but a fact it needs is not known."""
    BLOCKED = "blocked"
    """It matched, and a context finding forbids the claim."""
    MUTED = "muted"
    """It matched, and the site has muted the finding."""


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One gate of a row: the fact asked for, the values wanted, the value found, and why."""

    fact: str
    wanted: tuple[str, ...]
    found: str
    because: str

    @property
    def holds(self) -> bool:
        """Whether the value found is one of those wanted."""
        return self.found in self.wanted


@dataclass(frozen=True, slots=True)
class ConsideredRow:
    """One row of the decision table as it was considered: part of the trace.

    It holds nothing of the patient, so one object serves every evaluation in which the row came to
    this outcome.
    """

    finding: str
    outcome: RowOutcome
    asks: tuple[tuple[str, tuple[str, ...]], ...]
    """Each fact asked for, in the order of the table, with the values that let the row through."""
    note: str = ""

    def gates(self, facts: Mapping[str, Fact]) -> tuple[GateCheck, ...]:
        """Every gate of the row, what it found and why."""
        return tuple(
            GateCheck(name, wanted, facts[name].value, facts[name].because)
            for name, wanted in self.asks
        )


class Strength(StrEnum):
    """How strongly the wording may claim: contexts can weaken it, never change the number."""

    FULL = "full"
    WEAKENED = "weakened"


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding that fired. `weakened_by` names the context findings that weaken its wording."""

    id: str
    strength: Strength = Strength.FULL
    weakened_by: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    """For `threshold-indeterminate`: ids of the limits that the value straddles."""
