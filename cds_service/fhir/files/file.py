"""A file given on the command line: an Observation, a DiagnosticReport or any Bundle.

There is no request that names the patient, so the file must: by the one Patient it holds, else by
the subject of the newest result of the analyte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability
from cds_service.errors import InputError
from cds_service.fhir.bundle import Document, Entry, open_document
from cds_service.fhir.moment import moment
from cds_service.fhir.ranked import dates_as_written
from cds_service.fhir.record_entries import CONDITION_TYPES, MEDICATION_TYPES
from cds_service.fhir.report import observations
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, an_id, an_object, objects, type_of
from cds_service.fhir.subject import patient_id_of
from cds_service.fhir.supplied import NOT_SUPPLIED, Supplied, supplied
from cds_service.fhir.wanted import OF_COMPANIONS, Sort, Wanted, sort_of

_NEVER = datetime.min.replace(tzinfo=UTC)
_OF_ANALYTE = frozenset({Sort.ANALYTE, Sort.PANEL})


@dataclass(frozen=True, slots=True)
class FileInput:
    """What `read_record` needs, taken from one file. `patient_id` is empty when none is named."""

    patient_id: str
    results: JsonObject
    parts: Mapping[str, Supplied]


def read_file(document: JsonObject, wanted: Wanted) -> FileInput:
    """Find results, patient and the other parts of the record in one file.

    Raises InputError for any other resource, for a Bundle without a list of entries, and for
    results in a file of several patients of whom none can be told to be the one meant.
    """
    bundle = _as_bundle(document)
    opened = open_document(bundle)
    asked = [e for e in observations(opened.entries) if sort_of(e.resource, wanted) in _OF_ANALYTE]
    patients = [entry for entry in opened.entries if entry.kind == "Patient"]
    patient_id = _patient_id(patients, asked, Scope(opened.index))
    if asked and not patient_id and _name_several(_read_of(opened, wanted)):
        raise InputError(
            "This file is of several patients, and none can be told to be the one meant.",
            where="Observation.subject",
            remedy="Give one file for each patient.",
        )
    return FileInput(patient_id, bundle, _parts(bundle, opened, patients, patient_id, wanted))


def _as_bundle(document: JsonObject) -> JsonObject:
    match type_of(document):
        case "Bundle":
            if not isinstance(document.get("entry", []), list):
                raise InputError(
                    "This Bundle has no list of entries.",
                    where="Bundle.entry",
                    remedy="Give a FHIR R4 Bundle.",
                )
            return document
        case "Observation" | "DiagnosticReport":
            entry = {"resource": document}
            return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
        case _:
            raise InputError(
                "This is not a resource that results can be read from.",
                where="resourceType",
                remedy="Give an Observation, a DiagnosticReport, a Bundle or a CDS Hooks request.",
            )


def _patient_id(patients: Sequence[Entry], asked: Sequence[Entry], scope: Scope) -> str:
    """The id of the one Patient, else of whom the newest results name; empty if they name nobody by
    an id, or two.
    """
    ids = {an_id(patient.resource.get("id")) for patient in patients}
    if len(ids) == 1:
        return ids.pop()
    dated = [(_when(entry.resource), entry) for entry in asked]
    newest = max((when for when, _ in dated), default=_NEVER)
    named = {patient_id_of(_subject(one), one, scope) for when, one in dated if when == newest}
    return "".join(named - {""}) if len(named - {""}) == 1 else ""


def _read_of(opened: Document, wanted: Wanted) -> Iterator[Entry]:
    """What is read of a file as somebody's: results, companions, conditions and medications."""
    for entry in observations(opened.entries):
        if sort_of(entry.resource, wanted) is not Sort.OTHER:
            yield entry
    of_types = CONDITION_TYPES | MEDICATION_TYPES
    yield from (entry for entry in opened.entries if entry.kind in of_types)


def _name_several(entries: Iterable[Entry]) -> bool:
    """Whether two of these name somebody in the same way and not the same."""
    named: dict[str, object] = {}
    return any(who and named.setdefault(way, who) != who for way, who in map(_named, entries))


def _named(entry: Entry) -> tuple[str, object]:
    """In which way a resource names somebody, and whom: by a reference, as a Patient inside of its
    container, or by an identifier of some system. Nobody can be told by a name in words.
    """
    subject = _subject(entry)
    reference = a_text(subject.get("reference"))
    if reference.startswith("#"):
        inside = objects(entry.container.get("contained"))
        return "#", [one for one in inside if f"#{a_text(one.get('id'))}" == reference]
    if reference:
        return "reference", reference
    identifier = an_object(subject.get("identifier"))
    return f"identifier {a_text(identifier.get('system'))}", a_text(identifier.get("value"))


def _subject(entry: Entry) -> JsonObject:
    own = an_object(entry.resource.get("subject"))
    return own or an_object(entry.container.get("subject"))


def _when(observation: JsonObject) -> datetime:
    for written in dates_as_written(observation):
        try:
            return moment(written, "Observation").order
        except Refusal:
            continue
    return _NEVER


def _parts(
    bundle: JsonObject,
    opened: Document,
    patients: Sequence[Entry],
    patient_id: str,
    wanted: Wanted,
) -> Mapping[str, Supplied]:
    """Each part that the file holds something of; the others are missing. If the file reports a
    failure, every part but the patient has failed.
    """
    types = {entry.kind for entry in opened.entries}
    whole = supplied(bundle)
    sorts = {sort_of(entry.resource, wanted) for entry in observations(opened.entries)}
    of_patient = any(an_id(one.resource.get("id")) == patient_id for one in patients)

    def part(*, is_there: bool) -> Supplied:
        if whole.availability is Availability.FAILED:
            return Supplied(Availability.FAILED)
        return whole if is_there else NOT_SUPPLIED

    return {
        "patient": Supplied(Availability.GIVEN, bundle) if of_patient else NOT_SUPPLIED,
        wanted.part: part(is_there=bundle.get("type") == "searchset"),
        "labs": part(is_there=not sorts.isdisjoint(OF_COMPANIONS)),
        "conditions": part(is_there=not types.isdisjoint(CONDITION_TYPES)),
        "medications": part(is_there=not types.isdisjoint(MEDICATION_TYPES)),
    }
