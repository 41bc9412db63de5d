"""Proof of the decision table by probing every specimen, family, band and age.

Limits are finitely many, so a value at each limit of the analyte (and at the end of the range that
a probe carries), one just below and one just above it stand for all values: between them no fact
changes, and limits of other tests are not held against it. At each probe every `[[group]]` must
give what it promises: exactly one of its findings, or at most one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

from cds_service.core.facts import facts_of
from cds_service.core.interval import Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import (
    Availability,
    Bound,
    CodedEntry,
    Coding,
    Comparator,
    LabResult,
    Measured,
    Moment,
    Number,
    OpenEnd,
    Patient,
    PatientRecord,
    RecordKind,
    ReferenceRange,
    ResourceRef,
    Status,
    Subject,
    UnitGiven,
)
from cds_service.core.quantity import UCUM, Quantity, scale
from cds_service.core.situation import Literature, NoPair, Situation
from cds_service.core.table import THRESHOLD_INDETERMINATE, consult, wanted
from cds_service.core.verdict import Fact, RowOutcome, Value
from cds_service.errors import KnowledgeError

_AT = date(2026, 1, 1)
_STEP = Decimal("0.001")
_RANGE_END = Decimal(1000)


def table_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Groups that do not hold, and rows that no probe and no case can reach."""
    for situation in _probes(knowledge):
        facts = facts_of(situation).by_name
        yield from _group_faults(knowledge, situation, facts)
    yield from _case_faults(knowledge)


def _group_faults(
    knowledge: KnowledgeBase, situation: Situation, facts: Mapping[str, Fact]
) -> Iterator[KnowledgeError]:
    settled = {RowOutcome.MATCHED, RowOutcome.BLOCKED, RowOutcome.MUTED}
    fired = {row.finding for row in consult(knowledge, facts).rows if row.outcome in settled}
    for group in knowledge.groups:
        if all(facts[fact].value in wanted(group.where, fact) for fact in group.where):
            both = sorted(fired & set(group.findings))
            if len(both) > 1 or (not both and group.count == "exactly-one"):
                probe = f"{situation.specimen}, {situation.value.text} {situation.value.unit}"
                told = " and ".join(both) if both else "none of its findings"
                yield KnowledgeError(
                    f"at {probe} {told} fired, where {group.count} must.",
                    where=f"{knowledge.identity.id}/findings.toml ([[group]] {group.id})",
                    remedy="Close the gap, or make the rows exclude each other.",
                )


def _probes(knowledge: KnowledgeBase) -> Iterator[Situation]:
    families = [f for f in knowledge.families.values() if f.interpreted]
    values = sorted(_values(knowledge))
    everything = _every_condition(knowledge)
    for specimen, family in product(knowledge.specimens, families):
        for value, years, entries in product(values, (10, 40), ((), everything)):
            yield _probe(knowledge, specimen, family.canonical, value, years=years, entries=entries)


def _values(knowledge: KnowledgeBase) -> set[Decimal]:
    """In the canonical unit."""
    ends = {_RANGE_END}
    for limit in knowledge.limits.values():
        if limit.of == knowledge.identity.id:
            ends.add(scale(limit.value, knowledge.units[limit.unit]))
    around = {end + step for end in ends for step in (-_STEP, Decimal(0), _STEP)}
    return around | {Decimal(0), Decimal("1e8")}


def _every_condition(knowledge: KnowledgeBase) -> tuple[CodedEntry, ...]:
    """Entries that switch every condition on; a code that adds none to those before is left out."""
    index = knowledge.conditions
    on: set[str] = set()
    needed: list[Coding] = []
    for concept in index.concepts.values():
        for code in concept.code:
            coding = Coding(code.system, code.code)
            if not index.of(coding) <= on:
                on |= index.of(coding)
                needed.append(coding)
    ref = ResourceRef("Condition/probe")
    return tuple(CodedEntry(ref, RecordKind.CONDITION, (coding,)) for coding in needed)


def _probe(
    knowledge: KnowledgeBase,
    specimen: str,
    unit_text: str,
    value: Decimal,
    *,
    years: int,
    entries: tuple[CodedEntry, ...],
) -> Situation:
    """One synthetic result, of a patient of this age with these entries in the record."""
    unit = knowledge.units[unit_text]
    day = Moment(_AT.isoformat(), _AT, _AT, datetime(2026, 1, 1, tzinfo=UTC))
    born = _AT - timedelta(days=366 * years)
    birth = Moment(born.isoformat(), born, born, datetime(1900, 1, 1, tzinfo=UTC))
    given = UnitGiven(unit_text, unit_text, UCUM)
    number = Number(f"{value:f}", value)
    upper = ReferenceRange(OpenEnd(), Bound(Number(f"{_RANGE_END}", _RANGE_END), given))
    result = LabResult(
        ResourceRef("Observation/probe"),
        (),
        Status.FINAL,
        Measured(Comparator.EXACT, number, given),
        Subject.THIS_PATIENT,
        collected=day,
        ranges=(upper,) if years == 40 else (),
    )
    record = PatientRecord(
        patient=Patient(ResourceRef("Patient/probe"), birth),
        results=(result,),
        entries=entries,
        availability=dict.fromkeys(("labs", "conditions", "medications"), Availability.EMPTY),
    )
    return Situation(
        knowledge,
        record,
        result,
        specimen,
        Value(number.text, unit_text, unit.family),
        Quantity(Interval(value, value), unit, coded=True, exact=True),
        Literature.APPLIES,
        _AT,
        NoPair(),
    )


def _case_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Every finding needs a worked case that fires it and one that does not."""
    ids = [*(row.id for row in knowledge.findings), *(row.id for row in knowledge.contexts)]
    for finding in dict.fromkeys((*ids, THRESHOLD_INDETERMINATE)):
        fires = {finding in case.expect.findings for case in knowledge.cases}
        if fires != {True, False}:
            told = "fires it" if True not in fires else "leaves it silent"
            yield KnowledgeError(
                f"no worked case {told}.",
                where=f"{knowledge.identity.id}/cases.toml ({finding})",
                remedy="Add the case.",
            )
