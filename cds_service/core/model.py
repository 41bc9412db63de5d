"""What was read, as the rooms of the service pass it to each other: results, the patient, entries
of the record, all of frozen types made of `elements`.

Nothing here decides anything: what follows from it stands in `verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cds_service.core.elements import (
    Coding,
    LabValue,
    Moment,
    NoMoment,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    Status,
)


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
    """A medication that was given and is over: still counts for some drugs, as a dose does. One of
    kind MEDICATION is over too for a result of later days than its `until`.
    """
    PROCEDURE = "procedure"


@dataclass(frozen=True, slots=True)
class CodedEntry:
    """A Condition, medication or Procedure that counts (not refuted, not in error).

    `until` is the stated end of a medication, where it has one; of a procedure that is completed,
    its last known day.
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
