"""One result to interpret, the data for its facts, and its value on the scale of the studies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.quantity import Quantity
from cds_service.core.results.comparable import is_laboratory
from cds_service.core.schema import AcceptedCode, AssayFactor
from cds_service.core.verdict import PairedWith, Unpaired, Value


class Literature(StrEnum):
    """Whether limits of the literature may be held against this value."""

    APPLIES = "applies"
    BARRED = "barred"
    """Unit and LOINC property contradict each other: only the laboratory's own limit stands."""


WHY_BARRED = "unit and LOINC code contradict each other"


def literature_for(code: AcceptedCode, quantity: Quantity) -> Literature:
    """No limit of a study is compared with a value whose unit family is not that of its code."""
    agree = code.family == quantity.unit.family
    return Literature.APPLIES if agree else Literature.BARRED


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
    pair: PairedWith | Unpaired


@dataclass(frozen=True, slots=True)
class NoFactor:
    """The site file holds no factor for this unit family."""


@dataclass(frozen=True, slots=True)
class FactorOfAnother:
    """The site file holds a factor for this unit family, of another laboratory than this result."""

    laboratory: str


def own_factor(situation: Situation) -> AssayFactor | FactorOfAnother | NoFactor:
    """The reporting laboratory's own factor for this unit family."""
    family = situation.quantity.unit.family
    assays = [assay for assay in situation.knowledge.assays.values() if assay.family == family]
    for assay in assays:
        if is_laboratory(assay.laboratory, situation.result):
            return assay
    return FactorOfAnother(assays[0].laboratory) if assays else NoFactor()


def on_study_scale(situation: Situation) -> tuple[Quantity, str]:
    """The value as it is compared with limits of studies, and the words for it.

    It is the value itself, unless the site file holds the reporting laboratory's own written factor
    for this unit family. The value on the card and the laboratory's own range are never touched.
    """
    shown = situation.value.words
    match own_factor(situation):
        case AssayFactor(factor=factor):
            interval = situation.quantity.interval.scaled(factor)
            told = f"{shown} times the laboratory's own factor {factor}"
            return replace(situation.quantity, interval=interval), told
        case FactorOfAnother() | NoFactor():
            return situation.quantity, shown
