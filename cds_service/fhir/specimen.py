"""The specimen of an Observation: contained, in the same Bundle, or in another part of the record.

Only the codes of Specimen.type count; no text, display or container tells what a specimen is. Where
there are none, the text is kept for the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from cds_service.core.elements import Moment, NoMoment, SpecimenGiven, SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Subject
from cds_service.fhir.bundle import Entry, Unresolved
from cds_service.fhir.moment import moment_or_period
from cds_service.fhir.report import MOST_SPECIMENS, Reports
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, an_object, codings, objects
from cds_service.fhir.subject import Whose, names_a_patient

Found = tuple[SpecimenGiven, Moment | NoMoment]
"""The specimen, and when it was taken."""

_NOT_NAMED: Found = SpecimenGiven(), NoMoment()
_UNRESOLVED: Found = SpecimenGiven(SpecimenLink.UNRESOLVED), NoMoment()
_OF_ANOTHER: Found = SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT), NoMoment()
_ENTERED_IN_ERROR: Found = SpecimenGiven(SpecimenLink.ENTERED_IN_ERROR), NoMoment()
_NOT_OF_THIS_SAMPLE = frozenset({SpecimenLink.OF_ANOTHER_PATIENT, SpecimenLink.ENTERED_IN_ERROR})
"""Nothing is said of these but that."""
_GRAVEST_FIRST = (
    SpecimenLink.OF_ANOTHER_PATIENT,
    SpecimenLink.ENTERED_IN_ERROR,
    SpecimenLink.UNRESOLVED,
    SpecimenLink.UNCERTAIN,
    SpecimenLink.INVALID,
    SpecimenLink.UNSATISFACTORY,
    SpecimenLink.RESOLVED,
)
"""Of several specimens, the first of these that holds for any of them is said of all."""


def read_specimen(entry: Entry, scope: Scope, whose: Whose, reports: Reports) -> Found:
    """The Specimen that Observation.specimen leads to among the given resources; without that
    element, what its panels or else its reports name, if they name one or all say the same. Taken
    at different times, they still say what the sample is (decision 130).

    One of another patient and one that was entered in error are reported as such, without anything
    of theirs; an invalid one with the codes that can still be seen, and one that may not be the one
    that is meant with its codes. These settle nothing.
    """
    if reference := an_object(entry.resource.get("specimen")):
        return _called(reference, *_follow(reference, entry, scope, whose))
    named = _named_for(entry, reports)
    if not named:
        return _NOT_NAMED
    for kind in ("Observation", "DiagnosticReport"):  # a panel is nearer than a report
        of_kind = ((ref, holder) for ref, holder in named if holder.kind == kind)
        if found := _each_once(_follow(ref, holder, scope, whose) for ref, holder in of_kind):
            given, taken = found[0]
            if any(other is not given for other, _ in found):
                return _NOT_NAMED
            return given, taken if len(found) == 1 else NoMoment()
    return _NOT_NAMED


def _each_once(found: Iterable[Found]) -> Sequence[Found]:
    """What Specimens say, each once: two that say the same share one object (see `_found`)."""
    return list({(id(given), taken): (given, taken) for given, taken in found}.values())


def _called(reference: JsonObject, given: SpecimenGiven, taken: Moment | NoMoment) -> Found:
    """With the display of the reference where the Specimen did not come or says nothing itself."""
    if given.codings or given.words or given.link in _NOT_OF_THIS_SAMPLE:
        return given, taken
    return replace(given, words=a_text(reference.get("display"))), taken


def specimens_named(entry: Entry, reports: Reports) -> Sequence[tuple[JsonObject, Entry]]:
    """The references that `read_specimen` follows, each with the entry that it stands in."""
    if reference := an_object(entry.resource.get("specimen")):
        return [(reference, entry)]
    return _named_for(entry, reports)


def _named_for(entry: Entry, reports: Reports) -> Sequence[tuple[JsonObject, Entry]]:
    """Those of its panels and reports; none where there are too many to look them up."""
    named = list(islice(reports.specimens_of(entry), MOST_SPECIMENS + 1))
    return named if len(named) <= MOST_SPECIMENS else []


def _follow(reference: JsonObject, entry: Entry, scope: Scope, whose: Whose) -> Found:
    """The Specimen that a reference standing in `entry` leads to."""
    match scope.resolve(reference, "Specimen", entry):
        case Unresolved(may_be=()):
            return _UNRESOLVED
        case Unresolved(namesakes, one_of_them=True):
            first, *others = (_found(one, entry, scope, whose) for one in namesakes)
            if all(one == first for one in others):  # copies, such as one with full addresses
                return first
            return _uncertain(namesakes, entry, scope, whose)
        case Unresolved(namesakes):
            return _uncertain(namesakes, entry, scope, whose)
        case specimen:
            return _found(specimen, entry, scope, whose)


def _found(specimen: JsonObject, entry: Entry, scope: Scope, whose: Whose) -> Found:
    """What a Specimen says that a reference standing in `entry` leads to."""
    subject = an_object(specimen.get("subject"))
    if whose.named(subject, entry, scope) is Subject.ANOTHER_PATIENT:
        return _OF_ANOTHER if names_a_patient(subject, entry, scope) else _UNRESOLVED
    if specimen.get("status") == "entered-in-error":
        return _ENTERED_IN_ERROR
    known = scope.specimens
    if id(specimen) not in known:
        given, taken = _read(specimen, scope)
        known[id(specimen)] = scope.alike.setdefault(given, given), taken
    return known[id(specimen)]


def _uncertain(namesakes: Iterable[JsonObject], entry: Entry, scope: Scope, whose: Whose) -> Found:
    """The codes of all that may be meant, without those of another patient or entered in error."""
    codes = tuple(
        code
        for one in namesakes
        if one.get("status") != "entered-in-error"
        and whose.named(an_object(one.get("subject")), entry, scope) is not Subject.ANOTHER_PATIENT
        for code in codings(an_object(one.get("type")))
    )
    if not codes:
        return _UNRESOLVED
    given = SpecimenGiven(SpecimenLink.UNCERTAIN, codes)
    return scope.specimens.setdefault(codes, (given, NoMoment()))


def follow_specimens(entry: Entry, scope: Scope, whose: Whose) -> Found:
    """All Specimens that an order or a report names, as one: the codes of all, the gravest of their
    links, and the time of collection if there is only one. Those that say the same count once.
    """
    named = objects(entry.resource.get("specimen"))
    if len(named) > MOST_SPECIMENS:
        return _UNRESOLVED
    found = _each_once(_follow(reference, entry, scope, whose) for reference in named)
    if len(found) < 2:
        return found[0] if found else _NOT_NAMED
    given = [specimen for specimen, _ in found]
    link = min((one.link for one in given), key=_GRAVEST_FIRST.index)
    return SpecimenGiven(link, tuple(code for one in given for code in one.codings)), NoMoment()


def _read(specimen: JsonObject, scope: Scope) -> Found:
    kind = an_object(specimen.get("type"))
    codes = codings(kind)
    words = "" if codes else _words_of(kind)
    try:
        scope.checks.check(specimen)
        collection = an_object(specimen.get("collection"))
        taken = moment_or_period(collection, "collected", "Specimen.collection")
    except Refusal as refusal:
        return SpecimenGiven(SpecimenLink.INVALID, codes, words, refusal.where), NoMoment()
    is_unfit = specimen.get("status") == "unsatisfactory"
    link = SpecimenLink.UNSATISFACTORY if is_unfit else SpecimenLink.RESOLVED
    return SpecimenGiven(link, codes, words), taken


def _words_of(kind: JsonObject) -> str:
    """The text of a type without a code, else the first display."""
    displays = (a_text(coding.get("display")) for coding in objects(kind.get("coding")))
    return a_text(kind.get("text")) or next(filter(None, displays), "")
