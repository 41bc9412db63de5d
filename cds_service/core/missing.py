"""What was missing, in the public words (docs/integrating.md) and always in the same order."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.model import Availability, NoMoment, NoPatient, PatientRecord

FIRST = ("patient", "birth-date", "specimen", "unit", "laboratory-limit")
LAST = ("labs", "conditions", "medications")
"""After the analyte's own part, whose word is the id of its knowledge."""
GONE = frozenset({Availability.MISSING, Availability.FAILED})


def unavailable(record: PatientRecord, part: str) -> tuple[str, ...]:
    """The part's word, when the part itself could not be had."""
    return (part,) if record.availability.get(part, Availability.MISSING) in GONE else ()


def missing_words(record: PatientRecord, needed: Iterable[str], analyte: str) -> tuple[str, ...]:
    """What rows needed and did not get, and every part of the record that could not be had.

    `analyte` is the id of the knowledge, under which its other results stand.
    """
    words = set(needed) | {part for part, found in record.availability.items() if found in GONE}
    match record.patient:
        case NoPatient():
            words = words - {"birth-date"} | {"patient"}
        case found if isinstance(found.birth, NoMoment):
            words.add("birth-date")
        case _:
            pass
    last = (analyte, *LAST)
    return (
        *[word for word in FIRST if word in words],
        *sorted(words.difference(FIRST, last)),
        *[word for word in last if word in words],
    )
