"""Which concept a code stands for: exact codes, and prefixes with their exceptions."""

from __future__ import annotations

from typing import SupportsIndex

import pytest

from cds_service.core.concepts import ConceptIndex
from cds_service.core.elements import Coding
from cds_service.core.schema import Concept, ConceptCode

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SYSTEM = "urn:oid:2.999.11"


def code(text: str, match: str = "exact", system: str = SYSTEM, **more: str) -> ConceptCode:
    return ConceptCode(
        system=system, code=text, display=text, match=match, sources=["invented"], **more
    )


INJURY = code("S06", "prefix", ICD, except_ending="S")
INDEX = ConceptIndex(
    [
        Concept(name="exact", title="exact", code=[code("G35")]),
        Concept(name="below", title="below", code=[code("G35", "prefix", ICD)]),
        Concept(name="injury", title="injury", code=[INJURY]),
        Concept(name="leaf", title="leaf", code=[code("G35.A", system=ICD), code("G61.0")]),
        Concept(name="local", title="local", code=[code("K1", "prefix")]),
        Concept(name="group", title="group", includes=["below", "exact"]),
        Concept(name="all", title="all", includes=["group"]),
    ]
)


@pytest.mark.parametrize(
    ("system", "text", "concepts"),
    [
        (SYSTEM, "G35", {"exact", "group", "all"}),
        (SYSTEM, "G35.A", set()),
        (SYSTEM, "G3", set()),
        (ICD, "G35", {"below", "group", "all"}),
        (ICD, "G35.A", {"below", "group", "all", "leaf"}),
        (ICD, "G35A", {"below", "group", "all", "leaf"}),
        (ICD, "G35.B", {"below", "group", "all"}),
        (ICD, "G3", set()),
        (ICD, "AG35", set()),
        (ICD, "S06.6X0A", {"injury"}),
        (ICD, "S06.6X0S", set()),
        (ICD, "S066X0A", {"injury"}),
        (ICD, "S066X0S", set()),
        (SYSTEM, "G61.0", {"leaf"}),
        (SYSTEM, "G610", set()),
        ("http://snomed.info/sct", "G35", set()),
        (SYSTEM, "", set()),
    ],
)
def test_a_code_switches_on_its_concepts_and_those_that_include_them(
    system: str, text: str, concepts: set[str]
) -> None:
    assert INDEX.of(Coding(system, text)) == concepts


def test_text_is_never_evidence_for_a_code() -> None:
    assert INDEX.of(Coding(SYSTEM, "", display="G35")) == frozenset()


class Cut(str):
    """A text that counts how often a part of it was taken."""

    __slots__ = ()
    times = 0

    def __getitem__(self, part: SupportsIndex | slice) -> str:
        type(self).times += 1
        return super().__getitem__(part)


def test_a_code_of_any_length_is_looked_up_as_often_as_a_prefix_can_be_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A code of 200,000 letters took seconds, and one of ten million would have taken hours."""
    monkeypatch.setattr(Cut, "times", 0)
    assert INDEX.of(Coding(SYSTEM, Cut("K1" + "x" * 1_000))) == {"local"}
    assert Cut.times == len("S06")
