"""Whose a resource is: every one is compared with the patient of the request (T-21, T-22).

Only what proves identity counts: the patient's id on the patient's server. An identifier or a name
is not followed, and a contained Patient cannot be recognised.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Subject
from cds_service.fhir.bundle import Entry, Unresolved
from cds_service.fhir.reference import (
    Fragment,
    Literal,
    NoLiteral,
    NotAnAddress,
    Urn,
    may_be_on,
    target_of,
)
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import an_id, an_object, objects

_PERSONS = frozenset({"Patient", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Whose:
    """The patient of the request. An empty `patient_id` means: whoever the file is about."""

    patient_id: str
    fhir_base: str = ""

    def owner(self, entry: Entry, scope: Scope) -> Subject:
        """Whom a resource belongs to, by its subject.

        A contained resource without a subject has that of its container; in another patient's
        container it is that patient's, whatever it says. An Observation whose `focus` is another
        person, say a donor or an unborn child, is that person's.
        """
        own = self.named(an_object(entry.resource.get("subject")), entry, scope)
        if any(self._another_person(f, entry, scope) for f in objects(entry.resource.get("focus"))):
            return Subject.ANOTHER_PATIENT
        if not entry.is_contained:
            return own
        outer = self.named(an_object(entry.container.get("subject")), entry, scope)
        if own is Subject.NOT_NAMED or outer is Subject.ANOTHER_PATIENT:
            return outer
        return own

    def named(self, reference: JsonObject, entry: Entry, scope: Scope) -> Subject:
        """Whom a Reference standing in `entry` names."""
        target = target_of(reference)
        match target:
            case NoLiteral(type_):
                elsewhere = type_ not in ("", "Patient") and self.patient_id
                return Subject.ANOTHER_PATIENT if elsewhere else Subject.NOT_NAMED
            case _ if not self.patient_id:
                return Subject.THIS_PATIENT
            case Literal(base, type_, id_, _):
                on_server = may_be_on(self.fhir_base, base)
                same = type_ == "Patient" and id_ == self.patient_id and on_server
            case Urn():
                same = patient_id_of(reference, entry, scope) == self.patient_id
            case Fragment() | NotAnAddress():
                same = False
        return Subject.THIS_PATIENT if same else Subject.ANOTHER_PATIENT

    def _another_person(self, focus: JsonObject, entry: Entry, scope: Scope) -> bool:
        match target_of(focus):
            case Literal(type=kind) | NoLiteral(kind):
                is_person = kind in _PERSONS
            case _:
                found = (scope.resolve(focus, kind, entry) for kind in _PERSONS)
                is_person = not all(isinstance(one, Unresolved) for one in found)
        return is_person and self.named(focus, entry, scope) is Subject.ANOTHER_PATIENT


def names_a_patient(reference: JsonObject, entry: Entry, scope: Scope) -> bool:
    """Whether a Reference provably names a Patient. One to a place, a device or a group does not,
    nor does a `urn:` that leads to no Patient among the given resources.
    """
    match target_of(reference):
        case Literal(type=type_):
            return type_ == "Patient"
        case Urn():
            return not isinstance(scope.resolve(reference, "Patient", entry), Unresolved)
        case _:
            return False


def patient_id_of(reference: JsonObject, entry: Entry, scope: Scope) -> str:
    """The id of the Patient that a subject names, empty when none can be told."""
    match target_of(reference):
        case Literal(type="Patient", id=id_):
            return id_
        case Urn(text):
            match scope.resolve(reference, "Patient", entry):
                case Unresolved():
                    return an_id(text.removeprefix("urn:uuid:"))
                case patient:
                    return an_id(patient.get("id"))
        case _:
            return ""
