"""Which concept a code of the record stands for: exact codes, and ICD-10-CM style prefixes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cds_service.core.elements import Coding
from cds_service.core.schema import Concept

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"


def _without_point(system: str, code: str) -> str:
    """The code as it is compared. Many systems send ICD-10-CM as it is billed, without the point
    behind the category: `D761` is `D76.1`, and there is no other code that it could be.
    """
    return code.replace(".", "") if system == ICD_10_CM else code


class ConceptIndex:
    """Answers "which concepts does this coding switch on?" by dictionary, whatever its size.

    A prefix row takes the code itself and everything written below it (`G35` takes `G35.A`), since
    records hold leaves of different releases.
    """

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts: Mapping[str, Concept] = {concept.name: concept for concept in concepts}
        exact: dict[tuple[str, str], set[str]] = defaultdict(set)
        prefixes: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for concept in self.concepts.values():
            names = {concept.name} | self._included_in(concept.name)
            for code in concept.code:
                key = code.system, _without_point(code.system, code.code)
                if code.match == "exact":
                    exact[key] |= names
                else:
                    prefixes[key] |= {(n, code.except_ending) for n in names}
        self._exact = {key: frozenset(value) for key, value in exact.items()}
        self._prefixes = {key: frozenset(value) for key, value in prefixes.items()}
        self._longest_prefix = max((len(code) for _, code in prefixes), default=0)
        self.systems = frozenset(system for system, _ in (*exact, *prefixes))

    def _included_in(self, name: str) -> set[str]:
        """Concepts that `name` switches on as well, directly or through another."""
        found: set[str] = set()
        frontier = {name}
        while frontier:
            above = {c.name for c in self.concepts.values() if frontier & set(c.includes)}
            frontier = above - found
            found |= above
        return found

    def of(self, coding: Coding) -> frozenset[str]:
        """Names of the concepts that this coding stands for."""
        if coding.system not in self.systems:
            return frozenset()
        code = _without_point(coding.system, coding.code)
        found = set(self._exact.get((coding.system, code), ()))
        # A code that was sent may be megabytes long.
        for end in range(min(len(code), self._longest_prefix), 0, -1):
            for name, ending in self._prefixes.get((coding.system, code[:end]), ()):
                if not ending or not code.endswith(ending):
                    found.add(name)
        return frozenset(found)
