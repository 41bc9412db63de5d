"""What follows from a record: facts, findings, and the evaluation with its trace.

Three answers never look alike here: *nothing to say* (an `Evaluation` without answers), *could not
be interpreted because…* (`NotInterpretable`), and a failure of the service (an exception, never a
value of these types).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from cds_service.core.fact import Fact
from cds_service.core.model import InvalidResource, LabResult, Moment, NoMoment, ResourceRef
from cds_service.core.quantity import Quantity
from cds_service.core.schema import AcceptedCode

THRESHOLD_INDETERMINATE = "threshold-indeterminate"
"""The finding where a limit lies inside the interval of a value: no row of the table makes it, and
no site mutes it."""


class Outcome(StrEnum):
    """`outcome` of the evaluation extension on a card."""

    INTERPRETED = "interpreted"
    NOT_INTERPRETABLE = "not-interpretable"
    WRONG_ANALYTE = "wrong-analyte"
    ORDER_ADVICE = "order-advice"


class Reason(StrEnum):
    """Why a result is not interpreted. Public codes, never reused."""

    STATUS_PRELIMINARY = "status-preliminary"
    STATUS_WITHDRAWN = "status-withdrawn"
    STATUS_UNKNOWN = "status-unknown"
    VALUE_ABSENT = "value-absent"
    VALUE_NOT_NUMERIC = "value-not-numeric"
    UNIT_MISSING = "unit-missing"
    UNIT_UNKNOWN = "unit-unknown"
    UNIT_CODE_CONFLICT = "unit-code-conflict"
    UNIT_MOLE = "unit-mole"
    CODE_CONFLICT = "code-conflict"
    SPECIMEN_UNKNOWN = "specimen-unknown"
    SPECIMEN_CONFLICT = "specimen-conflict"
    SPECIMEN_NOT_COVERED = "specimen-not-covered"
    SUBJECT_MISMATCH = "subject-mismatch"
    IMPLAUSIBLE_VALUE = "implausible-value"
    FHIR_INVALID = "fhir-invalid"


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

    It holds nothing of the patient, so that one object stands for every time a row ends like this.
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


class NoteKind(StrEnum):
    """Things a reader must be told beside the findings; words in `templates/note-*.md`."""

    UNIT_ASSUMED = "unit-assumed"
    UNIT_FROM_TEXT = "unit-from-text"
    UNIT_TEXT_AND_CODE = "unit-text-and-code"
    NO_LIMIT_IN_UNIT = "no-limit-in-unit"
    VALUE_FROM_TEXT = "value-from-text"
    NAME_NOT_SOLUBLE = "name-not-soluble"
    SUBJECT_NOT_NAMED = "subject-not-named"
    SPECIMEN_OF_ANOTHER = "specimen-of-another"
    SPECIMEN_WITHDRAWN = "specimen-withdrawn"
    SPECIMEN_UNSATISFACTORY = "specimen-unsatisfactory"
    BEFORE_BIRTH = "before-birth"
    NEWER_NOT_FINAL = "newer-not-final"
    NEWER_VALUE = "newer-value"
    NEWER_URGENT = "newer-urgent"
    NEWER_EXISTS = "newer-exists"
    NEWER_FINAL_URGENT = "newer-final-urgent"
    ORDER_UNKNOWN = "order-unknown"
    ORDER_UNKNOWN_NOT_FINAL = "order-unknown-not-final"
    PERHAPS_NEWER_URGENT = "perhaps-newer-urgent"
    OTHER_VERSION = "other-version"
    DATE_AHEAD = "date-ahead"
    OF_ONE_TIME = "of-one-time"
    COMPANIONS_LEFT = "companions-left"
    CORRECTED = "corrected"
    PRELIMINARY_BY_POLICY = "preliminary-by-policy"
    COLLECTION_UNKNOWN = "collection-unknown"
    COLLECTION_OPEN = "collection-open"
    MORE_MAY_EXIST = "more-may-exist"
    PATIENT_OF_ANOTHER = "patient-of-another"
    DATA_FAILED = "data-failed"
    URGENT_IF_ILL = "urgent-if-ill"
    ITEMS_MET = "items-met"
    ITEMS_DISPUTED = "items-disputed"
    WARNING_MUTED = "warning-muted"
    CAVEAT_MUTED = "caveat-muted"
    REVIEW_OVERDUE = "review-overdue"
    ASSAY_FACTOR = "assay-factor"
    FACTOR_OF_ANOTHER = "factor-of-another"


@dataclass(frozen=True, slots=True)
class Note:
    """A note and the values its template needs, by placeholder name, not yet escaped.

    Several values of one placeholder stand in a row.
    """

    kind: NoteKind
    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    panel: str = ""
    """Id of the panel that it is about, if it is about one."""
    inputs: tuple[ResourceRef, ...] = ()
    """What it rests on beside the result itself."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value as understood: text as received, its family, and the flags a reader must see."""

    text: str
    """`<150`, `5200.0`: comparator and number as received."""
    unit: str
    """The unit as it was understood; as received where it was not."""
    family: str
    """Id of the unit family of the knowledge, or empty when the unit was not understood."""

    @property
    def words(self) -> str:
        """`<150 pg/mL`; for a card it is still to be escaped."""
        return f"{self.text} {self.unit}".strip()


