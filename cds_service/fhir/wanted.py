"""The cheap look: what a resource is by its codes alone, on raw JSON, before any validation.

Most Observations of a chart are of other tests and cost no more than this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from enum import Enum, auto

from cds_service.core.concepts import ConceptIndex
from cds_service.core.elements import Coding
from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.fhir.shape import an_object, code_pairs, holds_beside, objects

Codes = frozenset[tuple[str, str]]
"""Pairs of system and code."""

_NOTHING = ConceptIndex(())
_CONCEPT = frozenset({"extension", "coding"})
"""Members of a CodeableConcept that are no primitives."""
_CODING = frozenset({"id", "extension", "system", "version", "code", "display", "userSelected"})
"""Members of a Coding (https://hl7.org/fhir/R4/datatypes.html#Coding)."""
_CODED_BY = ("code", "medicationCodeableConcept")
"""Where a condition, a procedure or a medication holds its codes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The codes worth reading: of the analyte (accepted, refused and local) and of companions."""

    part: str
    """The part of the record that holds results of the analyte: the id of its knowledge."""
    analyte: Codes
    companions: Codes
    accepted: Codes = frozenset()
    """Codes that are read as the analyte itself: they are noticed in components and reports too."""
    conditions: ConceptIndex = _NOTHING
    medications: ConceptIndex = _NOTHING


def wanted_by(knowledge: KnowledgeBase) -> Wanted:
    """The codes of results that this knowledge reads."""
    loincs = knowledge.accepted
    local = (code for code, loinc in knowledge.local_codes.items() if loinc in loincs)
    accepted = frozenset({*((LOINC, code) for code in loincs), *local})
    return Wanted(
        knowledge.identity.id,
        knowledge.analyte_codes,
        knowledge.companion_codes,
        accepted,
        knowledge.conditions,
        knowledge.medications,
    )


class Sort(Enum):
    """What an Observation is by its codes."""

    ANALYTE = auto()
    COMPANION = auto()
    PANEL = auto()
    """Of another test, with a component that carries a code of the analyte."""
    COMPANION_PANEL = auto()
    """Of another test, with a component that carries a code of a companion, and no such PANEL."""
    UNREADABLE = auto()
    """Its code cannot be read, so it cannot be ruled out."""
    OTHER = auto()


MAY_BE_OURS = frozenset({Sort.ANALYTE, Sort.PANEL, Sort.UNREADABLE})
"""Observations that are a result of the analyte, contain one, or cannot be ruled out to be one."""
OF_COMPANIONS = frozenset({Sort.COMPANION, Sort.COMPANION_PANEL})
"""Observations that are read for companion results alone."""


def sort_of(observation: JsonObject, wanted: Wanted) -> Sort:
    """The sort of an Observation. A code in words alone counts as readable, and is never wanted."""
    code = observation.get("code")
    given = code.get("coding", []) if isinstance(code, dict) and code else {}
    if not isinstance(given, list):
        return Sort.UNREADABLE
    pairs = code_pairs(given)
    if not pairs.isdisjoint(wanted.analyte):
        return Sort.ANALYTE
    if not pairs.isdisjoint(wanted.companions):
        return Sort.COMPANION
    if not pairs and (any(map(_is_broken, given)) or _hides_codes(an_object(code))):
        return Sort.UNREADABLE
    return _sort_by_components(observation, wanted) if "component" in observation else Sort.OTHER


def _sort_by_components(observation: JsonObject, wanted: Wanted) -> Sort:
    inside = {pair for part in objects(observation["component"]) for pair in codes_of(part)}
    if not inside.isdisjoint(wanted.accepted):
        return Sort.PANEL
    return Sort.OTHER if inside.isdisjoint(wanted.companions) else Sort.COMPANION_PANEL


def may_stand_for(entry: JsonObject, concepts: ConceptIndex) -> bool:
    """Whether the codes of a condition, a procedure or a medication stand for any of the concepts,
    or cannot be told here: they are not readable, or in another resource.
    """
    if "medicationReference" in entry:
        return True
    code: object = next((entry[name] for name in _CODED_BY if name in entry), {})
    given = code.get("coding", []) if isinstance(code, dict) else {}
    if not isinstance(given, list) or any(map(_is_broken, given)):
        return True
    return any(concepts.of(Coding(system, code, "")) for system, code in code_pairs(given))


def codes_of(coded: JsonObject) -> Set[tuple[str, str]]:
    """The pairs in the `code` of a resource or of a component."""
    return code_pairs(objects(an_object(coded.get("code")).get("coding")))


def carries(coded: JsonObject, codes: Set[tuple[str, str]]) -> bool:
    """Whether the `code` of a resource or of a component names one of these."""
    return not codes_of(coded).isdisjoint(codes)


def components(observation: JsonObject, codes: Codes) -> Sequence[JsonObject]:
    """The components that carry one of these codes."""
    return [part for part in objects(observation.get("component")) if carries(part, codes)]


def companion_components(
    observation: JsonObject, wanted: Wanted
) -> Iterator[tuple[int, JsonObject]]:
    """The components that are companion results, each with its place. As of an Observation, a code
    of the analyte beside the other makes it none.
    """
    for place, part in enumerate(objects(observation.get("component"))):
        codes = codes_of(part)
        if not codes.isdisjoint(wanted.companions) and codes.isdisjoint(wanted.analyte):
            yield place, part


def _is_broken(coding: object) -> bool:
    return not isinstance(coding, dict) or any(
        not isinstance(coding.get(name, ""), str) for name in ("system", "code")
    )


def _hides_codes(concept: JsonObject) -> bool:
    """Whether codes may stand where they have none to be: under a name such as `codings`."""
    inside = {name.removeprefix("_") for each in objects(concept.get("coding")) for name in each}
    return holds_beside(concept, _CONCEPT) or not inside <= _CODING
