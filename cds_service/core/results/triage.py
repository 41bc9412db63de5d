"""Triage: a record's results sorted into ours, look-alikes, invalid ones and another patient's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.core.elements import WITHDRAWN
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, LabResult, PatientRecord, Subject
from cds_service.core.results.reading import (
    Analyte,
    CodesConflict,
    LookAlike,
    NotOurs,
    OurAnalyte,
    analyte_of,
)
from cds_service.core.results.selection import Candidate, Looking, settle, within_look_back
from cds_service.core.schema import RefusedCode
from cds_service.core.verdict import Skipped


@dataclass(frozen=True, slots=True)
class WrongOne:
    """A result of a look-alike analyte that the reader must be told about."""

    result: LabResult
    code: RefusedCode


Sorted = Candidate | WrongOne | InvalidResource | LabResult | Skipped
"""A bare LabResult here is one that belongs to another patient."""


@dataclass(frozen=True, slots=True)
class Triage:
    """The results of a record, sorted."""

    ours: tuple[Candidate, ...]
    wrong: tuple[WrongOne, ...]
    invalid: tuple[InvalidResource, ...]
    of_others: tuple[LabResult, ...]
    skipped: tuple[Skipped, ...]


def triage(record: PatientRecord, knowledge: KnowledgeBase, at: date, looking: Looking) -> Triage:
    """Sort the results to interpret. Each that is left aside says why."""
    found = [_sort(result, knowledge, at, looking) for result in record.results]
    return Triage(
        tuple([item for item in found if isinstance(item, Candidate)]),
        tuple([item for item in found if isinstance(item, WrongOne)]),
        tuple([item for item in found if isinstance(item, InvalidResource)]),
        tuple([item for item in found if isinstance(item, LabResult)]),
        tuple([item for item in found if isinstance(item, Skipped)]),
    )


def history_of(record: PatientRecord, knowledge: KnowledgeBase, at: date) -> Iterable[Candidate]:
    """Further results of this analyte and patient, for pairs and series."""
    for result in record.history:
        match analyte_of(result.codings, knowledge):
            case OurAnalyte() as analyte if result.subject is not Subject.ANOTHER_PATIENT:
                yield Candidate(result, settle(result, analyte, knowledge), knowledge, at)
            case _:
                continue


def most_telling_first(invalid: InvalidResource) -> tuple[bool, bool, str, str, str]:
    """Puts resources without a date in one order, whatever the order of arrival: first those whose
    code could be seen, and those that can be looked up by their id.
    """
    resource = invalid.ref.resource
    nameless = "/" not in resource
    return not invalid.codings, nameless, resource, invalid.ref.version, invalid.where


def _sort(
    result: LabResult | InvalidResource, knowledge: KnowledgeBase, at: date, looking: Looking
) -> Sorted:
    analyte = analyte_of(result.codings, knowledge)
    if isinstance(result, InvalidResource):
        of_another_test = bool(result.codings) and _is_never_told(analyte)
        because = "not valid FHIR, and by its code of another test"
        return Skipped(result.ref, because) if of_another_test else result
    if result.subject is Subject.ANOTHER_PATIENT and not _is_never_told(analyte):
        return result
    window = knowledge.policy.look_back_days
    if looking is Looking.CHART_OPENED and not within_look_back(result, at, window):
        return Skipped(result.ref, "it is older than the look-back window")
    match analyte:
        case OurAnalyte() | CodesConflict():
            return Candidate(result, settle(result, analyte, knowledge), knowledge, at)
        case LookAlike(code):
            return _look_alike(result, code)
        case NotOurs():
            return Skipped(result.ref, "no code of it is known here")


def _is_never_told(analyte: Analyte) -> bool:
    """Whether a result with these codes has no card, whatever it says."""
    match analyte:
        case LookAlike(code):
            return code.answer == "none"
        case OurAnalyte() | CodesConflict():
            return False
        case NotOurs():
            return True


def _look_alike(result: LabResult, code: RefusedCode) -> WrongOne | Skipped:
    if code.answer == "none":
        return Skipped(result.ref, f"LOINC {code.loinc}: {code.because}")
    if result.status in WITHDRAWN:
        return Skipped(result.ref, f"the result is {result.status.value}")
    return WrongOne(result, code)
