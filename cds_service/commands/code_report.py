"""Which laboratory codes a file holds, and which of them no knowledge here maps.

For the person who writes the site file: the codes stand with how often they occur. A display that
speaks of interleukin 2 or CD25 is pointed out as worth a look; text is never evidence, so nothing
is mapped by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.core.card import JsonObject
from cds_service.fhir.shape import a_text, an_object, objects
from cds_service.knowledge.files import Library

_WORTH_A_LOOK = re.compile(r"interleukin|\bs?il-?2|cd-?25", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SeenCode:
    """One code as it occurs in laboratory results."""

    system: str
    code: str
    display: str
    count: int
    mapped: bool
    worth_a_look: bool


def seen_codes(documents: Iterable[object], library: Library) -> tuple[SeenCode, ...]:
    """All codes of Observations in the documents, unmapped ones worth a look first."""
    counts: Counter[tuple[str, str]] = Counter()
    displays: dict[tuple[str, str], str] = {}
    for coding in _codings(documents):
        key = (a_text(coding.get("system")), a_text(coding.get("code")))
        counts[key] += 1
        displays.setdefault(key, a_text(coding.get("display")))
    known = frozenset(
        code
        for base in library.bases.values()
        for code in base.analyte_codes | base.companion_codes
    )
    codes = [
        SeenCode(
            *key,
            display=displays[key],
            count=count,
            mapped=key in known,
            worth_a_look=key not in known and bool(_WORTH_A_LOOK.search(displays[key])),
        )
        for key, count in counts.items()
    ]
    return tuple(sorted(codes, key=lambda c: (not c.worth_a_look, c.mapped, -c.count, c.code)))


def _codings(documents: Iterable[object]) -> Iterator[JsonObject]:
    """Every coding of the code of every Observation, wherever it stands in the documents."""
    for document in documents:
        waiting = [document]
        while waiting:
            found = waiting.pop()
            if isinstance(found, list):
                waiting += found
            elif isinstance(found, dict):
                if found.get("resourceType") == "Observation":
                    yield from objects(an_object(found.get("code")).get("coding"))
                waiting += [value for value in found.values() if isinstance(value, (dict, list))]
