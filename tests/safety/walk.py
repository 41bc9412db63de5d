"""Every kind of record that the knowledge can tell apart, one after another.

The walk is made from the knowledge itself: a new limit, unit, concept or companion is walked over
without a change here. All of it is invented: results of Patient/p, collected on 1 March 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

from cds_service.core.elements import (
    Coding,
    Comparator,
    NotNumeric,
    OpenEnd,
    ReferenceRange,
    ResourceRef,
    Status,
)
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import Availability, NoPatient, PatientRecord
from cds_service.core.results.selection import Looking
from cds_service.core.schema import AssayFactor
from tests import records
from tests.safety.results import (
    BIRTHS,
    COMPANIONS,
    CSF,
    SCALES,
    SERUM,
    companion,
    entries,
    own_range,
    points,
    sil2r,
)
from tests.safety.walk_in_doubt import doubtful_samples, doubts, reasons

YEARS = {"2008-03-02": "17", "2008-03-01": "18", "1960-03-02": "65", "1960-03-01": "66"}
HIGH, LOW, LOWEST = "12000", "200", "10"


@dataclass(frozen=True, slots=True)
class Step:
    """One record to evaluate, and why it is on the way."""

    label: str
    record: PatientRecord
    knowledge: KnowledgeBase
    looking: Looking = Looking.RESULT_ARRIVED


def walk(knowledge: KnowledgeBase) -> Iterator[Step]:
    """Every step."""
    for label, record in _records(knowledge):
        yield Step(label, record, knowledge)
    for label, record in _withheld(knowledge):
        yield Step(label, record, knowledge, Looking.CHART_OPENED)
    yield from _of_a_site(knowledge)


def _records(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    yield from _values(knowledge)
    yield from _own_ranges()
    yield from _ages(knowledge)
    yield from _units(knowledge)
    yield from _concepts(knowledge)
    yield from _companions(knowledge)
    yield from _ohi_index(knowledge)
    yield from _companions_in_doubt(knowledge)
    yield from _pairs()
    yield from reasons(knowledge)
    yield from doubtful_samples()
    yield from doubts()
    yield from _withheld(knowledge)


# ------------------------------------------------------------------ values


def _values(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    units = [family.canonical for family in knowledge.families.values() if family.interpreted]
    given = {"blood": SERUM, "csf": CSF, "from-specimen": CSF}
    for code, unit, point, comparator in product(
        knowledge.accepted.values(), units, points(knowledge), Comparator
    ):
        value = f"{comparator}{point} {unit}"
        for ranges in ((), own_range(unit)):
            yield (
                f"{code.loinc} {value}",
                records.record(sil2r(value, code.loinc, given[code.specimen], ranges=ranges)),
            )


def _own_ranges() -> Iterator[tuple[str, PatientRecord]]:
    """Values that leave nothing open but the laboratory's own range, of a patient of any age."""
    for (loinc, unit, given), birth in product(SCALES, BIRTHS.values()):
        result = sil2r(f"<100 {unit}", loinc, given, ranges=(records.within("10", "90", unit),))
        label = f"born {birth}, <100 {unit} about its own range"
        yield label, records.record(result, patient=records.born(birth))
    for loinc, unit, given in SCALES:
        for_some = records.within("10", "900", unit, applies_to=(Coding("", "", "pregnant"),))
        for ranges in ((for_some,), (for_some, *own_range(unit))):
            result = sil2r(f"100 {unit}", loinc, given, ranges=ranges)
            yield f"100 {unit}, a range for some people", records.record(result)
        in_words = ReferenceRange(OpenEnd(), OpenEnd(), words="10 - 900, see report")
        for left in (in_words, records.within("10", "900", "mg"), records.within("10", "", unit)):
            result = sil2r(f"100 {unit}", loinc, given, ranges=(left,))
            yield f"100 {unit}, a range that is not compared", records.record(result)


