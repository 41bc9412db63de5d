"""Proof of `cases.toml`: what a worked case gives and expects is there, so that it can be run."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.core.cases import codes_of_pair
from cds_service.core.elements import Status
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.proof.file import KnowledgeFile
from cds_service.core.results.reading import NOT_COVERED
from cds_service.core.schema import CaseRow
from cds_service.errors import KnowledgeError


def case_faults(knowledge: KnowledgeBase, file: KnowledgeFile) -> Iterator[KnowledgeError]:
    """Without what it names a worked case cannot be run. Findings that it expects in vain are told
    when it is.
    """
    items = {item.id for panel in knowledge.panels.values() for item in panel.item}
    for case in knowledge.cases:
        given = case.given
        named = [given.specimen] if given.specimen else []
        yield from file.absent(case.id, named, (*knowledge.specimens, NOT_COVERED))
        yield from file.absent(case.id, [given.status], Status)
        yield from file.absent(case.id, given.conditions, knowledge.conditions.concepts)
        yield from file.absent(case.id, given.medications, knowledge.medications.concepts)
        yield from file.absent(case.id, given.companions, knowledge.companions)
        yield from file.absent(case.id, case.expect.items, items)
        yield from file.absent(case.id, case.expect.notes, knowledge.notes)
        if given.pair:
            yield from _pair(case, file, knowledge)


def _pair(case: CaseRow, file: KnowledgeFile, knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    _, unit = case.given.pair.split(" ", 1)
    units = (row.text for row in knowledge.unit_rows)
    broken = [
        *file.absent(case.id, [unit], units),
        *file.absent(case.id, [case.given.loinc], knowledge.accepted),
    ]
    yield from broken
    if not broken and not any(codes_of_pair(case.given, knowledge)):
        remedy = "Give the pair in a unit that it is reported in."
        yield file.fault(case.id, f"no code of another specimen is in {unit}.", remedy)
