"""`limits.toml`: limits, the panels that count them, and ratios."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from cds_service.core.schema.row import ExactNumber, Id, Row, Text


class MetWhen(StrEnum):
    """On which side a limit counts as met, as its source states it."""

    AT_OR_ABOVE = "at-or-above"
    ABOVE = "above"
    AT_OR_BELOW = "at-or-below"
    BELOW = "below"

    @property
    def words(self) -> str:
        """`at or above`."""
        return self.value.replace("-", " ")


class YoungerLimit(Row):
    """The number that the source states for patients below an age, in the limit's own unit."""

    below_days: int = Field(ge=1)
    title: Text
    """The age in words: `below 4 weeks of age`."""
    value: ExactNumber


class LimitRow(Row):
    """`[[limit]]`: fact `limit.<id>`. No number without unit, specimen, population and source."""

    id: Id
    of: Id
    """The knowledge's own id, or the name of a companion."""
    specimen: Id
    title: Text
    """The name of the limit, given behind its number on a card: `sIL-2R criterion of HLH-2004`."""
    value: ExactNumber
    unit: Text
    met_when: MetWhen
    younger: tuple[YoungerLimit, ...] = Field(default=(), max_length=1)
    presumes: str = ""
    """What the source presumes of the sample (`fasting`); only some codes of the test state it."""
    population: Text
    assay: Text
    performance: Text
    weakness: Text
    sources: tuple[Id, ...]
    """Sources of the number: a card that names it cites them."""
    performance_sources: tuple[Id, ...] = ()
    """Further sources, of performance and weakness."""

    @property
    def amount(self) -> str:
        """`2400 U/mL`."""
        return f"{self.value} {self.unit}"

    @property
    def words(self) -> str:
        """`at or above 2400 U/mL`."""
        return f"{self.met_when.words} {self.amount}"

    @property
    def all_sources(self) -> tuple[str, ...]:
        """The sources of the whole row, each once."""
        return tuple(dict.fromkeys((*self.sources, *self.performance_sources)))


class PanelItem(Row):
    """One item of a panel: met once at least `at_least` of its limits are met."""

    id: Id
    title: Text
    limits: tuple[Id, ...]
    at_least: int = Field(default=1, ge=1)


class PanelRow(Row):
    """`[[panel]]`: says for each item whether it is met (see `panels.panel_item`); fact
    `panel.<id>`: counted, not-applicable or unknown.
    """

    id: Id
    title: Text
    specimen: Id
    family: Text
    item: tuple[PanelItem, ...]
    sources: tuple[Id, ...]
    urgent_from: int = Field(ge=1)
    """This many items met without the analyte's own are urgent whatever its value. It is our own
    caution, not a number from a study.
    """
    suggestions: tuple[Id, ...] = ()
    """The suggestions for that case."""


class RatioRow(Row):
    """`[[ratio]]`: fact `ratio.<id>`: (csf / blood) over (csf albumin / serum albumin)."""

    id: Id
    title: Text
    numerator_albumin: Id
    denominator_albumin: Id
    sources: tuple[Id, ...]
