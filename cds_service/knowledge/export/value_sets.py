"""Value sets of the codes that are read as the analyte, refused, or looked at beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cds_service.core.knowledge import LOINC, CompanionTest
from cds_service.core.results.reading import NOT_COVERED
from cds_service.core.schema import Concept, ConceptCode
from cds_service.knowledge.export.artifact import Artifacts, Resource


def value_sets(artifacts: Artifacts) -> list[Resource]:
    """All value sets of a knowledge base."""
    return [
        *_laboratory(artifacts),
        *(_companion(artifacts, test) for test in artifacts.knowledge.companions.values()),
        *_specimens(artifacts),
        *_concepts(artifacts, "condition", artifacts.knowledge.conditions.concepts),
        *_concepts(artifacts, "medication", artifacts.knowledge.medications.concepts),
    ]


def _value_set(
    artifacts: Artifacts,
    parts: tuple[str, ...],
    title: str,
    description: str,
    compose: Resource,
) -> Resource:
    rules = (*compose.get("include", ()), *compose.get("exclude", ()))
    systems = [rule["system"] for rule in rules if "system" in rule]
    frame = artifacts.frame(
        "ValueSet", parts, title=title, description=description, systems=systems
    )
    return {**frame, "compose": compose} if rules else frame


def _include(system: str, codes: Iterable[tuple[str, str]]) -> Resource:
    return {
        "system": system,
        "concept": [
            {"code": code, "display": display} if display else {"code": code}
            for code, display in codes
        ],
    }


def _of_each_system(codes: Iterable[tuple[str, str, str]]) -> list[Resource]:
    """A rule for each system, in order of appearance. `codes` are (system, code, display)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for system, code, display in codes:
        found.setdefault(system, []).append((code, display))
    return [_include(system, of_system) for system, of_system in found.items()]


def _laboratory(artifacts: Artifacts) -> Iterator[Resource]:
    knowledge = artifacts.knowledge
    name = knowledge.identity.short_name
    accepted = [(row.loinc, row.name) for row in knowledge.accepted.values()]
    refused = [(row.loinc, row.name) for row in knowledge.refused.values()]
    local = _of_each_system((*code, "") for code in knowledge.local_codes)
    yield _value_set(
        artifacts,
        ("accepted",),
        f"{name}: laboratory codes read",
        f"Laboratory codes whose results are read as {name}.",
        {"include": [_include(LOINC, accepted), *local]},
    )
    if refused:
        yield _value_set(
            artifacts,
            ("refused",),
            f"{name}: laboratory codes refused",
            f"Laboratory codes that look like {name} and are something else.",
            {"include": [_include(LOINC, refused)]},
        )


def _companion(artifacts: Artifacts, test: CompanionTest) -> Resource:
    codes = [(row.loinc, row.name) for row in test.row.code]
    return _value_set(
        artifacts,
        ("companion", test.row.name),
        f"{artifacts.knowledge.identity.short_name}: {test.row.title}",
        f"Laboratory codes read as {test.row.title} beside the analyte.",
        {"include": [_include(LOINC, codes)]},
    )


def _specimens(artifacts: Artifacts) -> Iterator[Resource]:
    knowledge = artifacts.knowledge
    kinds: dict[str, list[tuple[str, str, str]]] = {}
    for code, kind in knowledge.specimen_codes.items():
        kinds.setdefault(kind, []).append((*code, ""))
    for kind, codes in kinds.items():
        words = "specimens not covered" if kind == NOT_COVERED else knowledge.specimens[kind].words
        yield _value_set(
            artifacts,
            ("specimen", kind),
            f"{knowledge.identity.short_name}: {words}",
            f"Codes of Specimen.type read as: {words}.",
            {"include": _of_each_system(codes)},
        )


def _concepts(
    artifacts: Artifacts, kind: str, concepts: Mapping[str, Concept]
) -> Iterator[Resource]:
    for concept in concepts.values():
        yield _value_set(
            artifacts,
            (kind, concept.name),
            concept.title,
            _described(kind, concept),
            _compose(artifacts, kind, concept),
        )


def _described(kind: str, concept: Concept) -> str:
    said = [f"Codes of a {kind} read as: {concept.title}.", concept.note]
    if concept.undetermined_by:
        said.append(f"Left unknown by: {', '.join(concept.undetermined_by)}.")
    if not concept.code and not concept.includes:
        said.append("No standard code was found; a site file may name one.")
    return " ".join(part for part in said if part)


def _compose(artifacts: Artifacts, kind: str, concept: Concept) -> Resource:
    exact = [row for row in concept.code if row.match == "exact"]
    prefixes = [row for row in concept.code if row.match == "prefix"]
    includes = _of_each_system((row.system, row.code, row.display) for row in exact)
    includes += [_below(row) for row in prefixes]
    includes += [
        {"valueSet": [artifacts.canonical("ValueSet", kind, name)]} for name in concept.includes
    ]
    excludes = [_ending(row) for row in prefixes if row.except_ending]
    return {"include": includes} | ({"exclude": excludes} if excludes else {})


def _below(row: ConceptCode) -> Resource:
    """A category with everything below it."""
    return {
        "system": row.system,
        "filter": [{"property": "concept", "op": "is-a", "value": row.code}],
    }


def _ending(row: ConceptCode) -> Resource:
    pattern = f"{row.code.replace('.', '[.]')}.*{row.except_ending}"
    return {"system": row.system, "filter": [{"property": "code", "op": "regex", "value": pattern}]}
