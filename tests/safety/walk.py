"""Every kind of record that the knowledge can tell apart, one after another.

The walk is made from the knowledge itself: a new limit, unit, concept or companion is walked over
without a change here. All of it is invented: results of Patient/p, collected on 1 March 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, product
from typing import Any

from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import (
    Availability,
    CodedEntry,
    Coding,
    Comparator,
    InvalidResource,
    LabResult,
    NoMoment,
    NoPatient,
    NotNumeric,
    NoValue,
    PatientRecord,
    RecordKind,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    Subject,
    UnitGiven,
    ValueForm,
)
from cds_service.core.quantity import UCUM
from cds_service.core.schema import AssayFactor, Companion, Concept
from cds_service.core.selection import Looking
from tests import records

SPECIMENS = "http://terminology.hl7.org/CodeSystem/v2-0487"
SERUM = records.specimen("SER", system=SPECIMENS)
CSF = records.specimen("CSF", system=SPECIMENS)
URINE = records.specimen("UR", system=SPECIMENS)
NO_SPECIMEN = SpecimenGiven()

SITE_CONDITIONS = "urn:oid:2.999.1"
SITE = "\n".join(
    f'[[condition]]\nsystem = "{SITE_CONDITIONS}"\ncode = "{name}"\nmeans = "{name}"\nnote = "x"'
    for name in ("atl-chronic", "atl-smouldering", "atl-meningeal")
)
"""What has no standard code is switched on by a code of the site."""

SCALES = (
    ("9654-5", "U/mL", SERUM),
    ("76039-7", "pg/mL", SERUM),
    ("99768-4", "pg/mL", CSF),
    ("38352-1", "U/mL", CSF),
)
"""Each specimen kind with each unit family, under a code that fits both."""
BIRTHS = {"child": "2014-01-01", "adult": "1980-01-01", "aged": "1950-01-01", "unknown": ""}
YEARS = {"2008-03-02": "17", "2008-03-01": "18", "1960-03-02": "65", "1960-03-01": "66"}
WIDE = {"U/mL": ("158", "623"), "pg/mL": ("60", "140")}
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
    yield from _pairs()
    yield from _reasons(knowledge)
    yield from _doubts()
    yield from _withheld(knowledge)


# ------------------------------------------------------------------ values


def points(knowledge: KnowledgeBase) -> list[str]:
    """Every number of the knowledge about the analyte itself, just below, at, and just above it."""
    own = {row.value for row in knowledge.limits.values() if row.of == knowledge.identity.id}
    near = {value + step for value in own for step in (Decimal("-0.1"), 0, Decimal("0.1"))}
    return [str(value) for value in sorted(near | {Decimal(0), Decimal(50), Decimal(999999999)})]


def sil2r(value: str, loinc: str, given: SpecimenGiven, **changes: Any) -> LabResult:
    """A result of the analyte: `<150 pg/mL`."""
    return records.result(value, loinc, specimen=given, **changes)


def own_range(unit: str) -> tuple[ReferenceRange, ...]:
    """A laboratory's range in this unit."""
    return (records.within(*WIDE[unit], unit),) if unit in WIDE else ()


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
        ranges = (records.within("10", "90", unit),)
        result = sil2r(f"<100 {unit}", loinc, given, ranges=ranges)
        label = f"born {birth}, <100 {unit} about its own range"
        yield label, records.record(result, patient=records.born(birth))
    for loinc, unit, given in SCALES:
        for_some = records.within("10", "900", unit, applies_to=(Coding("", "", "pregnant"),))
        for ranges in ((for_some,), (for_some, *own_range(unit))):
            result = sil2r(f"100 {unit}", loinc, given, ranges=ranges)
            yield f"100 {unit}, a range for some people", records.record(result)


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


def entries(knowledge: KnowledgeBase) -> dict[str, CodedEntry]:
    """An entry for every concept that a code can switch on, by kind and name."""
    found = {}
    for kind, index in (
        (RecordKind.CONDITION, knowledge.conditions),
        (RecordKind.MEDICATION, knowledge.medications),
    ):
        for concept in index.concepts.values():
            for coding in _code_of(concept, kind):
                name = f"{kind.value}.{concept.name}"
                ref = ResourceRef(f"{kind.value.capitalize()}/{concept.name}", "1")
                found[name] = CodedEntry(ref, kind, (coding,))
    return found


def _code_of(concept: Concept, kind: RecordKind) -> Iterator[Coding]:
    for code in concept.code[:1]:
        yield Coding(code.system, code.code)
    if not concept.code and kind is RecordKind.CONDITION and not concept.undetermined_by:
        yield Coding(SITE_CONDITIONS, concept.name)


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


