"""What the site file adds to the knowledge of one analyte: the rows that name something of it.

Nothing is refused here: `site_faults` has checked the whole file before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cds_service.core.concepts import ConceptIndex
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.quantity import UnitTable
from cds_service.core.results.reading import NOT_COVERED
from cds_service.core.schema import AssayFactor, ConceptCode, OrderCode, Policy, RowUnit, Site


def with_additions(knowledge: KnowledgeBase, site: Site) -> KnowledgeBase:
    """The knowledge with what the site says about this analyte, and about all."""
    conditions, medications = _concepts(knowledge, site)
    return replace(
        knowledge,
        local_codes={**knowledge.local_codes, **_codes(knowledge, site)},
        specimen_codes={**knowledge.specimen_codes, **_specimens(knowledge, site)},
        units=UnitTable((*knowledge.units, *_units(knowledge, site))),
        conditions=conditions,
        medications=medications,
        policy=_policy(knowledge, site),
        assays=_assays(knowledge, site),
        orders=_orders(knowledge, site),
    )


def loincs_of(knowledge: KnowledgeBase) -> tuple[str, ...]:
    """LOINC codes that a local code may stand for."""
    return (*knowledge.accepted, *knowledge.refused)


def kinds_of(knowledge: KnowledgeBase) -> tuple[str, ...]:
    """Kinds of specimen that a local code may have."""
    return (*knowledge.specimens, NOT_COVERED)


def takes_assay(knowledge: KnowledgeBase, row: AssayFactor) -> bool:
    """Whether the factor can be meant for results of this analyte."""
    meant = row.analyte in ("", knowledge.identity.id)
    return meant and row.family in knowledge.interpreted_families


def concepts_behind(knowledge: KnowledgeBase, means: str) -> list[tuple[str, str]]:
    """The (kind, concept) pairs that `means` names: a concept of that name, else the concepts that
    the context of that name asks for.

    A concept may be both a condition and a medication; the code then counts for both.
    """
    indexes = (("condition", knowledge.conditions), ("medication", knowledge.medications))
    if concepts := [(kind, means) for kind, index in indexes if means in index.concepts]:
        return concepts
    gates = (
        fact.split(".", 1)
        for row in knowledge.contexts
        if row.id == f"context-{means}"
        for fact in row.when
        if fact.startswith(("condition.", "medication."))
    )
    return [(kind, concept) for kind, concept in gates]


def _codes(knowledge: KnowledgeBase, site: Site) -> Mapping[tuple[str, str], str]:
    ours = loincs_of(knowledge)
    return {(row.system, row.code): row.loinc for row in site.code if row.loinc in ours}


def _specimens(knowledge: KnowledgeBase, site: Site) -> Mapping[tuple[str, str], str]:
    ours = kinds_of(knowledge)
    return {(row.system, row.code): row.kind for row in site.specimen if row.kind in ours}


def _units(knowledge: KnowledgeBase, site: Site) -> Iterator[RowUnit]:
    for row in site.unit:
        if row.family in knowledge.families and row.text not in knowledge.units:
            yield RowUnit(
                text=row.text,
                family=row.family,
                factor=str(row.factor),
                ucum=False,
                assumed=row.note,
            )


def _concepts(knowledge: KnowledgeBase, site: Site) -> tuple[ConceptIndex, ConceptIndex]:
    """Conditions and medications with the site's codes added to the concepts they mean."""
    conditions = dict(knowledge.conditions.concepts)
    medications = dict(knowledge.medications.concepts)
    for row in site.condition:
        code = ConceptCode(
            system=row.system,
            code=row.code,
            display=row.note,
            match=row.match,
            sources=["site file"],
        )
        for kind, concept in concepts_behind(knowledge, row.means):
            table = conditions if kind == "condition" else medications
            base = table[concept]
            table[concept] = base.model_copy(update={"code": (*base.code, code)})
    return ConceptIndex(conditions.values()), ConceptIndex(medications.values())


def _policy(knowledge: KnowledgeBase, site: Site) -> Policy:
    given = site.policy.model_dump(exclude_none=True)
    if "muted_findings" in given:
        ours = {row.id for row in knowledge.rows}
        given["muted_findings"] = tuple(id_ for id_ in given["muted_findings"] if id_ in ours)
    return knowledge.policy.model_copy(update=given)


def _assays(knowledge: KnowledgeBase, site: Site) -> Mapping[str, AssayFactor]:
    row = site.assay
    return {row.laboratory: row} if row is not None and takes_assay(knowledge, row) else {}


def _orders(knowledge: KnowledgeBase, site: Site) -> Mapping[str, OrderCode]:
    return {name: code for name, code in site.orders.items() if name in knowledge.suggestions}
