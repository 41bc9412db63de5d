"""The rows of the knowledge base, one closed and frozen type per TOML table.

An unknown key, a wrong type or an empty text is refused. The comparisons and their values live
here as closed vocabularies; `cards/` holds data only, never an expression.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Gates = dict[str, str | list[str]]
"""Fact name -> the value or values that let the row through."""


def _number(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write a number as text, so that it keeps its digits: "2400"')  # noqa: TRY004 - pydantic turns ValueError into a row error
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("this is not a number") from None


ExactNumber = Annotated[Decimal, BeforeValidator(_number)]


class Row(BaseModel):
    """Base of every row: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ------------------------------------------------------------------ knowledge.toml


class Policy(Row):
    """What a site may change; these are the defaults."""

    look_back_days: int = Field(ge=1, le=3650)
    interpret_preliminary: bool
    muted_findings: list[Id] = []
    order_intent: Literal["proposal", "order"] = "proposal"


class SourceAttribute(Row):
    """One of the 13 source attributes of 45 CFR 170.315(b)(11)(iv)(A)."""

    id: Id
    title: Text
    used: bool | Literal["not-applicable"] = "not-applicable"
    """For attributes 5 to 13: whether the rule set uses this data element."""
    text: Text


class Identity(Row):
    """`[knowledge]`: what this knowledge is, for whom, and in what state of review."""

    id: Id
    version: Annotated[str, StringConstraints(pattern=r"^\d{4}\.\d+$")]
    title: Text
    analyte: Text
    short_name: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    intended_use: Text
    released: date
    review_by: date
    review_status: Literal["pending clinical review"]
    service_title: Text
    service_description: Text
    publisher: Text
    copyright: Text
    pair_within_days: int = Field(default=7, ge=0, le=90)
    companion_within_days: int = Field(default=7, ge=0, le=90)


class SpecimenKind(Row):
    """`[[specimen]]`: a specimen the knowledge speaks about."""

    id: Id
    words: Text
    """As it stands in a summary: `serum/plasma`."""


class UnitFamily(Row):
    """`[[family]]` in units.toml. Families are never converted into each other."""

    id: Text
    canonical: Text
    title: Text
    interpreted: bool


# ------------------------------------------------------------------ codes.toml


class AcceptedCode(Row):
    """A LOINC code read as this analyte."""

    loinc: Text
    name: Text
    axes: Text
    specimen: Id | Literal["from-specimen"]
    property: Text
    family: Text
    naming: Literal["explicit", "implied"]
    """`implied`: the name lacks the decisive word, and the card says so."""
    sources: list[Text]
    note: str = ""


class RefusedCode(Row):
    """A LOINC code that looks like the analyte and is not."""

    loinc: Text
    name: str = ""
    component: Text
    answer: Literal["wrong-analyte", "none"]
    because: Text
    sources: list[Text]


class SpecimenCode(Row):
    """A code of Specimen.type and the specimen kind it means; `not-covered` is one of them."""

    system: Text
    code: Text
    display: Text
    kind: Id
    sources: list[Text]


class RowUnit(Row):
    """An exact unit string: its family and the factor to the family's canonical unit."""

    text: Text
    family: Text
    factor: ExactNumber
    ucum: bool
    """Whether the string is valid UCUM, and so may stand in Quantity.code."""
    assumed: str = ""
    """Where reading it in this family is an assumption: the sentence that says so."""


class CompanionCode(Row):
    """A LOINC code of a companion test."""

    loinc: Text
    name: str = ""
    component: str = ""
    family: Text
    sources: list[Text] = []


class Companion(Row):
    """`[[companion]]`: another laboratory test the findings may ask for."""

    name: Id
    title: Text
    specimen: Id
    code: list[CompanionCode]
    unit: list[RowUnit]


# ------------------------------------------------------------------ conditions, medications


class ConceptCode(Row):
    """A code that switches a concept on. `prefix` takes everything below the code as well."""

    system: Text
    code: Text
    display: Text
    match: Literal["exact", "prefix"]
    except_ending: str = ""
    """With `prefix`: codes that end so are not meant (ICD-10-CM sequelae end in `S`)."""
    sources: list[Text]


