"""Records for tests of the core, written as a laboratory would say them: `">2000 U/mL"`.

All of it is invented. Results are of Patient/p, collected on 1 March 2026, unless said otherwise.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cds_service.core.elements import (
    Bound,
    Coding,
    Comparator,
    Measured,
    Moment,
    NoMoment,
    Number,
    OpenEnd,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
    ValueForm,
)
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import (
    Availability,
    CodedEntry,
    InvalidResource,
    LabResult,
    NoPatient,
    Patient,
    PatientRecord,
    RecordKind,
    Subject,
)
from cds_service.core.note import NoteKind
from cds_service.core.quantity import UCUM
from cds_service.core.results.selection import Looking
from cds_service.core.verdict import Answer, Evaluation
from cds_service.evaluate import evaluate
from tests import toy

DAY = "2026-03-01"
AT = date(2026, 3, 2)
_MEASURED = re.compile(r"(<=|>=|<|>|)(-?[0-9.eE+-]+)(?: (.*))?")


def moment(text: str) -> Moment | NoMoment:
    """`2026`, `2026-03`, `2026-03-01` or `2026-03-01T08:00:00Z`; nothing for no text."""
    if not text:
        return NoMoment()
    if "T" in text:
        when = datetime.fromisoformat(text)
        return Moment(text, when.date(), when.date(), when.astimezone(UTC), timed=True)
    year, month, day = (*(int(part) for part in text.split("-")), 0, 0)[:3]
    first = date(year, month or 1, day or 1)
    last_month = month or 12
    last = date(year, last_month, day or monthrange(year, last_month)[1])
    return Moment(text, first, last, datetime(first.year, first.month, first.day, tzinfo=UTC))


def number(text: str) -> Number:
    return Number(text, Decimal(text))


def coded(unit: str) -> UnitGiven:
    """A unit whose UCUM code is its text; no unit for no text."""
    return UnitGiven(unit, unit, UCUM) if unit else UnitGiven()


def text_only(unit: str) -> UnitGiven:
    return UnitGiven(unit)


def measured(text: str, form: ValueForm = ValueForm.QUANTITY) -> Measured:
    """`<150 pg/mL`: comparator, number and unit, the unit coded."""
    found = _MEASURED.fullmatch(text)
    assert found, text
    comparator, digits, unit = found.groups()
    return Measured(Comparator(comparator), number(digits), coded(unit or ""), form)


def specimen(*codes: str, system: str = toy.SPECIMENS) -> SpecimenGiven:
    """A specimen whose type has these codes."""
    return SpecimenGiven(SpecimenLink.RESOLVED, tuple(Coding(system, code) for code in codes))


def within(low: str, high: str, unit: str = "pt/mL", **more: Any) -> ReferenceRange:
    """A reference range; an empty text is an open end."""

    def end(text: str) -> Bound | OpenEnd:
        return Bound(number(text), coded(unit)) if text else OpenEnd()

    return ReferenceRange(end(low), end(high), **more)


def result(
    value: str = "250 pt/mL", loinc: str = toy.SAP_POINTS, on: str = DAY, **changes: Any
) -> LabResult:
    """A final result of this patient."""
    given: dict[str, Any] = {
        "ref": ResourceRef("Observation/r", "1"),
        "codings": (Coding(LOINC, loinc),),
        "status": Status.FINAL,
        "value": measured(value),
        "subject": Subject.THIS_PATIENT,
        "collected": moment(on),
        "laboratory": "Laboratory A",
    }
    return LabResult(**{**given, **changes})


def named(name: str, value: str, loinc: str = toy.SAP_POINTS, **changes: Any) -> LabResult:
    """A result with an id of its own."""
    return result(value, loinc, ref=ResourceRef(f"Observation/{name}", "1"), **changes)


def born(text: str) -> Patient:
    return Patient(ResourceRef("Patient/p"), moment(text))


def entry(code: str, kind: RecordKind = RecordKind.CONDITION) -> CodedEntry:
    """An entry of the record, coded in the toy's own system."""
    name = f"{kind.value.capitalize()}/{code.lower()}"
    return CodedEntry(ResourceRef(name), kind, (Coding(toy.CONCEPTS, code),))


LOOKED_FOR = {
    "patient": Availability.GIVEN,
    **dict.fromkeys(("sil2r", "toy", "labs", "conditions", "medications"), Availability.EMPTY),
}
"""Everything was asked for and answered, whichever of the two analytes it is about."""


def record(*results: LabResult | InvalidResource, **changes: Any) -> PatientRecord:
    """A record of an adult for whom everything was looked for."""
    given: dict[str, Any] = {
        "patient_id": "p",
        "patient": born("1980-01-01"),
        "results": results,
        "availability": LOOKED_FOR,
    }
    return PatientRecord(**{**given, **changes})


def evaluated(
    given: PatientRecord, knowledge: KnowledgeBase | None = None, at: date = AT
) -> Evaluation:
    """The evaluation of results that have arrived, by the toy unless said otherwise."""
    base = knowledge or toy.knowledge()
    return evaluate(given, base, at, looking=Looking.RESULT_ARRIVED)


def answer_to(
    given: LabResult | PatientRecord, knowledge: KnowledgeBase | None = None, at: date = AT
) -> Answer:
    """The one answer to a result or record."""
    whole = record(given) if isinstance(given, LabResult) else given
    (answer,) = evaluated(whole, knowledge, at).answers
    return answer


def findings(answer: Answer) -> set[str]:
    return {finding.id for finding in answer.findings}


def notes(answer: Answer) -> dict[NoteKind, dict[str, str | tuple[str, ...]]]:
    """What stands beside the findings: kind -> what is filled in; of one kind the last."""
    return {note.kind: dict(note.values) for note in answer.notes}


def apart(names: Sequence[str]) -> list[str]:
    """An id for each of the names: it bears a number where the name has stood before."""
    return [f"{name}{names[:at].count(name) or ''}" for at, name in enumerate(names)]


def companions(*values: str, on: str = DAY) -> tuple[LabResult, ...]:
    """`ferritin 600 ng/mL`: companion results of the toy under the code of the unit's family."""
    ids = apart([value.partition(" ")[0] for value in values])
    return tuple(_companion(value, id_, on) for value, id_ in zip(values, ids, strict=True))


def _companion(value: str, id_: str, on: str) -> LabResult:
    name, amount, unit = value.split(" ", 2)
    test = toy.knowledge().companions[name]
    family = test.units[unit].family if unit in test.units else ""
    codes: Iterable[str] = (code for code, known in test.families.items() if known == family)
    loinc = next(iter(codes), next(iter(test.families)))
    return named(id_, f"{amount} {unit}", loinc, on=on)


NOBODY = NoPatient()
