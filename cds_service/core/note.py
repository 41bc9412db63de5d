"""Notes: what a card says beside its findings, by kind, with the values that the words need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cds_service.core.elements import ResourceRef

MOST_NAMED = 3
"""Most other results of one sort that are named on a card: as many as a reader will take in."""


class NoteKind(StrEnum):
    """Things a reader must be told beside the findings; words in `templates/note-*.md`."""

    UNIT_ASSUMED = "unit-assumed"
    UNIT_FROM_TEXT = "unit-from-text"
    UNIT_TEXT_AND_CODE = "unit-text-and-code"
    SPECIMEN_CODE_UNKNOWN = "specimen-code-unknown"
    NO_LIMIT_IN_UNIT = "no-limit-in-unit"
    VALUE_FROM_TEXT = "value-from-text"
    NAME_NOT_SOLUBLE = "name-not-soluble"
    SUBJECT_NOT_NAMED = "subject-not-named"
    SPECIMEN_INVALID = "specimen-invalid"
    SPECIMEN_UNCERTAIN = "specimen-uncertain"
    SPECIMEN_OF_ANOTHER = "specimen-of-another"
    SPECIMEN_WITHDRAWN = "specimen-withdrawn"
    SPECIMEN_UNSATISFACTORY = "specimen-unsatisfactory"
    BEFORE_BIRTH = "before-birth"
    NEWER_NOT_FINAL = "newer-not-final"
    NEWER_VALUE = "newer-value"
    NEWER_URGENT = "newer-urgent"
    NEWER_EXISTS = "newer-exists"
    NEWER_FINAL_URGENT = "newer-final-urgent"
    ORDER_UNKNOWN = "order-unknown"
    ORDER_UNKNOWN_NOT_FINAL = "order-unknown-not-final"
    PERHAPS_NEWER_URGENT = "perhaps-newer-urgent"
    OTHER_VERSION = "other-version"
    OTHER_VERSION_URGENT = "other-version-urgent"
    OTHER_RANGE = "other-range"
    OTHER_DRAFT = "other-draft"
    FOR_THE_SAME_REASON = "for-the-same-reason"
    DATE_AHEAD = "date-ahead"
    OF_ONE_TIME = "of-one-time"
    RANGES_LEFT = "ranges-left"
    RANGES_NOT_COMPARABLE = "ranges-not-comparable"
    COMPANIONS_LEFT = "companions-left"
    COMPANIONS_NOT_FINAL = "companions-not-final"
    COMPANIONS_IN_WORDS = "companions-in-words"
    COMPANIONS_DOUBTFUL = "companions-doubtful"
    CORRECTED = "corrected"
    PRELIMINARY_BY_POLICY = "preliminary-by-policy"
    COLLECTION_UNKNOWN = "collection-unknown"
    COLLECTION_OPEN = "collection-open"
    MORE_MAY_EXIST = "more-may-exist"
    PATIENT_OF_ANOTHER = "patient-of-another"
    DATA_FAILED = "data-failed"
    DATA_OF_ANOTHER = "data-of-another"
    URGENT_IF_ILL = "urgent-if-ill"
    ITEMS_MET = "items-met"
    ITEMS_DISPUTED = "items-disputed"
    WARNING_MUTED = "warning-muted"
    CAVEAT_MUTED = "caveat-muted"
    REVIEW_OVERDUE = "review-overdue"
    ASSAY_FACTOR = "assay-factor"
    FACTOR_OF_ANOTHER = "factor-of-another"


@dataclass(frozen=True, slots=True)
class Note:
    """A note and the values its template needs, by placeholder name, not yet escaped.

    Several values of one placeholder are listed on the card.
    """

    kind: NoteKind
    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    panel: str = ""
    """Id of the panel that the note is about, else empty."""
    tests: frozenset[str] = frozenset()
    """Names of the companion tests whose results it shows: they need not be ordered again."""
    inputs: tuple[ResourceRef, ...] = ()
    """The resources it rests on, apart from the result itself."""