class Concept(Row):
    """`[[condition]]` or `[[medication]]`: a named concept of the record, fact `condition.<name>`
    or `medication.<name>`: recorded, not-recorded or unknown.
    """

    name: Id
    title: Text
    code: list[ConceptCode] = []
    includes: list[Id] = []
    """Other concepts that switch this one on too."""
    undetermined_by: list[Id] = []
    """Concepts that leave this one unknown (recorded, but too coarse to tell)."""
    missing: list[Id] = []
    """The `missing` words when it is undetermined."""
    counts_when_over: bool = False
    """A drug given in a few doses: its request is completed as soon as they were given, so a course
    that is over counts as a dose does.
    """
    note: str = ""


class AgeRow(Row):
    """`[[age]]`: fact `age.<id>` (yes, no, unknown), in completed years at collection."""

    id: Id
    at_least_years: int = Field(ge=0, le=130)
    title: Text
    sources: list[Id]
    note: str = ""


# ------------------------------------------------------------------ limits.toml


class MetWhen(StrEnum):
    """On which side a limit counts as met, as its source states it."""

    AT_OR_ABOVE = "at-or-above"
    ABOVE = "above"
    AT_OR_BELOW = "at-or-below"
    BELOW = "below"


class LimitRow(Row):
    """`[[limit]]`: fact `limit.<id>`. No number without unit, specimen, population and source."""

    id: Id
    of: Id
    """The knowledge's own id, or the name of a companion."""
    specimen: Id
    title: Text
    """Whose limit it is, as it stands behind the number: `sIL-2R criterion of HLH-2004`."""
    value: ExactNumber
    unit: Text
    met_when: MetWhen
    population: Text
    assay: Text
    performance: Text
    weakness: Text
    sources: list[Id]


class PanelItem(Row):
    """One item of a panel: met once at least `at_least` of its limits are met."""

    id: Id
    title: Text
    limits: list[Id]
    at_least: int = Field(default=1, ge=1)


class PanelRow(Row):
    """`[[panel]]`: counts items met, not met and unknown; fact `panel.<id>`: counted or unknown."""

    id: Id
    title: Text
    specimen: Id
    family: Text
    item: list[PanelItem]
    sources: list[Id]


class RatioRow(Row):
    """`[[ratio]]`: fact `ratio.<id>`: (csf / blood) over (csf albumin / serum albumin)."""

    id: Id
    title: Text
    numerator_albumin: Id
    denominator_albumin: Id
    sources: list[Id]


# ------------------------------------------------------------------ findings.toml, context.toml


class FindingRow(Row):
    """`[[finding]]`: one row of the decision table; several rows may carry the same id (OR)."""

    id: Id
    when: Gates
    indicator: Literal["info", "warning"]
    rank: int = Field(ge=0, le=999)
    """Which finding speaks in the summary: the highest rank."""
    claim: Text
    """The one-line ceiling of what may be said."""
    sources: list[Id]
    suggestions: list[Id] = []


class ContextRow(Row):
    """`[[context]]`: a finding that adds a caveat, and may weaken or block others."""

    id: Annotated[str, StringConstraints(pattern=r"^context-[a-z0-9-]+$")]
    when: Gates
    claim: Text
    sources: list[Id]
    weakens: list[Id] = []
    blocks: list[Id] = []
    suggestions: list[Id] = []


class ReasonRow(Row):
    """`[[reason]]`: why a reason for not interpreting (or `wrong-analyte`) stands as it does."""

    id: Id
    claim: Text
    sources: list[Id] = Field(min_length=1)
    suggestions: list[Id] = []


class GroupRow(Row):
    """`[[group]]`: what the proof holds: of these findings exactly one, or at most one, fires."""

    id: Id
    where: Gates
    findings: list[Id]
    count: Literal["exactly-one", "at-most-one"]


# ------------------------------------------------------------------ sources and what rests on them