def companion(
    knowledge: KnowledgeBase, name: str, value: str, on: str = records.DAY, **changes: Any
) -> LabResult:
    """A companion result under the code that fits its unit."""
    row: Companion = knowledge.companions[name].row
    unit = value.partition(" ")[2]
    families = {known.text: known.family for known in row.unit}
    codes = [code.loinc for code in row.code if code.family == families.get(unit)]
    loinc = (codes or [row.code[0].loinc])[0]
    specimen = CSF if row.specimen == "csf" else SERUM
    return records.named(name, value, loinc, on=on, specimen=specimen, **changes)


COMPANIONS = {
    "ferritin": ("900 ng/mL", "100 ng/mL", "", ">400 ng/mL", "2000 pmol/L", "5 mg/L"),
    "triglycerides": ("300 mg/dL", "100 mg/dL", "", "3.5 mmol/L", "1.0 mmol/L"),
    "fibrinogen": ("1.0 g/L", "3.0 g/L", "", "<2 g/L"),
    "haemoglobin": ("80 g/L", "130 g/L", "", "5.0 mmol/L"),
    "platelets": ("50 10*9/L", "200 10*9/L", "", "<100 10*9/L"),
    "neutrophils": ("0.5 10*9/L", "4.0 10*9/L", "", "500 /uL"),
}
"""Met, not met, absent, and then what cannot be told or comes in another unit."""
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
    ferritin = (companion(knowledge, "ferritin", "900 ng/mL"),)
    of_a_child = sil2r("1500 U/mL", "9654-5", SERUM)
    child = records.born(BIRTHS["child"])
    yield "a count and no limit", records.record(of_a_child, patient=child, companions=ferritin)
    doubtful = (
        SpecimenLink.OF_ANOTHER_PATIENT,
        SpecimenLink.ENTERED_IN_ERROR,
        SpecimenLink.UNSATISFACTORY,
    )
    for link, (loinc, unit, _given) in product(doubtful, SCALES):
        result = sil2r(f"50 {unit}", loinc, SpecimenGiven(link), ranges=own_range(unit))
        yield f"a specimen {link}, 50 {unit}", records.record(result)
    strange = replace(companion(knowledge, "ferritin", "900 ng/mL"), value=records.measured("9 x"))
    for loinc, unit, given in SCALES:
        result = sil2r(f"50 {unit}", loinc, given, ranges=own_range(unit))
        yield f"beside ferritin 9 x, 50 {unit}", records.record(result, companions=(strange,))
        early = replace(ferritin[0], status=Status.PRELIMINARY)
        counts = [companion(knowledge, name, COMPANIONS[name][0]) for name in _COUNTS]
        beside = (early, *counts)
        yield f"early ferritin, 50 {unit}", records.record(result, companions=beside)
        whom = records.born("2027-01-01")
        yield f"before birth, 50 {unit}", records.record(result, patient=whom)
    both = tuple(
        replace(companion(knowledge, "ferritin", value), ref=ResourceRef(f"Observation/{number}"))
        for number, value in enumerate(("100 ng/mL", "900 ng/mL"))
    )
    for loinc, unit, given in SCALES:
        result = sil2r(f"1500 {unit}", loinc, given, ranges=own_range(unit))
        yield f"two ferritins of one day, 1500 {unit}", records.record(result, companions=both)
        counts = (companion(knowledge, name, COMPANIONS[name][0]) for name in _COUNTS)
        beside = (*both, *counts)
        yield "two ferritins and fallen counts", records.record(result, companions=beside)
    for creatinine in ("2.0 mg/dL", "2.1 mg/dL", ">1 mg/dL", "300 umol/L"):
        beside = (companion(knowledge, "creatinine", creatinine),)
        raised = sil2r("3000 U/mL", "9654-5", SERUM)
        yield f"creatinine {creatinine}", records.record(raised, companions=beside)


# ------------------------------------------------------------------ two specimens, series


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


def series(*steps: tuple[str, str, str]) -> PatientRecord:
    """Results of one year, oldest first: value, LOINC code, laboratory."""
    made = [
        records.named(f"r{n}", value, loinc, on=f"2026-01-{n + 1:02}", laboratory=laboratory)
        for n, (value, loinc, laboratory) in enumerate(steps)
    ]
    return records.record(*made)


# ------------------------------------------------------------------ what cannot be interpreted


