"""What the walk, and tests like it, build their records of: results of sIL-2R in each specimen and
unit, and what may stand beside them.

All of it is invented: of Patient/p, collected on 1 March 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cds_service.core.elements import Coding, ReferenceRange, ResourceRef, SpecimenGiven
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import CodedEntry, LabResult, RecordKind
from cds_service.core.schema import Companion, Concept
from tests import records

SPECIMENS = "http://terminology.hl7.org/CodeSystem/v2-0487"
SERUM = records.specimen("SER", system=SPECIMENS)
CSF = records.specimen("CSF", system=SPECIMENS)
URINE = records.specimen("UR", system=SPECIMENS)
LOCAL_SPECIMEN = records.specimen("LIQ", system="urn:oid:2.999.9")
NO_SPECIMEN = SpecimenGiven()

SITE_CONDITIONS = "urn:oid:2.999.1"
SITE = "\n".join(
    f'[[condition]]\nsystem = "{SITE_CONDITIONS}"\ncode = "{name}"\nmeans = "{name}"\nnote = "x"'
    for name in ("atl-chronic", "atl-smouldering", "atl-meningeal")
)
"""What has no standard code is switched on by a code of the site."""

SCALES = (
    ("9654-5", "U/mL", SERUM),
    ("76039-7", "pg/mL", SERUM),
    ("99768-4", "pg/mL", CSF),
    ("38352-1", "U/mL", CSF),
)
"""Each specimen kind with each unit family, under a code that fits both."""
BIRTHS = {"child": "2014-01-01", "adult": "1980-01-01", "aged": "1950-01-01", "unknown": ""}
WIDE = {"U/mL": ("158", "623"), "pg/mL": ("60", "140")}


def points(knowledge: KnowledgeBase) -> list[str]:
    """Every number of the knowledge about the analyte itself, just below, at, and just above it."""
    own = {row.value for row in knowledge.limits.values() if row.of == knowledge.identity.id}
    near = {value + step for value in own for step in (Decimal("-0.1"), 0, Decimal("0.1"))}
    return [str(value) for value in sorted(near | {Decimal(0), Decimal(50), Decimal(999999999)})]


def sil2r(value: str, loinc: str, given: SpecimenGiven, **changes: Any) -> LabResult:
    """A result of the analyte: `<150 pg/mL`."""
    return records.result(value, loinc, specimen=given, **changes)


def own_range(unit: str) -> tuple[ReferenceRange, ...]:
    """A laboratory's range in this unit."""
    return (records.within(*WIDE[unit], unit),) if unit in WIDE else ()


def entries(knowledge: KnowledgeBase) -> dict[str, CodedEntry]:
    """An entry for every concept that a code can switch on, by kind and name."""
    found = {}
    for kind, index in (
        (RecordKind.CONDITION, knowledge.conditions),
        (RecordKind.MEDICATION, knowledge.medications),
    ):
        for concept in index.concepts.values():
            for coding in _code_of(concept, kind):
                name = f"{kind.value}.{concept.name}"
                ref = ResourceRef(f"{kind.value.capitalize()}/{concept.name}", "1")
                found[name] = CodedEntry(ref, kind, (coding,))
    return found


def _code_of(concept: Concept, kind: RecordKind) -> Iterator[Coding]:
    for code in concept.code[:1]:
        yield Coding(code.system, code.code)
    if not concept.code and kind is RecordKind.CONDITION and not concept.undetermined_by:
        yield Coding(SITE_CONDITIONS, concept.name)


def companion(
    knowledge: KnowledgeBase, name: str, value: str, on: str = records.DAY, **changes: Any
) -> LabResult:
    """A companion result under the code that fits its unit."""
    row: Companion = knowledge.companions[name].row
    unit = value.partition(" ")[2]
    families = {known.text: known.family for known in row.unit}
    codes = [code.loinc for code in row.code if code.family == families.get(unit)]
    loinc = (codes or [row.code[0].loinc])[0]
    specimen = CSF if row.specimen == "csf" else SERUM
    return records.named(name, value, loinc, on=on, specimen=specimen, **changes)


COMPANIONS = {
    "ferritin": ("900 ng/mL", "100 ng/mL", "", ">400 ng/mL", "2000 pmol/L", "5 mg/L"),
    "triglycerides": ("300 mg/dL", "100 mg/dL", "", "3.5 mmol/L", "1.0 mmol/L"),
    "fibrinogen": ("1.0 g/L", "3.0 g/L", "", "<2 g/L"),
    "haemoglobin": ("80 g/L", "130 g/L", "", "5.0 mmol/L"),
    "platelets": ("50 10*9/L", "200 10*9/L", "", "<100 10*9/L"),
    "neutrophils": ("0.5 10*9/L", "4.0 10*9/L", "", "500 /uL"),
}
"""Met, not met, absent, and then what cannot be told or comes in another unit."""
