"""The results of a document, each once and in order, before any is read: which matter most, and how
old they are by their dates as written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from json import JSONEncoder

from cds_service.core.elements import FINAL, WITHDRAWN
from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.shape import a_text, an_object
from cds_service.fhir.wanted import carries


def best_first(entries: Sequence[Entry], reader: ObservationReader) -> Sequence[Entry]:
    """In this order: final ones, those not final, withdrawn ones, look-alikes, another patient's.

    Within each the newest come first, by their dates as written, after those without a date: these
    may be the newest.
    """

    def worth(entry: Entry) -> tuple[bool, bool, bool, bool, tuple[bool, str]]:
        status = a_text(entry.resource.get("status"))
        return (
            reader.is_own(entry),
            carries(entry.resource, reader.accepted),
            status not in WITHDRAWN,
            status in FINAL,
            as_dated(entry.resource),
        )

    return sorted(entries, key=worth, reverse=True)


def as_dated(result: JsonObject) -> tuple[bool, str]:
    """Sorts results and reports from the oldest to the newest by their dates as text, which order
    well enough to choose by; then come those without a date: they may be the newest.
    """
    when = next(filter(None, map(a_text, dates_as_written(result))), "")
    return not when, when


def dates_as_written(result: JsonObject) -> Iterator[object]:
    """The values of the elements by which an Observation or a DiagnosticReport may say how old it
    is, the best first.
    """
    yield result.get("effectiveDateTime")
    yield result.get("effectiveInstant")
    yield an_object(result.get("effectivePeriod")).get("start")
    yield result.get("issued")


def distinct(entries: Sequence[Entry]) -> list[Entry]:
    """Each resource once: the same JSON twice is one.

    Two that share an id where nothing tells which is newer (see `versions`) both stay, and so do
    two without an id. They come in the order of their JSON, whichever was sent first.
    """
    if len(entries) < 2:
        return list(entries)
    by_name: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_name[entry.ref.resource].append(entry)
    return [entry for same in by_name.values() for entry in _unequal(same)]


def _unequal(same: list[Entry]) -> list[Entry]:
    """Each JSON once, by its text: comparing thousands with each other would take minutes."""
    if len(same) < 2:
        return same
    by_text = {(as_text(entry.resource), entry.full_url): entry for entry in same}
    return list({text: by_text[text, url] for text, url in sorted(by_text)}.values())


def as_text(json: object) -> str:
    """JSON as one text, the same in whatever order its members came."""
    return _TEXT.encode(json)


_TEXT = JSONEncoder(sort_keys=True, check_circular=False, default=lambda number: f"\0{number}")
"""Writes JSON as one text. No text that is sent holds a NUL, so a number is never a text."""
