"""Which laboratory codes a file holds, and which of them no knowledge here maps.

For the person who writes the site file: the codes stand with how often they occur. A name that
speaks of interleukin 2 or CD25 is pointed out as worth a look, also where it stands without a code:
such a result is never recognised. So is a code that speaks of them, or in which a LOINC code of the
analyte stands: under another system than LOINC's, with a blank behind it, or as a triplet of HL7
version 2, as converters write it. A code that always stands beside one that is known needs no row:
its results are read. Text is never evidence, so nothing is mapped by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import LOINC
from cds_service.fhir.shape import a_text, an_object, objects
from cds_service.knowledge.files import Library

_TELLING = re.compile(
    r"interleukin|インターロイキン|(?<![a-z])s?il[^0-9a-z]?2(?![0-9])|cd[^0-9a-z]?25", re.IGNORECASE
)
"""How laboratories write the two names, in Latin letters and in Japanese, between any others."""


_LOINC_CODE = re.compile(r"(?<![0-9-])[0-9]+-[0-9](?![0-9-])")

_Key = tuple[str, str, str]
"""System, code and name of a coding."""


@dataclass(frozen=True, slots=True)
class SeenCode:
    """One code as it occurs in laboratory results, or a name without a code."""

    system: str
    code: str
    display: str
    """The name of the test where the code itself shows none."""
    count: int
    mapped: bool
    beside_mapped: bool
    """Not mapped itself, but wherever it occurs a code that is stands beside it."""
    worth_a_look: bool


def seen_codes(documents: Iterable[object], library: Library) -> tuple[SeenCode, ...]:
    """All codes of Observations in the documents, unmapped ones worth a look first."""
    known = _Known.of(library)
    counts: Counter[_Key] = Counter()
    alone: Counter[_Key] = Counter()
    displays: dict[_Key, str] = {}
    for concept in _concepts(documents):
        named = list(_named(concept))
        for system, code, name in named:
            key = system, code, "" if code else name
            counts[key] += 1
            displays[key] = displays.get(key) or name
            alone[key] += not known.reads(named, telling=_is_telling(name))
    codes = []
    for key, count in counts.items():
        mapped = known.maps(key)
        beside = not (mapped or alone[key])
        look = _is_telling(displays[key]) or known.might_map(key[1])
        codes.append(
            SeenCode(
                *key[:2],
                display=displays[key],
                count=count,
                mapped=mapped,
                beside_mapped=beside,
                worth_a_look=look and not (mapped or beside),
            )
        )
    return tuple(
        sorted(
            codes, key=lambda c: (not c.worth_a_look, c.mapped, c.beside_mapped, -c.count, c.code)
        )
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """The codes that the knowledge and the site file map."""

    analytes: frozenset[tuple[str, str]]
    companions: frozenset[tuple[str, str]]
    loincs: frozenset[str]
    """LOINC codes of the analytes and of what looks like them."""

    @classmethod
    def of(cls, library: Library) -> _Known:
        bases = library.bases.values()
        analytes = frozenset(code for base in bases for code in base.analyte_codes)
        companions = frozenset(code for base in bases for code in base.companion_codes)
        return cls(analytes, companions, frozenset(c for system, c in analytes if system == LOINC))

    def maps(self, key: _Key) -> bool:
        return key[:2] in self.analytes or key[:2] in self.companions

    def might_map(self, code: str) -> bool:
        """Whether a code that is not mapped says which test it is of."""
        return _is_telling(code) or not self.loincs.isdisjoint(_LOINC_CODE.findall(code))

    def reads(self, named: Iterable[_Key], *, telling: bool) -> bool:
        """Whether a concept with these codes is read. A telling name beside the code of a companion
        test is a contradiction to look at.
        """
        return any(key[:2] in self.analytes or (not telling and self.maps(key)) for key in named)


def _is_telling(name: str) -> bool:
    return bool(_TELLING.search(unicodedata.normalize("NFKC", name)))


def _named(concept: JsonObject) -> Iterator[_Key]:
    """System, code and name of every coding of a code; of a code without any coding its text alone,
    where that is worth a look.
    """
    text = a_text(concept.get("text"))
    given = objects(concept.get("coding"))
    for coding in given:
        display = a_text(coding.get("display"))
        yield a_text(coding.get("system")), a_text(coding.get("code")), display or text
    if not given and _is_telling(text):
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
