"""Any result of sIL-2R, of any patient: what the properties are held against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from cds_service.core.cases import with_case_codes
from cds_service.core.elements import (
    Coding,
    Comparator,
    Measured,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    UnitGiven,
)
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import CodedEntry, LabResult, PatientRecord, RecordKind
from cds_service.core.quantity import UCUM
from cds_service.core.verdict import Answer
from tests import packaged
from tests.records import answer_to, born, named, number, record, specimen, within

SIL2R: KnowledgeBase = with_case_codes(packaged.SIL2R)
"""The packaged knowledge at a site that has a code for everything."""

KINDS = {
    ("blood", "U"): "9654-5",
    ("blood", "mass"): "76039-7",
    ("csf", "mass"): "99768-4",
    ("csf", "U"): "38352-1",
}
"""A LOINC code for each specimen and unit family."""

INDETERMINATE = "threshold-indeterminate"
LABORATORY = {f"{place}-laboratory-limit" for place in ("above", "within", "below", "no")}


@dataclass(frozen=True)
class Scene:
    """A patient, and what a laboratory says beside the number: specimen, unit family, range."""

    specimen: str
    family: str
    ranges: tuple[ReferenceRange, ...]
    background: PatientRecord

    @property
    def units(self) -> list[str]:
        """The unit strings of the family."""
        return [row.text for row in SIL2R.unit_rows if row.family == self.family]

    @property
    def canonical(self) -> str:
        """The unit that limits and generated amounts are in."""
        return SIL2R.families[self.family].canonical

    def result(
        self, amount: Decimal, unit: str = "", comparator: Comparator = Comparator.EXACT
    ) -> LabResult:
        """A result of this scene: `amount` in `unit`, by default the canonical one."""
        text = unit or self.canonical
        given = UnitGiven(text, text, UCUM) if SIL2R.units[text].ucum else UnitGiven(text)
        return replace(
            named("main", "0", KINDS[self.specimen, self.family], ranges=self.ranges),
            value=Measured(comparator, number(f"{amount:f}"), given),
            specimen=SPECIMENS[self.specimen],
        )

    def answer(
        self, amount: Decimal, unit: str = "", comparator: Comparator = Comparator.EXACT
    ) -> Answer:
        """What there is to say about such a result."""
        return self.answer_to(self.result(amount, unit, comparator))

    def answer_to(self, result: LabResult) -> Answer:
        """What there is to say about another result of this patient."""
        return answer_to(replace(self.background, results=(result,)), SIL2R)


def _near(limit: Decimal) -> list[Decimal]:
    return [limit + step for step in map(Decimal, ("-0.001", "0", "0.001"))]


LIMITS = sorted({value for row in SIL2R.limits.values() for value in _near(row.value)})

amounts = st.one_of(
    st.sampled_from(LIMITS), st.decimals(0, 99_999, places=3, allow_nan=False, allow_infinity=False)
)
"""Amounts in the canonical unit: often exactly at a limit, just below it or just above it."""


@st.composite
def inexact(draw: st.DrawFn) -> tuple[Comparator, Decimal]:
    """A comparator and a number that together stand for at least one value."""
    comparator = draw(st.sampled_from([c for c in Comparator if c is not Comparator.EXACT]))
    return comparator, draw(amounts.filter(lambda amount: amount > 0))


@st.composite
def backgrounds(draw: st.DrawFn) -> PatientRecord:
    """Everything about the patient but the result itself."""
    birth = draw(st.sampled_from(["", "1980", "1980-05-05", "2015-05-05", "2008", "1950-01-01"]))
    conditions = draw(st.sets(st.sampled_from(sorted(SIL2R.conditions.concepts)), max_size=3))
    drugs = draw(st.sets(st.sampled_from(sorted(SIL2R.medications.concepts)), max_size=2))
    labs = draw(st.lists(companion_results(), max_size=4))
    return record(
        patient=born(birth),
        entries=(
            *(_entry(name, RecordKind.CONDITION) for name in sorted(conditions)),
            *(_entry(name, RecordKind.MEDICATION) for name in sorted(drugs)),
        ),
        companions=tuple(labs),
    )


def _entry(name: str, kind: RecordKind) -> CodedEntry:
    index = SIL2R.medications if kind is RecordKind.MEDICATION else SIL2R.conditions
    codes = tuple(Coding(code.system, code.code) for code in index.concepts[name].code[:1])
    return CodedEntry(ResourceRef(f"{kind.value.capitalize()}/{name}"), kind, codes)


@st.composite
def companion_results(draw: st.DrawFn) -> LabResult:
    name = draw(st.sampled_from(sorted(SIL2R.companions)))
    test = SIL2R.companions[name]
    code = draw(st.sampled_from(sorted(test.families)))
    units = [unit.text for unit in test.units if unit.family == test.families[code]]
    value = draw(st.integers(0, 3000))
    return named(name, f"{value} {draw(st.sampled_from(units))}", code)


def _specimen(kind: str) -> SpecimenGiven:
    system, code = next(key for key, found in SIL2R.specimen_codes.items() if found == kind)
    return specimen(code, system=system)


SPECIMENS = {kind: _specimen(kind) for kind in SIL2R.specimens}


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any scene; the range of the laboratory is in the canonical unit."""
    kind, family = draw(st.sampled_from(sorted(KINDS)))
    unit = SIL2R.families[family].canonical
    ends = draw(st.none() | st.tuples(st.integers(0, 500), st.integers(500, 9000)))
    given = () if ends is None else (within(str(ends[0]), str(ends[1]), unit),)
    return Scene(kind, family, given, draw(backgrounds()))
