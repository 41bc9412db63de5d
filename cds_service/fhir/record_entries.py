"""Conditions, procedures and medications that count, as `CodedEntry`.

What counts:

- Condition: every one that is not refuted, entered in error, inactive or resolved. One in remission
  counts; one with an abatement counts only if it is in remission.
- Procedure: in progress or completed. Of which ones those count that are long over is for the
  knowledge to say.
- MedicationStatement: active or on hold; `completed` as a course that is over. `intended` was not
  taken yet; `stopped` and `unknown` do not say whether it was taken.
- MedicationRequest: the same, meant as an order (not a plan, proposal or option), and not an order
  to abstain (`doNotPerform`). `completed`: all that was ordered has happened.
- MedicationAdministration: in progress, on hold or completed: `completed` is a dose that was given,
  and `since` tells when.

A drug is told by the codes of its Medication and of what that is made of: an infusion is often
coded by its ingredients alone. Where the Medication did not come along, or an ingredient of one
without a code of its own, the drug is not known.

A status, an intent or a flag outside its R4 value set makes the entry one that could not be read:
nobody can tell whether it counts.

A statement or request whose own end (effectivePeriod, or every dosage's bounds) lies before the day
of the newest sample is over, whatever its status says. For which drugs a course that is over counts
is for the knowledge to say. Entries in words alone do not count: text is never evidence for a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.core.elements import Coding, Moment, NoMoment
from cds_service.core.json_object import JsonObject
from cds_service.core.model import CodedEntry, InvalidResource, RecordKind, Subject
from cds_service.fhir.bundle import Entry, Unresolved
from cds_service.fhir.course import done, span_of, start_of
from cds_service.fhir.drug import drug_in
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_flag, a_text, an_object, codings
from cds_service.fhir.subject import Whose

CONDITION_TYPES = frozenset({"Condition", "Procedure"})
MEDICATION_TYPES = frozenset(
    {"MedicationAdministration", "MedicationRequest", "MedicationStatement"}
)

_STATUSES: Mapping[str, frozenset[str]] = {
    "Procedure": frozenset({"in-progress", "completed"}),
    "MedicationStatement": frozenset({"active", "on-hold", "completed"}),
    "MedicationRequest": frozenset({"active", "on-hold", "completed"}),
    "MedicationAdministration": frozenset({"in-progress", "on-hold", "completed"}),
}
"""Statuses that count, by type (R4 value sets procedure/event-status, medication-…-status)."""
_DO_NOT_COUNT: Mapping[str, frozenset[str]] = {
    "Procedure": frozenset(
        {"preparation", "not-done", "on-hold", "stopped", "entered-in-error", "unknown"}
    ),
    "MedicationStatement": frozenset(
        {"entered-in-error", "intended", "stopped", "unknown", "not-taken"}
    ),
    "MedicationRequest": frozenset(
        {"cancelled", "entered-in-error", "stopped", "draft", "unknown"}
    ),
    "MedicationAdministration": frozenset({"not-done", "entered-in-error", "stopped", "unknown"}),
}
"""All others of these value sets."""

_NO_END = NoMoment()
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_NO_ORDERS = frozenset({"proposal", "plan", "option"})
_REFUTED = frozenset({"refuted", "entered-in-error"})
_VERIFICATION = _REFUTED | {"unconfirmed", "provisional", "differential", "confirmed"}
_OVER = frozenset({"inactive", "resolved"})
_REMISSION = "remission"
_CLINICAL = _OVER | {_REMISSION, "active", "recurrence", "relapse"}
_CONDITION_SYSTEMS = "http://terminology.hl7.org/CodeSystem/condition-"


@dataclass(frozen=True, slots=True)
class DoesNotCount:
    """Read, and left aside: ended, refuted, planned, or without a code."""


@dataclass(frozen=True, slots=True)
class OfAnotherPatient:
    """Another patient's entry: nothing of it was read."""


Found = CodedEntry | DoesNotCount | OfAnotherPatient | InvalidResource
"""An InvalidResource here may also be one whose drug is a reference that leads to no given one."""


