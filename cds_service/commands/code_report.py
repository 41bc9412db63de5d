"""Which laboratory codes a file holds, and which of them no knowledge here maps.

For the person who writes the site file: the codes stand with how often they occur. A name that
speaks of interleukin 2 or CD25 is pointed out as worth a look, also where it stands without a code:
such a result is never recognised. Text is never evidence, so nothing is mapped by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.core.card import JsonObject
from cds_service.fhir.shape import a_text, an_object, objects
from cds_service.knowledge.files import Library

_WORTH_A_LOOK = re.compile(
    r"interleukin|インターロイキン|(?<![a-z])s?il[^0-9a-z]?2(?![0-9])|cd[^0-9a-z]?25", re.IGNORECASE
)
"""How laboratories write the two names, in Latin letters and in Japanese, between any others."""


@dataclass(frozen=True, slots=True)
class SeenCode:
    """One code as it occurs in laboratory results, or a name without a code."""

    system: str
    code: str
    display: str
    """The name of the test where the code itself shows none."""
    count: int
    mapped: bool
    worth_a_look: bool


def seen_codes(documents: Iterable[object], library: Library) -> tuple[SeenCode, ...]:
    """All codes of Observations in the documents, unmapped ones worth a look first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    displays: dict[tuple[str, str, str], str] = {}
    for system, code, name in _named(documents):
        key = system, code, "" if code else name
        counts[key] += 1
        displays[key] = displays.get(key) or name
    known = frozenset(
        code
        for base in library.bases.values()
        for code in base.analyte_codes | base.companion_codes
    )
    codes = [
        SeenCode(
            *key[:2],
            display=displays[key],
            count=count,
            mapped=key[:2] in known,
            worth_a_look=key[:2] not in known and _is_worth_a_look(displays[key]),
        )
        for key, count in counts.items()
    ]
    return tuple(sorted(codes, key=lambda c: (not c.worth_a_look, c.mapped, -c.count, c.code)))


def _is_worth_a_look(name: str) -> bool:
    return bool(_WORTH_A_LOOK.search(unicodedata.normalize("NFKC", name)))


def _named(documents: Iterable[object]) -> Iterator[tuple[str, str, str]]:
    """System, code and name of every coding of a code; of a code without any coding its text alone,
    where that is worth a look.
    """
    for concept in _concepts(documents):
        text = a_text(concept.get("text"))
        given = objects(concept.get("coding"))
        for coding in given:
            display = a_text(coding.get("display"))
            yield a_text(coding.get("system")), a_text(coding.get("code")), display or text
        if not given and _is_worth_a_look(text):
            yield "", "", text


def _concepts(documents: Iterable[object]) -> Iterator[JsonObject]:
    """The code of every Observation and of its components, wherever it stands in the documents."""
    for document in documents:
        waiting = [document]
        while waiting:
            found = waiting.pop()
            if isinstance(found, list):
                waiting += found
            elif isinstance(found, dict):
                if found.get("resourceType") == "Observation":
                    yield an_object(found.get("code"))
                    yield from (an_object(c.get("code")) for c in objects(found.get("component")))
                waiting += [value for value in found.values() if isinstance(value, (dict, list))]
