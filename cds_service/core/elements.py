"""What the elements of a FHIR resource say, as read: codes, moments, numbers with their units,
specimens and reference ranges, each a frozen type.

Where something can be absent, a type says so: `None` is never a verdict. Numbers keep the text they
came with: FHIR's decimal has an implicit precision
(https://hl7.org/fhir/R4/datatypes.html#decimal), so `150.10` is shown as `150.10`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """Observation.status, the closed R4 value set (observation-status)."""

    REGISTERED = "registered"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"
    UNKNOWN = "unknown"


FINAL = frozenset({Status.FINAL, Status.AMENDED, Status.CORRECTED})
FINAL_OR_PRELIMINARY = FINAL | {Status.PRELIMINARY}
NOT_YET_FINAL = frozenset({Status.PRELIMINARY, Status.REGISTERED})
WITHDRAWN = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})


class Comparator(StrEnum):
    """Quantity.comparator (quantity-comparator, R4), plus EXACT for "none was given"."""

    EXACT = ""
    LESS = "<"
    AT_MOST = "<="
    AT_LEAST = ">="
    MORE = ">"


class ValueForm(StrEnum):
    """How a number reached us: as a FHIR Quantity, or as text in valueString."""

    QUANTITY = "quantity"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Coding:
    """A FHIR Coding: `system` and `code` decide, `display` is only ever shown."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """Which resource something came from: `Observation/123`, and its version where it had one."""

    resource: str
    version: str = ""

    @property
    def name(self) -> str:
        """What tells a result from those of other resources and components, in any version."""
        return self.resource


@dataclass(frozen=True, slots=True)
class ComponentRef(ResourceRef):
    """Which component of an Observation a result came from: by its code and its number among those
    with that code (`718-7 1`). FHIR gives it no identity, so that cards name the Observation.
    """

    component: str = ""

    @property
    def name(self) -> str:
        """The resource and the component."""
        return f"{self.resource} {self.component}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A FHIR date, dateTime or instant, possibly partial, and the days it can mean.

    `text` is what was sent. `first_day` and `last_day` bound it as written, in its own time zone
    (`2026` is 1 January to 31 December). `order` is a UTC instant for sorting: the very instant of
    a `timed` moment, else the beginning of its first day.
    """

    text: str
    first_day: date
    last_day: date
    order: datetime
    timed: bool = False
    """Whether it is one instant: a time was given, and it is no period."""


@dataclass(frozen=True, slots=True)
class NoMoment:
    """No date was given."""


@dataclass(frozen=True, slots=True)
class UnitGiven:
    """A unit exactly as received. `code` counts only under the UCUM system; empty means absent."""

    text: str = ""
    code: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the text it came with; comparison by value, display by text."""

    text: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Measured:
    """A numeric value: comparator, number and the unit as received."""

    comparator: Comparator
    number: Number
    unit: UnitGiven
    form: ValueForm = ValueForm.QUANTITY


@dataclass(frozen=True, slots=True)
class NoValue:
    """No value was sent; `why` is the dataAbsentReason code where there was one, else empty."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class NotNumeric:
    """A value of another kind (`valueCodeableConcept`, free text…); `kind` names the element."""

    kind: str


LabValue = Measured | NoValue | NotNumeric


class SpecimenLink(StrEnum):
    """How far Observation.specimen could be followed."""

    NONE = "none"
    UNRESOLVED = "unresolved"
    OF_ANOTHER_PATIENT = "of-another-patient"
    """It leads to a Specimen whose subject is somebody else: nothing of it is used."""
    ENTERED_IN_ERROR = "entered-in-error"
    """It leads to a Specimen that was entered in error: nothing of it is used."""
    UNCERTAIN = "uncertain"
    """Several bear its name, or only one of another version or server: what is known of them can
    contradict, and settles nothing.
    """
    INVALID = "invalid"
    """It leads to a Specimen that is not valid FHIR R4: it can contradict, and settles nothing."""
    UNSATISFACTORY = "unsatisfactory"
    """It leads to a Specimen that the laboratory finds unfit; its type still counts."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class SpecimenGiven:
    """The specimen as sent. Text is never evidence: only `codings` of Specimen.type count."""

    link: SpecimenLink = SpecimenLink.NONE
    codings: tuple[Coding, ...] = ()
    words: str = ""
    """What it was called where no code was sent. It is shown and decides nothing."""
    where: str = ""
    """Where an invalid one is at fault."""


@dataclass(frozen=True, slots=True)
class AgeBand:
    """The ages in months that a reference range applies to: from `low` to before `until`; an open
    end is infinite.
    """

    low: Decimal
    until: Decimal


@dataclass(frozen=True, slots=True)
class EveryAge:
    """The reference range names no age."""


@dataclass(frozen=True, slots=True)
class AgeBandUnreadable:
    """The reference range names an age that cannot be read, so it cannot be applied."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a reference range, inclusive, with its unit as received (may be empty)."""

    number: Number
    unit: UnitGiven


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """The reference range has no bound on this side."""


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """Observation.referenceRange, one element. One in text alone has its `words` and no ends."""

    low: Bound | OpenEnd
    high: Bound | OpenEnd
    age: AgeBand | EveryAge | AgeBandUnreadable = field(default_factory=EveryAge)
    kind: str = ""
    """Code of referenceRange.type: empty or `normal` for a reference interval, some other text
    where it is another kind or cannot be read."""
    applies_to: tuple[Coding, ...] = ()
    words: str = ""
    """Its text, where it has no number that can be read. It is shown and decides nothing."""
