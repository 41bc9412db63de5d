"""The frozen types that the rooms of the service pass to each other.

Nothing here decides anything. These types say what was read (`LabResult`, `PatientRecord`); what
follows from it stands in `verdict`. Where something can be absent, a type says so: `None` is never
a verdict.

Numbers keep the text they came with: FHIR's decimal has an implicit precision
(https://hl7.org/fhir/R4/datatypes.html#decimal), so `150.10` is shown as `150.10`.
"""

from __future__ import annotations

from collections.abc import Mapping
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


class Subject(StrEnum):
    """Whom the resource belongs to, seen from the patient of the request."""

    THIS_PATIENT = "this-patient"
    ANOTHER_PATIENT = "another-patient"
    NOT_NAMED = "not-named"


@dataclass(frozen=True, slots=True)
class LabResult:
    """One laboratory Observation as read: facts only, nothing interpreted."""

    ref: ResourceRef
    codings: tuple[Coding, ...]
    status: Status
    value: LabValue
    subject: Subject
    specimen: SpecimenGiven = SpecimenGiven()
    collected: Moment | NoMoment = NoMoment()
    issued: Moment | NoMoment = NoMoment()
    ranges: tuple[ReferenceRange, ...] = ()
    laboratory: str = ""
    """The performing organisation: display, else reference; empty when none was named."""
    laboratory_reference: str = ""
    """Reference to its resource, `Organization/1`, with the server before it if known; empty if no
    reference was given. Two laboratories may have the same name."""
    flags: tuple[str, ...] = ()
    """The laboratory's own flags (`HH`): codes of Observation.interpretation. They are shown and
    decide nothing."""
    method: str = ""
    """Observation.method or device: code or text, to notice that an assay changed."""


@dataclass(frozen=True, slots=True)
class InvalidResource:
    """A resource that is not valid FHIR R4 and was therefore not read.

    `where` is a FHIRPath-like location (`Observation.valueQuantity.value`) and never holds a value.
    `codings` are those that could still be seen without trusting the resource.
    """

    ref: ResourceRef
    where: str
    codings: tuple[Coding, ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient of the request; `birth` may be partial or absent."""

    ref: ResourceRef
    birth: Moment | NoMoment = NoMoment()


@dataclass(frozen=True, slots=True)
class NoPatient:
    """No usable Patient resource was given."""


class RecordKind(StrEnum):
    """What kind of entry of the record a code comes from."""

    CONDITION = "condition"
    MEDICATION = "medication"
    DOSE = "dose"
    """One administration of a medication, at its `since`: counts for the look-back window."""
    COURSE = "course"
    """A medication that was given and is over: still counts for some drugs, as a dose does."""
    PROCEDURE = "procedure"


@dataclass(frozen=True, slots=True)
class CodedEntry:
    """A Condition, medication or Procedure that counts (not refuted, not in error).

    `until` is the stated end of a medication, where it has one.
    """

    ref: ResourceRef
    kind: RecordKind
    codings: tuple[Coding, ...]
    since: Moment | NoMoment = NoMoment()
    until: Moment | NoMoment = NoMoment()


class Availability(StrEnum):
    """What became of one part of the record (prefetch key) that was asked for."""

    GIVEN = "given"
    EMPTY = "empty"
    """The client looked and has none (`null`, or a Bundle without entries)."""
    PARTIAL = "partial"
    """Not all was had or could be read, such as one page of several: more may exist."""
    MISSING = "missing"
    """Neither sent nor fetched."""
    FAILED = "failed"
    """The client or the FHIR server answered with an error, or sent something unusable."""
    OF_ANOTHER_PATIENT = "of-another-patient"


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """Everything one evaluation may look at, for one patient.

    `results` are the results to interpret; `history` are further results of the same analyte, for
    series and pairs; `companions` are other laboratory results. `availability` is keyed by the
    prefetch keys: `patient`, `labs`, `conditions`, `medications`, and the id of the knowledge
    (`sil2r`) for results of the analyte. These are also the public words for what is missing.
    Its key `results` tells whether all was read that came with the results to interpret.
    """

    patient_id: str = ""
    patient: Patient | NoPatient = NoPatient()
    results: tuple[LabResult | InvalidResource, ...] = ()
    history: tuple[LabResult, ...] = ()
    companions: tuple[LabResult, ...] = ()
    entries: tuple[CodedEntry, ...] = ()
    availability: Mapping[str, Availability] = field(default_factory=dict)
    unread: tuple[InvalidResource, ...] = ()
    """Entries beside the results that could not be read: `explain` names them."""
    carded_before: frozenset[str] = frozenset()
    """Observation ids of this patient that had been carded before (from the store)."""
