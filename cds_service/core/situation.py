"""One result to interpret, with everything the facts about it are read from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.quantity import Quantity
from cds_service.core.schema import AcceptedCode
from cds_service.core.verdict import Value

NOT_APPLICABLE = "not-applicable"


class Literature(StrEnum):
    """Whether limits of the literature may be held against this value."""

    APPLIES = "applies"
    BARRED = "barred"
    """Unit and LOINC property contradict each other: only the laboratory's own limit stands."""


def literature_for(code: AcceptedCode, quantity: Quantity) -> Literature:
    """A value in another family than its LOINC property has is held against no study's limit."""
    agree = code.family == quantity.unit.family
    return Literature.APPLIES if agree else Literature.BARRED


@dataclass(frozen=True, slots=True)
class Pair:
    """A result of another specimen kind within the pair window."""

    result: LabResult
    specimen: str
    value: Value
    quantity: Quantity
    literature: Literature


@dataclass(frozen=True, slots=True)
class NoPair:
    """There is no such result."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One result to interpret, and everything the facts are read from."""

    knowledge: KnowledgeBase
    record: PatientRecord
    result: LabResult
    specimen: str
    value: Value
    quantity: Quantity
    literature: Literature
    at: date
    pair: Pair | NoPair


def on_study_scale(situation: Situation) -> tuple[Quantity, str]:
    """The value as it is held against limits of studies, and how that is said.

    It is the value itself, unless the site file holds the reporting laboratory's own written factor
    for this unit family. The value on the card and the laboratory's own range are never touched.
    """
    shown = f"{situation.value.text} {situation.value.unit}"
    assay = situation.knowledge.assays.get(situation.result.laboratory)
    if assay is None or assay.family != situation.quantity.unit.family:
        return situation.quantity, shown
    scaled = replace(situation.quantity, interval=situation.quantity.interval.scaled(assay.factor))
    return scaled, f"{shown}, times the laboratory's own factor {assay.factor},"
