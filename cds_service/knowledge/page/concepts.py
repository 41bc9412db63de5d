"""Codes and units: those read as this analyte, those refused, and those that gates look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.core.concepts import ICD_10_CM
from cds_service.core.knowledge import LOINC, CompanionTest
from cds_service.core.results.reading import FROM_SPECIMEN, NOT_COVERED
from cds_service.core.schema import Concept, ConceptCode, RowUnit
from cds_service.knowledge.page.markdown import code, codes, described, section, table, text
from cds_service.knowledge.page.notices import RXNORM, SNOMED_CT
from cds_service.knowledge.page.subject import Subject

_SYSTEMS = {
    ICD_10_CM: "ICD-10-CM",
    SNOMED_CT: "SNOMED CT",
    RXNORM: "RxNorm",
    "http://www.whocc.no/atc": "ATC",
    LOINC: "LOINC",
    "http://terminology.hl7.org/CodeSystem/v2-0487": "HL7 table 0487",
}
_WHEN_OVER = "counts like a dose: for as long as the look-back window"
_WHEN_PASSED = "counts for as long as the look-back window"


def laboratory_codes(subject: Subject) -> str:
    """LOINC codes read and refused, local codes, and codes of specimens."""
    knowledge = subject.knowledge
    accepted = [
        (
            code(row.loinc),
            text(row.name),
            _specimen(row.specimen, subject),
            text(knowledge.families[row.family].title),
            "yes" if row.naming == "explicit" else "implied; the card says so",
            text(row.note),
        )
        for row in knowledge.accepted.values()
    ]
    refused = [
        (
            code(row.loinc),
            text(row.name or row.component),
            "a card: wrong analyte" if row.answer == "wrong-analyte" else "no card",
            text(row.because),
        )
        for row in knowledge.refused.values()
    ]
    local = [
        (code(local), text(system), code(loinc))
        for (system, local), loinc in sorted(knowledge.local_codes.items())
    ]
    specimens = list(_specimen_codes(subject))
    columns = ("LOINC", "name", "specimen", "unit family", "named as the analyte", "note")
    return section(
        2,
        "Laboratory codes",
        "### Read as the analyte",
        table(columns, accepted),
        "### Look alike and refused" if refused else "",
        table(("LOINC", "name", "answer", "because"), refused),
        "### Local codes of the site" if local else "",
        table(("code", "system", "read as LOINC"), local),
        "### Specimens" if specimens else "",
        table(("read as", "system", "codes"), specimens),
    )


def _specimen_codes(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """A line for each kind of specimen and system of codes."""
    found: dict[tuple[str, str], list[str]] = {}
    for (system, key), kind in subject.knowledge.specimen_codes.items():
        found.setdefault((kind, system), []).append(key)
    for (kind, system), keys in found.items():
        yield _specimen(kind, subject), text(_SYSTEMS.get(system, system)), codes(keys)


def _specimen(kind: str, subject: Subject) -> str:
    if kind == FROM_SPECIMEN:
        return "as the specimen says"
    if kind == NOT_COVERED:
        return "not covered"
    return text(subject.knowledge.specimens[kind].words)


def units(subject: Subject) -> str:
    """The unit strings understood, by family; whatever is not here is not understood."""
    knowledge = subject.knowledge
    blocks = []
    for family in knowledge.families.values():
        rows = [row for row in knowledge.unit_rows if row.family == family.id]
        use = "interpreted" if family.interpreted else "recognised, never interpreted"
        blocks.append(f"### {text(family.title)}: {use}")
        blocks.append(_unit_table(rows, family.canonical))
    return section(
        2,
        "Units",
        "Only these strings are understood, upper and lower case as written. Nothing is converted "
        "from one family to another.",
        *blocks,
    )


def _unit_table(rows: Iterable[RowUnit], canonical: str) -> str:
    cells = [
        (_with_beside(row), f"{row.factor}", "yes" if row.ucum else "no", text(row.assumed))
        for row in rows
    ]
    return table(("unit", f"factor to {canonical}", "valid UCUM", "assumed"), cells)


def _with_beside(row: RowUnit) -> str:
    beside = f" (beside it, and never alone: {codes(row.beside)})" if row.beside else ""
    return code(row.text) + beside


def companions(subject: Subject) -> str:
    """Other laboratory tests that the findings ask for."""
    rows = [
        (text(test.row.title), _companion_codes(test), _companion_units(test))
        for test in subject.knowledge.companions.values()
    ]
    if not rows:
        return ""
    return section(2, "Other laboratory tests", table(("test", "LOINC", "units"), rows))


def _companion_codes(test: CompanionTest) -> str:
    return "; ".join(
        f"{code(row.loinc)} {text(row.name or row.component)}" for row in test.row.code
    )


def _companion_units(test: CompanionTest) -> str:
    alone = codes(dict.fromkeys(row.text for row in test.row.unit))
    beside = codes(dict.fromkeys(text for row in test.row.unit for text in row.beside))
    return f"{alone}; beside its code, and never alone: {beside}" if beside else alone


def record_concepts(subject: Subject) -> str:
    """Conditions and medications that gates look at, with their codes."""
    knowledge = subject.knowledge
    blocks: list[str] = []
    for heading, index in (
        ("Conditions", knowledge.conditions),
        ("Medications", knowledge.medications),
    ):
        if index.concepts:
            blocks.append(f"### {heading}")
        blocks += [_concept(concept) for concept in index.concepts.values()]
    if not blocks:
        return ""
    return section(
        2,
        "Conditions and medications of the record",
        "Codes only; text is never evidence. A code with \u2026 takes everything below it.",
        *blocks,
    )


def _concept(concept: Concept) -> str:
    told = [
        ("Switched on by", ", ".join(concept.includes)),
        ("Left unknown by", ", ".join(concept.undetermined_by)),
        ("A course that is over", _WHEN_OVER if concept.counts_when_over else ""),
        ("A procedure that is over", _WHEN_PASSED if concept.procedure_passes else ""),
        ("Note", text(concept.note)),
        *_by_system(concept.code),
    ]
    if not concept.code and not concept.includes:
        told.append(("Codes", "none; a site file may name one"))
    return f"#### {text(concept.title)} ({code(concept.name)})\n\n{described(told)}"


def _by_system(rows: Iterable[ConceptCode]) -> Iterator[tuple[str, str]]:
    by_system: dict[str, list[str]] = {}
    for row in rows:
        below = "\u2026" if row.match == "prefix" else ""
        but = f", but not those ending in {row.except_ending}" if row.except_ending else ""
        said = f"{code(row.code + below)} {text(row.display)}{but}"
        by_system.setdefault(row.system, []).append(said)
    for system, said_of in by_system.items():
        yield _SYSTEMS.get(system, text(system)), "; ".join(said_of)