def _ages(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    for (loinc, unit, given), point, birth in product(
        SCALES, points(knowledge), (*BIRTHS.values(), *YEARS, "2008", "1980-06")
    ):
        result = sil2r(f"{point} {unit}", loinc, given, ranges=own_range(unit))
        whom = records.born(birth)
        yield f"born {birth}, {point} {unit}", records.record(result, patient=whom)


def _units(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    for row, (loinc, _unit, given), shape in product(
        knowledge.unit_rows, SCALES, (records.coded, records.text_only)
    ):
        value = replace(records.measured("3000"), unit=shape(row.text))
        result = replace(sil2r("3000", loinc, given), value=value)
        yield f"unit {row.text} under {loinc}", records.record(result)


# ------------------------------------------------------------------ what the record says


def _concepts(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    known = entries(knowledge)
    ferritin = (companion(knowledge, "ferritin", "1200 ng/mL"),)
    for (loinc, unit, given), (name, found), value, birth in product(
        SCALES, known.items(), (HIGH, "3000", "1500", LOW, LOWEST), BIRTHS.values()
    ):
        result = sil2r(f"{value} {unit}", loinc, given, ranges=own_range(unit))
        whom = records.born(birth)
        yield (
            f"{name}, {value} {unit}",
            records.record(result, entries=(found,), patient=whom, companions=ferritin),
        )
    for (loinc, unit, given), pair, value in product(
        SCALES, combinations(known, 2), (HIGH, "3000", LOWEST)
    ):
        result = sil2r(f"{value} {unit}", loinc, given, ranges=own_range(unit))
        both = tuple(known[name] for name in pair)
        yield (
            f"{' and '.join(pair)}, {value} {unit}",
            records.record(result, entries=both, companions=ferritin),
        )


_COUNTS = ("platelets", "neutrophils")


def _companions(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    plain = [values[:3] for values in COMPANIONS.values()]
    odd = [(values[0], *values[3:]) for values in COMPANIONS.values()]
    wanted = dict.fromkeys((*product(*plain), *zip(*odd, strict=False)))
    for chosen in wanted:
        beside = tuple(
            companion(knowledge, name, value)
            for name, value in zip(COMPANIONS, chosen, strict=True)
            if value
        )
        raised = sil2r("3000 U/mL", "9654-5", SERUM)
        yield f"beside {chosen}", records.record(raised, companions=beside)
    for name, values in COMPANIONS.items():
        for value, (loinc, unit, given) in product(filter(None, values), SCALES):
            beside = (companion(knowledge, name, value),)
            result = sil2r(f"3000 {unit}", loinc, given)
            yield f"beside {name} {value}", records.record(result, companions=beside)
    every = tuple(companion(knowledge, name, values[0]) for name, values in COMPANIONS.items())
    for (loinc, unit, given), value in product(SCALES, (LOW, LOWEST)):
        result = sil2r(f"{value} {unit}", loinc, given, ranges=own_range(unit))
        yield f"every item met, {value} {unit}", records.record(result, companions=every)
    ferritin = (companion(knowledge, "ferritin", "900 ng/mL"),)
    of_a_child = sil2r("1500 U/mL", "9654-5", SERUM)
    child = records.born(BIRTHS["child"])
    yield "a count and no limit", records.record(of_a_child, patient=child, companions=ferritin)
    for creatinine in ("2.0 mg/dL", "2.1 mg/dL", ">1 mg/dL", "300 umol/L"):
        beside = (companion(knowledge, "creatinine", creatinine),)
        raised = sil2r("3000 U/mL", "9654-5", SERUM)
        yield f"creatinine {creatinine}", records.record(raised, companions=beside)


def _ohi_index(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    """On both sides of its two limits."""
    malignancy = entries(knowledge)["condition.haematological-malignancy"]
    for value, ferritin in product(
        ("3900", "3900.1", ">3000", "<5000", "5000"),
        ("", "1000 ng/mL", "1000.1 ng/mL", ">500 ng/mL", "<2000 ng/mL"),
    ):
        beside = (companion(knowledge, "ferritin", ferritin),) if ferritin else ()
        result = sil2r(f"{value} U/mL", "9654-5", SERUM)
        yield (
            f"OHI {value} U/mL, ferritin {ferritin}",
            records.record(result, entries=(malignancy,), companions=beside),
        )


def _companions_in_doubt(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    """Not counted for their unit, form, state or sample, or of one time with another value."""
    ferritin = companion(knowledge, "ferritin", "900 ng/mL")
    strange = replace(ferritin, value=records.measured("9 x"))
    early = replace(ferritin, status=Status.PRELIMINARY)
    worded = replace(ferritin, value=NotNumeric("valueString"))
    counts = [companion(knowledge, name, COMPANIONS[name][0]) for name in _COUNTS]
    for loinc, unit, given in SCALES:
        result = sil2r(f"50 {unit}", loinc, given, ranges=own_range(unit))
        yield f"beside ferritin 9 x, 50 {unit}", records.record(result, companions=(strange,))
        beside = (early, *counts)
        yield f"early ferritin, 50 {unit}", records.record(result, companions=beside)
        beside = (worded, *counts)
        yield f"ferritin in words, 50 {unit}", records.record(result, companions=beside)
        beside = (replace(ferritin, specimen=CSF), *counts)
        yield f"ferritin of CSF, 50 {unit}", records.record(result, companions=beside)
    both = tuple(
        replace(companion(knowledge, "ferritin", value), ref=ResourceRef(f"Observation/{number}"))
        for number, value in enumerate(("100 ng/mL", "900 ng/mL"))
    )
    for loinc, unit, given in SCALES:
        result = sil2r(f"1500 {unit}", loinc, given, ranges=own_range(unit))
        yield f"two ferritins of one day, 1500 {unit}", records.record(result, companions=both)
        beside = (*both, *counts)
        yield "two ferritins and fallen counts", records.record(result, companions=beside)


# ------------------------------------------------------------------ two specimens


def _pairs() -> Iterator[tuple[str, PatientRecord]]:
    albumins: dict[str, tuple[str, str]] = {
        "albumin-serum": ("1751-7", "4.2 g/dL"),
        "albumin-csf": ("1746-7", "20 mg/dL"),
    }
    for csf, blood, with_albumin in product(
        ("200 pg/mL", "120 pg/mL", "<150 pg/mL", "30 U/mL"),
        ("3000 pg/mL", "3000 U/mL", "1500 U/mL"),
        ((), ("albumin-serum",), ("albumin-serum", "albumin-csf")),
    ):
        beside = tuple(
            records.named(
                name, albumins[name][1], albumins[name][0], specimen=CSF if "csf" in name else SERUM
            )
            for name in with_albumin
        )
        both = (
            records.named("c", csf, "99768-4" if "pg" in csf else "38352-1", specimen=CSF),
            records.named("s", blood, "76039-7" if "pg" in blood else "9654-5", specimen=SERUM),
        )
        label = f"CSF {csf}, blood {blood}, {with_albumin}"
        yield label, records.record(*both, companions=beside)
        yield label, records.record(both[0], history=(both[1],), companions=beside)


# ------------------------------------------------------------------ the record, the site


def _withheld(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    """Each part of the record in each state it can be in."""
    parts = [knowledge.identity.id, "labs", "conditions", "medications", "patient"]
    for (loinc, unit, given), part, state in product(SCALES, parts, Availability):
        known = {**records.LOOKED_FOR, part: state}
        whom = records.born("1980-01-01") if part != "patient" else NoPatient()
        result = sil2r(f"3000 {unit}", loinc, given)
        yield f"{part} is {state}", records.record(result, availability=known, patient=whom)


def _of_a_site(knowledge: KnowledgeBase) -> Iterator[Step]:
    """What a site may switch on, and a knowledge base whose review is overdue."""
    plain = sil2r("3000 U/mL", "9654-5", SERUM)
    early = replace(plain, status=Status.PRELIMINARY)
    eager = knowledge.policy.model_copy(update={"interpret_preliminary": True})
    yield Step("preliminary", records.record(early), replace(knowledge, policy=eager))
    factor = AssayFactor(
        laboratory="Laboratory A", family="U", factor="0.9", source="letter of 2026-01-15"
    )
    atl = entries(knowledge)["condition.atl-chronic"]
    muted = knowledge.policy.model_copy(
        update={"muted_findings": ("hlh-2004-criterion-met", "hlh-adult-high-specificity")}
    )
    raised = records.record(sil2r(f"{HIGH} U/mL", "9654-5", SERUM), entries=(atl,))
    yield Step("muted findings", raised, replace(knowledge, policy=muted))
    hushed = knowledge.policy.model_copy(update={"muted_findings": ("context-dialysis",)})
    on_dialysis = replace(raised, entries=(entries(knowledge)["condition.dialysis"],))
    yield Step("a muted caveat", on_dialysis, replace(knowledge, policy=hushed))
    assays = {factor.laboratory: factor}
    yield Step("a factor", records.record(plain), replace(knowledge, assays=assays))
    elsewhere = records.record(replace(plain, laboratory="Laboratory B"))
    yield Step("a factor of another", elsewhere, replace(knowledge, assays=assays))
    identity = knowledge.identity.model_copy(update={"review_by": records.AT.replace(year=2025)})
    yield Step("overdue", records.record(plain), replace(knowledge, identity=identity))
