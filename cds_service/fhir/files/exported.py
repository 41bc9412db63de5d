"""One document of an export: its resources, whose each is, since when it was known, and what it
points at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Document, Entry, open_document
from cds_service.fhir.moment import moment
from cds_service.fhir.reference import NoLiteral, target_of
from cds_service.fhir.results_named import Name, names_given
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, an_id, an_object, objects, type_of
from cds_service.fhir.subject import patient_id_of

UNDATED = date.min
"""The day of a resource that names no day: it counts as always known."""
_KNOWN_SINCE = ("issued", "recordedDate", "authoredOn", "dateAsserted")
"""Where a resource says since when its author knows of it; preferred to the day of the finding."""
_FOUND = ("effective", "performed", "onset")
_FIRST_YEAR = 1901
"""Earlier days, such as 1 January 1900, are placeholders of systems that had no date."""
_URN = "urn:uuid:"


def opened(document: JsonObject) -> Document:
    """The Bundle or resource, opened. A Patient that is yet to be created has no id; it gets the
    UUID of its fullUrl.
    """
    if type_of(document) != "Bundle":
        return open_document(document)
    return open_document({**document, "entry": _with_ids(document.get("entry", []))})


def _with_ids(items: object) -> object:
    if not isinstance(items, list):
        return items
    return [_with_id(item) if isinstance(item, dict) else item for item in items]


def _with_id(item: JsonObject) -> JsonObject:
    patient, url = an_object(item.get("resource")), a_text(item.get("fullUrl"))
    if type_of(patient) != "Patient" or "id" in patient or not url.startswith(_URN):
        return item
    return {**item, "resource": {**patient, "id": url.removeprefix(_URN)}}


def owned(document: Document) -> Iterator[tuple[Entry, str]]:
    """The entries, each with the id of its patient.

    A resource that names no patient belongs to the one Patient of the document, if there is exactly
    one; else the id is empty.
    """
    scope = Scope(document.index)
    patients = {an_id(e.resource.get("id")) for e in document.entries if e.kind == "Patient"}
    only = "".join(patients) if len(patients) == 1 else ""
    for entry in document.entries:
        if entry.kind == "Patient":
            yield entry, an_id(entry.resource.get("id"))
            continue
        subject = an_object(entry.resource.get("subject"))
        match target_of(subject):
            case NoLiteral("" | "Patient"):
                yield entry, only
            case _:
                yield entry, patient_id_of(subject, entry, scope)


def known_since(resource: JsonObject) -> date:
    """The day from which on a resource was known, `UNDATED` where it does not tell."""
    for written in _dates(resource):
        try:
            day = moment(written, "").first_day
        except Refusal:
            continue
        if day.year >= _FIRST_YEAR:
            return day
    return UNDATED


def _dates(resource: JsonObject) -> Iterator[object]:
    """The dates of a resource, the best first; then those of what it contains."""
    for name in _KNOWN_SINCE:
        yield resource.get(name)
    for stem in _FOUND:
        yield resource.get(f"{stem}DateTime")
        yield resource.get(f"{stem}Instant")
        yield an_object(resource.get(f"{stem}Period")).get("start")
    for inner in objects(resource.get("contained")):
        yield from _dates(inner)


def named_by(entry: Entry) -> frozenset[Name]:
    """The results that a report names."""
    if entry.kind != "DiagnosticReport":
        return frozenset()
    return frozenset(names_given(objects(entry.resource.get("result")), entry))


def references(resource: JsonObject) -> Iterator[str]:
    """What a resource points at in any of its elements: as written, and as `Type/id`."""
    waiting: list[object] = [resource]
    while waiting:
        match waiting.pop():
            case dict() as element:
                if written := a_text(element.get("reference")):
                    yield written
                    yield "/".join(written.split("/")[-2:])
                waiting += element.values()
            case list() as elements:
                waiting += elements
            case _:
                continue