class SourceRow(Row):
    """`[[source]]`: a publication, and what of it was opened. Empty text means: not verified."""

    id: Id
    short: Text
    """As it stands in running text: `Henter 2007 (HLH-2004)`."""
    authors: str = ""
    title: Text
    journal: str = ""
    year: int | Literal[""] = ""
    volume: str = ""
    doi: str = ""
    pmid: str = ""
    opened: Literal["abstract", "full text", "table", "figure legend", "web page"]
    checked: date
    population: str = ""
    note: str = ""


class SuggestionRow(Row):
    """`[[suggestion]]`: a draft ServiceRequest or a contact; never a therapy."""

    id: Id
    label: Text
    text: Text
    kind: Literal["order", "contact"]
    system: str = ""
    code: str = ""
    display: str = ""
    sources: list[Id]


# ------------------------------------------------------------------ orders.toml


class AdviceRow(Row):
    """`[[advice]]`: what to tell whoever drafts an order; words in the template of its id."""

    id: Annotated[str, StringConstraints(pattern=r"^order-[a-z0-9-]+$")]
    when: Gates
    rank: int = Field(ge=0, le=999)
    """Which advice speaks in the summary, and the order on the card: the highest rank first."""
    claim: Text
    sources: list[Id] = Field(min_length=1)


class OwnOrderRow(Row):
    """`[[order]]`: a suggestion that orders this analyte itself, and the specimen it is for."""

    suggestion: Id
    specimen: Id | Literal["from-specimen"]


class SwapRow(Row):
    """`[[swap]]`: what stands in an order for a look-alike's place, if this analyte was meant.

    `order` is the own order whose words, and site code, are used; `loinc` the accepted code of the
    same specimen and property. Without them the order is in words alone.
    """

    refused: Text
    order: Id | Literal[""] = ""
    loinc: str = ""


class PairingRow(Row):
    """`[[pairing]]`: what belongs beside an order for this specimen, by suggestion id."""

    specimen: Id
    suggestions: list[Id] = Field(min_length=1)


class DocumentRow(Row):
    """`[[document]]` in statements.toml: a starting document whose statements are listed."""

    id: Literal["A", "B"]
    title: Text


class StatementRow(Row):
    """`[[statement]]`: one claim of the two source documents, and the truth about its evidence."""

    id: Annotated[str, StringConstraints(pattern=r"^[ST]\d{1,2}$")]
    document: Literal["A", "B"]
    claim: Text
    specimen: Text
    status: Literal["supported", "supported in part", "contradicted", "source not located"]
    evidence: Text
    sources_for: list[Id] = []
    sources_against: list[Id] = []
    used_in: list[Id] = []
    our_words: Text


# ------------------------------------------------------------------ cases.toml


class Given(Row):
    """The situation of a worked case. Texts are as a laboratory would send them."""

    loinc: str = "9654-5"
    value: str = ""
    unit: str = ""
    specimen: str = ""
    """Specimen kind id or `not-covered`; empty: no specimen resource."""
    age: str = ""
    """`40`, `12`, or empty for an unknown birth date."""
    status: str = "final"
    low: str = ""
    high: str = ""
    range_unit: str = ""
    conditions: list[Id] = []
    medications: list[Id] = []
    companions: dict[str, str] = {}
    """Companion name -> `1200 ng/mL`."""
    pair: str = ""
    """`<value> <unit>` of the other specimen, drawn on the same day."""


class Expect(Row):
    """What the case must give."""

    outcome: Literal["interpreted", "not-interpretable", "wrong-analyte", "no-card"]
    reason: str = ""
    findings: list[Id] = []
    """All of them, in any order."""
    missing: list[Id] = []
    """At least these."""
    indicator: Literal["", "info", "warning"] = ""


class CaseRow(Row):
    """`[[case]]`: given, expect, because. The cases are the specification and the manual."""

    id: Id
    title: Text
    given: Given
    expect: Expect
    because: Text


# ------------------------------------------------------------------ added by a site file


class AssayFactor(Row):
    """`[assay]`: one laboratory's own factor to the scale of the studies, inside one unit family.

    Never a conversion between families. Without its written source it is refused.
    """

    laboratory: Text
    family: Text
    factor: ExactNumber
    source: Text


class OrderCode(Row):
    """`[orders.<suggestion id>]`: the code under which the site orders a suggested test."""

    system: Text
    code: Text
    display: Text
