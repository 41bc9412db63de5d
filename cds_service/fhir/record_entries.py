"""Conditions, procedures and medications that count, as `CodedEntry`.

What counts:

- Condition: every one that is not refuted, entered in error, inactive or resolved. One in remission
  counts; one with an abatement counts only if it is in remission.
- Procedure: in progress or completed.
- MedicationStatement: active or on hold; `completed` as a course that is over. `intended` was not
  taken yet; `stopped` and `unknown` do not say whether it was taken.
- MedicationRequest: the same, meant as an order (not a plan, proposal or option), and not an order
  to abstain (`doNotPerform`). `completed`: all that was ordered has happened.
- MedicationAdministration: in progress, on hold or completed: `completed` is a dose that was given,
  and `since` tells when.

A drug is told by the codes of its Medication and of what that is made of: an infusion is often
coded by its ingredients alone. Where the Medication did not come along, the drug is not known.

A statement or request whose own end (effectivePeriod, or every dosage's bounds) lies before the day
of the newest sample is over, whatever its status says. For which drugs a course that is over counts
is for the knowledge to say. Entries in words alone do not count: text is never evidence for a code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds_service.core.elements import Coding, Moment, NoMoment
from cds_service.core.json_object import JsonObject
from cds_service.core.model import CodedEntry, InvalidResource, RecordKind, Subject
from cds_service.fhir.bundle import Entry, Unresolved
from cds_service.fhir.moment import moment_in, period
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, an_object, codings, objects
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

_NO_END = NoMoment()
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
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
        since, until = _span(entry)
        if not status_counts(entry) or not _is_meant(entry):
            return DoesNotCount()
        match self._drug(entry):
            case Unresolved():
                return InvalidResource(entry.ref, f"{entry.kind}.medicationReference")
            case codes:
                return _coded(entry, _kind_of_medication(entry), codes, since, until)

    def _drug(self, entry: Entry) -> tuple[Coding, ...] | Unresolved:
        if "medicationCodeableConcept" in entry.resource:
            return codings(entry.resource["medicationCodeableConcept"])
        reference = an_object(entry.resource.get("medicationReference"))
        match self.scope.resolve(reference, "Medication", entry):
            case Unresolved() as nowhere:
                return nowhere
            case medication:
                self.scope.checks.check(medication)
                withdrawn = medication.get("status") == "entered-in-error"
                return () if withdrawn else tuple(_made_of(medication))


def _kind_of_medication(entry: Entry) -> RecordKind:
    """By type and status. Whether a stated end lies before a result is for the core to say."""
    if entry.kind == "MedicationAdministration":
        return RecordKind.DOSE
    is_over = entry.resource.get("status") == "completed"
    return RecordKind.COURSE if is_over else RecordKind.MEDICATION


def _made_of(medication: JsonObject) -> Iterator[Coding]:
    """The codes of a Medication, and of its ingredients that are not said to be inactive."""
    yield from codings(medication.get("code"))
    for part in objects(medication.get("ingredient")):
        if part.get("isActive") is not False:
            yield from codings(part.get("itemCodeableConcept"))


def _condition(entry: Entry) -> Found:
    condition = entry.resource
    verification = _closed(condition, "verificationStatus", _VERIFICATION)
    clinical = _closed(condition, "clinicalStatus", _CLINICAL)
    has_abated = any(name.startswith("abatement") for name in condition)
    over = bool(clinical & _OVER) or (has_abated and _REMISSION not in clinical)
    if verification & _REFUTED or over:
        return DoesNotCount()
    codes = codings(condition.get("code"))
    return _coded(entry, RecordKind.CONDITION, codes, _start(entry, "onset"))


def _closed(condition: JsonObject, name: str, known: frozenset[str]) -> frozenset[str]:
    """The HL7 codes of a status. Raises Refusal for one outside the value set."""
    codes = {
        c.code for c in codings(condition.get(name)) if c.system.startswith(_CONDITION_SYSTEMS)
    }
    if not codes <= known:
        raise Refusal(f"Condition.{name}")
    return frozenset(codes)


def _procedure(entry: Entry) -> Found:
    if not status_counts(entry):
        return DoesNotCount()
    codes = codings(entry.resource.get("code"))
    return _coded(entry, RecordKind.PROCEDURE, codes, _start(entry, "performed"))


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


def _is_meant(entry: Entry) -> bool:
    """A request counts if it is an order, and not an order to abstain."""
    if entry.kind != "MedicationRequest":
        return True
    request = entry.resource
    return request.get("intent") in _ORDERS and request.get("doNotPerform") is not True


def _start(entry: Entry, stem: str) -> Moment | NoMoment:
    """The dateTime, or the start of the Period, of a choice element."""
    if f"{stem}DateTime" in entry.resource:
        return moment_in(entry.resource, f"{stem}DateTime", entry.kind)
    span = an_object(entry.resource.get(f"{stem}Period"))
    return moment_in(span, "start", f"{entry.kind}.{stem}Period")


def _span(entry: Entry) -> tuple[Moment | NoMoment, Moment | NoMoment]:
    """When a medication began, and its end where one is stated."""
    if entry.kind == "MedicationRequest":
        since = moment_in(entry.resource, "authoredOn", entry.kind)
        return since, _last_dose(entry, "dosageInstruction")
    span = an_object(entry.resource.get("effectivePeriod"))
    effective = _end(span, f"{entry.kind}.effectivePeriod")
    stated = effective if isinstance(effective, Moment) else _last_dose(entry, "dosage")
    return _start(entry, "effective"), stated


def _last_dose(entry: Entry, name: str) -> Moment | NoMoment:
    """The latest end of the dosages, if each of them has one."""
    ends = []
    for dosage in objects(entry.resource.get(name)):
        repeat = an_object(an_object(dosage.get("timing")).get("repeat"))
        bounds = an_object(repeat.get("boundsPeriod"))
        match _end(bounds, f"{entry.kind}.{name}.timing.repeat.boundsPeriod"):
            case Moment() as end:
                ends.append(end)
            case NoMoment():
                return NoMoment()
    return max(ends, key=lambda end: end.last_day, default=NoMoment())


def _end(span: JsonObject, where: str) -> Moment | NoMoment:
    period(span, where)  # refuses a period that ends before it starts
    return moment_in(span, "end", where)
