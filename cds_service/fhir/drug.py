"""Which drug an entry of the record is about: by its codes, or by those of its Medication."""

from __future__ import annotations

from cds_service.core.elements import Coding
from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry, Unresolved
from cds_service.fhir.reference import Fragment, target_of
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_flag, a_text, an_object, codings, objects, type_of

_STATUSES = frozenset({"", "active", "inactive", "entered-in-error"})
"""Of a Medication and of a Substance in R4; neither need have one."""
_INGREDIENTS = ("Medication", "Substance")

Drug = tuple[Coding, ...] | Unresolved
"""Its codes, or a Medication that is not at hand."""


def drug_in(entry: Entry, scope: Scope) -> Drug:
    """The drug of a request, statement or administration. Raises Refusal for a Medication that is
    not valid FHIR R4.
    """
    if "medicationCodeableConcept" in entry.resource:
        return codings(entry.resource["medicationCodeableConcept"])
    reference = an_object(entry.resource.get("medicationReference"))
    match scope.resolve(reference, "Medication", entry):
        case Unresolved() as nowhere:
            return nowhere
        case medication:
            return _made_of(medication, _within(medication, reference, entry), scope)


def _made_of(medication: JsonObject, entry: Entry, scope: Scope) -> Drug:
    """The codes of a Medication, and of its ingredients that are not said to be inactive. What an
    ingredient is made of itself is not looked at. One that is not at hand matters only where the
    Medication has no code of its own.
    """
    own = _named(medication, scope)
    found = list(own)
    if medication.get("status") == "entered-in-error":
        return ()
    for part in objects(medication.get("ingredient")):
        if not a_flag(part, "isActive", "Medication.ingredient", default=True):
            continue
        found += codings(part.get("itemCodeableConcept"))
        match _ingredient(an_object(part.get("itemReference")), entry, scope):
            case Unresolved() as nowhere if not own:
                return nowhere
            case Unresolved():
                pass
            case codes:
                found += codes
    return tuple(found)


def _ingredient(reference: JsonObject, entry: Entry, scope: Scope) -> Drug:
    if not reference:
        return ()
    for kind in _INGREDIENTS:
        match scope.resolve(reference, kind, entry):
            case Unresolved():
                continue
            case ingredient:
                return _named(ingredient, scope)
    return Unresolved()


def _named(medication: JsonObject, scope: Scope) -> tuple[Coding, ...]:
    """The codes of a Medication or Substance; none of one that was entered in error."""
    scope.checks.check(medication)
    status = a_text(medication.get("status"))
    if status not in _STATUSES:
        raise Refusal(f"{type_of(medication)}.status")
    return () if status == "entered-in-error" else codings(medication.get("code"))


def _within(medication: JsonObject, reference: JsonObject, entry: Entry) -> Entry:
    """The entry in which the references of a Medication stand: a contained one's are those of its
    container.
    """
    match target_of(reference):
        case Fragment():
            return entry
        case _:
            url = entry.full_url or entry.container_url
            return Entry(medication, url, medication, type_of(medication))
