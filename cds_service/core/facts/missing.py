"""What was missing, in the public words (docs/integrating.md) and always in the same order."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.elements import NoMoment
from cds_service.core.model import Availability, NoPatient, Patient, PatientRecord

FIRST = ("patient", "birth-date", "specimen", "unit", "laboratory-limit")
LAST = ("labs", "conditions", "medications")
"""These come last, behind the id of the knowledge, which is the word for the analyte's results."""
GONE = frozenset({Availability.MISSING, Availability.FAILED, Availability.OF_ANOTHER_PATIENT})
"""Nothing of this patient was had: that the record holds nothing cannot be said."""


def unavailable(record: PatientRecord, part: str) -> tuple[str, ...]:
    """The word for a part of the record if the part could not be had, else nothing."""
    return (part,) if record.availability.get(part, Availability.MISSING) in GONE else ()


def missing_words(record: PatientRecord, needed: Iterable[str], analyte: str) -> tuple[str, ...]:
    """The words for what rows `needed`, and for every part of the record that could not be had.

    `analyte` is the id of the knowledge, which is the word for further results of the analyte.
    """
    words = set(needed) | {part for part, found in record.availability.items() if found in GONE}
    match record.patient:
        case NoPatient():
            words = words - {"birth-date"} | {"patient"}
        case Patient(birth=NoMoment()):
            words.add("birth-date")
        case Patient():
            pass
    last = (analyte, *LAST)
    return (
        *[word for word in FIRST if word in words],
        *sorted(words.difference(FIRST, last)),
        *[word for word in last if word in words],
    )
