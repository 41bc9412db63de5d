"""What was missing, in the public words (docs/integrating.md) and always in the same order."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.model import Availability, NoMoment, NoPatient, PatientRecord

FIRST = ("patient", "birth-date", "specimen", "unit", "laboratory-limit")
LAST = ("sil2r", "labs", "conditions", "medications")
GONE = frozenset({Availability.MISSING, Availability.FAILED})


def unavailable(record: PatientRecord, part: str) -> tuple[str, ...]:
    """The part's word, when the part itself could not be had."""
    return (part,) if record.availability.get(part, Availability.MISSING) in GONE else ()


def missing_words(record: PatientRecord, needed: Iterable[str]) -> tuple[str, ...]:
    """What rows needed and did not get, and every part of the record that could not be had."""
    words = set(needed) | {
        part for part, found in record.availability.items() if found in GONE and part != "patient"
    }
    match record.patient:
        case NoPatient():
            words = words - {"birth-date"} | {"patient"}
        case found if isinstance(found.birth, NoMoment):
            words.add("birth-date")
        case _:
            pass
    between = sorted(words - set(FIRST) - set(LAST))
    return (
        *(word for word in FIRST if word in words),
        *between,
        *(word for word in LAST if word in words),
    )
