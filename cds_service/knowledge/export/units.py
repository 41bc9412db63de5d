"""The unit strings understood as a CodeSystem, and their meaning in UCUM as a ConceptMap.

Only strings of one family and the same factor are mapped to each other: a map can say "the same",
never "so many times". A site's own laboratory codes are a second ConceptMap.
"""

from __future__ import annotations

from cds_service.core.knowledge import LOINC
from cds_service.core.quantity import UCUM
from cds_service.core.schema import RowUnit
from cds_service.knowledge.export.artifact import Artifacts, Resource


def unit_system(artifacts: Artifacts) -> Resource:
    """Every unit string that is understood, exactly as written."""
    rows = artifacts.knowledge.unit_rows
    return {
        **artifacts.frame(
            "CodeSystem",
            ("unit-text",),
            title=f"{artifacts.knowledge.identity.short_name}: unit strings",
            description="The unit strings that are understood, exactly as written, upper and lower "
            "case included. Whatever is not here is not understood.",
        ),
        "caseSensitive": True,
        "content": "complete",
        "count": len(rows),
        "concept": [_concept(artifacts, row) for row in rows],
    }


def _concept(artifacts: Artifacts, row: RowUnit) -> Resource:
    family = artifacts.knowledge.families[row.family]
    use = "" if family.interpreted else " Never interpreted."
    assumed = f" {row.assumed}" if row.assumed else ""
    definition = f"{family.title}: {row.factor} {family.canonical}.{use}{assumed}"
    return {"code": row.text, "display": row.text, "definition": definition}


def concept_maps(artifacts: Artifacts) -> list[Resource]:
    """Unit strings to UCUM; local laboratory codes to LOINC where a site has them."""
    maps = [_units(artifacts)]
    if artifacts.knowledge.local_codes:
        maps.append(_local_codes(artifacts))
    return maps


def _units(artifacts: Artifacts) -> Resource:
    return {
        **artifacts.frame(
            "ConceptMap",
            ("units",),
            title=f"{artifacts.knowledge.identity.short_name}: unit strings to UCUM",
            description="The UCUM code that means the same as a unit string. Nothing is converted.",
            systems=(UCUM,),
        ),
        "group": [
            {
                "source": artifacts.url("CodeSystem", "unit-text"),
                "target": UCUM,
                "element": [_element(artifacts, row) for row in artifacts.knowledge.unit_rows],
            }
        ],
    }


def _element(artifacts: Artifacts, row: RowUnit) -> Resource:
    same = next(
        (
            other.text
            for other in (row, *artifacts.knowledge.unit_rows)
            if other.ucum and (other.family, other.factor) == (row.family, row.factor)
        ),
        "",
    )
    if not same:
        target = {"equivalence": "unmatched", "comment": "No UCUM string of this size is known."}
    elif row.assumed:
        target = {"code": same, "equivalence": "inexact", "comment": row.assumed}
    else:
        target = {"code": same, "equivalence": "equal" if same == row.text else "equivalent"}
    return {"code": row.text, "target": [target]}


def _local_codes(artifacts: Artifacts) -> Resource:
    groups: dict[str, list[Resource]] = {}
    for (system, code), loinc in artifacts.knowledge.local_codes.items():
        target = {"code": loinc, "equivalence": "equivalent"}
        groups.setdefault(system, []).append({"code": code, "target": [target]})
    return {
        **artifacts.frame(
            "ConceptMap",
            ("local-codes",),
            title=f"{artifacts.knowledge.identity.short_name}: local laboratory codes",
            description="The LOINC code that a site's own laboratory code stands for, as its site "
            "file says.",
            systems=(LOINC,),
        ),
        "group": [
            {"source": system, "target": LOINC, "element": elements}
            for system, elements in groups.items()
        ],
    }