NO_VALUE = Value("", "", "")


class Direction(StrEnum):
    """Where a result stands against the one before it."""

    HIGHER = "higher"
    LOWER = "lower"
    SAME = "same"
    CANNOT_TELL = "cannot-tell"
    BROKEN = "broken"
    """Laboratory, unit family or assay changed in between, or one value cannot be used."""


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One earlier result of the same specimen; `direction` leads from it to the result after it,
    and `breaks` says what keeps the two from being compared.
    """

    ref: ResourceRef
    collected: Moment | NoMoment
    value: Value
    laboratory: str
    direction: Direction
    breaks: tuple[str, ...] = ()


class Place(StrEnum):
    """Where a value lies against the laboratory's range: values of fact `laboratory-range`."""

    ABOVE = "above"
    WITHIN = "within"
    BELOW = "below"
    STRADDLES = "straddles"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RangeReading:
    """The place of the value, the range as received in words, and the multiple of its upper limit:
    empty where the value is not above one, at least so many times for a value such as `> 7500`.
    """

    place: Place
    words: str = ""
    multiple: str = ""


@dataclass(frozen=True, slots=True)
class PairedWith:
    """The result of another specimen kind within the pair window, which this one is read beside."""

    result: LabResult
    code: AcceptedCode
    specimen: str
    value: Value
    quantity: Quantity
    of_one_time: tuple[tuple[ResourceRef, Value], ...]
    """Other values of its specimen kind and time: which of them belongs here, nothing tells."""
    beside: tuple[tuple[ResourceRef, Value], ...]
    """The same of the result that it is paired with."""


@dataclass(frozen=True, slots=True)
class Unpaired:
    """No result of another specimen lies near enough."""


@dataclass(frozen=True, slots=True)
class Interpreted:
    """The result could be interpreted."""

    outcome: ClassVar = Outcome.INTERPRETED


@dataclass(frozen=True, slots=True)
class NotInterpretable:
    """The result could not be interpreted, and why. `detail` may be shown after escaping."""

    outcome: ClassVar = Outcome.NOT_INTERPRETABLE
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WrongAnalyte:
    """The result is of a look-alike analyte: `loinc` is the refused code."""

    outcome: ClassVar = Outcome.WRONG_ANALYTE
    loinc: str


@dataclass(frozen=True, slots=True)
class OrderAdvised:
    """A draft order is for this analyte, and there is something to say about it."""

    outcome: ClassVar = Outcome.ORDER_ADVICE


Verdict = Interpreted | NotInterpretable | WrongAnalyte


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say about one result: becomes one card."""

    verdict: Verdict
    result: LabResult | InvalidResource
    specimen: str = ""
    """Specimen kind of the knowledge (`blood`, `csf`), empty when not known."""
    value: Value = NO_VALUE
    facts: Mapping[str, Fact] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    rows: tuple[ConsideredRow, ...] = ()
    missing: tuple[str, ...] = ()
    inputs: tuple[ResourceRef, ...] = ()
    dates: Mapping[ResourceRef, str] = field(default_factory=dict)
    """Resource and version -> the date it carries, as received, for the inputs that carry one."""
    notes: tuple[Note, ...] = ()
    series: tuple[SeriesPoint, ...] = ()
    laboratory: RangeReading = RangeReading(Place.NONE)
    paired: PairedWith | Unpaired = Unpaired()
    companions: frozenset[str] = frozenset()
    """The other tests of which a usable result lies near this one."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A result that gets no card, and why: part of the trace, never silence without a reason."""

    ref: ResourceRef
    because: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The whole evaluation of one record: its answers, and what was looked at and left aside."""

    knowledge: str
    at: date
    answers: tuple[Answer, ...] = ()
    skipped: tuple[Skipped, ...] = ()