@dataclass(frozen=True, slots=True)
class EntryReader:
    """Reads the coded entries of one document for one patient."""

    scope: Scope
    whose: Whose

    def read(self, entry: Entry) -> Found:
        """The entry, if it counts."""
        if self.whose.owner(entry, self.scope) is Subject.ANOTHER_PATIENT:
            return OfAnotherPatient()
        try:
            self.scope.checks.check(entry.resource)
            match entry.kind:
                case "Condition":
                    return _condition(entry)
                case "Procedure":
                    return _procedure(entry)
                case _:
                    return self._medication(entry)
        except Refusal as refusal:
            return InvalidResource(entry.ref, refusal.where)

    def _medication(self, entry: Entry) -> Found:
        since, until = span_of(entry)
        counts = _status_counts(entry)
        if not (_is_meant(entry) and counts):
            return DoesNotCount()
        match drug_in(entry, self.scope):
            case Unresolved():
                return InvalidResource(entry.ref, f"{entry.kind}.medicationReference")
            case codes:
                return _coded(entry, _kind_of_medication(entry), codes, since, until)


def _kind_of_medication(entry: Entry) -> RecordKind:
    """By type and status. Whether a stated end lies before a result is for the core to say."""
    if entry.kind == "MedicationAdministration":
        return RecordKind.DOSE
    is_over = entry.resource.get("status") == "completed"
    return RecordKind.COURSE if is_over else RecordKind.MEDICATION


def _condition(entry: Entry) -> Found:
    condition = entry.resource
    verification = _closed(condition, "verificationStatus", _VERIFICATION)
    clinical = _closed(condition, "clinicalStatus", _CLINICAL)
    has_abated = any(name.startswith("abatement") for name in condition)
    over = bool(clinical & _OVER) or (has_abated and _REMISSION not in clinical)
    if verification & _REFUTED or over:
        return DoesNotCount()
    codes = codings(condition.get("code"))
    return _coded(entry, RecordKind.CONDITION, codes, start_of(entry, "onset"))


def _closed(condition: JsonObject, name: str, known: frozenset[str]) -> frozenset[str]:
    """The codes of a status: those of HL7's system, else of any other, such as its name in an
    earlier release. Raises Refusal for one outside the value set, and for a status in words alone.
    """
    status = an_object(condition.get(name))
    given = codings(status)
    hl7 = {c.code for c in given if c.system.startswith(_CONDITION_SYSTEMS)}
    codes = hl7 or {c.code for c in given}
    if not codes <= known or not (codes or status.keys().isdisjoint({"coding", "text"})):
        raise Refusal(f"Condition.{name}")
    return frozenset(codes)


def _procedure(entry: Entry) -> Found:
    if not _status_counts(entry):
        return DoesNotCount()
    codes = codings(entry.resource.get("code"))
    since, until = done(entry)
    return _coded(entry, RecordKind.PROCEDURE, codes, since, until)


def _coded(
    entry: Entry,
    kind: RecordKind,
    codes: tuple[Coding, ...],
    since: Moment | NoMoment,
    until: Moment | NoMoment = _NO_END,
) -> CodedEntry | DoesNotCount:
    return CodedEntry(entry.ref, kind, codes, since, until) if codes else DoesNotCount()


def status_counts(entry: Entry) -> bool:
    """Whether an entry may count by its status."""
    return a_text(entry.resource.get("status")) in _STATUSES[entry.kind]


def _status_counts(entry: Entry) -> bool:
    """The same. Raises Refusal for a status outside the value set."""
    counts = status_counts(entry)
    if not counts and entry.resource.get("status") not in _DO_NOT_COUNT[entry.kind]:
        raise Refusal(f"{entry.kind}.status")
    return counts


def _is_meant(entry: Entry) -> bool:
    """A request counts if it is an order, and not an order to abstain. Raises Refusal where that
    cannot be told.
    """
    if entry.kind != "MedicationRequest":
        return True
    intent = entry.resource.get("intent")
    if intent not in _ORDERS | _NO_ORDERS:
        raise Refusal("MedicationRequest.intent")
    return intent in _ORDERS and not a_flag(
        entry.resource, "doNotPerform", "MedicationRequest", default=False
    )
