"""The part of the walk about results that cannot be read, or of which something is doubted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from cds_service.core.elements import (
    Coding,
    NoMoment,
    NotNumeric,
    NoValue,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
    ValueForm,
)
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import InvalidResource, NoPatient, PatientRecord, Subject
from cds_service.core.quantity import UCUM
from tests import records
from tests.safety.results import (
    COMPANIONS,
    CSF,
    LOCAL_SPECIMEN,
    NO_SPECIMEN,
    SCALES,
    SERUM,
    URINE,
    companion,
    own_range,
    sil2r,
)


def _series(*steps: tuple[str, str, str]) -> PatientRecord:
    """Results of one year, oldest first: value, LOINC code, laboratory."""
    made = [
        records.named(f"r{n}", value, loinc, on=f"2026-01-{n + 1:02}", laboratory=laboratory)
        for n, (value, loinc, laboratory) in enumerate(steps)
    ]
    return records.record(*made)


def reasons(knowledge: KnowledgeBase) -> Iterator[tuple[str, PatientRecord]]:
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
        "a specimen of a strange type": {"specimen": LOCAL_SPECIMEN},
        "an invalid specimen": {"specimen": SpecimenGiven(SpecimenLink.INVALID, where="Specimen")},
        "invalid, of CSF": {"specimen": replace(CSF, link=SpecimenLink.INVALID)},
        "invalid, of serum": {"specimen": replace(SERUM, link=SpecimenLink.INVALID)},
        "perhaps of CSF": {"specimen": replace(CSF, link=SpecimenLink.UNCERTAIN)},
        "perhaps of serum": {"specimen": replace(SERUM, link=SpecimenLink.UNCERTAIN)},
        "blood": {"specimen": SERUM},
        "CSF": {"specimen": CSF},
        "two codes": {"codings": (Coding(LOINC, "9654-5"), Coding(LOINC, "99768-4"))},
        "our code and ferritin": {"codings": (Coding(LOINC, "9654-5"), Coding(LOINC, "2276-4"))},
        "another patient": {"subject": Subject.ANOTHER_PATIENT},
        "no patient named": {"subject": Subject.NOT_NAMED},
        "no dates": {"collected": NoMoment()},
    }


def doubtful_samples() -> Iterator[tuple[str, PatientRecord]]:
    """Taken from somebody else, taken back, unfit, or from a patient who was not born."""
    doubtful = (
        SpecimenLink.OF_ANOTHER_PATIENT,
        SpecimenLink.ENTERED_IN_ERROR,
        SpecimenLink.UNSATISFACTORY,
    )
    for link, (loinc, unit, _given) in product(doubtful, SCALES):
        result = sil2r(f"50 {unit}", loinc, SpecimenGiven(link), ranges=own_range(unit))
        yield f"a specimen {link}, 50 {unit}", records.record(result)
    for loinc, unit, given in SCALES:
        result = sil2r(f"50 {unit}", loinc, given, ranges=own_range(unit))
        whom = records.born("2027-01-01")
        yield f"before birth, 50 {unit}", records.record(result, patient=whom)


def doubts() -> Iterator[tuple[str, PatientRecord]]:
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
    in_csf = sil2r("100 pg/mL", "99768-4", CSF, on="2026-02-01")
    for status, on in product((Status.PRELIMINARY, Status.FINAL), (records.DAY, "2026-02")):
        higher = records.named("higher", "400 pg/mL", "99768-4", specimen=CSF, status=status, on=on)
        yield f"a higher one in CSF, {status}, {on}", records.record(in_csf, history=(higher,))
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
    for value, graver, loinc, given in (
        ("500 U/mL", "5230 U/mL", "9654-5", SERUM),
        ("100 pg/mL", "400 pg/mL", "99768-4", CSF),
    ):
        sent, known = (sil2r(each, loinc, given) for each in (value, graver))
        yield f"a graver version of {value}", records.record(sent, history=(known,))
    for loinc, unit, given in SCALES:
        one, other = (
            sil2r(f"50 {unit}", loinc, given, ranges=(records.within("10", upper, unit),))
            for upper in ("40", "60")
        )
        yield f"two copies, two ranges in {unit}", records.record(one, other)
    yield "a name without soluble", records.record(sil2r("3000 U/mL", "43171-8", SERUM))
    yield "no patient", records.record(plain, patient=NoPatient())
    for change in range(1, 4):
        steps = [("1310 U/mL", "9654-5", "A"), ("1894 pg/mL", "76039-7", "B")] * change
        yield "a series with breaks", _series(*steps, ("1480 U/mL", "9654-5", "A"))
    course = [(f"{value} U/mL", "9654-5", "A") for value in (500, 800, 800, 700, "<900")]
    for length in range(2, 6):
        yield "a series", _series(*course[:length])
    yield "a long series", _series(*course, *course)
    yield "an unnamed laboratory", _series(("500 U/mL", "9654-5", ""), ("800 U/mL", "9654-5", ""))
