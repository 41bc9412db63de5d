"""The one door to an evaluation: hooks, events, commands and worked cases come through it."""

from __future__ import annotations

from datetime import date

from cds_service.core.interpret import interpret
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import PatientRecord
from cds_service.core.results.selection import Looking
from cds_service.core.verdict import Evaluation

__all__ = ["Looking", "evaluate"]


def evaluate(
    record: PatientRecord, knowledge: KnowledgeBase, at: date, *, looking: Looking
) -> Evaluation:
    """What the knowledge has to say about the record on day `at`.

    `looking` tells whether results have arrived (all of them speak) or a chart was opened (only
    results within the look-back window do). Pure: the same arguments give the same evaluation.
    """
    return interpret(record, knowledge, at, looking)
