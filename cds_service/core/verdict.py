"""What follows from a record: an answer for each result, and the evaluation with its trace.

Three answers never look alike here: *nothing to say* (an `Evaluation` without answers), *could not
be interpreted because…* (`NotInterpretable`), and a failure of the service (an exception, never a
value of these types).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import ClassVar

from cds_service.core.elements import Moment, NoMoment, ResourceRef
from cds_service.core.fact import Fact
from cds_service.core.finding import ConsideredRow, Finding
from cds_service.core.model import InvalidResource, LabResult
from cds_service.core.note import Note
from cds_service.core.quantity import Quantity
from cds_service.core.schema import AcceptedCode


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


@dataclass(frozen=True, slots=True)
class Value:
    """Number, unit and unit family of a value: as understood, else as received."""

    text: str
    """`<150`, `5200.0`: comparator and number as received."""
    unit: str
    """The unit as it was understood; as received where it was not."""
    family: str
    """Id of the unit family of the knowledge, or empty when the unit was not understood."""

    @property
    def words(self) -> str:
        """`<150 pg/mL`, not escaped for a card."""
        return f"{self.text} {self.unit}".strip()


NO_VALUE = Value("", "", "")


class Direction(StrEnum):
    """How a result compares with the one before it."""

    HIGHER = "higher"
    LOWER = "lower"
    SAME = "same"
    CANNOT_TELL = "cannot-tell"
    BROKEN = "broken"
    """The two cannot be compared: see `Break`."""


class Break(StrEnum):
    """What keeps two neighbours of a series from being compared."""

    LABORATORY = "laboratory"
    UNIT_FAMILY = "unit-family"
    """Or one of the family that is only taken for the other unit."""
    UNUSABLE = "unusable"
    """The value of one cannot be used, so its unit may be of another family."""
    METHOD = "method"
    SPECIMEN = "specimen"
    """They are of two types of specimen of the same kind."""


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One earlier result of the same specimen; `direction` compares the result after it with this
    one, and `breaks` says what keeps the two from being compared.
    """

    ref: ResourceRef
    dated: Moment | NoMoment
    """The date of collection, else of issue, as it was sent."""
    value: Value
    laboratory: str
    direction: Direction
    breaks: tuple[Break, ...]


class Place(StrEnum):
    """Where a value lies against the laboratory's range: values of fact `laboratory-range`."""

    ABOVE = "above"
    WITHIN = "within"
    BELOW = "below"
    STRADDLES = "straddles"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RangeReading:
    """Where the value lies against the laboratory's range, the range in words, and how many times
    the upper limit the value is: empty unless it is above it, "at least" for one such as `> 7500`.
    """

    place: Place
    words: str = ""
    multiple: str = ""
    units: frozenset[str] = frozenset()
    """Those that stand in `words`."""
    left: tuple[str, ...] = ()
    """Ranges that were not applied, since it is not known whether they are for this patient."""
    not_comparable: tuple[str, ...] = ()
    """Where none was applied: those that cannot be compared with the value, as they were sent, in
    words, in another unit, or without an upper limit and the value not below the lower one."""


@dataclass(frozen=True, slots=True)
class PairedWith:
    """The result of the other specimen kind that is paired with this one, near enough in time."""

    result: LabResult
    code: AcceptedCode
    specimen: str
    value: Value
    quantity: Quantity
    of_one_time: tuple[tuple[ResourceRef, Value], ...]
    """Other values of its specimen kind and time: any of them may be the one that belongs here."""
    beside: tuple[tuple[ResourceRef, Value], ...]
    """Other values of the specimen kind and time of the interpreted result itself."""


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
    """Names of the companion tests with a usable result near this one."""

    @property
    def is_of_another(self) -> bool:
        """Whether the result is another patient's: then nothing of it is shown."""
        match self.verdict:
            case NotInterpretable(reason):
                return reason is Reason.SUBJECT_MISMATCH
            case Interpreted() | WrongAnalyte():
                return False

    def with_notes(self, notes: Iterable[Note]) -> Answer:
        """The same answer with these notes and no others; their inputs are added to its own."""
        told = tuple(notes)
        used = (*self.inputs, *(ref for note in told for ref in note.inputs))
        return replace(self, notes=told, inputs=tuple(dict.fromkeys(used)))


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
