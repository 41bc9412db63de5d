"""One analyte's knowledge as frozen types: what may be said, when, and on whose authority.

`knowledge_reader` makes it from text, `proof` proves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from cds_service.core import schema
from cds_service.core.concepts import ConceptIndex
from cds_service.core.quantity import UnitTable
from cds_service.core.review import PENDING, ReviewState
from cds_service.core.template import Template, Wording

LOINC = "http://loinc.org"


@dataclass(frozen=True)
class CompanionTest:
    """Another laboratory test: its codes with their unit families, and its units."""

    row: schema.Companion
    families: Mapping[str, str]
    """LOINC code -> unit family."""
    units: UnitTable

    def states(self, loinc: str) -> str:
        """What the code says about the sample, such as `fasting`; empty for most codes."""
        return next((code.states for code in self.row.code if code.loinc == loinc), "")


@dataclass(frozen=True)
class CardWording:
    """Words shared by all cards (`wording.toml`) and the disclaimer."""

    headings: Mapping[str, str]
    missing: Mapping[str, str]
    series: Mapping[str, str]
    phrases: Mapping[str, str]
    details: Mapping[str, str]
    """Code of how a value came, or of why none did -> words; some codes have none."""
    override_reasons: tuple[Mapping[str, str], ...]
    disclaimer: Wording


@dataclass(frozen=True)
class OrderTable:
    """What may be said about draft orders (`orders.toml`); empty if an analyte has no such file."""

    advice: tuple[schema.AdviceRow, ...] = ()
    """The highest rank first."""
    own: Mapping[str, schema.OwnOrderRow] = field(default_factory=dict)
    """Orders for the analyte itself, by suggestion id."""
    swaps: Mapping[str, schema.SwapRow] = field(default_factory=dict)
    """By refused LOINC code."""
    pairings: Mapping[str, schema.PairingRow] = field(default_factory=dict)
    """By specimen."""


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """Everything that may be said about one analyte, when, and on whose authority.

    Equal only to itself, so that caches can be keyed by it (decision 33).
    """

    identity: schema.Identity
    policy: schema.Policy
    attributes: tuple[schema.SourceAttribute, ...]
    specimens: Mapping[str, schema.SpecimenKind]
    specimen_codes: Mapping[tuple[str, str], str]
    accepted: Mapping[str, schema.AcceptedCode]
    refused: Mapping[str, schema.RefusedCode]
    families: Mapping[str, schema.UnitFamily]
    units: UnitTable
    companions: Mapping[str, CompanionTest]
    conditions: ConceptIndex
    medications: ConceptIndex
    ages: Mapping[str, schema.AgeRow]
    limits: Mapping[str, schema.LimitRow]
    panels: Mapping[str, schema.PanelRow]
    ratios: Mapping[str, schema.RatioRow]
    findings: tuple[schema.FindingRow, ...]
    contexts: tuple[schema.ContextRow, ...]
    groups: tuple[schema.GroupRow, ...]
    reasons: Mapping[str, schema.ReasonRow]
    sources: Mapping[str, schema.SourceRow]
    suggestions: Mapping[str, schema.SuggestionRow]
    statements: tuple[schema.StatementRow, ...]
    cases: tuple[schema.CaseRow, ...]
    templates: Mapping[str, Template]
    wording: CardWording
    documents: tuple[schema.DocumentRow, ...]
    """The starting documents of the statements."""
    notes: Mapping[str, schema.NoteRow]
    """Sources of the notes that rest on studies, by kind of note."""
    order_table: OrderTable
    review: ReviewState = PENDING
    local_codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """A site's own laboratory codes -> LOINC."""
    assays: Mapping[str, schema.AssayFactor] = field(default_factory=dict)
    """A laboratory's own factor to the scale of the studies, by laboratory as named on a result."""
    orders: Mapping[str, schema.OrderCode] = field(default_factory=dict)
    """The site's codes for suggested orders, by suggestion id."""

    @cached_property
    def tag(self) -> str:
        """Name and version as every answer carries them: `sil2r@2026.1`."""
        return f"{self.identity.id}@{self.identity.version}"

    def is_overdue(self, at: date) -> bool:
        """Whether its review-by date has passed on day `at`: every card says so then."""
        return at > self.identity.review_by

    @cached_property
    def interpreted_families(self) -> tuple[str, ...]:
        """Ids of the unit families in which a value is interpreted."""
        return tuple(name for name, family in self.families.items() if family.interpreted)

    @cached_property
    def unit_rows(self) -> tuple[schema.RowUnit, ...]:
        """The unit strings understood, in the order of the table, those of a site last."""
        return tuple(self.units)

    @cached_property
    def rows(self) -> tuple[schema.TableRow, ...]:
        """The decision table: findings, then contexts. Several rows may share an id."""
        return (*self.findings, *self.contexts)

    @cached_property
    def speaking(self) -> Mapping[str, tuple[int, schema.TableRow]]:
        """Id -> its position on a card (findings by rank, then contexts), and its first row."""
        by_rank = sorted(self.findings, key=lambda row: -row.rank)
        ordered: tuple[schema.TableRow, ...] = (*by_rank, *self.contexts)
        speaking: dict[str, tuple[int, schema.TableRow]] = {}
        for turn, row in enumerate(ordered):
            speaking.setdefault(row.id, (turn, row))
        return speaking

    @cached_property
    def warnings(self) -> frozenset[str]:
        """Ids of the findings that make a card a warning."""
        return frozenset(row.id for row in self.findings if row.indicator == "warning")

    @cached_property
    def analyte_codes(self) -> frozenset[tuple[str, str]]:
        """(system, code) of every result this knowledge looks at: accepted, refused, local."""
        loincs = {(LOINC, code) for code in (*self.accepted, *self.refused)}
        return frozenset(loincs | set(self.local_codes))

    @cached_property
    def companion_codes(self) -> frozenset[tuple[str, str]]:
        """(system, code) of every companion result."""
        return frozenset((LOINC, code) for code in self.companion_loincs)

    @cached_property
    def companion_loincs(self) -> tuple[str, ...]:
        """LOINC codes of companion results, in the order of the table."""
        return tuple(code for test in self.companions.values() for code in test.families)