def _reasons(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
    for loinc, unit, given in SCALES:
        plain = sil2r(f"3000 {unit}", loinc, given)
        for label, changes in _spoilt(unit).items():
            spoilt = replace(plain, **changes)
            yield label, records.record(spoilt)
            yield (
                f"{label}, carded",
                records.record(spoilt, carded_before=frozenset({spoilt.ref.resource})),
            )
    for code in knowledge.refused.values():
        for value, status in product(("5 pg/mL", "5 U/mL", "150 pg/mL", "2400 U/mL"), Status):
            wrong = records.result(value, code.loinc, status=status)
            yield f"{code.loinc} {value} {status}", records.record(wrong)
        valueless = replace(records.result(loinc=code.loinc), value=NoValue())
        yield f"{code.loinc} without a value", records.record(valueless)
        ill = tuple(companion(knowledge, name, values[0]) for name, values in COMPANIONS.items())
        yield f"{code.loinc}, every item met", records.record(valueless, companions=ill)
    invalid = InvalidResource(ResourceRef("Observation/i"), "Observation.valueQuantity.value")
    yield "invalid", records.record(invalid)
    yield "two invalid", records.record(invalid, replace(invalid, where="Observation.status"))


def _two_units(unit: str) -> UnitGiven:
    """A code of one unit, beside the text of another."""
    return UnitGiven("ng/mL" if unit == "U/mL" else "U/mL", unit, UCUM)


def _spoilt(unit: str) -> dict[str, dict[str, Any]]:
    """Changes that leave a result without an interpretation, or that must be told."""
    return {
        **{f"status {status}": {"status": status} for status in Status},
        "no value": {"value": NoValue("unknown")},
        "a code as value": {"value": NotNumeric("valueCodeableConcept")},
        "value as text": {"value": records.measured(f"3000 {unit}", ValueForm.TEXT)},
        "text with a strange unit": {"value": records.measured("3000 furlong", ValueForm.TEXT)},
        "no unit": {"value": records.measured("3000")},
        "strange unit": {"value": records.measured("3000 %")},
        "two units": {"value": replace(records.measured("3000"), unit=_two_units(unit))},
        "a month": {"collected": records.moment("2026-02")},
        "moles": {"value": records.measured("3000 pmol/L")},
        "below zero": {"value": records.measured(f"-1 {unit}")},
        "too much": {"value": records.measured(f"1000000000 {unit}")},
        "urine": {"specimen": URINE},
        "no specimen": {"specimen": NO_SPECIMEN},
        "blood": {"specimen": SERUM},
        "CSF": {"specimen": CSF},
        "two codes": {"codings": (Coding(LOINC, "9654-5"), Coding(LOINC, "99768-4"))},
        "our code and ferritin": {"codings": (Coding(LOINC, "9654-5"), Coding(LOINC, "2276-4"))},
        "another patient": {"subject": Subject.ANOTHER_PATIENT},
        "no patient named": {"subject": Subject.NOT_NAMED},
        "no dates": {"collected": NoMoment()},
    }


def _doubts() -> Iterator[tuple[str, PatientRecord]]:
    """Things that are said beside an interpretation."""
    plain = sil2r("3000 U/mL", "9654-5", SERUM, on="2026-02-01")
    for status in Status:
        newer = records.named("newer", "500 U/mL", "9654-5", specimen=SERUM, status=status)
        yield f"a newer result, {status}", records.record(plain, newer)
        yield f"a newer one known, {status}", records.record(plain, history=(newer,))
        higher = records.named("higher", "5000 U/mL", "9654-5", specimen=SERUM, status=status)
        quiet = sil2r("500 U/mL", "9654-5", SERUM, on="2026-02-01")
        yield f"a higher newer result, {status}", records.record(quiet, higher)
        yield f"a higher one known, {status}", records.record(quiet, history=(higher,))
        for value in ("500 U/mL", "5000 U/mL"):
            open_order = records.named(
                "open", value, "9654-5", specimen=SERUM, status=status, on="2026-02"
            )
            yield f"perhaps newer, {value}, {status}", records.record(quiet, history=(open_order,))
    for doubtful in ("2026-02-01", "2026-02", "", "2026-12-25"):
        other = records.named("other", "500 U/mL", "9654-5", specimen=SERUM, on=doubtful)
        yield f"another one, dated {doubtful}", records.record(plain, other)
        yield f"alone, dated {doubtful}", records.record(other)
    for value, loinc, given in (("520 U/mL", "9654-5", SERUM), ("400 pg/mL", "99768-4", CSF)):
        versions = [
            records.named("Observation/o1", *each[:2], specimen=each[2])
            for each in (("5230 U/mL", "9654-5", SERUM), (value, loinc, given))
        ]
        yield f"two versions, {value}", records.record(*versions)
    yield "a name without soluble", records.record(sil2r("3000 U/mL", "43171-8", SERUM))
    yield "no patient", records.record(plain, patient=NoPatient())
    for change in range(1, 4):
        steps = [("1310 U/mL", "9654-5", "A"), ("1894 pg/mL", "76039-7", "B")] * change
        yield "a series with breaks", series(*steps, ("1480 U/mL", "9654-5", "A"))
    course = [(f"{value} U/mL", "9654-5", "A") for value in (500, 800, 800, 700, "<900")]
    for length in range(2, 6):
        yield "a series", series(*course[:length])
    yield "a long series", series(*course, *course)
    yield "an unnamed laboratory", series(("500 U/mL", "9654-5", ""), ("800 U/mL", "9654-5", ""))


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
