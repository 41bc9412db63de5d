"""Worked cases: the situation of a case as a record, and whether the evaluation is as expected.

In a case everything that is not given was looked for and not found, so that nothing is unknown by
accident. The result is collected on 2 November 2026, companions and the pair on the same day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from cds_service.core.card import Card
from cds_service.core.concepts import ConceptIndex
from cds_service.core.dates import whole_day
from cds_service.core.elements import (
    Bound,
    Coding,
    Comparator,
    LabValue,
    Measured,
    NoValue,
    Number,
    OpenEnd,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
)
from cds_service.core.fact import UNKNOWN
from cds_service.core.facts.panels import panel_item
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import (
    Availability,
    CodedEntry,
    LabResult,
    NoPatient,
    Patient,
    PatientRecord,
    RecordKind,
    Subject,
)
from cds_service.core.quantity import UCUM, UnitTable
from cds_service.core.results.reading import FROM_SPECIMEN
from cds_service.core.schema import CaseRow, ConceptCode, Given
from cds_service.core.verdict import Evaluation

DAY = date(2026, 11, 2)
_MOMENT = whole_day(DAY)


def record_of(given: Given, knowledge: KnowledgeBase) -> PatientRecord:
    """The record that a case describes."""
    main = _result("case", given, knowledge)
    companions = [_companion(name, text, knowledge) for name, text in given.companions.items()]
    return PatientRecord(
        patient_id="case",
        patient=_patient(given.age),
        results=(main,),
        history=tuple(_pair(given, knowledge)),
        companions=tuple(companions),
        entries=tuple(_entries(given, knowledge)),
        availability={
            "patient": Availability.GIVEN,
            **dict.fromkeys(
                (knowledge.identity.id, "labs", "conditions", "medications"), Availability.EMPTY
            ),
        },
    )


def _patient(age: str) -> Patient | NoPatient:
    """A patient whose birthday was a month before collection; without an age, no birth date."""
    if not age:
        return Patient(ResourceRef("Patient/case"))
    return Patient(ResourceRef("Patient/case"), whole_day(date(DAY.year - int(age), 10, 2)))


def _unit(text: str, units: UnitTable) -> UnitGiven:
    """The unit with a UCUM code where the string is one, else as text alone."""
    coded = text in units and units[text].ucum
    return UnitGiven(text, text, UCUM) if coded else UnitGiven(text)


def _value(text: str, unit: UnitGiven) -> LabValue:
    if not text:
        return NoValue()
    comparator = next((c for c in ("<=", ">=", "<", ">") if text.startswith(c)), "")
    number = text.removeprefix(comparator)
    return Measured(Comparator(comparator), Number(number, Decimal(number)), unit)


def _result(name: str, given: Given, knowledge: KnowledgeBase) -> LabResult:
    unit = _unit(given.range_unit or given.unit, knowledge.units)
    low, high = _bound(given.low, unit), _bound(given.high, unit)
    return LabResult(
        ResourceRef(f"Observation/{name}", "1"),
        (Coding(LOINC, given.loinc),),
        Status(given.status),
        _value(given.value, _unit(given.unit, knowledge.units)),
        Subject.THIS_PATIENT,
        specimen=_specimen(given.specimen, knowledge),
        collected=_MOMENT,
        issued=_MOMENT,
        ranges=(ReferenceRange(low, high),) if given.low or given.high else (),
        laboratory="Laboratory of the case",
    )


def _bound(text: str, unit: UnitGiven) -> Bound | OpenEnd:
    return Bound(Number(text, Decimal(text)), unit) if text else OpenEnd()


def _specimen(kind: str, knowledge: KnowledgeBase) -> SpecimenGiven:
    if not kind:
        return SpecimenGiven()
    codes = (key for key, found in knowledge.specimen_codes.items() if found == kind)
    system, code = next(codes, ("", kind))
    return SpecimenGiven(SpecimenLink.RESOLVED, (Coding(system, code),))


def codes_of_pair(given: Given, knowledge: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """Kinds of specimen, and codes, that the other result of a pair may have: CSF for a blood case,
    blood for a CSF case.
    """
    _, unit = given.pair.split(" ", 1)
    own = given.specimen or knowledge.accepted[given.loinc].specimen
    for kind in knowledge.specimens:
        for row in knowledge.accepted.values():
            of_kind = kind != own and row.specimen in {FROM_SPECIMEN, kind}
            if of_kind and row.family == knowledge.units[unit].family:
                yield kind, row.loinc


def _pair(given: Given, knowledge: KnowledgeBase) -> Iterator[LabResult]:
    """The result of the other specimen."""
    if given.pair:
        value, unit = given.pair.split(" ", 1)
        specimen, loinc = next(codes_of_pair(given, knowledge))
        paired = Given(loinc=loinc, specimen=specimen, value=value, unit=unit)
        yield _result("pair", paired, knowledge)


def _companion(name: str, text: str, knowledge: KnowledgeBase) -> LabResult:
    """`1200 ng/mL` under the first code of the companion whose family the unit has."""
    value, unit = text.split(" ", 1)
    test = knowledge.companions[name]
    family = test.units[unit].family if unit in test.units else ""
    loinc = next((c for c, f in test.families.items() if f == family), next(iter(test.families)))
    return LabResult(
        ResourceRef(f"Observation/{name}", "1"),
        (Coding(LOINC, loinc),),
        Status.FINAL,
        _value(value, _unit(unit, test.units)),
        Subject.THIS_PATIENT,
        collected=_MOMENT,
    )


def _entries(given: Given, knowledge: KnowledgeBase) -> Iterator[CodedEntry]:
    for kind, names, index in (
        (RecordKind.CONDITION, given.conditions, knowledge.conditions),
        (RecordKind.MEDICATION, given.medications, knowledge.medications),
    ):
        for name in names:
            codes = index.concepts[name].code
            coding = Coding(codes[0].system, codes[0].code) if codes else _site_coding(name)
            yield CodedEntry(ResourceRef(f"{kind.value.capitalize()}/{name}"), kind, (coding,))


def _site_coding(concept: str) -> Coding:
    """The local code that cases use for a concept without a standard code."""
    return Coding("urn:oid:2.999.1", concept)


def with_case_codes(knowledge: KnowledgeBase) -> KnowledgeBase:
    """The knowledge of a site that has a local code for each concept without a standard one."""

    def coded(index: ConceptIndex) -> ConceptIndex:
        return ConceptIndex(
            concept.model_copy(update={"code": (_site_code(concept.name),)})
            if not concept.code and not concept.includes
            else concept
            for concept in index.concepts.values()
        )

    return replace(
        knowledge,
        conditions=coded(knowledge.conditions),
        medications=coded(knowledge.medications),
    )


def _site_code(concept: str) -> ConceptCode:
    local = _site_coding(concept)
    return ConceptCode(
        system=local.system,
        code=local.code,
        display=concept,
        match="exact",
        sources=["site file"],
    )


def differences(
    case: CaseRow, evaluation: Evaluation, cards: Sequence[Card], knowledge: KnowledgeBase
) -> list[str]:
    """Where the evaluation and its cards differ from what the case expects; empty when they agree.

    Of several answers the first is the one that the case is about.
    """
    expect = case.expect
    if expect.outcome == "no-card":
        return ["a card where none was expected"] if evaluation.answers else []
    if not evaluation.answers:
        return [f"no card, expected {expect.outcome}"]
    answer = evaluation.answers[0]
    outcome, reason = answer.verdict.outcome, cards[0].extension.get("reason", "")
    found = {finding.id for finding in answer.findings}
    told = []
    if (outcome, reason) != (expect.outcome, expect.reason):
        told.append(f"{outcome} {reason}, expected {expect.outcome} {expect.reason}")
    if found != set(expect.findings):
        told.append(
            f"not expected: {sorted(found - set(expect.findings))}, "
            f"absent: {sorted(set(expect.findings) - found)}"
        )
    if not set(expect.missing) <= set(answer.missing):
        told.append(f"missing {list(answer.missing)}, expected at least {expect.missing}")
    notes = [note.kind.value for note in answer.notes]
    if not set(expect.notes) <= set(notes):
        told.append(f"notes {notes}, expected at least {list(expect.notes)}")
    items = {item.id: item for panel in knowledge.panels.values() for item in panel.item}
    for name, expected in expect.items.items():
        value = panel_item(items[name], answer.facts) if answer.facts else UNKNOWN
        if value != expected:
            told.append(f"item {name} {value}, expected {expected}")
    indicator = cards[0].indicator
    if expect.indicator not in ("", indicator):
        told.append(f"indicator {indicator}, expected {expect.indicator}")
    return told
